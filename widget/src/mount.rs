//! The way in: what `loader.js` calls once the survey is due.

use std::cell::OnceCell;

use wasm_bindgen::prelude::*;
use web_sys::{CssStyleSheet, Element, HtmlElement, ShadowRoot};

use crate::card::card;
use crate::json::Json;
use crate::survey::Survey;
use crate::wire;

/// What the page says about this showing of the survey.
pub(crate) struct Options {
    /// The server, with its path prefix, without a slash at the end.
    pub(crate) origin: String,
    /// The `meta-KEY` attributes, by key.
    pub(crate) metadata: Vec<(String, String)>,
}

impl Options {
    fn read(text: &str) -> Option<Self> {
        let json = Json::read(text)?;
        let metadata = json.get("metadata").entries().iter();
        let metadata = metadata.filter_map(|(key, value)| Some((key.clone(), value.text()?.to_owned())));
        Some(Self { origin: json.get("origin").text()?.to_owned(), metadata: metadata.collect() })
    }
}

/// Shows a survey inside `shadow` and returns a function that takes it away again.
///
/// `definition` is the JSON of [`shared::Definition`]; `options` is `{"origin": "https://…",
/// "metadata": {"KEY": "value"}}`, where `metadata` may be left out. Events are dispatched on
/// `host`. Throws, and shows nothing, if either JSON does not parse.
#[wasm_bindgen]
pub fn mount(
    host: HtmlElement,
    shadow: ShadowRoot,
    definition: &str,
    options: &str,
) -> Result<JsValue, JsValue> {
    let definition = wire::definition(definition).ok_or("no survey in the reply")?;
    let options = Options::read(options).ok_or("no origin in the options")?;
    shadow.set_adopted_style_sheets(&js_sys::Array::of1(&style()?.into()));
    let parent: Element = shadow.clone().unchecked_into();
    let handle = leptos::mount::mount_to_renderer(&parent, move || {
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
