//! One step: the question, what is to be said about the answers as a whole, and the buttons.

use wasm_bindgen::JsCast;
use web_sys::{Event, KeyboardEvent, UiEvent};

use crate::FULL;
use crate::contact::contact;
use crate::element::{El, el};
use crate::flow::fill;
use crate::intro::intro;
use crate::page::page;
use crate::question::question;
use crate::survey::{Screen, State, Survey};
use crate::wire::text;

/// The form around a question; hidden once the visitor is thanked.
pub(crate) fn step(survey: &Survey) -> El {
    el("form")
        .set("novalidate", "")
        .follow("hidden", survey, |survey| flag(survey.face().state == State::Thanked))
        // For whatever submits without the button: nothing here is the browser's to send.
        .on("submit", survey, press)
        .on("keydown", survey, keys)
        .child(
            el("div")
                .class("slide")
                .follow("data-way", survey, |survey| survey.face().way.map(str::to_owned))
                .follow("inert", survey, |survey| flag(survey.face().state.is_closed()))
                .swap(survey, |survey| match survey.screen() {
                    Screen::Intro => Some(intro(survey)),
                    Screen::Question if FULL && survey.inner().is_one_page() => Some(page(survey)),
                    Screen::Question => question(&survey.at(survey.inner().flow.at())),
                    Screen::Contact => FULL.then(|| contact(survey)),
                    Screen::Outbox | Screen::Thanks => None,
                }),
        )
        .child(
            el("p")
                .class("note")
                .part("status")
                .set("role", "status")
                .follow_text(survey, |survey| survey.face().note.clone()),
        )
        .child(foot(survey))
}

/// Where the visitor is, Back, and the filled button.
fn foot(survey: &Survey) -> El {
    el("div")
        .class("foot")
        .child(el("span").class("step").part("step").follow_text(survey, place))
        .child(
            el("button")
                .class("back")
                .part("back")
                .set("type", "button")
                .text(&survey.word("back"))
                .follow("hidden", survey, no_way_back)
                .on("click", survey, |survey, event| {
                    if !is_again(event) {
                        survey.back();
                    }
                }),
        )
        .child(
            el("button")
                .class("next")
                .set("type", "submit")
                .follow("part", survey, |survey| Some(forward(survey).to_owned()))
                .follow("aria-disabled", survey, |survey| {
                    (survey.face().state == State::Sending).then(|| "true".to_owned())
                })
                .follow_text(survey, label)
                // Enter in a field clicks it as well. Where a frame forbids forms, this is all that comes.
                .on("click", survey, press),
        )
}

/// Goes forward in the browser's place.
fn press(survey: &Survey, event: &Event) {
    event.prevent_default();
    if !is_again(event) {
        survey.forward();
    }
}

/// Whether this is the second click of a double click: it was meant for the step before, and would answer one that
/// nobody has read. The third in a row is somebody in a hurry.
fn is_again(event: &Event) -> bool {
    event.unchecked_ref::<UiEvent>().detail() == 2
}

fn keys(survey: &Survey, event: &Event) {
    let event: &KeyboardEvent = event.unchecked_ref();
    if event.key() != "Enter" {
        return;
    }
    if event.repeat() {
        // A key held down answers one question, not all of them.
        event.prevent_default();
    } else if event.ctrl_key() || event.meta_key() {
        // Enter alone makes a new line in a text. What has the focus may know this key too: once is enough.
        press(survey, event);
    }
}

/// The value of an attribute that is there or not.
pub(crate) fn flag(there: bool) -> Option<String> {
    there.then(String::new)
}

/// "1 of 4", where there is a question.
fn place(survey: &Survey) -> String {
    if !matches!(survey.screen(), Screen::Question | Screen::Contact) {
        return String::new();
    }
    let place = survey.face().place;
    let definition = &survey.inner().definition;
    fill(definition, definition.word("progress"), &[("n", place.step), ("total", place.total)])
}

fn no_way_back(survey: &Survey) -> Option<String> {
    let face = survey.face();
    let alone = FULL && survey.inner().is_one_page();
    flag(alone || face.place.step < 2 || face.state.is_closed())
}

/// Which of its three jobs the filled button has.
fn forward(survey: &Survey) -> &'static str {
    let face = survey.face();
    match face.state {
        State::Kept => "again",
        _ if survey.screen() == Screen::Intro => "next",
        _ if FULL && survey.inner().is_one_page() => "send",
        _ if face.place.step < face.place.total => "next",
        _ => "send",
    }
}

fn label(survey: &Survey) -> String {
    let sending = survey.face().state == State::Sending;
    if survey.screen() == Screen::Intro {
        return text(survey.inner().definition.get("intro"), "button").to_owned();
    }
    survey.word(if sending { "sending" } else { forward(survey) })
}
