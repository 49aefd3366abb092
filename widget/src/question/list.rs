//! A group of native radios or checkboxes, which bring their keys, names and roles along.
//!
//! Each lies invisibly over its label's face, so that a finger, a screen reader's touch and
//! `:focus-visible` all find it where it is seen.

use leptos::prelude::*;
use web_sys::{Event, HtmlInputElement};

use super::{Item, Listing, invalid, value};
use crate::survey::Survey;

/// The fieldset of a question with entries to choose from.
#[component]
pub(super) fn List<H: IntoView + 'static>(
    /// The survey that asks.
    survey: Survey,
    /// The question.
    title: String,
    /// The quieter line below it, with the id `hint`.
    hint: H,
    /// True when it has to be answered.
    required: bool,
    /// What to choose from.
    listing: Listing,
) -> impl IntoView {
    let Listing { layout, several, items, mut chosen, ends } = listing;
    let radios = !several;
    let options = items
        .into_iter()
        .enumerate()
        .map(|(position, Item { text, label })| {
            view! {
                <label class="option" part="option">
                    <input
                        type=if several { "checkbox" } else { "radio" }
                        name="answer"
                        value=position.to_string()
                        checked=chosen.contains(&position)
                        aria-label=label
                        aria-invalid=move || several.then(|| invalid(survey)).flatten()
                    />
                    <span class="face">{text}</span>
                </label>
            }
        })
        .collect::<Vec<_>>();
    let choose = move |event: Event| {
        let input: HtmlInputElement = event_target(&event);
        let Ok(position) = input.value().parse::<usize>() else { return };
        chosen.retain(|other| several && *other != position);
        if input.checked() {
            chosen.push(position);
        }
        survey.answer(survey.question(|question, _| value(&question.kind, &chosen)).flatten());
    };
    view! {
        <fieldset
            role=radios.then_some("radiogroup")
            aria-describedby="hint error"
            aria-required=(radios && required).then_some("true")
            aria-invalid=move || radios.then(|| invalid(survey)).flatten()
            on:change=choose
        >
            <legend class="title">{title}</legend>
            {hint}
            <div class=layout part="options">{options}</div>
            {ends.map(|(low, high)| view! {
                <div class="ends" aria-hidden="true"><span>{low}</span><span>{high}</span></div>
            })}
        </fieldset>
    }
}
