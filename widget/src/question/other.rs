//! The visitor's own words for an option called "other".

use shared::answer::tidy_text;
use shared::{Choice, Chosen, Kind, Value};
use web_sys::{Event, EventTarget};

use super::{id, invalid};
use crate::element::{El, el};
use crate::full;
use crate::step::flag;
use crate::survey::Survey;

/// A field below the option; there once that is chosen.
pub(super) fn other(survey: &Survey) -> El {
    let words = match survey.inner().flow.value(survey.position()) {
        Some(Value::Options(Chosen { other: Some(words), .. })) => words.clone(),
        _ => String::new(),
    };
    let specify = survey.word("specify");
    let field = el("input")
        .part("text")
        .set("type", "text")
        .set("value", &words)
        .set("aria-label", &specify)
        .set("placeholder", &specify)
        .set("aria-describedby", &id(survey, "error"))
        .follow("aria-invalid", survey, invalid)
        // A change of it is none of the list.
        .on("change", survey, |_, event| event.stop_propagation())
        .on("input", survey, write);
    el("div").class("other").follow("hidden", survey, not_chosen).child(field)
}

/// Adds the visitor's words to what was chosen of the list that a field lies in.
pub(super) fn add_words(choice: &Choice, value: &mut Option<Value>, field: &EventTarget) {
    if let Some(Value::Options(chosen)) = value
        && choice.takes_words(&chosen.ids)
    {
        let words = tidy_text(&full::own_words(field));
        chosen.other = (!words.is_empty()).then_some(words);
    }
}

fn not_chosen(survey: &Survey) -> Option<String> {
    survey.watch();
    let inner = survey.inner();
    let position = survey.position();
    let chosen = match (inner.flow.kind(position), inner.flow.value(position)) {
        (Some(Kind::Choice(choice)), Some(Value::Options(chosen))) => choice.takes_words(&chosen.ids),
        _ => false,
    };
    flag(!chosen)
}

fn write(survey: &Survey, event: &Event) {
    let Some(field) = event.target() else { return };
    let inner = survey.inner();
    let position = survey.position();
    let mut value = inner.flow.value(position).cloned();
    if let Some(Kind::Choice(choice)) = inner.flow.kind(position) {
        add_words(choice, &mut value, &field);
    }
    drop(inner);
    survey.answer(value);
}
