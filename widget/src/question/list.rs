//! A group of native radios or checkboxes, which bring their keys, names and roles along.
//!
//! Each lies invisibly over its label's face, so that a finger, a screen reader's touch and
//! `:focus-visible` all find it where it is seen.

use shared::{Kind, Look, Question, Value};
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement};

use super::other::{add_words, other};
use super::search::search;
use super::{Listing, described_by, id, invalid, title, told, value};
use crate::element::{El, el};
use crate::survey::Survey;
use crate::{FULL, browser};

/// The fieldset of a question with entries to choose from.
pub(super) fn list(survey: &Survey, question: &Question, hint: El, listing: Listing) -> El {
    let Listing { layout, several, tones, order, items, chosen, ends } = listing;
    let mut options = el("div").class(layout).part("options").set_if(tones, "data-tones", "");
    for place in 0..items.len() {
        let position = order.get(place).copied().unwrap_or(place);
        let Some(item) = items.get(position) else { continue };
        let input = el("input")
            .set("type", if several { "checkbox" } else { "radio" })
            .set("name", &id(survey, "answer"))
            .set("value", &position.to_string())
            .set_if(chosen.contains(&position), "checked", "")
            .set_if(item.label.is_some(), "aria-label", item.label.as_deref().unwrap_or_default());
        let input = if several { input.follow("aria-invalid", survey, invalid) } else { input };
        let face = el("span").class("face").text(&item.text);
        let face = match item.mood {
            Some(mood) => face.set("data-mood", &mood.to_string()),
            None => face,
        };
        let takes_words = FULL && takes_words(question, position);
        let input = input.set_if(takes_words, "data-other", "1");
        options = options.child(el("label").class("option").part("option").child(input).child(face));
        if takes_words {
            options = options.child(other(survey));
        }
    }
    let fieldset =
        el("fieldset").set("aria-describedby", &described_by(survey)).on("change", survey, changed);
    let fieldset = if several {
        fieldset
    } else {
        // A radio group can be required and invalid; a group of checkboxes cannot, each of them can.
        let group = fieldset.set("role", "radiogroup").set_if(question.required, "aria-required", "true");
        let group = group.follow("aria-invalid", survey, invalid);
        if survey.inner().definition.get("autoprogress").is_true() {
            group.on("click", survey, tapped)
        } else {
            group
        }
    };
    let (low, high) = ends;
    let fieldset = fieldset.child(told(el("legend").class("title"), survey, title)).child(hint);
    let fieldset = match &question.kind {
        Kind::Choice(choice) if FULL && choice.search => fieldset.child(search(survey)),
        _ => fieldset,
    };
    fieldset.child(options).child(
        // The first and the last entry say it to those who do not see.
        el("div")
            .class("ends")
            .set("aria-hidden", "true")
            // First, as it hides the others while it says something.
            .child(el("span").class("meaning").follow_text(survey, meaning))
            .child(el("span").text(&low))
            .child(el("span").text(&high)),
    )
}

fn takes_words(question: &Question, position: usize) -> bool {
    let Kind::Choice(choice) = &question.kind else { return false };
    choice.options.get(position).is_some_and(|option| option.other)
}

/// What the chosen step means, where every step means something: the ends are said anyway.
fn meaning(survey: &Survey) -> String {
    survey.watch();
    let inner = survey.inner();
    let position = survey.position();
    match (inner.flow.kind(position), inner.flow.value(position)) {
        (Some(Kind::Score(scale)), Some(Value::Score(score)))
            if !scale.labels.is_empty() && scale.look != Look::List =>
        {
            scale.meaning(*score).unwrap_or_default().to_owned()
        }
        _ => String::new(),
    }
}

fn tapped(survey: &Survey, click: &Event) {
    let shadow = survey.shadow();
    browser::go_on(&shadow, click).ok();
}

fn changed(survey: &Survey, event: &Event) {
    let Some(input) = event.target() else { return };
    let input: HtmlInputElement = input.unchecked_into();
    if let Ok(position) = input.value().parse::<usize>() {
        choose(survey, position, &input);
    }
}

/// Takes an entry to the answer, or away from it.
fn choose(survey: &Survey, position: usize, input: &HtmlInputElement) {
    let inner = survey.inner();
    let at = survey.position();
    let Some(kind) = inner.flow.kind(at) else { return };
    let listing = Listing::of(kind, inner.flow.value(at), &inner.definition, inner.seed);
    let Some(listing) = listing else { return };
    let mut chosen = listing.chosen;
    chosen.retain(|other| listing.several && *other != position);
    if input.checked() {
        chosen.push(position);
    }
    let mut value = value(kind, &chosen);
    if let Kind::Choice(choice) = kind
        && FULL
    {
        add_words(choice, &mut value, input);
    }
    drop(inner);
    survey.answer(value);
}
