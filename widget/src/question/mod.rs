//! One question: its words, its answer, and what is wrong with it.
//!
//! Scores, yes/no and choices are lists of native radios or checkboxes and differ only in what they
//! list, how it is laid out, and which value a choice stands for; a text is a `textarea`.

mod choice;
mod list;
mod score;
mod text;
mod yes_no;

use shared::{Kind, Value, Words};

use crate::element::{El, el};
use crate::survey::Survey;
use list::list;
use text::text_field;

/// One entry of a list to choose from.
struct Item {
    /// What the visitor reads.
    text: String,
    /// What the visitor hears, where that is more.
    label: Option<String>,
}

/// How a kind of question is listed.
struct Listing {
    /// The class of its layout.
    layout: &'static str,
    /// True when several entries may be chosen.
    several: bool,
    /// The entries in their order.
    items: Vec<Item>,
    /// The positions chosen so far.
    chosen: Vec<usize>,
    /// What the first and the last entry mean; empty if nothing in particular.
    ends: (String, String),
}

impl Listing {
    /// How a question is listed; `None` for a text.
    fn of(kind: &Kind, value: Option<&Value>, words: &Words) -> Option<Self> {
        match kind {
            Kind::Score(scale) => Some(score::listing(scale, value)),
            Kind::YesNo => Some(yes_no::listing(value, words)),
            Kind::Choice(choice) => Some(choice::listing(choice, value)),
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
    let listing = Listing::of(&question.kind, inner.flow.value(), words);
    let several = listing.as_ref().is_some_and(|listing| listing.several).then_some(&words.several);
    let optional = (!question.required).then_some(&words.optional);
    let mut hint = String::new();
    for part in [question.hint.as_ref(), several, optional].into_iter().flatten() {
        if !hint.is_empty() {
            hint.push_str(" · ");
        }
        hint.push_str(part);
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

/// The value of `aria-invalid`.
fn invalid(survey: &Survey) -> Option<String> {
    (!survey.face().error.is_empty()).then(|| "true".to_owned())
}
