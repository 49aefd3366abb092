//! The field that searches a long list.

use wasm_bindgen::JsCast;
use web_sys::{Event, KeyboardEvent};

use crate::element::{El, el};
use crate::flow::fill;
use crate::full;
use crate::survey::Survey;

/// The field, and what it has found, which is said as well.
pub(super) fn search(survey: &Survey) -> El {
    let name = survey.word("search");
    let field = el("input")
        .part("text")
        .set("type", "search")
        .set("autocomplete", "off")
        .set("aria-label", &name)
        .set("placeholder", &name)
        // A change of it is none of the list.
        .on("change", survey, |_, event| event.stop_propagation())
        .on("keydown", survey, stay)
        .on("input", survey, sift);
    el("div").class("search").child(field).child(el("p").class("found").set("role", "status"))
}

/// Enter searches, which has been done already, and does not go on; Escape empties the field before it closes anything.
fn stay(_: &Survey, event: &Event) {
    let event: &KeyboardEvent = event.unchecked_ref();
    let emptied = || event.target().is_some_and(|field| full::cleared(&field).unwrap_or_default());
    if event.key() == "Enter" || (event.key() == "Escape" && emptied()) {
        event.prevent_default();
    }
}

fn sift(survey: &Survey, event: &Event) {
    let Some(field) = event.target() else { return };
    // Fails only outside of a list.
    let found = full::sift(&field).unwrap_or_default() as usize;
    let inner = survey.inner();
    let total = match inner.flow.kind(survey.position()) {
        Some(shared::Kind::Choice(choice)) => choice.options.len(),
        _ => 0,
    };
    let definition = &inner.definition;
    let said = match found {
        0 => definition.word("nothing").to_owned(),
        found if found == total => String::new(),
        found => fill(definition, definition.word("progress"), &[("n", found), ("total", total)]),
    };
    full::report(&field, &said);
}
