//! A group of native radios or checkboxes, which bring their keys, names and roles along.
//!
//! Each lies invisibly over its label's face, so that a finger, a screen reader's touch and
//! `:focus-visible` all find it where it is seen.

use leptos::prelude::*;
use web_sys::{Event, HtmlInputElement};

use super::{Asked, Item, Listing, invalid, value};
use crate::erase::mark;

/// The fieldset of a question with entries to choose from.
#[component]
pub(super) fn List(
    /// The question.
    asked: Asked,
    /// What to choose from.
    listing: Listing,
) -> impl IntoView {
    let Asked { survey, title, hint, required } = asked;
    let Listing { layout, several, items, mut chosen, ends } = listing;
    let invalid_where = |here: bool| if here { invalid(survey) } else { mark(|| None) };
    let mut options = Vec::new();
    for (position, Item { text, label }) in items.into_iter().enumerate() {
        options.push(view! {
            <label class="option" part="option">
                <input
                    type=if several { "checkbox" } else { "radio" }
                    name="answer"
                    value=position.to_string()
                    checked=chosen.contains(&position).then_some("")
                    aria-label=label
                    aria-invalid=invalid_where(several)
                />
                <span class="face">{text}</span>
            </label>
        });
    }
    let choose = move |event: Event| {
        let input: HtmlInputElement = event_target(&event);
        let Ok(position) = input.value().parse::<usize>() else { return };
        chosen.retain(|other| several && *other != position);
        if input.checked() {
            chosen.push(position);
        }
        let Some(inner) = survey.inner() else { return };
        let value = inner.borrow().flow.question().and_then(|question| value(&question.kind, &chosen));
        survey.answer(value);
    };
    let (low, high) = ends;
    view! {
        <fieldset
            role=(!several).then_some("radiogroup")
            aria-describedby="hint error"
            aria-required=(!several && required).then_some("true")
            aria-invalid=invalid_where(!several)
            on:change=choose
        >
            <legend class="title">{title}</legend>
            <p class="hint" id="hint">{hint}</p>
            <div class=layout part="options">{options}</div>
            <div class="ends" aria-hidden="true"><span>{low}</span><span>{high}</span></div>
        </fieldset>
    }
}
