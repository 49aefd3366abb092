//! A survey as somebody hears it: each place that the tab key comes to with its role, name, description and state, and each
//! live message, in order.

use anyhow::{Result, ensure};
use serde_json::json;
use tests::keys::{ENTER, RIGHT, TAB};
use tests::{Browser, Engine, QUICK, Stage, Visitor};

tests::in_every_engine! {
    a_whole_survey_is_heard_in_order_and_each_message_once
}

/// Writes down what live regions come to say, each time that it changes.
const EAR: &str = "window.live = [];
    const root = document.querySelector('afterword-survey').shadowRoot;
    const lasts = new Map();
    const listen = () => {
        for (const region of root.querySelectorAll('[role=status], [role=alert]')) {
            const text = region.textContent.trim();
            if (text !== (lasts.get(region) || '')) {
                lasts.set(region, text);
                if (text) window.live.push(`${region.getAttribute('role')}: ${text}`);
            }
        }
    };
    new MutationObserver(listen).observe(root, { childList: true, subtree: true, characterData: true });";

/// Everything that was heard.
struct Reading<'a> {
    browser: &'a Browser,
    visitor: &'a Visitor<'a>,
    heard: Vec<String>,
}

impl Reading<'_> {
    /// What was said meanwhile.
    async fn listen(&mut self) -> Result<()> {
        let said = self.browser.run("return window.live.splice(0)").await?;
        self.heard
            .extend(said.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)));
        Ok(())
    }

    /// What has the focus.
    async fn focus(&mut self) -> Result<()> {
        self.listen().await?;
        let focused = "return document.querySelector('afterword-survey').shadowRoot.activeElement";
        let Some((role, name)) = self.browser.heard(focused).await? else {
            self.heard.push("the page".to_owned());
            return Ok(());
        };
        let more = self
            .visitor
            .look(
                "(focus => {
                const group = focus.closest('fieldset');
                const parts = [];
                if (group) parts.push(`in ${group.querySelector('legend').textContent}`);
                const described = (focus.getAttribute('aria-describedby') || (group && group.getAttribute('aria-describedby')) || '')
                    .split(' ').map(id => id && root.getElementById(id)).filter(Boolean).map(one => one.textContent).filter(Boolean);
                if (described.length) parts.push(`(${described.join(' ')})`);
                if (/radio|checkbox/.test(focus.type)) parts.push(focus.checked ? 'checked' : 'not checked');
                if (focus.value && focus.tagName === 'TEXTAREA') parts.push(`= ${focus.value}`);
                if ((group || focus).getAttribute('aria-invalid') === 'true') parts.push('invalid');
                if ((group || focus).getAttribute('aria-required') === 'true') parts.push('required');
                return parts.join(', ') })(root.activeElement)",
            )
            .await?;
        let more = more.as_str().unwrap_or_default().to_owned();
        let line = format!("{role} {name}, {more}");
        self.heard.push(line.trim_end_matches(", ").to_owned());
        Ok(())
    }

    async fn press(&mut self, keys: &str) -> Result<()> {
        self.visitor.keys(keys).await
    }

    /// Presses keys, waits for what they do, and hears where the focus is then.
    async fn press_and_focus(&mut self, keys: &str, expression: &str) -> Result<()> {
        self.press(keys).await?;
        self.until(expression).await?;
        self.focus().await
    }

    async fn until(&self, expression: &str) -> Result<()> {
        self.visitor.until(expression).await.map(drop)
    }
}

async fn a_whole_survey_is_heard_in_order_and_each_message_once(engine: Engine) -> Result<()> {
    let mut stage = Stage::with(QUICK, |config| config).await?;
    let browser = Browser::open(engine, 1000, 800).await?;
    let visitor = browser.visit(&stage.pages.at("en/checkout")).await?;
    visitor.asked("recommend").await?;
    browser.run(EAR).await?;
    // It would send again by itself once the server is back, and not say so.
    visitor.sends_once().await?;
    let mut reading = Reading { browser: &browser, visitor: &visitor, heard: Vec::new() };

    reading.press_and_focus(TAB, "root.activeElement && root.activeElement.type === 'radio'").await?;
    reading.press_and_focus(TAB, "root.activeElement === part('next')").await?;
    // Without an answer there is no way on.
    reading.press_and_focus(ENTER, "part('error').textContent !== ''").await?;
    visitor.look("root.querySelector('input').focus()").await?;
    reading.focus().await?;
    reading.press(" ").await?;
    reading.press_and_focus(RIGHT, "root.querySelectorAll('input')[1].checked").await?;
    reading.press(ENTER).await?;
    visitor.asked("why").await?;
    reading.until("root.activeElement && root.activeElement.tagName === 'TEXTAREA'").await?;
    reading.focus().await?;
    reading.press_and_focus("Slow", "root.activeElement.value === 'Slow'").await?;
    for part in ["back", "next"] {
        reading.press_and_focus(TAB, &format!("root.activeElement === part('{part}')")).await?;
    }
    reading.press(ENTER).await?;
    visitor.asked("found").await?;
    reading.until("root.activeElement && root.activeElement.type === 'checkbox'").await?;
    reading.focus().await?;
    reading.press_and_focus(" ", "root.activeElement.checked").await?;
    reading.press(ENTER).await?;
    visitor.asked("again").await?;
    reading.until("root.activeElement && root.activeElement.type === 'radio'").await?;
    reading.focus().await?;
    reading.press(" ").await?;
    reading.until("root.activeElement.checked").await?;
    stage.stop().await?;
    reading.press(ENTER).await?;
    visitor.state("kept").await?;
    reading.listen().await?;
    reading.until("part('again')").await?;
    stage.start().await?;
    visitor.look("part('again').focus()").await?;
    reading.focus().await?;
    reading.press(ENTER).await?;
    visitor.state("thanked").await?;
    reading.until("root.activeElement === part('thanks')").await?;
    reading.focus().await?;
    let thanks = visitor.look("part('thanks').innerText.trim().replace(/\\s+/g, ' ')").await?;
    reading.heard.push(thanks.as_str().unwrap_or_default().to_owned());

    let heard = reading.heard.join("\n");
    ensure!(heard == HEARD.trim(), "heard:\n{heard}");
    ensure!(visitor.look("card.ariaLabel").await? == json!("Survey"));
    browser.close().await
}

/// In all engines.
const HEARD: &str = "
radio 0, Not at all likely, in How likely are you to recommend Ostrelle to a friend or colleague?, not checked, required
button Next
alert: Please choose an answer.
button Next
radio 0, Not at all likely, in How likely are you to recommend Ostrelle to a friend or colleague?, (Please choose an answer.), not checked, invalid, required
radio 1, in How likely are you to recommend Ostrelle to a friend or colleague?, checked, required
textbox What could we do better?, (One sentence is plenty. · Optional)
textbox What could we do better?, (One sentence is plenty. · Optional), = Slow
button Back
button Next
checkbox Searching the web, in How did you find us?, (Choose all that apply. · Optional), not checked
checkbox Searching the web, in How did you find us?, (Choose all that apply. · Optional), checked
radio Yes, in Would you order from us again?, (Optional), not checked
status: Sending…
status: Saved on this device. We will send it as soon as we can.
button Try again
status: Sending…
group Thank you.
Thank you. Your answer helps us get better.
";
