//! What keeps submissions on the visitor's device and sends them: `sending.js`, which becomes part of the glue.
//!
//! In JavaScript, since the loader needs the same where no survey is due and so no WebAssembly is loaded; and
//! since here the outbox, `fetch` and its promises were 4 KB compressed.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/sending.js")]
extern "C" {
    /// Hands in what is answered in one showing of a survey, and what an earlier page kept of it.
    #[derive(Clone)]
    pub(crate) type Sender;

    /// Looks up what waits for a survey of a server.
    #[wasm_bindgen(js_name = sender)]
    pub(crate) fn sender(survey: &str, origin: &str) -> Sender;

    /// True if something waited when the sender was made.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn waits(this: &Sender) -> bool;

    /// Sends what waits, now and whenever the net returns; `hear` is told what comes of it, in three strings.
    #[wasm_bindgen(method)]
    pub(crate) fn begin(this: &Sender, hear: &JsValue);

    /// Keeps a submission by its UUID and sends it; false where the device does not keep it.
    #[wasm_bindgen(method)]
    pub(crate) fn send(this: &Sender, id: &str, body: &str) -> bool;

    /// Sends what waits, unless that is already going on; false if there was nothing to do.
    #[wasm_bindgen(method)]
    pub(crate) fn retry(this: &Sender) -> bool;

    /// Leaves what lies on the device to the loader; goes on with what only the page has.
    #[wasm_bindgen(method)]
    pub(crate) fn leave(this: &Sender);
}
