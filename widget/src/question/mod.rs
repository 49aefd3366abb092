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

use crate::survey::Survey;
use list::List;
use text::TextField;

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
    /// What the first and the last entry mean.
    ends: Option<(String, String)>,
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
    survey.question(|question, value| {
        let listing = survey.words(|words| Listing::of(&question.kind, value, words));
        let hint = survey.words(|words| {
            let several = listing.as_ref().is_some_and(|listing| listing.several);
            let several = several.then(|| words.several.clone());
            let optional = (!question.required).then(|| words.optional.clone());
            [question.hint.clone(), several, optional].into_iter().flatten().collect::<Vec<_>>()
        });
        let hint = (!hint.is_empty()).then(|| view! { <p class="hint" id="hint">{hint.join(" · ")}</p> });
        let title = question.text.clone();
        let required = question.required;
        let field = match listing {
            Some(listing) => view! { <List survey title hint required listing/> }.into_any(),
            None => view! { <TextField survey title hint required/> }.into_any(),
        };
        view! {
            <div class="question" part="question" data-question=question.id.as_str().to_owned()>
                {field}
                <p class="error" part="error" id="error" role="alert">
                    {move || survey.face.with(|face| face.error.clone())}
                </p>
            </div>
        }
    })
}

/// The value of `aria-invalid`.
fn invalid(survey: Survey) -> Option<&'static str> {
    survey.face.with(|face| !face.error.is_empty()).then_some("true")
}
