//! The end of a survey.

use crate::element::{El, el};
use crate::survey::Survey;

/// Thanks, the survey's own or the widget's; only after the server has the answers.
pub(crate) fn thanks(survey: &Survey) -> El {
    let inner = survey.inner();
    let ending = inner.ending();
    let text = ending.map_or(Some(&inner.definition.words.thanks_more), |ending| ending.text.as_ref());
    let title = el("p").class("title").text(inner.thanks());
    let mut thanks = el("div").class("thanks").part("thanks").set("tabindex", "-1").child(title);
    if let Some(text) = text {
        thanks = thanks.child(el("p").class("hint").text(text));
    }
    if let Some(link) = ending.and_then(|ending| ending.link.as_ref()) {
        // In a page of its own: the one that asked stays as it is.
        let way = el("a").class("link").part("link").set("href", &link.url).text(&link.text);
        thanks = thanks.child(way.set("target", "_blank").set("rel", "noopener"));
    }
    thanks
}
