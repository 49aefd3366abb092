//! What a sandbox knows when it starts: tokens, touchpoints, questions, and its pace.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use shared::Language;

use super::Call;

/// The platform's own limit: one call a second.
const INTERVAL: Duration = Duration::from_secs(1);
/// Arrivals and answers that are kept.
const KEEP: usize = 10_000;

/// What a sandbox is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Arrivals of one token closer than this are refused; zero switches the throttle off.
    pub interval: Duration,
    /// A request takes up to this long on its way before it counts as arrived, evenly spread.
    pub jitter: Duration,
    /// Whose calls are taken.
    pub tokens: Vec<Token>,
    /// What answers may be for.
    pub touchpoints: Vec<Touchpoint>,
    /// How stored answers are handed back.
    pub reports: Reports,
    /// So many arrivals, and so many answers, are kept; older ones are only counted.
    pub keep: usize,
}

/// The platform's own pace, faithful reports, 10,000 arrivals kept; no token and no touchpoint.
impl Default for Settings {
    fn default() -> Self {
        let (tokens, touchpoints) = (Vec::new(), Vec::new());
        let (interval, jitter) = (INTERVAL, Duration::ZERO);
        Self { interval, jitter, tokens, touchpoints, reports: Reports::default(), keep: KEEP }
    }
}

/// A token and its rights; never shown.
#[derive(Clone, Debug)]
pub struct Token {
    /// What follows `basic` in the header.
    pub secret: SecretString,
    /// The touchpoints it is for; all, if `None`.
    pub touchpoints: Option<Vec<String>>,
    /// The kinds of call it is for; all, if `None`.
    pub calls: Option<Vec<Call>>,
}

impl Token {
    /// A token with every right.
    pub fn all(secret: SecretString) -> Self {
        Self { secret, touchpoints: None, calls: None }
    }

    pub(super) fn is(&self, secret: &str) -> bool {
        self.secret.expose_secret() == secret
    }

    pub(super) fn is_within(&self, text: &str) -> bool {
        let secret = self.secret.expose_secret();
        // Paths and headers are compared without regard to case: a route keeps them in lower case.
        !secret.is_empty() && text.to_ascii_lowercase().contains(&secret.to_ascii_lowercase())
    }

    /// Whether this kind of call is within its rights, for this touchpoint.
    pub(super) fn may(&self, call: Call, touchpoint: Option<&str>) -> bool {
        let calls = self.calls.as_ref().is_none_or(|calls| calls.contains(&call));
        let known = |guid: &str| {
            self.touchpoints.as_ref().is_none_or(|own| own.iter().any(|own| own.eq_ignore_ascii_case(guid)))
        };
        calls && touchpoint.is_none_or(known)
    }
}

/// A touchpoint with its survey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touchpoint {
    /// Its GUID ("CampaignUniqueID").
    pub guid: String,
    /// The GUID of the company it belongs to.
    pub company: String,
    /// A name for people.
    pub name: String,
    /// The languages it is offered in.
    pub languages: Vec<Language>,
    /// Whether it is email-based: only such a touchpoint takes respondents.
    pub email: bool,
    /// Metadata keys without which an answer, or a respondent, is refused.
    pub mandatory_metadata: Vec<String>,
    /// Its questions in their order, each once per language.
    pub questions: Vec<Question>,
}

impl Touchpoint {
    /// A question and its place.
    pub(crate) fn question(&self, guid: &str) -> Option<(usize, &Question)> {
        self.questions.iter().enumerate().find(|(_, question)| question.guid.eq_ignore_ascii_case(guid))
    }
}

/// One question in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its GUID in this language.
    pub guid: String,
    /// What joins it with the same question in other languages; any text.
    pub sibling: String,
    /// The language.
    pub language: Language,
    /// How it is answered.
    pub kind: Kind,
    /// What is asked.
    pub text: String,
    /// Whether nobody may leave it out. Answers without it are taken all the same: the page knows no refusal for that.
    pub mandatory: bool,
    /// What `label1` and those that follow say of a score's steps; empty where nothing does.
    pub labels: Vec<String>,
}

/// How a question is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number from `min` to `max`.
    Score {
        /// The lowest.
        min: i64,
        /// The highest.
        max: i64,
    },
    /// Words.
    Text,
    /// True or false.
    YesNo,
    /// One or several of these values.
    Choice {
        /// Whether there may be more than one.
        several: bool,
        /// What may be chosen, as the platform names it.
        values: Vec<String>,
    },
}

/// How stored answers are handed back; the default is faithful and at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reports {
    /// An answer shows up only after this time.
    pub lag: Duration,
    /// Dates are read and written this many seconds ahead of UTC, although they end in `Z`.
    pub ahead: i64,
    /// Leaves the metadata out.
    pub without_metadata: bool,
    /// Refuses with 401, as for a token without the right.
    pub refused: bool,
}
