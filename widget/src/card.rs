//! The card: progress on its upper edge, and inside one step or thanks.

use leptos::prelude::*;
use web_sys::KeyboardEvent;

use crate::erase::{Part, swapped, written};
use crate::step::{Step, StepProps};
use crate::survey::{Screen, Survey};
use crate::thanks::{Thanks, ThanksProps};

/// The whole survey.
#[component]
pub(crate) fn Card(
    /// The survey to show.
    survey: Survey,
) -> impl IntoView {
    let (language, rtl) = survey.inner().map_or_else(Default::default, |inner| {
        let definition = &inner.borrow().definition;
        (definition.language.clone(), definition.rtl)
    });
    let filled = move || {
        let place = survey.face().place;
        (place.step * 100 / place.total.max(1)).to_string()
    };
    let thanked = Memo::new(move |_| survey.screen() == Screen::Thanks);
    let inside = move || {
        if thanked.get() {
            Part::new(Thanks(ThanksProps { survey }))
        } else {
            Part::new(Step(StepProps { survey }))
        }
    };
    view! {
        <section
            class="card"
            part="card"
            lang=language
            dir=if rtl { "rtl" } else { "ltr" }
            aria-label=survey.word(|words| &words.survey)
            data-state=written(move || survey.face().state.name().to_owned())
            on:keydown=keep_inside
            on:keyup=keep_inside
            on:keypress=keep_inside
        >
            <progress part="progress" aria-hidden="true" max="100" value=written(filled)></progress>
            {swapped(inside)}
            <p class="said" role="status">{written(move || survey.face().said)}</p>
        </section>
    }
}

/// Keys that are meant for the survey are not for the page's shortcuts.
#[expect(clippy::needless_pass_by_value, reason = "a listener gets its event by value")]
fn keep_inside(event: KeyboardEvent) {
    event.stop_propagation();
}
