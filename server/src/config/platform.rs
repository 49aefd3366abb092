//! `[platform.NAME]`: where the platform is, its token, and its limits.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::reader::{Table, Value};
use super::sources::{Sources, UNSET};
use crate::platform::{BASE_URL, import_url};

/// The name of a `[platform.NAME]`. Names a lane in the queue and in metrics.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlatformName(Box<str>);

impl PlatformName {
    /// A name, as it is; the configuration checks what it may hold.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlatformName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for PlatformName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// One platform, which is one token: one lane.
#[derive(Clone, Debug)]
pub struct Platform {
    /// Its name.
    pub name: PlatformName,
    /// Where its calls start, without a slash at the end.
    pub base_url: String,
    /// Where the calls start by which a survey is imported.
    pub import_url: String,
    /// Certificate authorities to trust besides the public ones.
    pub ca_file: Option<CaFile>,
    /// What goes behind `Authorization: basic`.
    pub token: SecretString,
    /// The least time between two arrivals at the platform.
    pub interval: Duration,
    /// How long a call may take.
    pub timeout: Duration,
    /// For how long a look-up after a lost reply may still miss the answer.
    pub settle: Duration,
}

/// Tells tokens apart without telling them: a part of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenMark(pub i64);

impl TokenMark {
    /// The mark of who makes no calls.
    pub const NONE: Self = Self(0);
}

/// A PEM file with certificate authorities.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CaFile {
    /// The file.
    pub path: PathBuf,
    /// What it holds: one certificate at least.
    pub pem: Arc<[u8]>,
}

impl fmt::Debug for CaFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(out)
    }
}

impl CaFile {
    /// Its certificates; none, should it hold none.
    pub fn certificates(&self) -> Vec<reqwest::Certificate> {
        reqwest::Certificate::from_pem_bundle(&self.pem).unwrap_or_default()
    }
}

impl Platform {
    /// True if it is called in the same way: then its lane can go on.
    pub fn is_called_as(&self, other: &Self) -> bool {
        let Self { name, base_url, import_url, ca_file, token: _, interval, timeout, settle } = self;
        self.has_token_of(other)
            && (name, base_url, import_url, ca_file)
                == (&other.name, &other.base_url, &other.import_url, &other.ca_file)
            && (interval, timeout, settle) == (&other.interval, &other.timeout, &other.settle)
    }

    /// How long so many calls take at its pace.
    pub fn time_for(&self, calls: u64) -> Duration {
        self.interval.saturating_mul(u32::try_from(calls).unwrap_or(u32::MAX))
    }

    /// The mark of its token, which is the same in every process.
    pub fn token_mark(&self) -> TokenMark {
        let hash = Sha256::new().chain_update("afterword.lease\0").chain_update(self.token.expose_secret());
        let hash: [u8; 32] = hash.finalize().into();
        let mark = hash.first_chunk().copied().unwrap_or_default();
        TokenMark(i64::from_be_bytes(mark))
    }

    pub(super) fn has_token_of(&self, other: &Self) -> bool {
        self.token.expose_secret() == other.token.expose_secret()
    }
}

pub(super) fn read(name: &str, value: &Value<'_>, sources: &Sources<'_>) -> Option<Platform> {
    let table = value.table()?;
    let name_is_id = name.parse::<shared::SurveyId>();
    if let Err(reason) = name_is_id {
        value.problem(format!("the platform's name {name:?}: {reason}"), "");
    }
    let allow_http = table.flag("allow_http");
    let base_url = match table.get("base_url") {
        Some(value) => read_base_url(&value, allow_http.unwrap_or(true)),
        None => Some(BASE_URL.to_owned()),
    };
    let import_url = match table.get("import_url") {
        Some(value) => read_base_url(&value, allow_http.unwrap_or(true)),
        // Where nobody knows better, the platform says so when it is asked.
        None => base_url.as_ref().map(|url| import_url(url).unwrap_or_else(|| url.clone())),
    };
    let ca_file = table.optional("ca_file", |value| read_ca_file(value, sources));
    let token = read_secret(&table, "token", sources);
    if matches!(token, Ok(None)) {
        value.problem(
            "the token is missing",
            "add token_env = \"HELLO_CUSTOMER_TOKEN\" or token_file = \"…\"",
        );
    }
    let millis = Duration::from_millis;
    let interval = span(&table, "interval", millis(1_000), millis(1)..=millis(3_600_000));
    let timeout = span(&table, "timeout", millis(30_000), millis(100)..=millis(600_000));
    let settle = span(&table, "settle", millis(7_200_000), millis(0)..=millis(7 * 86_400_000));
    table.finish();
    Some(Platform {
        name: PlatformName(name_is_id.ok()?.as_str().into()),
        base_url: base_url?,
        import_url: import_url?,
        ca_file: ca_file.ok()?,
        token: token.ok()??,
        interval: interval?,
        timeout: timeout?,
        settle: settle?,
    })
}

fn span(
    table: &Table<'_>,
    key: &'static str,
    default: Duration,
    bounds: std::ops::RangeInclusive<Duration>,
) -> Option<Duration> {
    table.get(key).map_or(Some(default), |value| value.duration(*bounds.start(), *bounds.end()))
}

fn read_base_url(value: &Value<'_>, allow_http: bool) -> Option<String> {
    let text = value.string()?;
    let hint = format!("write \"{BASE_URL}\"");
    if text.contains(char::is_whitespace) {
        value.problem("an address has no blanks", hint);
        return None;
    }
    let Ok(url) = reqwest::Url::parse(text) else {
        value.problem(format!("{text:?} is no web address"), hint);
        return None;
    };
    let loopback = match url.host_str() {
        Some("localhost") => true,
        Some(host) => {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    };
    match url.scheme() {
        "https" => {}
        "http" if loopback || allow_http => {}
        "http" => {
            value.problem("without TLS the token would be readable on the way", "use https://");
            return None;
        }
        _ => {
            value.problem(format!("{text:?} is no web address"), hint);
            return None;
        }
    }
    if !url.username().is_empty() || url.password().is_some() {
        value.problem("an address holds no secrets", "use `token_env` or `token_file`");
        return None;
    }
    if url.query().is_some() || url.fragment().is_some() {
        value.problem("an address has no query or fragment here", hint);
        return None;
    }
    Some(text.trim_end_matches('/').to_owned())
}

pub(super) fn read_ca_file(value: &Value<'_>, sources: &Sources<'_>) -> Option<CaFile> {
    let path = sources.path(value.string()?);
    match sources.read(&path) {
        Ok(pem) => {
            let file = CaFile { path, pem: pem.into() };
            if file.certificates().is_empty() {
                let words = format!("{} holds no certificate", file.path.display());
                value.problem(words, "it has to be in PEM form");
                return None;
            }
            Some(file)
        }
        Err(error) => {
            value.problem(format!("cannot read {}: {error}", path.display()), "");
            None
        }
    }
}

/// The secret that `{name}_env` or `{name}_file` points at; `Ok(None)` if neither is there, `Err`
/// after a problem.
pub(super) fn read_secret(
    table: &Table<'_>,
    name: &'static str,
    sources: &Sources<'_>,
) -> Result<Option<SecretString>, ()> {
    let (by_env, by_file, plain) = match name {
        "token" => (table.get("token_env"), table.get("token_file"), "token"),
        "store_password" => {
            (table.get("store_password_env"), table.get("store_password_file"), "store_password")
        }
        _ => (table.get("admin_token_env"), table.get("admin_token_file"), "admin_token"),
    };
    if let Some(value) = table.get(plain) {
        let hint = format!("move it to the environment, and write {plain}_env = \"NAME\"");
        value.problem("a secret does not belong in this file", hint);
        return Err(());
    }
    let (value, place, found) = match (by_env, by_file) {
        (None, None) => return Ok(None),
        (Some(_), Some(value)) => {
            value.problem(format!("`{plain}_env` is there too"), "keep one of the two");
            return Err(());
        }
        (Some(value), None) => {
            let variable = value.string().ok_or(())?.to_owned();
            let absent = || (format!("the environment has no {variable}"), format!("set {variable}"));
            let found = sources.variable(&variable).ok_or_else(absent);
            (value, variable, found)
        }
        (None, Some(value)) => {
            const HINT: &str =
                "put the secret there, for the server's user alone; the path starts at this file's folder";
            let path = sources.path(value.string().ok_or(())?);
            // With a slash, by which whoever misses it tells a file from a variable.
            let place = if path.components().count() > 1 { path.clone() } else { Path::new(".").join(&path) };
            let unread = |error| (format!("cannot read {}: {error}", path.display()), HINT.to_owned());
            (value, place.display().to_string(), sources.read_text(&path).map_err(unread))
        }
    };
    let secret = match (found, sources.unset(&place)) {
        (Ok(secret), _) => secret,
        (Err(_), Some(unset)) => return Ok(Some(SecretString::from(unset))),
        (Err((words, hint)), None) => {
            value.problem(words, hint);
            return Err(());
        }
    };
    let secret = secret.trim();
    if secret.starts_with(UNSET) {
        value.problem(format!("a secret cannot begin with `{UNSET}`"), "use another one");
        return Err(());
    }
    if plain == "store_password" && !secret.is_empty() {
        return Ok(Some(SecretString::from(secret.to_owned())));
    }
    if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        value.problem("the secret is empty, or holds blanks or characters that a header cannot carry", "");
        return Err(());
    }
    Ok(Some(SecretString::from(secret.to_owned())))
}
