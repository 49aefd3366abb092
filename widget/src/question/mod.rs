//! One question: its words, its answer, and what is wrong with it.
//!
//! Scores, yes/no and choices are lists of native radios or checkboxes and differ only in what they
//! list, how it is laid out, and which value a choice stands for; a text is a `textarea`.

mod choice;
mod list;
mod score;
mod text;
mod yes_no;

use leptos::prelude::*;
use shared::{Kind, Value, Words};

use crate::erase::{Mark, Part, mark, written};
use crate::survey::Survey;
use list::{List, ListProps};
use text::{TextField, TextFieldProps};

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
#[component]
pub(crate) fn Question(
    /// The survey that asks it.
    survey: Survey,
) -> impl IntoView {
    let inner = survey.inner()?;
    let inner = inner.borrow();
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
    let asked = Asked { survey, title: question.text.clone(), hint, required: question.required };
    let field = match (listing, &question.kind) {
        (None, Kind::Text(text)) => {
            let written = match inner.flow.value() {
                Some(Value::Text(text)) => text.clone(),
                _ => String::new(),
            };
            Part::new(TextField(TextFieldProps { asked, max: text.max_length as usize, text: written }))
        }
        (None, _) => Part::new(()),
        (Some(listing), _) => Part::new(List(ListProps { asked, listing })),
    };
    Some(view! {
        <div class="question" part="question" data-question=question.id.as_str().to_owned()>
            {field}
            <p class="error" part="error" id="error" role="alert">{written(move || survey.face().error)}</p>
        </div>
    })
}

/// What all kinds of questions show.
struct Asked {
    /// The survey that asks.
    survey: Survey,
    /// The question.
    title: String,
    /// The quieter line below it; empty if there is none.
    hint: String,
    /// True when it has to be answered.
    required: bool,
}

/// The value of `aria-invalid`.
fn invalid(survey: Survey) -> Mark {
    mark(move || (!survey.face().error.is_empty()).then_some("true"))
}
