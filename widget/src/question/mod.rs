//! One question: its words, its answer, and what is wrong with it.
//!
//! Scores, yes/no and choices are lists of native radios or checkboxes and differ only in what they
//! list, how it is laid out, and which value a choice stands for; a text is a `textarea`.

mod choice;
mod list;
mod score;
mod text;
mod yes_no;

use shared::{Fault, Kind, Value, Words};

use crate::element::{El, el};
use crate::flow::message;
use crate::survey::Survey;
use list::list;
use text::text_field;

/// One entry of a list to choose from.
struct Item {
    /// What the visitor reads.
    text: String,
    /// What the visitor hears, where that is more.
    label: Option<String>,
    /// How glad it is, from 0 to 4, where that is seen.
    mood: Option<i32>,
}

impl Item {
    /// An entry that is heard as it is read.
    fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), label: None, mood: None }
    }
}

/// How a kind of question is listed.
struct Listing {
    /// The classes of its layout.
    layout: &'static str,
    /// True when several entries may be chosen.
    several: bool,
    /// True when the entries go from red to green.
    tones: bool,
    /// The positions of the entries in the order in which they are shown; empty for their own.
    order: Vec<usize>,
    /// The entries in the question's order.
    items: Vec<Item>,
    /// The positions chosen so far.
    chosen: Vec<usize>,
    /// What the first and the last entry mean; empty if nothing in particular.
    ends: (String, String),
}

impl Listing {
    /// How a question is listed; `None` for a text.
    fn of(kind: &Kind, value: Option<&Value>, words: &Words, seed: u32) -> Option<Self> {
        match kind {
            Kind::Score(scale) => Some(score::listing(scale, value)),
            Kind::YesNo => Some(yes_no::listing(value, words)),
            Kind::Choice(choice) => Some(choice::listing(choice, value, seed)),
            Kind::Text(_) => None,
        }
    }
}

/// What the positions chosen stand for.
fn value(kind: &Kind, chosen: &[usize]) -> Option<Value> {
    match kind {
        Kind::Score(scale) => score::value(scale, chosen),
        Kind::YesNo => yes_no::value(chosen),
        Kind::Choice(choice) => choice::value(choice, chosen),
        Kind::Text(_) => None,
    }
}

/// The question on screen.
pub(crate) fn question(survey: &Survey) -> Option<El> {
    let inner = survey.inner();
    let question = inner.flow.question()?;
    let words = &inner.definition.words;
    let listing = Listing::of(&question.kind, inner.flow.value(), words, inner.seed);
    let mut hint = question.hint.clone().unwrap_or_default();
    how_many(&mut hint, &question.kind, words);
    if !question.required {
        also(&mut hint, &words.optional);
    }
    let hint = el("p").class("hint").set("id", "hint").text(&hint);
    let field = match listing {
        Some(listing) => list(survey, question, hint, listing),
        None => text_field(survey, question, hint),
    };
    let error = el("p")
        .class("error")
        .part("error")
        .set("id", "error")
        .set("role", "alert")
        .follow_text(survey, |survey| survey.face().error.clone());
    Some(
        el("div")
            .class("question")
            .part("question")
            .set("data-question", question.id.as_str())
            .child(field)
            .child(error),
    )
}

/// Adds how many may be chosen, where that is more than one.
fn how_many(hint: &mut String, kind: &Kind, words: &Words) {
    let Kind::Choice(choice) = kind else { return };
    if let Some(min) = choice.min {
        also(hint, &message(words, kind, Fault::TooFew { min }));
    }
    if let Some(max) = choice.max {
        also(hint, &message(words, kind, Fault::TooMany { max }));
    } else if choice.several && choice.min.is_none() {
        also(hint, &words.several);
    }
}

/// Adds a part to a hint.
fn also(hint: &mut String, part: &str) {
    if !hint.is_empty() {
        hint.push_str(" · ");
    }
    hint.push_str(part);
}

/// The value of `aria-invalid`.
fn invalid(survey: &Survey) -> Option<String> {
    (!survey.face().error.is_empty()).then(|| "true".to_owned())
}
