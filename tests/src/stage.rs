//! A server process in front of a sandbox, with everything in a folder of its own.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use secrecy::SecretString;
use serde_json::{Value, json};
use server::sandbox::{self, Arrival, Sandbox, Settings, Token};
use tokio::net::TcpListener;

use crate::{DEADLINE, Edit as _, Pages, Process, QUICK, port};

/// The token of every stage. Looks like a real one: base64 of a user name and a password.
pub const TOKEN: &str = "Y2FuYXJ5QGV4YW1wbGUuY29tOjBEMzZBQkJBRUY0NDQyODhCN0VD";

/// The limits of every stage: none, since its visitors all come from one address. A test of limits
/// puts its own in this place.
pub const NO_LIMITS: &str = "\n[limits]\nvisitor_per_minute = false\nrequests_per_minute = false\n\
                             connections_per_address = false\n";

/// A configuration with one more survey, `looks`, which has every look of a question, in Dutch, German, Arabic and
/// Chinese.
pub fn with_looks(config: String) -> String {
    let looks = include_str!("looks.toml").edit("@SHOP@", shop(&config));
    config + "\n" + &looks
}

/// A configuration with two more surveys, `steps` and `page`, which use what few do, in the same languages.
pub fn with_full(config: String) -> String {
    let full = include_str!("full.toml").edit("@SHOP@", shop(&config));
    let of = |id: &str, layout: &str, prefix: &str| {
        full.edit("@ID@", id).edit("@LAYOUT@", layout).edit("@PREFIX@", prefix)
    };
    [config, of("steps", "steps", "F0110001"), of("page", "page", "F0110002")].join("\n")
}

/// The origin of the pages in a configuration.
fn shop(config: &str) -> &str {
    config.split("origins = [\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

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
    /// The server.
    pub process: Process,
    http: reqwest::Client,
}

impl Stage {
    /// A stage at 20 ms a call.
    pub async fn new() -> Result<Self> {
        Self::with(QUICK, |config| config).await
    }

    /// A stage at some pace, with a changed configuration.
    pub async fn with(interval: Duration, change: impl FnOnce(String) -> String) -> Result<Self> {
        Self::logging("trace", interval, change).await
    }

    /// A stage whose server is started in an own way; it does not run yet.
    pub async fn prepared(interval: Duration, change: impl FnOnce(String) -> String) -> Result<Self> {
        Self::built("trace", interval, change).await
    }

    /// A stage whose server says less: for benchmarks, which a full log would slow down.
    pub async fn logging(
        log_level: &'static str,
        interval: Duration,
        change: impl FnOnce(String) -> String,
    ) -> Result<Self> {
        let mut stage = Self::built(log_level, interval, change).await?;
        stage.start().await?;
        stage.pages.serve(&stage.server);
        Ok(stage)
    }

    async fn built(
        log_level: &'static str,
        interval: Duration,
        change: impl FnOnce(String) -> String,
    ) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let platform = format!("http://{}/V1.0/EN", listener.local_addr()?);
        let pages = Pages::open().await?;
        let config = server::demo::CONFIG
            .edit("@STORE@", "queue.db")
            .edit("@PLATFORM@", &platform)
            .edit("@SHOP@", &pages.origin)
            .edit("interval = \"1s\"", &format!("interval = \"{}ms\"", interval.as_millis()))
            .edit("settle = \"20s\"", "settle = \"500ms\"")
            .edit("listen = \"127.0.0.1:8081\"", &format!("listen = \"127.0.0.1:{}\"", port()?))
            .edit("admin_listen = \"127.0.0.1:9090\"", &format!("admin_listen = \"127.0.0.1:{}\"", port()?));
        let config = change(config + NO_LIMITS);
        let sandbox = Sandbox::new(settings(&config, interval)?);
        tokio::spawn(sandbox::run(listener, sandbox.clone(), std::future::pending()));
        let mut process = Process::new(folder, config);
        process.environment.insert("AFTERWORD_DEMO_TOKEN".into(), TOKEN.into());
        process.log_level = log_level;
        let (server, admin) = (String::new(), String::new());
        Ok(Self { sandbox, pages, server, admin, process, http: http_client()? })
    }

    /// Starts the server, on the ports that it had before, if any.
    pub async fn start(&mut self) -> Result<()> {
        self.process.start().await?;
        (self.server, self.admin) = (self.process.server.clone(), self.process.admin.clone());
        Ok(())
    }

    /// Kills the server with SIGKILL.
    pub async fn kill(&mut self) -> Result<()> {
        self.process.kill().await
    }

    /// Stops the server with SIGTERM, and waits for it to end by itself.
    pub async fn stop(&mut self) -> Result<std::process::ExitStatus> {
        self.process.stop().await
    }

    /// What the server has said.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The server as a page of the shop sees it.
    pub fn door(&self) -> Door {
        let (server, origin) = (self.server.clone(), self.pages.origin.clone());
        Door { server, origin, http: self.http.clone(), forwarded: None }
    }

    /// The same, seen from another address of this machine: all of 127.0.0.0/8 is.
    pub fn door_from(&self, address: IpAddr) -> Result<Door> {
        Ok(Door { http: client_from(Some(address))?, ..self.door() })
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
                crate::a_moment().await;
            }
        };
        match tokio::time::timeout(DEADLINE, waiting).await {
            Ok(text) => text,
            Err(_) => bail!("{path} does not say so:\n{}", self.get(&url).await?),
        }
    }

    /// Waits until the server has said something in its log.
    pub async fn until_log(&self, says: impl Fn(&str) -> bool) -> Result<String> {
        let waiting = async {
            while !says(&self.log()) {
                crate::a_moment().await;
            }
        };
        let said = tokio::time::timeout(DEADLINE, waiting).await;
        said.map(|()| self.log())
            .with_context(|| format!("the log does not say so:\n{}", self.process.last_words()))
    }

    /// Waits until the server has nothing left to forward; gives back every arrival. What was handed in twice
    /// has arrived twice by then.
    pub async fn at_rest(&self) -> Result<Vec<Arrival>> {
        self.until_admin("/metrics", |metrics| {
            let mut depths = metrics.lines().filter(|line| line.starts_with("afterword_queue_entries"));
            depths.clone().next().is_some() && depths.all(|line| line.ends_with(" 0"))
        })
        .await?;
        Ok(self.sandbox.arrivals())
    }

    /// Waits for so many answers at the platform; gives back every arrival.
    pub async fn delivered(&self, answers: u64) -> Result<Vec<Arrival>> {
        let there = self.sandbox.until(DEADLINE, |counts| counts.stored >= answers).await;
        let counts = self.sandbox.counts();
        anyhow::ensure!(
            there,
            "only {} of {answers} answers arrived; the server says:\n{}",
            counts.stored,
            self.process.last_words()
        );
        Ok(self.sandbox.arrivals())
    }
}

/// A client for loopback.
pub fn http_client() -> Result<reqwest::Client> {
    client_from(None)
}

fn client_from(address: Option<IpAddr>) -> Result<reqwest::Client> {
    // The library wants one even where nothing is encrypted; only the first in a process counts.
    rustls::crypto::ring::default_provider().install_default().ok();
    Ok(reqwest::Client::builder().no_proxy().tls_certs_only([]).local_address(address).build()?)
}

/// The server as a page sees it: through its life and its next.
#[derive(Clone)]
pub struct Door {
    server: String,
    origin: String,
    http: reqwest::Client,
    forwarded: Option<String>,
}

impl Door {
    /// Sends `X-Forwarded-For` along, as a proxy does.
    #[must_use]
    pub fn forwarding_for(self, clients: &str) -> Self {
        Self { forwarded: Some(clients.to_owned()), ..self }
    }

    /// Sends a submission.
    pub async fn submit(&self, survey: &str, body: &Value) -> Result<reqwest::Response> {
        let url = format!("{}/v1/surveys/{survey}/answers", self.server);
        let mut request = self.http.post(url).header("origin", &self.origin);
        if let Some(clients) = &self.forwarded {
            request = request.header("x-forwarded-for", clients);
        }
        Ok(request.header("content-type", "text/plain").body(body.to_string()).send().await?)
    }
}

/// What the sandbox knows, read from the configuration by this file's own means.
pub fn settings(config: &str, interval: Duration) -> Result<Settings> {
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
                mandatory: asked["required"] == json!(true),
                labels: labels(asked, *language),
            };
            // What is meant by "other" goes to a text question of its own.
            let options = asked["options"].as_array().into_iter().flatten();
            let other = options.clone().map(|option| &option["other"]["guid"]).find(|guid| guid.is_object());
            let words = other.into_iter().flat_map(|guid| {
                let in_language = |language: &shared::Language| sandbox::Question {
                    guid: text(&guid[language.tag()]),
                    sibling: format!("{}-other", text(&asked["id"])),
                    kind: sandbox::Kind::Text,
                    mandatory: false,
                    labels: Vec::new(),
                    ..in_language(language)
                };
                languages.iter().map(in_language).collect::<Vec<_>>()
            });
            languages.iter().map(in_language).chain(words).collect::<Vec<_>>()
        });
        sandbox::Touchpoint {
            guid: text(&survey["touchpoint"]),
            company: text(&survey["company"]),
            name: text(&survey["id"]),
            email: true,
            mandatory_metadata: Vec::new(),
            questions: questions.collect(),
            languages,
        }
    };
    let touchpoints = config["survey"].as_array().into_iter().flatten().map(touchpoint).collect();
    let tokens = vec![Token::all(SecretString::from(TOKEN.to_owned()))];
    // Enough for the largest list of respondents.
    Ok(Settings { interval, tokens, touchpoints, keep: 100_000, ..Settings::default() })
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

/// What the steps of a score are called, in the seven places that the platform has for it.
fn labels(asked: &Value, language: shared::Language) -> Vec<String> {
    let steps = asked["labels"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |label: Option<&Value>| {
        label.and_then(|label| label[language.tag()].as_str()).unwrap_or_default().to_owned()
    };
    if (1..=7).contains(&steps.len()) {
        return steps.iter().map(|step| text(Some(step))).collect();
    }
    let sandbox::Kind::Score { min, max } = kind(asked, language) else { return Vec::new() };
    let places = usize::try_from(max - min + 1).unwrap_or_default().clamp(2, 7);
    let mut labels = vec![String::new(); places];
    labels[0] = text(asked.get("low").or(steps.first()));
    labels[places - 1] = text(asked.get("high").or(steps.last()));
    labels
}
