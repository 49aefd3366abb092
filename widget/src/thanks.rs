//! The end of a survey.

use crate::element::{El, el};
use crate::survey::Survey;

/// Thanks; only after the server has the answers.
pub(crate) fn thanks(survey: &Survey) -> El {
    el("div")
        .class("thanks")
        .part("thanks")
        .set("tabindex", "-1")
        .child(el("p").class("title").text(&survey.word(|words| &words.thanks)))
        .child(el("p").class("hint").text(&survey.word(|words| &words.thanks_more)))
}
