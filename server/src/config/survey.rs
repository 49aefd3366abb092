//! `[[survey]]`: what is asked where, and where its answers go.

use std::num::NonZeroU32;
use std::time::Duration;

use shared::{Language, SurveyId};

use super::contact::{self, Contact};
use super::limits;
use super::metadata::{self, MetadataRule};
use super::platform::{Platform, PlatformName};
use super::question::{self, Question};
use super::reader::{Table, Value};
use super::screens::{self, Intro, Thanks};
use super::show::{self, Show};
use super::style::{self, Style};
use super::text::{GUID_HINT, Guid, Languages, Origin};

/// One survey in all its languages.
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
#[derive(Clone, Debug)]
pub struct Survey {
    /// Its id.
    pub id: SurveyId,
    /// Where its answers go.
    pub platform: PlatformName,
    /// The platform's company.
    pub company: Guid,
    /// The platform's touchpoint, also called campaign.
    pub touchpoint: Guid,
    /// The pages that may show it.
    pub origins: Vec<Origin>,
    /// True when a submission without `Origin` is taken too.
    pub allow_no_origin: bool,
    /// The languages it is offered in; the first is the fallback.
    pub languages: Vec<Language>,
    /// How many submissions a minute it takes from all visitors together, if that is limited.
    pub per_minute: Option<NonZeroU32>,
    /// The longest that an answer should wait for its call, if fewer visitors are to be asked near it.
    pub max_delay: Option<Duration>,
    /// What happens to an answer that may or may not have arrived.
    pub on_unknown: OnUnknown,
    /// What goes along with each answer.
    pub metadata: Vec<MetadataRule>,
    /// How it appears, when, to whom, and how often.
    pub show: Show,
    /// What it looks like.
    pub style: Style,
    /// True when a tap on the one answer of a question goes on to the next.
    pub autoprogress: bool,
    /// How the questions are laid out.
    pub layout: Layout,
    /// True when it is counted how far visitors come.
    pub counts: bool,
    /// True when the visitor may change the language.
    pub language_switch: bool,
    /// How the visitor may be reached, if that is asked.
    pub contact: Option<Contact>,
    /// What stands before the first question, if anything.
    pub intro: Option<Intro>,
    /// What stands in the place of the widget's own thanks: the first that fits.
    pub thanks: Vec<Thanks>,
    /// The questions in their order; never empty.
    pub questions: Vec<Question>,
}

/// How the questions of a survey are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One by one.
    Steps,
    /// All on one page.
    Page,
}

/// What happens to an answer whose call was cut off, and that cannot be looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUnknown {
    /// It is sent again: it may then be there twice.
    Resend,
    /// It waits for an operator.
    Park,
}

/// The shortest `max_delay`: below it, a handful of answers would silence a survey.
const LEAST_DELAY: Duration = Duration::from_mins(1);
/// The longest `max_delay`; nothing waits on purpose for as long.
const LONGEST_DELAY: Duration = Duration::from_hours(30 * 24);

/// The shape of an id, for hints.
pub(super) const ID_HINT: &str = "use a-z, 0-9, _ and -, at most 64, a letter or a digit first";

pub(super) fn read(value: &Value<'_>, platforms: Option<&[Platform]>) -> Option<Survey> {
    let table = value.table()?;
    let id = table.required("id", "add id = \"checkout\"").and_then(|value| value.parse(ID_HINT));
    let platform = read_platform(&table, platforms);
    let company = guid(&table, "company");
    let touchpoint = guid(&table, "touchpoint");
    let allow_no_origin = table.flag("allow_no_origin");
    let origins = read_origins(&table, allow_no_origin == Some(true));
    let languages = read_languages(&table);
    let per_minute = table.optional("per_minute", |value| limits::number(value, "leave it out for no limit"));
    let max_delay = table.optional("max_delay", |value| value.duration(LEAST_DELAY, LONGEST_DELAY));
    let on_unknown = table.get("on_unknown").map_or(Some(OnUnknown::Resend), |value| {
        value.one_of(&[("resend", OnUnknown::Resend), ("park", OnUnknown::Park)])
    });
    let metadata = table.get("metadata").map_or(Some(Vec::new()), |value| metadata::read(&value));
    let show =
        table.get("show").map_or_else(|| Some(Show::default()), |value| show::read(&value, &languages));
    let style = table.get("style").map_or_else(|| Some(Style::default()), |value| style::read(&value));
    let autoprogress = table.flag("autoprogress");
    let counts = table.flag("counts");
    let layout = table.get("layout").map_or(Some(Layout::Steps), |value| {
        let layout = value.one_of(&[("steps", Layout::Steps), ("page", Layout::Page)])?;
        if layout == Layout::Page && autoprogress == Some(true) {
            value.problem("on one page there is no next question", "remove `autoprogress`");
        }
        Some(layout)
    });
    let language_switch = table.get("language_switch").map_or(Some(false), |value| {
        let switch = value.boolean()?;
        if switch && languages.complete && languages.read.len() < 2 {
            value.problem("there is no other language to change to", "remove it, or add to `languages`");
        }
        Some(switch)
    });
    let questions = table
        .required("question", "add a [[survey.question]]")
        .and_then(|value| question::read_all(&value, &languages));
    let intro = table.optional("intro", |value| screens::read_intro(value, &languages));
    let contact = table.optional("contact", |value| contact::read(value, &languages, questions.as_deref()));
    let thanks = table
        .get("thanks")
        .map_or(Some(Vec::new()), |value| screens::read_thanks(&value, &languages, questions.as_deref()));
    table.finish();
    Some(Survey {
        id: id?,
        platform: platform?,
        company: company?,
        touchpoint: touchpoint?,
        origins: origins?,
        allow_no_origin: allow_no_origin?,
        languages: languages.whole()?,
        per_minute: per_minute.ok()?,
        max_delay: max_delay.ok()?,
        on_unknown: on_unknown?,
        metadata: metadata?,
        show: show?,
        style: style?,
        autoprogress: autoprogress?,
        counts: counts?,
        layout: layout?,
        language_switch: language_switch?,
        contact: contact.ok()?,
        intro: intro.ok()?,
        thanks: thanks?,
        questions: questions?,
    })
}

fn guid(table: &Table<'_>, key: &'static str) -> Option<Guid> {
    let hint = format!("add {key} = \"…\": the platform's settings show it");
    table.required(key, &hint)?.parse(GUID_HINT)
}

fn read_platform(table: &Table<'_>, platforms: Option<&[Platform]>) -> Option<PlatformName> {
    let value = table.required("platform", "add platform = \"main\", the NAME of a [platform.NAME]")?;
    let name = value.string()?;
    let platforms = platforms?;
    let found = platforms.iter().find(|platform| platform.name.as_str() == name);
    if found.is_none() {
        let names: Vec<_> = platforms.iter().map(|platform| platform.name.as_str()).collect();
        value.problem(format!("there is no [platform.{name}]"), format!("known: {}", names.join(", ")));
    }
    found.map(|platform| platform.name.clone())
}

fn read_origins(table: &Table<'_>, may_be_empty: bool) -> Option<Vec<Origin>> {
    const HINT: &str = "write \"https://shop.example\": scheme, host, and a port unless it is the usual one";
    let Some(value) = table.get("origins") else {
        if !may_be_empty {
            table.problem("origins is missing", "add origins = [\"https://shop.example\"]");
        }
        return may_be_empty.then(Vec::new);
    };
    let origins = super::list(&value, |value| value.parse(HINT))?;
    if origins.is_empty() && !may_be_empty {
        value.problem("no page may show the survey", HINT);
        return None;
    }
    Some(origins)
}

fn read_languages(table: &Table<'_>) -> Languages {
    let mut languages = Languages { read: Vec::new(), complete: true };
    let hint = "add languages = [\"nl\", \"fr\"]; the first is the fallback";
    let Some((value, entries)) =
        table.required("languages", hint).and_then(|value| Some((value.clone(), value.array()?)))
    else {
        return Languages { complete: false, ..languages };
    };
    for entry in entries {
        match entry.string().and_then(|tag| read_language(&entry, tag)) {
            Some(language) if languages.read.contains(&language) => {
                entry.problem(format!("{:?} is there twice", language.tag()), "remove one");
                languages.complete = false;
            }
            Some(language) => languages.read.push(language),
            None => languages.complete = false,
        }
    }
    if languages.read.is_empty() && languages.complete {
        value.problem("a survey needs a language", "write [\"nl\"]");
        languages.complete = false;
    }
    languages
}

fn read_language(value: &Value<'_>, tag: &str) -> Option<Language> {
    let near = Language::matching(tag);
    if near.is_none_or(|language| language.tag() != tag) {
        let near = near.map(|language| format!("write {:?}", language.tag()));
        let hint = near.unwrap_or_else(|| "use a two-letter code: nl, fr, en, …".into());
        value.problem(format!("{tag:?} is none of the platform's 29 languages"), hint);
        return None;
    }
    near
}

impl Survey {
    /// What it is in a few words: `5 questions in nl, fr`.
    pub fn summary(&self) -> String {
        let count = self.questions.len();
        let noun = if count == 1 { "question" } else { "questions" };
        let languages: Vec<&str> = self.languages.iter().map(|language| language.tag()).collect();
        format!("{count} {noun} in {}", languages.join(", "))
    }

    /// True for an `Origin` header whose pages may show the survey.
    pub fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|listed| listed.as_str() == origin)
    }

    /// The question with this id.
    pub fn question(&self, id: &shared::QuestionId) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == *id)
    }

    /// The language that fits a visitor's wishes best: the first wish that is offered, else the
    /// survey's fallback.
    pub fn resolve_language<'a>(&self, wishes: impl IntoIterator<Item = &'a str>) -> Language {
        Language::negotiate(wishes, &self.languages).unwrap_or(self.languages[0])
    }
}

const _: () = assert!(shared::limits::QUESTIONS <= 1_000, "positions are looked up one by one");
