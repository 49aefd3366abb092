//! What stands before the first question.

use crate::element::{El, el};
use crate::survey::Survey;
use crate::wire::text;

/// A title and a text; the filled button leads on.
pub(crate) fn intro(survey: &Survey) -> El {
    let inner = survey.inner();
    let intro = inner.definition.get("intro");
    let shown = el("div").class("intro").part("intro");
    shown
        .child(el("p").class("title").text(text(intro, "title")))
        .child(el("p").class("hint").text(text(intro, "text")))
}
