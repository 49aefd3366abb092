//! The visitor's own words.

use shared::answer::tidy_text;
use shared::{Kind, Question};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlTextAreaElement};

use super::invalid;
use crate::element::{El, el};
use crate::flow::fill;
use crate::survey::Survey;

/// A field that grows with its lines, and counts them in the unit of the rules.
///
/// Writing more than is allowed is possible, so that nothing pasted is cut without a word; the
/// counter and the message tell.
pub(super) fn text_field(survey: &Survey, question: &Question, hint: El) -> El {
    let field = el("textarea")
        .part("text")
        .set("id", "text")
        .set("rows", "3")
        .set("aria-describedby", "hint error")
        .set_if(question.required, "aria-required", "true")
        .follow("aria-invalid", survey, invalid)
        .text(&survey.inner().text)
        .on("input", survey, write);
    let counter = el("p").class("count").follow("data-over", survey, over).follow_text(survey, counter);
    el("div")
        .child(el("label").class("title").set("for", "text").text(&question.text))
        .child(hint)
        // The copy in `data-text` takes the field's room, so that the field grows in every engine.
        .child(
            el("div").class("grow").follow("data-text", survey, |survey| Some(written(survey))).child(field),
        )
        .child(counter)
}

fn write(survey: &Survey, event: &Event) {
    if let Some(field) = event.target() {
        survey.write(field.unchecked_into::<HtmlTextAreaElement>().value());
    }
}

/// The text as it stands in the field.
fn written(survey: &Survey) -> String {
    drop(survey.face());
    survey.inner().text.clone()
}

/// How many characters were written, and how many may be.
fn count(survey: &Survey) -> (usize, usize) {
    let max = match survey.inner().flow.question().map(|question| &question.kind) {
        Some(Kind::Text(text)) => text.max_length as usize,
        _ => 0,
    };
    (tidy_text(&written(survey)).chars().count(), max)
}

fn counter(survey: &Survey) -> String {
    let (count, max) = count(survey);
    fill(&survey.word(|words| &words.count), &[("n", count), ("max", max)])
}

fn over(survey: &Survey) -> Option<String> {
    let (count, max) = count(survey);
    (count > max).then(String::new)
}
