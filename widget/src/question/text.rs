//! The visitor's own words.

use leptos::prelude::*;
use shared::answer::tidy_text;
use shared::{Kind, Value};
use web_sys::{Event, HtmlTextAreaElement};

use super::invalid;
use crate::flow::fill;
use crate::survey::Survey;

/// A field that grows with its lines, and counts them in the unit of the rules.
///
/// Writing more than is allowed is possible, so that nothing pasted is cut without a word; the
/// counter and the message tell.
#[component]
pub(super) fn TextField<H: IntoView + 'static>(
    /// The survey that asks.
    survey: Survey,
    /// The question.
    title: String,
    /// The quieter line below it, with the id `hint`.
    hint: H,
    /// True when it has to be answered.
    required: bool,
) -> impl IntoView {
    let (max, text) = survey
        .question(|question, value| {
            let max = match &question.kind {
                Kind::Text(text) => text.max_length as usize,
                _ => 0,
            };
            let text = match value {
                Some(Value::Text(text)) => text.clone(),
                _ => String::new(),
            };
            (max, text)
        })
        .unwrap_or_default();
    let written = RwSignal::new(text.clone());
    let count = move || written.with(|written| tidy_text(written).chars().count());
    let counter = move || survey.words(|words| fill(&words.count, &[("n", count()), ("max", max)]));
    let write = move |event: Event| {
        let now = event_target::<HtmlTextAreaElement>(&event).value();
        let tidy = tidy_text(&now);
        written.set(now);
        survey.answer((!tidy.is_empty()).then_some(Value::Text(tidy)));
    };
    view! {
        <label class="title" for="text">{title}</label>
        {hint}
        // The copy in `data-text` takes the field's room, so that the field grows in every engine.
        <div class="grow" data-text=move || written.get()>
            <textarea
                id="text"
                part="text"
                rows="3"
                aria-describedby="hint error"
                aria-required=required.then_some("true")
                aria-invalid=move || invalid(survey)
                prop:value=text
                on:input=write
            ></textarea>
        </div>
        <p class="count" class:over=move || { count() > max }>{counter}</p>
    }
}
