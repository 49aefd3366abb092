//! What stands before the first question.

use crate::element::{El, el};
use crate::survey::Survey;

/// A title and a text; the filled button leads on.
pub(crate) fn intro(survey: &Survey) -> Option<El> {
    let inner = survey.inner();
    let intro = inner.definition.intro.as_ref()?;
    let shown = el("div").class("intro").part("intro").child(el("p").class("title").text(&intro.title));
    Some(match &intro.text {
        Some(text) => shown.child(el("p").class("hint").text(text)),
        None => shown,
    })
}
