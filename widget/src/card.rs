//! The card: progress on its upper edge, and inside one step or thanks.

use leptos::prelude::*;
use web_sys::KeyboardEvent;

use crate::step::Step;
use crate::survey::{Face, Screen, Survey};
use crate::thanks::Thanks;

/// The whole survey.
#[component]
pub(crate) fn Card(
    /// The survey to show.
    survey: Survey,
) -> impl IntoView {
    let (language, rtl) = survey.language();
    let face = survey.face;
    let filled = move || face.with(progress);
    let shown = move || {
        if survey.screen.get() == Screen::Thanks {
            view! { <Thanks survey=survey/> }.into_any()
        } else {
            view! { <Step survey=survey/> }.into_any()
        }
    };
    view! {
        <section
            class="card"
            part="card"
            lang=language
            dir=if rtl { "rtl" } else { "ltr" }
            aria-label=survey.words(|words| words.survey.clone())
            data-state=move || face.with(|face| face.state.name())
            on:keydown=keep_inside
            on:keyup=keep_inside
            on:keypress=keep_inside
        >
            <div class="bar" part="progress" aria-hidden="true">
                <div class="fill" style:inline-size=filled></div>
            </div>
            {shown}
            <p class="said" role="status">{move || face.with(|face| face.said.clone())}</p>
        </section>
    }
}

/// How far the visitor is, as a CSS length.
fn progress(face: &Face) -> String {
    let percent = face.place.step * 100 / face.place.total.max(1);
    percent.to_string() + "%"
}

/// Keys that are meant for the survey are not for the page's shortcuts.
#[expect(clippy::needless_pass_by_value, reason = "a listener gets its event by value")]
fn keep_inside(event: KeyboardEvent) {
    event.stop_propagation();
}
