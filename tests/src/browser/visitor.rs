//! A visitor who answers a survey, by what people see and touch.

use anyhow::{Result, bail, ensure};
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

/// What has the focus, within a shadow root too; `null` where nothing has it.
const FOCUS: &str = "(focus => {
        while (focus && focus.shadowRoot && focus.shadowRoot.activeElement) focus = focus.shadowRoot.activeElement;
        return focus === document.body ? null : focus;
    })(document.activeElement)";

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
                crate::a_moment().await;
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
        self.keys(text).await?;
        // A driver may be back before the page has dealt with the last key.
        self.until(&format!("root.querySelector('textarea').value.includes({})", json!(text))).await.map(drop)
    }

    /// Presses the button that leads forward.
    pub async fn forward(&self) -> Result<()> {
        self.until("(button => seen(button) && (button.click(), true))(part('next') || part('send') || part('again'))").await?;
        Ok(())
    }

    /// Has what waits sent again, unless the survey has done so by itself by now.
    pub async fn again(&self) -> Result<()> {
        let press = "(button => seen(button) && (button.click(), true))(part('again'))";
        self.until(&format!("card.dataset.state !== 'kept' || {press}")).await.map(drop)
    }

    /// Keeps the survey from sending again by itself, which it does after a second at least, until the page is left.
    pub async fn sends_once(&self) -> Result<()> {
        let script = "const later = window.setTimeout;
            window.setTimeout = (run, time, ...more) => time >= 1000 ? 0 : later(run, time, ...more);";
        self.browser.run(script).await.map(drop)
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

    /// Presses the tab key, so often at most, until what has the focus, `focus`, is as it should be; it is always seen
    /// there.
    pub async fn reach(&self, wanted: &str, most: u32) -> Result<()> {
        let there = format!("(focus => !!focus && !!({wanted}))({FOCUS})");
        // What the page itself gives the focus to has it by then: a key pressed before would lead on from there.
        self.browser.drawn().await?;
        let mut presses = 0;
        while self.look(&there).await? != json!(true) {
            if presses == most {
                let last = self.look(&format!("({FOCUS} || {{}}).outerHTML")).await?;
                bail!("{most} presses of the tab key do not lead to {wanted}, but to {last}");
            }
            self.tab().await?;
            presses += 1;
        }
        // An option's input is not drawn; what stands behind it is.
        let seen = "(style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)(getComputedStyle(
            focus.matches('.option input') ? focus.nextElementSibling : focus))";
        let seen = self.look(&format!("(focus => {seen})({FOCUS})")).await?;
        ensure!(seen == json!(true), "the focus is not seen at {wanted}");
        Ok(())
    }

    /// Presses the tab key, and waits for the focus to have moved: a driver may be back before. Not for long, since
    /// beyond a page's end it is the browser's.
    async fn tab(&self) -> Result<()> {
        self.look(&format!("(window.left = {FOCUS}, true)")).await?;
        self.keys(keys::TAB).await?;
        let moved = format!(
            "const done = arguments[arguments.length - 1];
            const end = performance.now() + 3000;
            const look = () => {FOCUS} !== window.left || performance.now() > end ? done(true) : setTimeout(look, 5);
            look();"
        );
        self.browser.run_async(&moved).await.map(drop)
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
