//! A list of languages for the visitor to change to.

use wasm_bindgen::prelude::*;
use web_sys::{Event, HtmlInputElement};

use crate::element::{El, el};
use crate::full;
use crate::step::flag;
use crate::survey::{Screen, Survey};
use crate::wire::{Definition, text};

/// The list, where the survey offers any; each by its own name.
pub(crate) fn languages(survey: &Survey) -> Option<El> {
    let inner = survey.inner();
    let definition = &inner.definition;
    let offered = definition.get("languages").list();
    if offered.is_empty() {
        return None;
    }
    let mut list = el("select")
        .class("language")
        .part("language")
        .set("aria-label", definition.word("language"))
        .follow("hidden", survey, |survey| {
            let closed = survey.face().state.is_closed();
            flag(closed || matches!(survey.screen(), Screen::Outbox | Screen::Thanks))
        })
        .on("change", survey, change);
    for one in offered {
        let tag = text(one, "tag");
        let option = el("option").set("value", tag).set("lang", tag).text(text(one, "name"));
        list = list.child(option.set_if(tag == definition.text("language"), "selected", ""));
    }
    Some(list)
}

/// Shows the survey in another language, with all that was answered so far. Until it is there, and where it does
/// not come, everything stays as it is.
fn change(survey: &Survey, event: &Event) {
    let Some(list) = event.target() else { return };
    // A list has a value as well.
    let list: HtmlInputElement = list.unchecked_into();
    let wanted = list.value();
    let inner = survey.inner();
    let of = inner.definition.text("survey");
    let address = [&inner.stage.origin, "/v1/surveys/", of, "?lang=", &wanted].concat();
    drop(inner);
    let survey = survey.clone();
    let take = move |definition: String| match Definition::read(&definition) {
        // The visitor may have chosen another one while it came.
        Some(definition) if list.value() == wanted => survey.translate(definition),
        Some(_) => {}
        None => list.set_value(survey.inner().definition.text("language")),
    };
    full::translated(&address, Closure::once_into_js(take).unchecked_ref());
}
