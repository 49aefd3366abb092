//! How the visitor may be reached: asked last, and only of those who agree to it first.

use shared::answer::tidy_text;
use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement};

use crate::element::{El, el};
use crate::question::{at, error, id, invalid};
use crate::step::flag;
use crate::survey::Survey;
use crate::thanks::link;
use crate::wire::text;

/// What a visitor has said about themselves. It is never part of a draft: it is not kept before it is handed in.
#[derive(Clone, Default)]
pub(crate) struct Said {
    /// True once the visitor has agreed.
    pub(crate) agreed: bool,
    /// What is written in each of the survey's fields.
    pub(crate) values: Vec<String>,
}

/// What the browser may fill in by itself, and which keyboard it shows (HTML, "autofill detail tokens").
fn kind(field: &str) -> (&'static str, &'static str) {
    match field {
        "first_name" => ("text", "given-name"),
        "last_name" => ("text", "family-name"),
        "email" => ("email", "email"),
        _ => ("tel", "tel"),
    }
}

/// What the visitor agrees to, and the fields that are there once they do.
pub(crate) fn contact(survey: &Survey) -> El {
    let inner = survey.inner();
    let contact = inner.definition.get("contact");
    let agree = el("input").set("type", "checkbox").set_if(inner.contact.agreed, "checked", "");
    let agree = el("label")
        .class("option")
        .part("option")
        .child(agree.on("change", survey, agree_or_not))
        .child(el("span").class("face").text(text(contact, "consent")));
    let mut fields = el("div").class("fields").follow("hidden", survey, |survey| {
        survey.watch();
        flag(!survey.inner().contact.agreed)
    });
    let first = inner.flow.questions().len();
    for (at, of) in contact.get("fields").list().iter().enumerate() {
        let (name, survey) = (text(of, "field"), survey.at(first + at));
        fields = fields.child(field(&survey, name, of.get("required").is_true()));
    }
    let block = el("fieldset")
        .class("question contact")
        .part("contact")
        .set("aria-describedby", "contact")
        .child(el("legend").class("title").text(text(contact, "title")))
        .child(el("p").class("hint").set("id", "contact").text(text(contact, "text")))
        .child(el("div").class("list").child(agree));
    let block = match link(contact) {
        Some(link) => block.child(link.class("more")),
        None => block,
    };
    block.child(fields)
}

/// One field; its handle's position is behind those of the questions.
fn field(survey: &Survey, name: &str, required: bool) -> El {
    let (kind, autofill) = kind(name);
    let inner = survey.inner();
    let value = inner.contact_value(survey.position());
    let input = el("input")
        .part("text")
        .set("type", kind)
        .set("id", &id(survey, "text"))
        .set("autocomplete", autofill)
        .set("value", value)
        .set("aria-describedby", &id(survey, "error"))
        .set_if(required, "aria-required", "true")
        // Addresses and numbers are written from left to right everywhere.
        .set_if(kind != "text", "dir", "ltr")
        .follow("aria-invalid", survey, invalid)
        .on("input", survey, write);
    let label =
        el("label").set("for", &id(survey, "text")).child(el("span").text(inner.definition.word(name)));
    let label = if required {
        label
    } else {
        label.child(el("span").class("hint").text(inner.definition.word("optional")))
    };
    at(el("div").class("field"), survey).child(label).child(input).child(error(survey))
}

fn agree_or_not(survey: &Survey, event: &Event) {
    if let Some(input) = event.target() {
        survey.agree(input.unchecked_into::<HtmlInputElement>().checked());
    }
}

fn write(survey: &Survey, event: &Event) {
    if let Some(input) = event.target() {
        let written = input.unchecked_into::<HtmlInputElement>().value();
        // What is pasted from a table has tabs.
        survey.say(tidy_text(&written).replace('\t', " "));
    }
}
