//! The way in: what `loader.js` calls once the survey is due.

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement};

use crate::browser;
use crate::card::card;
use crate::survey::Survey;
use crate::wire;

/// What the page says about this showing of the survey.
pub(crate) struct Options {
    /// The server, with its path prefix, without a slash at the end.
    pub(crate) origin: String,
    /// True where the visitor can close it.
    pub(crate) closable: bool,
    /// True where the browser may remember the visitor, and so a draft.
    pub(crate) keeps: bool,
    /// Gives the JSON of what the page says about the visitor.
    pub(crate) said: Function,
}

impl Options {
    /// What the page says at this moment: the members of a submission's JSON.
    pub(crate) fn said(&self) -> String {
        let said = self.said.call0(&JsValue::NULL).ok().and_then(|said| said.as_string());
        said.unwrap_or_else(|| "{}".to_owned())
    }
}

/// Shows a survey inside `parent`, within `host`'s shadow root, and returns a function that takes it away again.
///
/// `definition` is the JSON of [`shared::Definition`]; `origin` is the server's, with its path prefix;
/// `keeps` allows a draft; `said` gives `{"metadata": {…}, "respondent": {…}}`, members of a submission, when one is made.
/// Events are dispatched on `host`. Throws, and shows nothing, if the definition does not parse.
#[wasm_bindgen]
pub fn mount(
    host: HtmlElement,
    parent: &Element,
    definition: &str,
    origin: String,
    closable: bool,
    keeps: bool,
    said: Function,
) -> Result<JsValue, JsValue> {
    let shadow = host.shadow_root().ok_or("no shadow root")?;
    let definition = wire::definition(definition).ok_or("no survey in the reply")?;
    let options = Options { origin, closable, keeps, said };
    let theme = definition.theme.as_deref().unwrap_or_default();
    browser::dress(&shadow, &definition.style, theme)?;
    let handle = leptos::mount::mount_to_renderer(parent, move || {
        let survey = Survey::new(host, shadow, definition, options);
        survey.start();
        card(&survey)
    });
    Ok(Closure::once_into_js(move || drop(handle)))
}
