//! What of a survey's numbers is wanted, as an address says it.

use super::Counts;
use crate::config::Survey;
use crate::dashboard::form::{self, Fields};

/// The spans that can be chosen, in days.
pub(super) const SPANS: [u16; 3] = [7, 30, 90];

/// What of a survey's numbers is wanted; what cannot be had is left out.
#[derive(Clone, Default)]
pub(super) struct Wish {
    days: Option<u16>,
    pub(super) lang: Option<String>,
}

impl Wish {
    pub(super) fn read(fields: &Fields) -> Self {
        let days = fields.get("days").and_then(|days| days.parse().ok()).filter(|days| SPANS.contains(days));
        let lang = fields.get("lang").filter(|lang| !lang.is_empty()).map(str::to_owned);
        Self { days, lang }
    }

    pub(super) fn days(&self) -> u16 {
        self.days.unwrap_or(30)
    }

    /// Says what of an address it does without: other days, and a language that nobody can have answered in.
    pub(super) fn check(&mut self, asked: &Fields, survey: &Survey, counts: &Counts) -> Vec<String> {
        let mut without = Vec::new();
        if let Some(days) = asked.get("days").filter(|_| self.days.is_none()) {
            let spans = SPANS.map(|span| span.to_string()).join(", ");
            without
                .push(format!("“{days}” is none of the spans of days ({spans}): {} are shown.", self.days()));
        }
        let offered = |lang: &str| survey.languages.iter().any(|language| language.tag() == lang);
        let answered = |lang: &str| counts.iter().any(|(kind, _)| kind.language == lang);
        if let Some(lang) = self.lang.take_if(|lang| !offered(lang) && !answered(lang)) {
            let tags = survey.languages.iter().map(|language| language.tag()).collect::<Vec<_>>().join(", ");
            without.push(format!("The survey has no language “{lang}” ({tags}): all of them are shown."));
        }
        without
    }

    pub(super) fn address(survey: &Survey, days: u16, lang: Option<&str>) -> String {
        let lang = lang.map(|lang| ("lang", lang.to_owned()));
        form::address(
            &format!("/surveys/{}", survey.id),
            [("days", days.to_string())].into_iter().chain(lang),
        )
    }
}
