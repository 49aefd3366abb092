//! What the widget asks of the browser itself: clock, randomness, the page's address, events, the tab's storage.
//!
//! What takes several steps is written in `browser.js`, which becomes part of the glue; see there.

use wasm_bindgen::prelude::*;
use web_sys::{Event, HtmlElement, ShadowRoot};

#[wasm_bindgen(module = "/browser.js")]
extern "C" {
    /// Gives a shadow root the widget's style sheet and that of its survey, in the place of all others, and its host
    /// the survey's theme, where the page has named none.
    #[wasm_bindgen(catch)]
    pub(crate) fn dress(root: &ShadowRoot, style: &str, theme: &str) -> Result<(), JsValue>;

    /// Tells the page that something happened: ids and steps as JSON, never words.
    pub(crate) fn emit(host: &HtmlElement, name: &str, detail: &str);

    /// The same once the caller is through.
    #[wasm_bindgen(js_name = emitSoon)]
    pub(crate) fn emit_soon(host: &HtmlElement, name: &str, detail: &str);

    /// Where and when the visitor answered: the JSON of [`shared::Context`].
    pub(crate) fn context() -> String;

    /// What the page says about the visitor, as a submission takes it.
    #[wasm_bindgen(catch)]
    pub(crate) fn said(json: &str) -> Result<String, JsValue>;

    /// A new UUID v4 in its usual writing.
    pub(crate) fn uuid() -> String;

    /// True for the first element of its survey: of several, that one has the draft.
    #[wasm_bindgen(js_name = isFirst, catch)]
    pub(crate) fn is_first(host: &HtmlElement) -> Result<bool, JsValue>;

    /// What the tab, or else the element alone, keeps under a key; empty if nothing, or where storage is refused.
    pub(crate) fn recall(host: &HtmlElement, tab: bool, key: &str) -> String;

    /// What the page answers ahead for a survey, as the JSON of a draft; empty if nothing.
    pub(crate) fn prefilled(host: &HtmlElement) -> String;

    /// Keeps a text for as long as the tab lives, or else until the element is closed, or forgets it if it is empty;
    /// neither where storage is refused.
    pub(crate) fn remember(host: &HtmlElement, tab: bool, key: &str, text: &str);

    /// Presses Next, where there is one, a moment after a tap on an answer.
    #[wasm_bindgen(js_name = goOn, catch)]
    pub(crate) fn go_on(root: &ShadowRoot, click: &Event) -> Result<(), JsValue>;

    /// True if the focus is within the survey, or was there `before` and went nowhere else since.
    pub(crate) fn inside(root: &ShadowRoot, before: bool) -> bool;

    /// Focuses what a selector finds, else what the other does, once it is drawn.
    pub(crate) fn focus(root: &ShadowRoot, wanted: &str, other: &str);
}

/// The visitor's clock, in milliseconds since 1970.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a date before 1970 becomes 1970, which is right enough"
)]
pub(crate) fn now() -> u64 {
    js_sys::Date::now() as u64
}

#[cfg(test)]
mod tests {
    use shared::{Field, limits};

    #[test]
    fn what_the_page_says_of_a_visitor_is_held_to_the_shared_bounds() {
        let script = include_str!("../browser.js");
        let names = Field::ALL.map(|field| format!("\"{}\"", field.name()));
        let fields = format!("const FIELDS = [\"id\", {}];", names.join(", "));
        assert!(script.contains(&fields), "{fields}");
        assert!(script.contains(&format!("{{0,{}}}$", limits::RESPONDENT_FIELD)));
    }
}
