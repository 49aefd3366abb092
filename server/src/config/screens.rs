//! `[survey.intro]` and `[[survey.thanks]]`: what stands before the first question and after the last.

use shared::ShowIf;

use super::question::{self, Question};
use super::reader::{Table, Value, words};
use super::text::{Languages, PerLanguage, per_language};

/// The most endings of a survey; they travel with its definition.
const ENDINGS: usize = 10;

/// What stands before the first question.
#[derive(Clone, Debug)]
pub struct Intro {
    /// A line that says what this is.
    pub title: PerLanguage<String>,
    /// More about it.
    pub text: Option<PerLanguage<String>>,
    /// What the button says that leads to the first question.
    pub button: PerLanguage<String>,
}

/// What stands at the end, in the place of the widget's own thanks.
#[derive(Clone, Debug)]
pub struct Thanks {
    /// For whom; for everybody, if absent.
    pub show_if: Option<ShowIf>,
    /// A line that thanks.
    pub title: PerLanguage<String>,
    /// More about it.
    pub text: Option<PerLanguage<String>>,
    /// Where to go from here.
    pub link: Option<Link>,
}

/// A way to another page.
#[derive(Clone, Debug)]
pub struct Link {
    /// The page's address, for each language.
    pub url: PerLanguage<String>,
    /// What is written on it.
    pub text: PerLanguage<String>,
}

/// Reads a text that has to be there, in every language.
pub(super) fn required(
    table: &Table<'_>,
    key: &'static str,
    languages: &Languages,
) -> Option<PerLanguage<String>> {
    let value = table.required(key, &format!("add {key} = {}", languages.sample("…")))?;
    per_language(&value, languages, key, words)
}

pub(super) fn read_intro(value: &Value<'_>, languages: &Languages) -> Option<Intro> {
    let table = value.table()?;
    let title = required(&table, "title", languages);
    let text = table.optional("text", |value| per_language(value, languages, "text", words));
    let button = required(&table, "button", languages);
    table.finish();
    Some(Intro { title: title?, text: text.ok()?, button: button? })
}

pub(super) fn read_thanks(
    value: &Value<'_>,
    languages: &Languages,
    questions: Option<&[Question]>,
) -> Option<Vec<Thanks>> {
    let entries = value.array()?;
    if entries.len() > ENDINGS {
        value.problem(format!("a survey has at most {ENDINGS} endings"), "");
        return None;
    }
    let mut endings: Vec<Thanks> = Vec::new();
    for entry in &entries {
        if endings.iter().any(|ending| ending.show_if.is_none()) {
            let hint = "the one without show_if is for everybody: put it last";
            entry.problem("nobody ever sees this ending", hint);
        }
        endings.extend(read_ending(entry, languages, questions));
    }
    (endings.len() == entries.len()).then_some(endings)
}

fn read_ending(value: &Value<'_>, languages: &Languages, questions: Option<&[Question]>) -> Option<Thanks> {
    let table = value.table()?;
    let show_if = table.optional("show_if", |value| question::read_show_if_at_the_end(value, questions?));
    let title = required(&table, "title", languages);
    let text = table.optional("text", |value| per_language(value, languages, "text", words));
    let link = table.optional("link", |value| read_link(value, languages));
    table.finish();
    if let (Ok(show_if), Some(title), Ok(text), Some(questions)) = (&show_if, &title, &text, questions) {
        question::check_pipes(value, [Some(title), text.as_ref()], show_if.as_ref(), questions);
    }
    Some(Thanks { show_if: show_if.ok()?, title: title?, text: text.ok()?, link: link.ok()? })
}

pub(super) fn read_link(value: &Value<'_>, languages: &Languages) -> Option<Link> {
    let table = value.table()?;
    let url = table.required("url", &format!("add url = {}", languages.sample("https://…")));
    let url = url.and_then(|value| per_language(&value, languages, "url", read_url));
    let text = required(&table, "text", languages);
    table.finish();
    Some(Link { url: url?, text: text? })
}

/// Nothing but the web: a page must not run what a configuration writes.
fn read_url(value: &Value<'_>) -> Option<String> {
    let url = value.string()?;
    let web = reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
    if !web {
        value.problem(format!("{url:?} is no address of a page"), "write \"https://shop.example/thanks\"");
    }
    web.then(|| url.to_owned())
}
