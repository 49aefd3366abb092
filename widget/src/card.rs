//! The card: progress on its upper edge, and inside one step or thanks.

use web_sys::Event;

use crate::FULL;
use crate::element::{El, el};
use crate::languages::languages;
use crate::step::step;
use crate::survey::{Screen, Survey};
use crate::thanks::thanks;

/// The whole survey.
pub(crate) fn card(survey: &Survey) -> El {
    let inner = survey.inner();
    let definition = &inner.definition;
    let card = el("section")
        .class("card")
        .part("card")
        .set("lang", definition.text("language"))
        .set("dir", if definition.get("rtl").is_true() { "rtl" } else { "ltr" })
        .set("aria-label", definition.word("survey"))
        .follow("data-state", survey, |survey| Some(survey.face().state.name().to_owned()))
        // Keys that are meant for the survey are not for the page's shortcuts.
        .on("keydown", survey, keep_inside)
        .on("keyup", survey, keep_inside)
        .on("keypress", survey, keep_inside)
        .child(el("progress").part("progress").set("aria-hidden", "true").set("max", "100").follow(
            "value",
            survey,
            |survey| Some(filled(survey)),
        ));
    let card = card
        .child(step(survey))
        .child(el("div").swap(survey, |survey| (survey.screen() == Screen::Thanks).then(|| thanks(survey))))
        .child(
            el("p")
                .class("said")
                .set("role", "status")
                .follow_text(survey, |survey| survey.face().said.clone()),
        );
    // These two last, so that a dialog that is opened has its focus on the question.
    let card = match FULL.then(|| languages(survey)).flatten() {
        Some(languages) => card.child(languages),
        None => card,
    };
    card.child(close(survey, inner.stage.closable))
}

/// The button that takes the survey away; the loader hears it.
fn close(survey: &Survey, closable: bool) -> El {
    let button = el("button").class("close").part("close").set("type", "button");
    let button = button.set("aria-label", &survey.word("close"));
    if closable { button } else { button.set("hidden", "") }
}

/// How far the visitor is, in percent.
fn filled(survey: &Survey) -> String {
    if survey.screen() == Screen::Intro {
        return "0".to_owned();
    }
    let place = survey.face().place;
    (place.step * 100 / place.total.max(1)).to_string()
}

fn keep_inside(_: &Survey, event: &Event) {
    event.stop_propagation();
}
