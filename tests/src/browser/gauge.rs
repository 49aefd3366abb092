//! What a page costs the visitor who opens it, on a slow net and a slow machine. Only Chromium can be slowed
//! down, and only Chromium tells.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Browser;
use super::chromium::{DevTools, Log};
use super::engine::{Engine, Look};

/// For how long a page is looked at.
const LOOKING: Duration = Duration::from_secs(5);
/// How long an answer of the net takes at least.
const LATENCY_MS: u32 = 150;
/// 1.6 Mbit/s.
const BYTES_A_SECOND: u32 = 200_000;
/// How many times slower the processor is.
const SLOWER: u32 = 4;

/// The element that a page is opened for: the first one that `inside` selects in the shadow root of what `host`
/// selects, or in that itself where it has none.
pub struct Sought {
    /// A selector in the page.
    pub host: &'static str,
    /// A selector in there.
    pub inside: &'static str,
}

/// What a page has cost.
#[derive(Clone, Debug)]
pub struct Cost {
    /// From the start of the navigation to the first frame with what is sought; `None` if it never came.
    pub visible: Option<Duration>,
    /// What the main thread spent on scripts, WebAssembly among them.
    pub script: Duration,
    /// What the main thread was busy for in all.
    pub busy: Duration,
    /// What scripts hold after a collection of garbage, WebAssembly's memory among it, in bytes.
    pub heap: u64,
    /// What came over the net beside the page itself, heads of responses among it.
    pub bytes: u64,
    /// How many requests that took.
    pub requests: usize,
}

/// Looks for what is sought whenever something has changed, also in what others keep in a shadow root, and from
/// then on once a frame until it is drawn. A page on which nothing changes pays nothing for that.
const WATCH: &str = "(() => {
    const find = () => {
        const host = document.querySelector(HOST);
        return host && (host.shadowRoot || host).querySelector(INSIDE);
    };
    let shown = null, found;
    const look = () => {
        if (found.checkVisibility({ opacityProperty: true, visibilityProperty: true })) shown = performance.now();
        else requestAnimationFrame(look);
    };
    const changes = new MutationObserver(() => {
        found = find();
        if (!found) return;
        changes.disconnect();
        requestAnimationFrame(look);
    });
    const watch = root => changes.observe(root, { childList: true, subtree: true });
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function (options) {
        const root = attach.call(this, options);
        if (!found) watch(root);
        return root;
    };
    watch(document);
    window.watched = new Promise(end => setTimeout(() => end(shown), LOOKING));
})()";

impl Browser {
    /// Chromium, as slow as the budgets want it: 150 ms, 1.6 Mbit/s, a processor slowed 4 times.
    ///
    /// `origin` has a page at `/` that asks for nothing; what is measured later has to be on the same origin, or
    /// another process than the one that was slowed down would show it.
    pub async fn open_slow(origin: &str, width: u32, height: u32) -> Result<Self> {
        let look = Look { width, height, dark: false, gauged: true };
        let browser = Self::looking(Engine::Chromium, &look).await?;
        browser.client.goto(origin).await?;
        let net = json!({
            "offline": false, "latency": LATENCY_MS,
            "downloadThroughput": BYTES_A_SECOND, "uploadThroughput": BYTES_A_SECOND,
        });
        browser.tell("Network.enable", json!({})).await?;
        browser.tell("Network.emulateNetworkConditions", net).await?;
        browser.tell("Emulation.setCPUThrottlingRate", json!({ "rate": SLOWER })).await?;
        browser.tell("Performance.enable", json!({})).await?;
        Ok(browser)
    }

    /// Opens a page of the same origin, and says what it has cost after 5 seconds.
    pub async fn cost(&self, url: &str, sought: &Sought) -> Result<Cost> {
        let watch = WATCH
            .replace("HOST", &json!(sought.host).to_string())
            .replace("INSIDE", &json!(sought.inside).to_string())
            .replace("LOOKING", &LOOKING.as_millis().to_string());
        self.tell("Page.addScriptToEvaluateOnNewDocument", json!({ "source": watch })).await?;
        self.client.issue_cmd(Log("performance")).await?;
        let before = self.spent().await?;
        self.client.goto(url).await?;
        let shown = self.run_async("watched.then(arguments[arguments.length - 1])").await?;
        let after = self.spent().await?;
        let [script, busy] = [0, 1].map(|at| Duration::try_from_secs_f64(after[at] - before[at]));
        let (bytes, requests) = received(&self.client.issue_cmd(Log("performance")).await?, url)?;
        Ok(Cost {
            visible: shown.as_f64().map(|milliseconds| Duration::from_secs_f64(milliseconds / 1_000.0)),
            script: script.context("another process has shown the page")?,
            busy: busy.context("another process has shown the page")?,
            heap: self.heap().await?,
            bytes,
            requests,
        })
    }

    async fn tell(&self, command: &'static str, parameters: Value) -> Result<Value> {
        Ok(self.client.issue_cmd(DevTools(command, parameters)).await?)
    }

    /// Seconds of the main thread so far: on scripts, and in all.
    async fn spent(&self) -> Result<[f64; 2]> {
        let told = self.tell("Performance.getMetrics", json!({})).await?;
        let metrics: HashMap<&str, f64> = told["metrics"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|metric| Some((metric["name"].as_str()?, metric["value"].as_f64()?)))
            .collect();
        let metric = |name| metrics.get(name).copied().with_context(|| format!("no {name}: {told}"));
        Ok([metric("ScriptDuration")?, metric("TaskDuration")?])
    }

    async fn heap(&self) -> Result<u64> {
        self.tell("HeapProfiler.collectGarbage", json!({})).await?;
        let heap = self.tell("Runtime.getHeapUsage", json!({})).await?;
        let parts = ["usedSize", "embedderHeapUsedSize", "backingStorageSize"];
        parts.iter().map(|part| heap[part].as_u64().with_context(|| format!("no {part}: {heap}"))).sum()
    }
}

/// The bytes and the number of all that was loaded, but for the page itself and its icon.
fn received(log: &Value, page: &str) -> Result<(u64, usize)> {
    let mut asked = HashMap::new();
    let mut bytes = 0.0;
    for entry in log.as_array().context("no log")? {
        let message: Value = serde_json::from_str(entry["message"].as_str().unwrap_or_default())?;
        let (method, event) = (&message["message"]["method"], &message["message"]["params"]);
        let request = event["requestId"].as_str().unwrap_or_default().to_owned();
        if method == "Network.requestWillBeSent" {
            let url = event["request"]["url"].as_str().unwrap_or_default();
            if url != page && !url.ends_with("/favicon.ico") && !url.starts_with("data:") {
                asked.insert(request, url.to_owned());
            }
        } else if method == "Network.loadingFinished" && asked.contains_key(&request) {
            bytes += event["encodedDataLength"].as_f64().unwrap_or_default();
        } else if method == "Network.loadingFailed" {
            ensure!(!asked.contains_key(&request), "{:?} does not load", asked.get(&request));
        }
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole bytes of a page")]
    Ok((bytes as u64, asked.len()))
}
