//! A server process in front of a sandbox, with everything in a folder of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use secrecy::SecretString;
use serde_json::{Value, json};
use server::sandbox::{self, Arrival, Sandbox, Settings, Token};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::Child;

use crate::{DEADLINE, Pages};

/// The token of every stage. Looks like a real one: base64 of a user name and a password.
pub const TOKEN: &str = "Y2FuYXJ5QGV4YW1wbGUuY29tOjBEMzZBQkJBRUY0NDQyODhCN0VD";

/// A server process, the sandbox it forwards to, and the pages that embed its surveys.
pub struct Stage {
    /// The platform.
    pub sandbox: Sandbox,
    /// The pages.
    pub pages: Pages,
    /// Origin of the server's public listener, once it has run.
    pub server: String,
    /// Origin of the operators' listener.
    pub admin: String,
    /// Everything the server has said so far, in all its lives.
    log: Arc<Mutex<String>>,
    child: Option<Child>,
    config: String,
    folder: tempfile::TempDir,
    http: reqwest::Client,
}

impl Stage {
    /// A stage at 20 ms a call.
    pub async fn new() -> Result<Self> {
        Self::with(Duration::from_millis(20), |config| config).await
    }

    /// A stage at some pace, with a changed configuration.
    pub async fn with(interval: Duration, change: impl FnOnce(String) -> String) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let platform = format!("http://{}/V1.0/EN", listener.local_addr()?);
        let pages = Pages::open().await?;
        let config = server::demo::CONFIG
            .replace("@STORE@", "queue.db")
            .replace("@PLATFORM@", &platform)
            .replace("@SHOP@", &pages.origin)
            .replace("interval = \"1s\"", &format!("interval = \"{}ms\"", interval.as_millis()))
            .replace("listen = \"127.0.0.1:8081\"", "listen = \"127.0.0.1:0\"")
            .replace("admin_listen = \"127.0.0.1:9090\"", "admin_listen = \"127.0.0.1:0\"");
        let config = change(config);
        let sandbox = Sandbox::new(settings(&config, interval)?);
        tokio::spawn(sandbox::run(listener, sandbox.clone(), std::future::pending()));
        let mut stage = Self {
            sandbox,
            pages,
            server: String::new(),
            admin: String::new(),
            log: Arc::default(),
            child: None,
            config,
            folder,
            http: http_client()?,
        };
        stage.start().await?;
        stage.pages.serve(&stage.server);
        Ok(stage)
    }

    /// Starts the server, on the ports that it had before, if any.
    pub async fn start(&mut self) -> Result<()> {
        let path = self.folder.path().join("afterword.toml");
        std::fs::write(&path, &self.config)?;
        let mut command = Command::new(binary());
        command.args(["--log-format", "json", "serve", "--config"]).arg(&path);
        command.env("AFTERWORD_DEMO_TOKEN", TOKEN).env("RUST_LOG", "trace");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut command = tokio::process::Command::from(command);
        let mut child = command.kill_on_drop(true).spawn().context("the server cannot be started")?;
        let mut lines = BufReader::new(child.stderr.take().context("no log")?).lines();
        let log = Arc::clone(&self.log);
        let (serving, started) = tokio::sync::oneshot::channel::<Value>();
        tokio::spawn(async move {
            let mut serving = Some(serving);
            while let Ok(Some(line)) = lines.next_line().await {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line);
                log.push('\n');
                if line.contains("\"message\":\"serving\"")
                    && let Some(serving) = serving.take()
                {
                    serving.send(serde_json::from_str(&line).unwrap_or_default()).ok();
                }
            }
        });
        let Ok(Ok(line)) = tokio::time::timeout(DEADLINE, started).await else {
            bail!("the server did not start:\n{}", self.log());
        };
        let address = |key: &str| line["fields"][key].as_str().unwrap_or_default().to_owned();
        let (public, admin) = (address("listen"), address("admin"));
        self.config = self
            .config
            .replace("\nlisten = \"127.0.0.1:0\"", &format!("\nlisten = \"{public}\""))
            .replace("admin_listen = \"127.0.0.1:0\"", &format!("admin_listen = \"{admin}\""));
        (self.server, self.admin) = (format!("http://{public}"), format!("http://{admin}"));
        self.child = Some(child);
        Ok(())
    }

    /// Kills the server with SIGKILL.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.take().context("no server runs")?.kill().await.context("the server cannot be killed")
    }

    /// Stops the server with SIGTERM, and waits for it to end by itself.
    pub async fn stop(&mut self) -> Result<std::process::ExitStatus> {
        let mut child = self.child.take().context("no server runs")?;
        let id = child.id().context("the server has ended")?.to_string();
        // Only the process that this stage started.
        let sent = Command::new("kill").args(["-TERM", &id]).status()?;
        anyhow::ensure!(sent.success(), "SIGTERM could not be sent");
        Ok(tokio::time::timeout(DEADLINE, child.wait()).await.context("the server does not stop")??)
    }

    /// Changes the configuration of the server's next start; the sandbox knows what it knew.
    pub fn configure(&mut self, change: impl FnOnce(&str) -> String) {
        self.config = change(&self.config);
    }

    /// Runs a command with the server's configuration, in a shell without a terminal.
    pub async fn command(&self, arguments: &[&str]) -> Result<std::process::Output> {
        let path = self.folder.path().join("afterword.toml");
        std::fs::write(&path, &self.config)?;
        let mut command = tokio::process::Command::new(binary());
        command.args(arguments).arg("--config").arg(&path).env_remove("AFTERWORD_DEMO_TOKEN");
        command.stdin(Stdio::null()).kill_on_drop(true);
        Ok(tokio::time::timeout(DEADLINE, command.output()).await.context("the command does not end")??)
    }

    /// What the server has said.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The server as a page of the shop sees it.
    pub fn door(&self) -> Door {
        Door { server: self.server.clone(), origin: self.pages.origin.clone(), http: self.http.clone() }
    }

    /// Sends a submission as a page of the shop would.
    pub async fn submit(&self, survey: &str, body: &Value) -> Result<reqwest::Response> {
        self.door().submit(survey, body).await
    }

    /// Reads something of the server's, or of the operators' listener.
    pub async fn get(&self, url: &str) -> Result<String> {
        Ok(self.http.get(url).send().await?.text().await?)
    }

    /// Waits until a page of the operators' listener says something.
    pub async fn until_admin(&self, path: &str, says: impl Fn(&str) -> bool) -> Result<String> {
        let url = format!("{}{path}", self.admin);
        let waiting = async {
            loop {
                let text = self.get(&url).await?;
                if says(&text) {
                    return anyhow::Ok(text);
                }
                tokio::task::yield_now().await;
            }
        };
        match tokio::time::timeout(DEADLINE, waiting).await {
            Ok(text) => text,
            Err(_) => bail!("{path} does not say so:\n{}", self.get(&url).await?),
        }
    }

    /// Waits for so many answers at the platform; gives back every arrival.
    pub async fn delivered(&self, answers: u64) -> Result<Vec<Arrival>> {
        let there = self.sandbox.until(DEADLINE, |counts| counts.stored >= answers).await;
        let counts = self.sandbox.counts();
        anyhow::ensure!(
            there,
            "only {} of {answers} answers arrived; the server says:\n{}",
            counts.stored,
            tail(&self.log())
        );
        Ok(self.sandbox.arrivals())
    }
}

/// A client for loopback.
pub fn http_client() -> Result<reqwest::Client> {
    // The library wants one even where nothing is encrypted; only the first in a process counts.
    rustls::crypto::ring::default_provider().install_default().ok();
    Ok(reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?)
}

/// The server as a page sees it: through its life and its next.
#[derive(Clone)]
pub struct Door {
    server: String,
    origin: String,
    http: reqwest::Client,
}

impl Door {
    /// Sends a submission.
    pub async fn submit(&self, survey: &str, body: &Value) -> Result<reqwest::Response> {
        let url = format!("{}/v1/surveys/{survey}/answers", self.server);
        let request = self.http.post(url).header("origin", &self.origin);
        Ok(request.header("content-type", "text/plain").body(body.to_string()).send().await?)
    }
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().filter(|line| !line.contains("\"TRACE\"")).collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// The server's binary: the one that `cargo xtask test` built.
pub fn binary() -> PathBuf {
    std::env::var_os("AFTERWORD_BIN").map_or_else(|| PathBuf::from("afterword"), PathBuf::from)
}

/// What the sandbox knows, read from the configuration by this file's own means.
fn settings(config: &str, interval: Duration) -> Result<Settings> {
    let config: Value = toml::from_str::<toml::Table>(config).map(|table| json!(table))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let touchpoint = |survey: &Value| {
        let languages = survey["languages"].as_array().into_iter().flatten();
        let languages: Vec<shared::Language> =
            languages.filter_map(|tag| shared::Language::matching(tag.as_str()?)).collect();
        let questions = survey["question"].as_array().into_iter().flatten().flat_map(|asked| {
            let in_language = |language: &shared::Language| sandbox::Question {
                guid: text(&asked["guid"][language.tag()]),
                sibling: text(&asked["id"]),
                language: *language,
                text: text(&asked["text"][language.tag()]),
                kind: kind(asked, *language),
            };
            languages.iter().map(in_language).collect::<Vec<_>>()
        });
        sandbox::Touchpoint {
            guid: text(&survey["touchpoint"]),
            company: text(&survey["company"]),
            name: text(&survey["id"]),
            mandatory_metadata: Vec::new(),
            questions: questions.collect(),
            languages,
        }
    };
    let touchpoints = config["survey"].as_array().into_iter().flatten().map(touchpoint).collect();
    let tokens = vec![Token::all(SecretString::from(TOKEN.to_owned()))];
    Ok(Settings { interval, tokens, touchpoints, ..Settings::default() })
}

fn kind(asked: &Value, language: shared::Language) -> sandbox::Kind {
    let score = |min, max| sandbox::Kind::Score { min, max };
    match (asked["kind"].as_str(), asked["scale"].as_str()) {
        (Some("score"), Some("nps")) => score(0, 10),
        (Some("score"), Some("csat")) => score(1, 5),
        (Some("score"), Some("ces")) => score(1, 7),
        (Some("text"), _) => sandbox::Kind::Text,
        (Some("yes_no"), _) => sandbox::Kind::YesNo,
        (Some("choice"), _) => {
            let value = |option: &Value| {
                let own = option["value"][language.tag()].as_str();
                own.or(option["text"][language.tag()].as_str()).unwrap_or_default().to_owned()
            };
            let values = asked["options"].as_array().into_iter().flatten().map(value).collect();
            sandbox::Kind::Choice { several: asked["several"] == json!(true), values }
        }
        _ => score(asked["min"].as_i64().unwrap_or_default(), asked["max"].as_i64().unwrap_or_default()),
    }
}
