//! The end of a survey.

use crate::element::{El, el};
use crate::json::Json;
use crate::survey::Survey;
use crate::wire::text;

/// Thanks, the survey's own or the widget's; only after the server has the answers.
pub(crate) fn thanks(survey: &Survey) -> El {
    let inner = survey.inner();
    let ending = inner.ending();
    let text =
        if *ending == Json::Null { inner.definition.word("thanks_more") } else { text(ending, "text") };
    let title = el("p").class("title").text(&inner.thanks());
    let thanks = el("div").class("thanks").part("thanks").set("tabindex", "-1");
    // With a name, what has the focus is read out by everybody.
    let mut thanks = thanks.set("role", "group").set("aria-label", &inner.thanks()).child(title);
    if !text.is_empty() {
        thanks = thanks.child(el("p").class("hint").text(&inner.repeat(text)));
    }
    if let Some(way) = link(ending) {
        thanks = thanks.child(way);
    }
    thanks
}

/// A way to another page, if there is one: in a page of its own, since the one that asked stays as it is.
pub(crate) fn link(json: &Json) -> Option<El> {
    let link = json.get("link");
    let way = el("a").class("link").part("link").set("href", link.get("url").text()?);
    Some(way.text(text(link, "text")).set("target", "_blank").set("rel", "noopener"))
}
