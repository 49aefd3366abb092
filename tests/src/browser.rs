//! Real browsers of three engines, and visitors who answer in them.

mod chromium;
mod driver;
mod engine;
mod gauge;
mod heard;
mod visitor;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use chromium::{DevTools, Log};
use driver::Driver;
pub use engine::Engine;
use engine::Look;
pub use gauge::{Cost, Sought};
pub use visitor::{Visitor, keys};

use crate::DEADLINE;

/// A tab that nobody looks at.
pub struct Tab(WindowHandle);

/// A browser with a profile of its own; ends with its value.
pub struct Browser {
    client: Client,
    engine: Engine,
    driver: Driver,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts a browser whose pages have a size in CSS pixels.
    pub async fn open(engine: Engine, width: u32, height: u32) -> Result<Self> {
        Self::looking(engine, &Look { width, height, dark: false, gauged: false }).await
    }

    /// The same, for somebody who prefers dark pages.
    pub async fn open_in_the_dark(engine: Engine, width: u32, height: u32) -> Result<Self> {
        Self::looking(engine, &Look { width, height, dark: true, gauged: false }).await
    }

    /// Goes on at another size, as somebody who prefers dark pages or does not. Only Chromium does.
    pub async fn change_look(&self, width: u32, height: u32, dark: bool) -> Result<()> {
        ensure!(self.engine == Engine::Chromium, "{:?} stays as it was started", self.engine);
        let look = Look { width, height, dark, gauged: false };
        self.emulate(&look).await?;
        self.until_it_looks_so(&look).await
    }

    async fn looking(engine: Engine, look: &Look) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        let driver = Driver::start(engine, look, profile.path()).await?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(engine.capabilities(look, profile.path())?);
        let client = tokio::time::timeout(DEADLINE, builder.connect(&driver.url)).await;
        let client = client.with_context(|| format!("{engine:?} does not start"))??;
        let browser = Self { client, engine, driver, _profile: profile };
        match engine {
            Engine::Chromium => browser.emulate(look).await?,
            Engine::Firefox => {}
            Engine::WebKit => browser.client.set_window_size(look.width, look.height).await?,
        }
        browser.until_it_looks_so(look).await?;
        Ok(browser)
    }

    /// Headless windows have a least width; phones are narrower.
    async fn emulate(&self, look: &Look) -> Result<()> {
        let metrics =
            json!({ "width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": false });
        self.client.issue_cmd(DevTools("Emulation.setDeviceMetricsOverride", metrics)).await?;
        let scheme = if look.dark { "dark" } else { "light" };
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.client.issue_cmd(DevTools("Emulation.setEmulatedMedia", feature)).await?;
        Ok(())
    }

    /// Every engine is asked in its own way, so the page has the last word.
    async fn until_it_looks_so(&self, look: &Look) -> Result<()> {
        let wanted = json!([look.width, look.height, look.dark]);
        let script = "return [innerWidth, innerHeight, matchMedia('(prefers-color-scheme: dark)').matches]";
        let mut seen = Value::Null;
        let waiting = async {
            while seen != wanted {
                seen = self.run(script).await?;
            }
            anyhow::Ok(())
        };
        match tokio::time::timeout(DEADLINE, waiting).await {
            Ok(result) => result,
            Err(_) => bail!("{:?} looks at pages as {seen}, not {wanted}", self.engine),
        }
    }

    /// Opens a page, as a visitor of it.
    pub async fn visit(&self, url: &str) -> Result<Visitor<'_>> {
        self.client.goto(url).await?;
        Ok(Visitor { browser: self })
    }

    /// Takes the surveys of a page away, before the next one: one overlay is shown at a time, and that of a page that was
    /// left is not gone for sure once the next page asks.
    pub async fn without_surveys(&self) -> Result<()> {
        self.run("if (window.afterword && window.afterword.destroy) window.afterword.destroy()")
            .await
            .map(drop)
    }

    /// Runs a script; its value is what it returns.
    pub async fn run(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, vec![]).await?)
    }

    /// Runs a script that calls its last argument with its value.
    pub async fn run_async(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute_async(script, vec![]).await?)
    }

    /// Goes into the page's first frame, as the same visitor.
    pub async fn enter_frame(&self) -> Result<Visitor<'_>> {
        self.client.enter_frame(0).await?;
        Ok(Visitor { browser: self })
    }

    /// Opens another tab, goes on in it, and gives the one that it leaves.
    pub async fn another_tab(&self) -> Result<Tab> {
        let left = Tab(self.client.window().await?);
        let tab = self.client.new_window(true).await?;
        self.client.switch_to_window(tab.handle).await?;
        Ok(left)
    }

    /// Goes on in a tab that was left, and gives the one that it leaves.
    pub async fn back_to(&self, tab: Tab) -> Result<Tab> {
        let left = Tab(self.client.window().await?);
        self.client.switch_to_window(tab.0).await?;
        Ok(left)
    }

    /// What the console has said since it was last asked: level and message.
    ///
    /// Only Chromium's driver gives it out, and with it the browser's own messages. In the others it is what
    /// the page itself has heard, if it is one of [`crate::Pages`], since it was loaded.
    pub async fn console(&self) -> Result<Vec<(String, String)>> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        if self.engine == Engine::Chromium {
            let entries = self.client.issue_cmd(Log("browser")).await?;
            let entries = entries.as_array().cloned().unwrap_or_default();
            return Ok(entries
                .iter()
                .map(|entry| (text(&entry["level"]), text(&entry["message"])))
                .collect());
        }
        let said = self.run("return window.said ? said.splice(0) : null").await?;
        let said = said.as_array().context("this page does not listen to its console")?;
        Ok(said.iter().map(|entry| (text(&entry[0]), text(&entry[1]))).collect())
    }

    /// What the page holds in memory, after a collection of garbage: JavaScript's bytes, nodes, listeners.
    /// Only Chromium tells.
    pub async fn held(&self) -> Result<Option<[u64; 3]>> {
        if self.engine != Engine::Chromium {
            return Ok(None);
        }
        self.client.issue_cmd(DevTools("HeapProfiler.collectGarbage", json!({}))).await?;
        let heap = self.client.issue_cmd(DevTools("Runtime.getHeapUsage", json!({}))).await?;
        let dom = self.client.issue_cmd(DevTools("Memory.getDOMCounters", json!({}))).await?;
        let number = |value: &Value| value.as_u64().context("no number");
        let all = [number(&heap["usedSize"])?, number(&dom["nodes"])?, number(&dom["jsEventListeners"])?];
        Ok(Some(all))
    }

    /// What axe-core finds on the page at rest, a line each; the page's policy must allow it.
    pub async fn axe(&self) -> Result<Vec<String>> {
        self.rest().await?;
        let path = std::env::var("AXE_CORE").context("AXE_CORE does not say where axe-core is")?;
        let axe = std::fs::read_to_string(path)?;
        self.run(&format!("{axe}; return true")).await?;
        let script = "const done = arguments[arguments.length - 1];
            axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })
               .then(found => done(found.violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target} ${n.failureSummary}`))))
               .catch(error => done([String(error)]));";
        let found = self.run_async(script).await?;
        Ok(found
            .as_array()
            .into_iter()
            .flatten()
            .map(|line| line.as_str().unwrap_or_default().to_owned())
            .collect())
    }

    /// Waits for the page to be drawn as it is now.
    pub async fn drawn(&self) -> Result<()> {
        let script = "requestAnimationFrame(() => requestAnimationFrame(arguments[arguments.length - 1]))";
        self.run_async(script).await.map(drop)
    }

    /// Waits for every animation to have ended, and for that to be drawn: WebKit's styles lag behind.
    async fn rest(&self) -> Result<()> {
        let script = "const done = arguments[arguments.length - 1];
            const shadows = [...document.querySelectorAll('*')].map(element => element.shadowRoot);
            const roots = [document, ...shadows.filter(Boolean)];
            const moves = () => roots.flatMap(root => root.getAnimations()).some(one => one.playState !== 'finished');
            const draw = then => requestAnimationFrame(() => requestAnimationFrame(then));
            const look = () => draw(moves() ? look : () => done(true));
            look();";
        self.run_async(script).await.map(drop)
    }

    /// Waits for the page to be at rest, and keeps a picture of it if `AFTERWORD_SHOTS` names a folder.
    pub async fn picture(&self, name: &str) -> Result<()> {
        self.rest().await?;
        if let Some(folder) = std::env::var_os("AFTERWORD_SHOTS") {
            let picture = self.client.screenshot().await?;
            std::fs::create_dir_all(&folder)?;
            std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), picture)?;
        }
        Ok(())
    }

    /// A picture of a part of the page, PNG, at rest: from the left and the top, width and height in CSS pixels. Only
    /// Chromium takes it.
    pub async fn part(&self, [x, y, width, height]: [f64; 4]) -> Result<Vec<u8>> {
        self.rest().await?;
        let clip = json!({ "x": x, "y": y, "width": width, "height": height, "scale": 1 });
        let wanted = json!({ "format": "png", "clip": clip, "captureBeyondViewport": true });
        let taken = self.client.issue_cmd(DevTools("Page.captureScreenshot", wanted)).await?;
        let data = taken["data"].as_str().context("no picture")?;
        base64::prelude::BASE64_STANDARD.decode(data).context("a picture that is none")
    }

    /// Ends the browser.
    pub async fn close(mut self) -> Result<()> {
        self.driver.end().await
    }
}
