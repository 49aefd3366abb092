//! The way in: what `loader.js` calls once the survey is due.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Function;
use leptos::mount::UnmountHandle;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, ShadowRoot};

use crate::browser;
use crate::card::card;
use crate::element::El;
use crate::survey::{Carried, Survey};
use crate::wire::Definition;

/// Where a survey is shown, and what the page says about this showing of it.
pub(crate) struct Stage {
    /// The element that events come from.
    pub(crate) host: HtmlElement,
    /// Its shadow root.
    pub(crate) shadow: ShadowRoot,
    /// What the card lies in.
    parent: Element,
    /// The server, with its path prefix, without a slash at the end.
    pub(crate) origin: String,
    /// True where the visitor can close it.
    pub(crate) closable: bool,
    /// True where the browser may remember the visitor, and so a draft.
    pub(crate) keeps: bool,
    /// True where the survey's draft in the tab is this element's.
    pub(crate) drafts: bool,
    /// Gives the JSON of what the page says about the visitor.
    said: Function,
    /// The card, while it is there.
    card: RefCell<Option<UnmountHandle<El>>>,
}

impl Stage {
    /// What the page says at this moment: the members of a submission's JSON.
    pub(crate) fn said(&self) -> String {
        let said = self.said.call0(&JsValue::NULL).ok().and_then(|said| said.as_string());
        said.and_then(|said| browser::said(&said).ok()).unwrap_or_else(|| "{}".to_owned())
    }

    /// Shows a definition, in the place of what was shown before; the visitor goes on with what is `carried` over.
    pub(crate) fn show(
        self: &Rc<Self>,
        definition: Definition,
        carried: Option<Carried>,
    ) -> Result<(), JsValue> {
        browser::dress(&self.shadow, definition.text("style"), definition.text("theme"))?;
        self.leave();
        let stage = Rc::clone(self);
        let handle = leptos::mount::mount_to_renderer(&self.parent, move || {
            let survey = Survey::new(stage, definition, carried);
            survey.start();
            card(&survey)
        });
        *self.card.borrow_mut() = Some(handle);
        Ok(())
    }

    fn leave(&self) {
        drop(self.card.take());
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
    parent: Element,
    definition: &str,
    origin: String,
    closable: bool,
    keeps: bool,
    said: Function,
) -> Result<JsValue, JsValue> {
    let shadow = host.shadow_root().ok_or("no shadow root")?;
    let definition = Definition::read(definition).ok_or("no survey in the reply")?;
    let drafts = keeps && browser::is_first(&host)?;
    let stage =
        Stage { host, shadow, parent, origin, closable, keeps, drafts, said, card: RefCell::new(None) };
    let stage = Rc::new(stage);
    stage.show(definition, None)?;
    Ok(Closure::once_into_js(move || stage.leave()))
}
