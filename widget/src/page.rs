//! All questions on one page, with what is wrong with them above.

use web_sys::Event;

use crate::contact::contact;
use crate::element::{El, el};
use crate::question::question;
use crate::step::flag;
use crate::survey::Survey;

/// Every question, hidden while it is not asked: what appears stands where it belongs, and keeps what was written.
pub(crate) fn page(survey: &Survey) -> El {
    let count = survey.inner().flow.questions().len();
    let mut page = el("div").class("page").child(summary(survey));
    for position in 0..count {
        let survey = survey.at(position);
        let asked = el("div").follow("hidden", &survey, |survey| {
            survey.watch();
            flag(!survey.inner().flow.asks(survey.position()))
        });
        page = page.child(match question(&survey) {
            Some(question) => asked.child(question),
            None => asked,
        });
    }
    if survey.inner().has_contact() {
        let asked = el("div").follow("hidden", survey, |survey| {
            survey.watch();
            flag(!survey.inner().asks_contact())
        });
        page = page.child(asked.child(contact(survey)));
    }
    page
}

/// What is wrong on the page, each a way to its question. It is focused, and so read out, when it appears.
fn summary(survey: &Survey) -> El {
    el("div")
        .class("summary")
        .part("summary")
        .set("tabindex", "-1")
        .set("role", "group")
        .set("aria-labelledby", "check")
        .follow("hidden", survey, |survey| flag(survey.face().errors.is_empty()))
        .child(el("p").class("check").set("id", "check").text(&survey.word("check")))
        .child(el("div").swap(survey, |survey| {
            let face = survey.face();
            let inner = survey.inner();
            let mut list = el("ul");
            for (position, error) in &face.errors {
                let survey = survey.at(*position);
                let way = el("button").class("way").set("type", "button").on("click", &survey, lead);
                let name = inner.repeat(inner.name(*position));
                // A question mostly ends as one; a field's name does not.
                let between = if name.ends_with(char::is_alphanumeric) { ": " } else { " " };
                list = list.child(el("li").child(way.text(&[&name, between, error].concat())));
            }
            Some(list)
        }))
}

/// Leads to the field that an entry is about.
fn lead(survey: &Survey, _: &Event) {
    survey.focus_on(survey.position());
}
