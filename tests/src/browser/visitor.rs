//! A visitor who answers a survey, by what people see and touch.

use anyhow::{Result, bail};
use fantoccini::actions::{
    InputSource, KeyAction, KeyActions, MOUSE_BUTTON_LEFT, MouseActions, PointerAction,
};
use serde_json::{Value, json};

use super::Browser;
use crate::DEADLINE;

/// Keys that write nothing, as WebDriver names them.
pub mod keys {
    /// Goes to the next field.
    pub const TAB: &str = "\u{e004}";
    /// Presses a button.
    pub const ENTER: &str = "\u{e007}";
    /// Closes an overlay.
    pub const ESCAPE: &str = "\u{e00c}";
    /// Chooses the next of a group.
    pub const RIGHT: &str = "\u{e014}";
}

/// Where things are in the widget: the names at the head of `widget/src/survey.rs`.
const INSIDE: &str = "const host = document.querySelector('afterword-survey');
    const root = host && host.shadowRoot;
    const part = name => root && root.querySelector(`[part~='${name}']`);
    const card = part('card');
    const question = root && root.querySelector('[data-question]');
    const seen = element => !!element && element.getClientRects().length > 0;";

/// Somebody who answers a survey.
pub struct Visitor<'a> {
    pub(super) browser: &'a Browser,
}

impl Visitor<'_> {
    /// Looks at the survey: `host`, `root`, `part(name)`, `card` and `question` are there.
    pub async fn look(&self, expression: &str) -> Result<Value> {
        self.browser.run(&format!("{INSIDE} return ({expression});")).await
    }

    /// Waits until the survey is so. What it is asked of may not be there yet, or be about to be drawn anew.
    pub async fn until(&self, expression: &str) -> Result<Value> {
        let patient = format!(
            "{INSIDE} try {{ return ({expression}); }} catch (error) {{
                if (error instanceof TypeError) return false;
                throw error;
            }}"
        );
        let waiting = async {
            loop {
                let value = self.browser.run(&patient).await?;
                if value != json!(false) && value != Value::Null {
                    return anyhow::Ok(value);
                }
                tokio::task::yield_now().await;
            }
        };
        if let Ok(value) = tokio::time::timeout(DEADLINE, waiting).await {
            return value;
        }
        let last = self.look(expression).await;
        let card = self.look("root ? root.innerHTML.slice(0, 3000) : document.body.innerHTML").await?;
        bail!(
            "never: {expression}\nlast: {last:?}\nconsole: {:?}\ncard: {card}",
            self.browser.console().await?
        )
    }

    /// Waits for a question, and for the step to have come to rest.
    pub async fn asked(&self, id: &str) -> Result<()> {
        self.until(&format!("question && question.dataset.question === '{id}' && seen(question)")).await?;
        Ok(())
    }

    /// Waits for a state of the card.
    pub async fn state(&self, name: &str) -> Result<()> {
        self.until(&format!("card && card.dataset.state === '{name}'")).await?;
        Ok(())
    }

    /// Chooses options by their place in the list.
    pub async fn choose(&self, places: &[usize]) -> Result<()> {
        for place in places {
            self.until(&format!("(inputs => inputs.length > {place} && (inputs[{place}].click(), true))(root.querySelectorAll('[data-question] input'))")).await?;
        }
        Ok(())
    }

    /// Writes into the text's field.
    pub async fn write(&self, text: &str) -> Result<()> {
        self.until("(field => field && (field.focus(), true))(root.querySelector('textarea'))").await?;
        self.keys(text).await
    }

    /// Presses the button that leads forward.
    pub async fn forward(&self) -> Result<()> {
        self.until("(button => seen(button) && (button.click(), true))(part('next') || part('send') || part('again'))").await?;
        Ok(())
    }

    /// Puts the pointer on what a selector finds, and presses it.
    pub async fn tap(&self, selector: &str) -> Result<()> {
        let middle = "(found => { if (!seen(found)) return null; found.scrollIntoView({ block: 'center' });
            const { x, y, width, height } = found.getBoundingClientRect();
            return [x + width / 2, y + height / 2]; })";
        let middle =
            self.until(&format!("{middle}(root && root.querySelector({}))", json!(selector))).await?;
        let [x, y] = [0, 1].map(|at| middle[at].as_f64().unwrap_or_default());
        let tap = MouseActions::new("mouse".into())
            .then(PointerAction::MoveTo { duration: None, x, y })
            .then(PointerAction::Down { button: MOUSE_BUTTON_LEFT })
            .then(PointerAction::Up { button: MOUSE_BUTTON_LEFT });
        Ok(self.browser.client.perform_actions(tap).await?)
    }

    /// Types, with real key events.
    pub async fn keys(&self, text: &str) -> Result<()> {
        let mut keys = KeyActions::new("keyboard".into());
        for value in text.chars() {
            keys = keys.then(KeyAction::Down { value }).then(KeyAction::Up { value });
        }
        Ok(self.browser.client.perform_actions(keys).await?)
    }

    /// Loads the page again.
    pub async fn reload(&self) -> Result<()> {
        Ok(self.browser.client.refresh().await?)
    }

    /// Waits for the page to be at rest, and keeps a picture of it if `AFTERWORD_SHOTS` names a folder.
    pub async fn picture(&self, name: &str) -> Result<()> {
        self.browser.picture(name).await
    }
}
