//! A server that runs, asked at its operators' listener.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::de::{DeserializeOwned, IntoDeserializer, value};
use serde::{Deserialize, Deserializer, Serialize};

use super::Usage;
use crate::config::UNSET;
use crate::config::{Config, PlatformName};
use crate::dashboard::{CallReply, Code};
use crate::forwarder::{Call, Done};
use crate::platform::{Outcome, Reply, ReportError, Responses};

const CONNECT: Duration = Duration::from_secs(3);
/// The longest silence of a server: an operation may run over a million entries.
const SILENCE: Duration = Duration::from_mins(5);

/// How long a server may take to say whether it is well; it looks at its store for three seconds at most.
const HEALTH: Duration = Duration::from_secs(5);
/// The longest silence until a call is made: nine visitors' calls may go before it, each as long as its time-out, and a
/// platform that wants to be left alone is told of sooner.
const TURN: Duration = Duration::from_mins(30);

/// A server.
pub(super) struct Remote {
    http: reqwest::Client,
    /// For calls, which may wait for a while until it is their turn.
    calls: reqwest::Client,
    address: SocketAddr,
    token: Option<SecretString>,
}

/// What a server says about a request that it did not do.
#[derive(Deserialize)]
struct Problem {
    /// `None` for one that no server of ours gives: it comes from somebody in between.
    #[serde(deserialize_with = "known")]
    code: Option<Code>,
    detail: String,
}

impl Remote {
    /// The server of a configuration.
    pub(super) fn new(config: &Config) -> anyhow::Result<Self> {
        Self::at(config.admin_listen, config.admin_token.clone())
    }

    /// The server that listens for operators at an address.
    pub(super) fn at(admin_listen: SocketAddr, token: Option<SecretString>) -> anyhow::Result<Self> {
        // The library wants one even where nothing is encrypted; only the first in a process counts.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = |silence| {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(CONNECT)
                .read_timeout(silence)
                .tls_certs_only([])
                .no_proxy()
                .http1_only()
                .build()
        };
        let (http, calls) = (client(SILENCE)?, client(TURN)?);
        Ok(Self { http, calls, address: within_reach(admin_listen), token })
    }

    /// Where the server is asked.
    pub(super) fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Finds out whether somebody listens there.
    pub(super) async fn reach(&self) -> Result<(), String> {
        if self.address.port() == 0 {
            return Err("the port is 0, so nobody knows which one the server has".into());
        }
        match tokio::time::timeout(CONNECT, tokio::net::TcpStream::connect(self.address)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("it does not take the connection".into()),
        }
    }

    /// Asks whether it is well, which needs no token.
    pub(super) async fn well(&self, path: &str) -> anyhow::Result<()> {
        let sent = self.http.get(self.url(path, &[])?).timeout(HEALTH).send().await;
        let reply = sent.map_err(reqwest::Error::without_url);
        let reply = reply.with_context(|| format!("no server answers at {}", self.address()))?;
        let status = reply.status();
        let words = reply.text().await.unwrap_or_default();
        if status.is_success() {
            Ok(())
        } else {
            bail!("the server at {}: {status} {}", self.address(), words.trim())
        }
    }

    /// Reads something.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        pairs: &[(&str, String)],
    ) -> anyhow::Result<T> {
        let found = self.find(path, pairs).await?;
        found.with_context(|| format!("the server at {} has no /{path}", self.address()))
    }

    /// Reads something that may not be there.
    pub(super) async fn find<T: DeserializeOwned>(
        &self,
        path: &str,
        pairs: &[(&str, String)],
    ) -> anyhow::Result<Option<T>> {
        match self.send(self.http.get(self.url(path, pairs)?)).await? {
            Some(reply) => Ok(Some(self.read(reply).await?)),
            None => Ok(None),
        }
    }

    /// Has something done.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        request: &impl Serialize,
    ) -> anyhow::Result<T> {
        let sent = self.send(self.http.post(self.url(path, &[])?).json(request)).await?;
        let reply = sent.with_context(|| format!("the server at {} has no /{path}", self.address()))?;
        self.read(reply).await
    }

    /// Reads something long, some of it at a time.
    pub(super) async fn stream(
        &self,
        path: &str,
        pairs: &[(&str, String)],
        mut take: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let sent = self.send(self.http.get(self.url(path, pairs)?)).await?;
        let mut reply = sent.with_context(|| format!("the server at {} has no /{path}", self.address()))?;
        let broke = || "the server broke off; see its log";
        while let Some(chunk) =
            reply.chunk().await.map_err(reqwest::Error::without_url).with_context(broke)?
        {
            take(&chunk)?;
        }
        Ok(())
    }

    /// Has a platform called in its lane. What fails on the way to the server and back is an outcome too: a server that
    /// was not reached made no call.
    pub(super) async fn call(&self, platform: &PlatformName, call: &Call) -> anyhow::Result<Done> {
        let came = |outcome| Ok(Done::of(call.adds(), outcome));
        let request = self.calls.post(self.url(&format!("calls/{platform}"), &[])?).json(call);
        let reply = match self.with_token(request).send().await.map_err(reqwest::Error::without_url) {
            Ok(reply) => reply,
            Err(error) if error.is_connect() => return came(Outcome::NotSent(self.away())),
            Err(error) => return came(Outcome::Lost(format!("the server at {}: {error}", self.address()))),
        };
        let streams = |reply: &Response| {
            let kind = reply.headers().get(CONTENT_TYPE);
            kind.is_some_and(|kind| kind == "application/octet-stream")
        };
        match reply.status() {
            StatusCode::OK if streams(&reply) => Ok(Done::Responses(Responses::handed_on(reply, SILENCE))),
            StatusCode::OK => match reply.json().await.map_err(reqwest::Error::without_url) {
                Ok(CallReply::Added(outcome)) => Ok(Done::Added(outcome)),
                Ok(CallReply::Nps(nps)) => Ok(Done::Nps(nps)),
                Ok(CallReply::Questions(questions)) => Ok(Done::Questions(questions)),
                Ok(CallReply::Failed(outcome)) => Ok(Done::Failed(ReportError::Call(outcome))),
                Ok(CallReply::Unreadable(reason)) => Ok(Done::Failed(ReportError::Read(reason))),
                Err(error) => came(Outcome::Lost(format!("the server at {}: {error}", self.address()))),
            },
            StatusCode::UNAUTHORIZED => Err(self.refused()),
            StatusCode::TOO_MANY_REQUESTS => Err(self.locked_out(&reply)),
            status => {
                let after = reply.headers().get(RETRY_AFTER).and_then(|after| after.to_str().ok());
                let retry_after = after.and_then(|after| after.parse().ok()).map(Duration::from_secs);
                let Problem { code, detail } = self.problem(reply).await;
                match code.filter(|code| code.status() == status) {
                    Some(Code::Resting) => {
                        came(Outcome::Reply(Reply { status: 503, retry_after, words: detail }))
                    }
                    Some(Code::Stopping) => came(Outcome::NotSent(self.away())),
                    Some(code) if code.before_the_call() => {
                        bail!("the server at {}: {detail}", self.address())
                    }
                    // The server half-way, or somebody in between, who cannot know.
                    _ => came(Outcome::Lost(format!("at {}: {status} {detail}", self.address()))),
                }
            }
        }
    }

    fn away(&self) -> String {
        format!("the server at {} is away", self.address())
    }

    async fn problem(&self, reply: Response) -> Problem {
        let none = |_| Problem { code: None, detail: "it does not say why; is it an older server?".into() };
        reply.json().await.unwrap_or_else(none)
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        }
    }

    fn url(&self, path: &str, pairs: &[(&str, String)]) -> anyhow::Result<Url> {
        let mut url = Url::parse(&format!("{}/{path}", self.address()))?;
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Ok(url)
    }

    async fn read<T: DeserializeOwned>(&self, reply: Response) -> anyhow::Result<T> {
        let reply = reply.json().await.map_err(reqwest::Error::without_url);
        reply.with_context(|| {
            format!(
                "the reply of the server at {} cannot be understood: is it of another version?",
                self.address()
            )
        })
    }

    /// Sends a request with the admin token; `None` if what was asked for is not there.
    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Option<Response>> {
        let sent = self.with_token(request).send().await.map_err(reqwest::Error::without_url);
        let reply = sent.with_context(|| {
            format!(
                "the server at {} does not answer; whether something was changed is seen with `queue list`",
                self.address()
            )
        })?;
        let status = reply.status();
        if status.is_success() {
            return Ok(Some(reply));
        }
        if status == StatusCode::UNAUTHORIZED {
            return Err(self.refused());
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(self.locked_out(&reply));
        }
        let problem: Option<Problem> = reply.json().await.ok();
        match problem {
            Some(problem) if problem.code == Some(Code::Submission) => Ok(None),
            Some(problem) if problem.code == Some(Code::Request) => Err(Usage(problem.detail).into()),
            Some(problem) => bail!("the server at {}: {}", self.address(), problem.detail),
            None if status == StatusCode::NOT_FOUND => bail!(
                "what answers at {} does not know what it is asked for: is it an older server, or another program?",
                self.address()
            ),
            None => bail!("the server at {} answers {status}", self.address()),
        }
    }

    fn locked_out(&self, reply: &Response) -> anyhow::Error {
        let after = reply.headers().get(RETRY_AFTER).and_then(|after| after.to_str().ok()).unwrap_or("some");
        anyhow!(
            "the server at {} takes no token from this address for {after} s, since many wrong ones came from it: wait, then \
             use the right one",
            self.address()
        )
    }

    fn refused(&self) -> anyhow::Error {
        let address = self.address();
        let Some(token) = &self.token else {
            return anyhow!(
                "the server at {address} wants an admin token, and the configuration names none: use the one \
                 that the server was started with"
            );
        };
        match token.expose_secret().strip_prefix(UNSET) {
            Some(place) if place.contains('/') => {
                anyhow!("the server at {address} wants the admin token, and {place} cannot be read here")
            }
            Some(variable) => anyhow!(
                "the server at {address} wants the admin token: set {variable} in the environment, as for the \
                 server"
            ),
            None => {
                anyhow!("the server at {address} does not take the admin token: use the one that it has now")
            }
        }
    }
}

/// A code that this version knows; of another one nobody can say what it means.
fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Code>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let name: value::StringDeserializer<value::Error> = name.into_deserializer();
    Ok(Code::deserialize(name).ok())
}

/// An address at which a listener is reached that binds to this one.
fn within_reach(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_refuses_before_a_call_is_known_and_what_nobody_knows_comes_from_in_between() {
        let code = |code: &str| {
            let problem = serde_json::json!({ "code": code, "title": "", "status": 0, "detail": "" });
            serde_json::from_value::<Problem>(problem).unwrap().code
        };
        for name in
            ["platform", "request", "host", "origin", "content_type", "resting", "stopping", "standby"]
        {
            assert!(code(name).is_some_and(Code::before_the_call), "{name}");
        }
        for name in ["address", "submission", "survey", "store", "internal"] {
            assert!(code(name).is_some_and(|code| !code.before_the_call()), "{name}");
        }
        for name in ["", "Platform", "bad_gateway"] {
            assert_eq!(code(name), None, "{name}");
        }
    }

    #[test]
    fn a_listener_on_every_address_is_asked_on_loopback() {
        for (bound, asked) in [
            ("0.0.0.0:9090", "127.0.0.1:9090"),
            ("[::]:9090", "[::1]:9090"),
            ("10.0.0.5:9090", "10.0.0.5:9090"),
        ] {
            assert_eq!(within_reach(bound.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
