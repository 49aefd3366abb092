//! The way in: what `loader.js` calls once the survey is due.

use std::cell::OnceCell;

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::{CssStyleSheet, Element, HtmlElement};

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
    shadow.set_adopted_style_sheets(&js_sys::Array::of1(&style()?.into()));
    let handle = leptos::mount::mount_to_renderer(parent, move || {
        let survey = Survey::new(host, shadow, definition, options);
        survey.start();
        card(&survey)
    });
    Ok(Closure::once_into_js(move || drop(handle)))
}

/// The style sheet, one for all surveys of the page. Constructed, so that no policy forbids it.
fn style() -> Result<CssStyleSheet, JsValue> {
    thread_local! {
        static STYLE: OnceCell<CssStyleSheet> = const { OnceCell::new() };
    }
    STYLE.with(|style| {
        if let Some(style) = style.get() {
            return Ok(style.clone());
        }
        let sheet = CssStyleSheet::new()?;
        sheet.replace_sync(include_str!(env!("AFTERWORD_WIDGET_STYLE")))?;
        Ok(style.get_or_init(|| sheet).clone())
    })
}
