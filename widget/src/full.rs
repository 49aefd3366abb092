//! What the widget asks of the browser for surveys that use what few do: see `full.js`.

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::{EventTarget, ShadowRoot};

#[wasm_bindgen(module = "/full.js")]
extern "C" {
    /// Leaves of a list what is like the text in its search field, and gives how many entries are.
    #[wasm_bindgen(catch)]
    pub(crate) fn sift(field: &EventTarget) -> Result<u32, JsValue>;

    /// Says something beside a search field.
    pub(crate) fn report(field: &EventTarget, text: &str);

    /// Empties a search field, and says whether there was anything in it.
    #[wasm_bindgen(catch)]
    pub(crate) fn cleared(field: &EventTarget) -> Result<bool, JsValue>;

    /// The style sheets of what frames a card, to be kept over a change of the card.
    #[wasm_bindgen(js_name = frameOf, catch)]
    pub(crate) fn frame_of(root: &ShadowRoot) -> Result<JsValue, JsValue>;

    /// Frames the card again.
    #[wasm_bindgen(js_name = frameAgain, catch)]
    pub(crate) fn frame_again(root: &ShadowRoot, sheets: &JsValue) -> Result<(), JsValue>;

    /// What stands in the field for the visitor's own words, in the list that a field lies in.
    #[wasm_bindgen(js_name = ownWords)]
    pub(crate) fn own_words(field: &EventTarget) -> String;

    /// A list as a language writes it, of parts with a line end between them.
    pub(crate) fn listed(language: &str, parts: &str) -> String;

    /// Fetches a definition, and hands its text over; an empty one if that fails.
    pub(crate) fn translated(address: &str, take: &Function);

    /// What the page says about the visitor, with what the visitor says in its place; both are JSON.
    #[wasm_bindgen(js_name = withContact)]
    pub(crate) fn with_contact(said: &str, contact: &str) -> String;
}
