//! The visitor's own words.

use shared::answer::tidy_text;
use shared::{Kind, Question, Value};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlTextAreaElement};

use super::{described_by, id, invalid, title, told};
use crate::element::{El, el};
use crate::flow::fill;
use crate::survey::Survey;

/// A field that grows with its lines, and counts them in the unit of the rules.
///
/// Writing more than is allowed is possible, so that nothing pasted is cut without a word; the
/// counter and the message tell.
pub(super) fn text_field(survey: &Survey, question: &Question, hint: El) -> El {
    let written = self::written(survey);
    let field = el("textarea")
        .part("text")
        .set("id", &id(survey, "text"))
        .set("rows", "3")
        .set("aria-describedby", &described_by(survey))
        .set_if(question.required, "aria-required", "true")
        .follow("aria-invalid", survey, invalid)
        .text(&written)
        .on("input", survey, write);
    let counter = el("p").class("count").follow("data-over", survey, over).follow_text(survey, counter);
    el("div")
        .child(told(el("label").class("title").set("for", &id(survey, "text")), survey, title))
        .child(hint)
        // The copy in `data-text` takes the field's room, so that the field grows in every engine.
        .child(el("div").class("grow").set("data-text", &written).child(field))
        .child(counter)
}

fn write(survey: &Survey, event: &Event) {
    let Some(field) = event.target() else { return };
    let field: HtmlTextAreaElement = field.unchecked_into();
    let text = field.value();
    if let Some(grows) = field.parent_element() {
        // Fails only for a name that is none.
        grows.set_attribute("data-text", &text).ok();
    }
    let tidy = tidy_text(&text);
    survey.answer((!tidy.is_empty()).then_some(Value::Text(tidy)));
}

/// The answer so far; empty if there is none.
fn written(survey: &Survey) -> String {
    match survey.inner().flow.value(survey.position()) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

/// How many characters were written, and how many may be.
fn count(survey: &Survey) -> (usize, usize) {
    survey.watch();
    let inner = survey.inner();
    let max = match inner.flow.kind(survey.position()) {
        Some(Kind::Text(text)) => text.max_length as usize,
        _ => 0,
    };
    (written(survey).chars().count(), max)
}

fn counter(survey: &Survey) -> String {
    let (count, max) = count(survey);
    let definition = &survey.inner().definition;
    fill(definition, definition.word("count"), &[("n", count), ("max", max)])
}

fn over(survey: &Survey) -> Option<String> {
    let (count, max) = count(survey);
    (count > max).then(String::new)
}
