//! The visitor's own words.

use leptos::prelude::*;
use shared::Value;
use shared::answer::tidy_text;
use web_sys::{Event, HtmlTextAreaElement};

use super::{Asked, invalid};
use crate::erase::{mark, written};
use crate::flow::fill;

/// A field that grows with its lines, and counts them in the unit of the rules.
///
/// Writing more than is allowed is possible, so that nothing pasted is cut without a word; the
/// counter and the message tell.
#[component]
pub(super) fn TextField(
    /// The question.
    asked: Asked,
    /// The longest text, in Unicode scalar values.
    max: usize,
    /// What was written so far.
    text: String,
) -> impl IntoView {
    let Asked { survey, title, hint, required } = asked;
    let now = RwSignal::new(text.clone());
    let count = move || tidy_text(&now.get()).chars().count();
    let counter = move || fill(&survey.word(|words| &words.count), &[("n", count()), ("max", max)]);
    let write = move |event: Event| {
        let text = event_target::<HtmlTextAreaElement>(&event).value();
        let tidy = tidy_text(&text);
        now.set(text);
        survey.answer((!tidy.is_empty()).then_some(Value::Text(tidy)));
    };
    view! {
        <label class="title" for="text">{title}</label>
        <p class="hint" id="hint">{hint}</p>
        // The copy in `data-text` takes the field's room, so that the field grows in every engine.
        <div class="grow" data-text=written(move || now.get())>
            <textarea
                id="text"
                part="text"
                rows="3"
                aria-describedby="hint error"
                aria-required=required.then_some("true")
                aria-invalid=invalid(survey)
                on:input=write
            >
                {text}
            </textarea>
        </div>
        <p class="count" data-over=mark(move || (count() > max).then_some(""))>{written(counter)}</p>
    }
}
