//! One question: its words, its answer, and what is wrong with it.
//!
//! Scores, yes/no and choices are lists of native radios or checkboxes and differ only in what they
//! list, how it is laid out, and which value a choice stands for; a text is a `textarea`.

mod choice;
mod list;
mod other;
mod score;
mod search;
mod text;
mod yes_no;

use shared::{Fault, Kind, Value};

use crate::FULL;
use crate::element::{El, el};
use crate::flow::message;
use crate::survey::Survey;
use crate::wire::Definition;
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
    fn of(kind: &Kind, value: Option<&Value>, definition: &Definition, seed: u32) -> Option<Self> {
        match kind {
            Kind::Score(scale) => Some(score::listing(scale, value, definition)),
            Kind::YesNo => Some(yes_no::listing(value, definition)),
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
    let position = survey.position();
    let question = inner.flow.questions().get(position)?;
    let definition = &inner.definition;
    let listing = Listing::of(&question.kind, inner.flow.value(position), definition, inner.seed);
    let hint = told(el("p").class("hint").set("id", &id(survey, "hint")), survey, hint);
    let field = match listing {
        Some(listing) => list(survey, question, hint, listing),
        None => text_field(survey, question, hint),
    };
    let shown = el("div").class("question").part("question").set("data-question", question.id.as_str());
    Some(at(shown, survey).child(field).child(error(survey)))
}

/// Marks where a position is, for the focus.
pub(crate) fn at(element: El, survey: &Survey) -> El {
    if FULL { element.set("data-at", &survey.position().to_string()) } else { element }
}

/// An id within the card, which may hold several questions.
pub(crate) fn id(survey: &Survey, name: &str) -> String {
    if FULL { [name, "-", &survey.position().to_string()].concat() } else { name.to_owned() }
}

/// The ids of what is to be heard beside a question.
fn described_by(survey: &Survey) -> String {
    [id(survey, "hint"), id(survey, "error")].join(" ")
}

/// What is wrong with the answer: next to it, and said once when it appears, unless it is heard otherwise.
pub(crate) fn error(survey: &Survey) -> El {
    let inner = survey.inner();
    // The focus goes to a field about the visitor, and is told of it there.
    let heard = FULL && (inner.is_one_page() || survey.position() >= inner.flow.questions().len());
    el("p")
        .class("error")
        .part("error")
        .set("id", &id(survey, "error"))
        .set_if(!heard, "role", "alert")
        .follow_text(survey, wrong)
}

/// An element with a text of the question, which follows the answers that it repeats.
fn told(element: El, survey: &Survey, read: fn(&Survey) -> String) -> El {
    if FULL { element.follow_text(survey, read) } else { element.text(&read(survey)) }
}

fn title(survey: &Survey) -> String {
    let inner = survey.inner();
    let question = inner.flow.questions().get(survey.position());
    repeat(survey, question.map_or("", |question| &question.text))
}

/// The quieter line: the question's own, how many may be chosen, and whether it may be left out.
fn hint(survey: &Survey) -> String {
    let inner = survey.inner();
    let Some(question) = inner.flow.questions().get(survey.position()) else { return String::new() };
    let mut hint = repeat(survey, question.hint.as_deref().unwrap_or_default());
    how_many(&mut hint, &question.kind, &inner.definition);
    if !question.required {
        also(&mut hint, inner.definition.word("optional"));
    }
    hint
}

/// A text with the answers that it repeats.
fn repeat(survey: &Survey, text: &str) -> String {
    if FULL {
        survey.watch();
    }
    survey.inner().repeat(text)
}

/// Adds how many may be chosen, where that is more than one.
fn how_many(hint: &mut String, kind: &Kind, definition: &Definition) {
    let Kind::Choice(choice) = kind else { return };
    if let Some(min) = choice.min {
        also(hint, &message(definition, kind, Fault::TooFew { min }));
    }
    if let Some(max) = choice.max {
        also(hint, &message(definition, kind, Fault::TooMany { max }));
    } else if choice.several && choice.min.is_none() {
        also(hint, definition.word("several"));
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
pub(crate) fn invalid(survey: &Survey) -> Option<String> {
    (!wrong(survey).is_empty()).then(|| "true".to_owned())
}

/// What is wrong with the answer; empty if nothing is.
fn wrong(survey: &Survey) -> String {
    let face = survey.face();
    let wrong = face.errors.iter().find(|(position, _)| *position == survey.position());
    wrong.map(|(_, error)| error.clone()).unwrap_or_default()
}
