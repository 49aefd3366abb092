//! One step: the question, what is to be said about the answers as a whole, and the buttons.

use leptos::prelude::*;
use web_sys::{KeyboardEvent, SubmitEvent};

use crate::flow::fill;
use crate::question::Question;
use crate::survey::{Face, Screen, State, Survey};

/// The form around a question.
#[component]
pub(crate) fn Step(
    /// The survey to show.
    survey: Survey,
) -> impl IntoView {
    let face = survey.face;
    let state = move || face.with(|face| face.state);
    let asked = move || (survey.screen.get() == Screen::Question).then(|| view! { <Question survey=survey/> });
    let step = move || {
        let place = face.with(|face| face.place);
        let numbers = [("n", place.step), ("total", place.total)];
        (survey.screen.get() == Screen::Question)
            .then(|| survey.words(|words| fill(&words.progress, &numbers)))
            .unwrap_or_default()
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        survey.forward();
    };
    let keys = move |event: KeyboardEvent| {
        if event.key() == "Enter" {
            if event.ctrl_key() || event.meta_key() {
                // Enter alone makes a new line in a text.
                survey.forward();
            } else if event.repeat() {
                // A key held down answers one question, not all of them.
                event.prevent_default();
            }
        }
    };
    let label = move || {
        let (state, job) = face.with(|face| (face.state, forward(face)));
        survey.words(|words| {
            match (state, job) {
                (State::Sending, _) => &words.sending,
                (_, "next") => &words.next,
                (_, "send") => &words.send,
                _ => &words.again,
            }
            .clone()
        })
    };
    view! {
        <form novalidate=true on:submit=submit on:keydown=keys>
            <div
                class="slide"
                class:backwards=move || face.with(|face| face.backwards)
                inert=move || state().is_closed()
            >
                {asked}
            </div>
            <p class="note" part="status" role="status">{move || face.with(|face| face.note.clone())}</p>
            <div class="foot">
                <span class="step" part="step">{step}</span>
                <button
                    class="back"
                    part="back"
                    type="button"
                    hidden=move || face.with(|face| face.place.step < 2 || face.state.is_closed())
                    on:click=move |_| survey.back()
                >
                    {survey.words(|words| words.back.clone())}
                </button>
                <button
                    class="next"
                    part=move || face.with(|face| forward(face))
                    type="submit"
                    aria-disabled=move || (state() == State::Sending).then_some("true")
                >
                    {label}
                </button>
            </div>
        </form>
    }
}

/// Which of its three jobs the filled button has.
fn forward(face: &Face) -> &'static str {
    match face.state {
        State::Kept => "again",
        _ if face.place.step < face.place.total => "next",
        _ => "send",
    }
}
