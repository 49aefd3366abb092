//! A real Chromium, and a visitor who answers in it.

use std::net::TcpListener;
use std::process::Stdio;

use anyhow::{Context, Result, bail};
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use serde_json::{Value, json};
use tokio::process::Child;

use crate::DEADLINE;

/// A browser with a profile of its own; ends with its value.
pub struct Browser {
    client: Client,
    _driver: Child,
    _profile: tempfile::TempDir,
}

/// Reads a browser's console.
#[derive(Debug)]
struct Console;

impl WebDriverCompatibleCommand for Console {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}

impl Browser {
    /// Starts a driver and a browser of a size in CSS pixels.
    pub async fn open(width: u32, height: u32) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let driver = std::env::var_os("CHROMEDRIVER").unwrap_or_else(|| "chromedriver".into());
        let mut driver = tokio::process::Command::new(driver);
        driver.arg(format!("--port={port}")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let driver = driver.kill_on_drop(true).spawn().context("the browser's driver cannot be started")?;
        let mut options = json!({ "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en",
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.path().display()),
        ] });
        if let Ok(chrome) = std::env::var("CHROME") {
            options["binary"] = json!(chrome);
        }
        let capabilities =
            json!({ "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" } });
        let Value::Object(capabilities) = capabilities else { bail!("no capabilities") };
        let url = format!("http://127.0.0.1:{port}");
        let connecting = async {
            loop {
                let mut builder = ClientBuilder::new(fantoccini_connector());
                match builder.capabilities(capabilities.clone()).connect(&url).await {
                    Ok(client) => return client,
                    // The driver is not listening yet.
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        };
        let client =
            tokio::time::timeout(DEADLINE, connecting).await.context("the browser does not start")?;
        let browser = Self { client, _driver: driver, _profile: profile };
        browser.emulate(width, height).await?;
        Ok(browser)
    }

    /// Headless windows have a least width; phones are narrower.
    async fn emulate(&self, width: u32, height: u32) -> Result<()> {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await?;
        Ok(())
    }

    /// Shows pages as in the dark.
    pub async fn dark(&self) -> Result<()> {
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
        self.devtools("Emulation.setEmulatedMedia", feature).await?;
        Ok(())
    }

    async fn devtools(&self, command: &'static str, parameters: Value) -> Result<Value> {
        Ok(self.client.issue_cmd(DevTools(command, parameters)).await?)
    }

    /// Opens a page, as a visitor of it.
    pub async fn visit(&self, url: &str) -> Result<Visitor<'_>> {
        self.client.goto(url).await?;
        Ok(Visitor { browser: self })
    }

    /// Runs a script; its value is what it returns.
    pub async fn run(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, vec![]).await?)
    }

    /// Runs a script that calls its last argument with its value.
    pub async fn run_async(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute_async(script, vec![]).await?)
    }

    /// Opens another tab, and goes on in it.
    pub async fn another_tab(&self) -> Result<()> {
        let tab = self.client.new_window(true).await?;
        Ok(self.client.switch_to_window(tab.handle).await?)
    }

    /// What the console has said since it was last asked: level and message.
    pub async fn console(&self) -> Result<Vec<(String, String)>> {
        let entries = self.client.issue_cmd(Console).await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = entries.as_array().cloned().unwrap_or_default();
        Ok(entries.iter().map(|entry| (text(&entry["level"]), text(&entry["message"]))).collect())
    }

    /// What axe-core finds on the page as it is, a line each; the page's policy must allow it.
    pub async fn axe(&self) -> Result<Vec<String>> {
        let path = std::env::var("AXE_CORE").context("AXE_CORE does not say where axe-core is")?;
        let axe = std::fs::read_to_string(path)?;
        self.run(&format!("{axe}; return true")).await?;
        let script = "const done = arguments[arguments.length - 1];
            axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
               .then(found => done(found.violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target} ${n.failureSummary}`))))
               .catch(error => done([String(error)]));";
        let found = self.client.execute_async(script, vec![]).await?;
        Ok(found
            .as_array()
            .into_iter()
            .flatten()
            .map(|line| line.as_str().unwrap_or_default().to_owned())
            .collect())
    }

    /// Keeps a picture of the page, if `AFTERWORD_SHOTS` names a folder.
    pub async fn picture(&self, name: &str) -> Result<()> {
        if let Some(folder) = std::env::var_os("AFTERWORD_SHOTS") {
            let picture = self.client.screenshot().await?;
            std::fs::create_dir_all(&folder)?;
            std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), picture)?;
        }
        Ok(())
    }

    /// Ends the browser.
    pub async fn close(self) -> Result<()> {
        Ok(self.client.close().await?)
    }
}

fn fantoccini_connector() -> hyper_util::client::legacy::connect::HttpConnector {
    hyper_util::client::legacy::connect::HttpConnector::new()
}

/// A command of the browser's own protocol.
#[derive(Debug)]
struct DevTools(&'static str, Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/goog/cdp/execute", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(json!({ "cmd": self.0, "params": self.1 }).to_string()))
    }
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
    browser: &'a Browser,
}

impl Visitor<'_> {
    /// Looks at the survey: `host`, `root`, `part(name)`, `card` and `question` are there.
    pub async fn look(&self, expression: &str) -> Result<Value> {
        self.browser.run(&format!("{INSIDE} return ({expression});")).await
    }

    /// Waits until the survey is so.
    pub async fn until(&self, expression: &str) -> Result<Value> {
        let waiting = async {
            loop {
                let value = self.look(expression).await?;
                if value != json!(false) && value != Value::Null {
                    return anyhow::Ok(value);
                }
                tokio::task::yield_now().await;
            }
        };
        if let Ok(value) = tokio::time::timeout(DEADLINE, waiting).await {
            return value;
        }
        let card = self.look("root ? root.innerHTML.slice(0, 3000) : document.body.innerHTML").await?;
        bail!("never: {expression}\nconsole: {:?}\ncard: {card}", self.browser.console().await?)
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

    /// Keeps a picture of the survey at rest, if `AFTERWORD_SHOTS` names a folder.
    pub async fn picture(&self, name: &str) -> Result<()> {
        self.until("root.getAnimations().every(animation => animation.playState === 'finished')").await?;
        self.browser.picture(name).await
    }
}
