//! The configuration: a TOML file in, validated types out, every problem at once.
//!
//! It is read once, by the command line. Secrets come from the environment or from files named
//! there, never from the TOML text. Knows nothing of HTTP, queue or platform calls.

mod contact;
mod limits;
mod metadata;
mod platform;
mod problem;
mod question;
mod queue;
mod reader;
pub mod reference;
mod screens;
mod show;
mod sources;
mod store;
mod style;
mod survey;
mod surveys;
mod text;

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use secrecy::SecretString;
use toml::de::DeTable;

pub use contact::Contact;
pub use limits::{Limits, Rate};
pub use metadata::{ContextKey, MetadataRule, MetadataSource};
pub use platform::{CaFile, Platform, PlatformName, TokenMark};
pub use problem::{ConfigError, Faulty, Problem};
pub use question::{ChoiceOption, Kind, Question};
pub use queue::QueueBounds;
pub use screens::{Intro, Link, Thanks};
pub use show::{Again, Device, Due, Mode, Pause, Position, Show};
pub use sources::{Environment, Files, UNSET, missing};
pub use store::{Database, Store};
pub use style::{Color, Style, Theme};
pub use survey::{Layout, OnUnknown, Survey};
pub use text::{Guid, Origin, PerLanguage};

use platform::read_secret;
use problem::Problems;
use reader::{Table, Value};
use sources::Sources;
use surveys::Needed;

/// Everything the server needs to know, valid as a whole.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where browsers reach the server, without a slash at the end.
    pub public_url: Option<String>,
    /// Where the public listener binds.
    pub listen: SocketAddr,
    /// Where the operators' listener binds.
    pub admin_listen: SocketAddr,
    /// What operators have to show; always there unless `admin_listen` is loopback.
    pub admin_token: Option<SecretString>,
    /// True when operators' pages may show what visitors have answered.
    pub admin_answers: bool,
    /// Where submissions wait.
    pub store: Store,
    /// How much may wait there.
    pub queue: QueueBounds,
    /// Who may tell a visitor's address.
    pub trusted_proxies: Vec<Network>,
    /// How much the public listener bears.
    pub limits: Limits,
    /// The platforms, in the file's order; never empty.
    pub platforms: Vec<Arc<Platform>>,
    /// The surveys, in the file's order; never empty but in a [draft](Self::draft).
    pub surveys: Vec<Arc<Survey>>,
}

/// A network in CIDR form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const REASON: &str = "not an address or a network";
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| REASON)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), str::parse::<u8>).map_err(|_| REASON)?;
        if prefix > longest {
            return Err("the prefix is too long");
        }
        // Addresses are compared as IPv4 where they are IPv4 mapped into IPv6: so are networks.
        match address.to_canonical() {
            canonical if prefix >= 96 && canonical != address => {
                Ok(Self { address: canonical, prefix: prefix - 96 })
            }
            _ => Ok(Self { address, prefix }),
        }
    }
}

impl Network {
    /// True for addresses in the network; an IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = |address: IpAddr| match address.to_canonical() {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let ((own, family), (other, other_family)) = (bits(self.address), bits(address));
        let kept = 128 - u32::from(self.prefix);
        family == other_family && own.checked_shr(kept) == other.checked_shr(kept)
    }
}

/// How the server of a file is reached, whatever else is wrong with the file: a server that runs goes on with what it
/// has read before.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Where it listens for operators.
    pub listen: SocketAddr,
    /// What operators have to show, as far as the file says it; begins with [`UNSET`] if it cannot be read.
    pub token: Option<SecretString>,
    /// False if the file is no valid TOML, or does not name the address: then it may be another server's.
    pub certain: bool,
}

impl Admin {
    /// Reads a file for no more than this; nothing, where that cannot be read.
    pub fn of(path: &Path, environment: Environment<'_>) -> Option<Self> {
        let sources = Sources::new(path.parent().unwrap_or(Path::new("")), environment, Needed::Any);
        let token = |root: &Table<'_>| read_secret(root, "admin_token", &sources).ok().flatten();
        Self::read(path, token)
    }

    /// The same without the token: whoever asks whether the server is well needs none.
    pub fn address(path: &Path) -> Option<SocketAddr> {
        Self::read(path, |_| None).map(|admin| admin.listen)
    }

    fn read(path: &Path, token: impl Fn(&Table<'_>) -> Option<SecretString>) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let (document, errors) = DeTable::parse_recoverable(&text);
        let problems = Problems::new(&text);
        let root = Table::root(document.get_ref(), &problems);
        let certain = errors.is_empty() && root.get("admin_listen").is_some();
        Some(Self { listen: admin_listen(&root)?, token: token(&root), certain })
    }
}

impl Config {
    /// Reads a file, and the secrets it names.
    pub fn load(path: &Path, environment: Environment<'_>) -> Result<Self, ConfigError> {
        Self::load_and_follow(path, environment).0
    }

    /// The same; and what was looked at, whatever came of it.
    pub fn load_and_follow(path: &Path, environment: Environment<'_>) -> (Result<Self, ConfigError>, Files) {
        Self::read(path, environment, Needed::Some, Needed::Some)
    }

    /// Reads a file for somebody who may do without secrets: those that cannot be read begin with [`UNSET`].
    pub fn without_secrets(path: &Path, environment: Environment<'_>) -> Result<Self, ConfigError> {
        Self::read(path, environment, Needed::Some, Needed::Any).0
    }

    /// The same, for a file that may have no survey yet.
    pub fn draft(path: &Path, environment: Environment<'_>) -> Result<Self, ConfigError> {
        Self::read(path, environment, Needed::Any, Needed::Any).0
    }

    fn read(
        path: &Path,
        environment: Environment<'_>,
        needed: Needed,
        secrets: Needed,
    ) -> (Result<Self, ConfigError>, Files) {
        let sources = Sources::new(path.parent().unwrap_or(Path::new("")), environment, secrets);
        let name = path.display().to_string();
        match sources.read_text(path) {
            Ok(text) => Self::parse_with(&text, &name, sources, needed),
            Err(error) => {
                (Err(ConfigError::Read { path: name, reason: error.to_string() }), sources.into_parts().0)
            }
        }
    }

    /// Reads a text as if it were the file `name`; relative paths in it start at `folder`.
    pub fn parse(
        text: &str,
        name: &str,
        folder: &Path,
        environment: Environment<'_>,
    ) -> Result<Self, ConfigError> {
        Self::parse_with(text, name, Sources::new(folder, environment, Needed::Some), Needed::Some).0
    }

    /// The same, for somebody who may do without secrets.
    pub fn parse_without_secrets(
        text: &str,
        name: &str,
        folder: &Path,
        environment: Environment<'_>,
    ) -> Result<Self, ConfigError> {
        Self::parse_with(text, name, Sources::new(folder, environment, Needed::Any), Needed::Some).0
    }

    fn parse_with(
        text: &str,
        name: &str,
        sources: Sources<'_>,
        needed: Needed,
    ) -> (Result<Self, ConfigError>, Files) {
        let (config, problems) = parsed(text, |root| read(root, name, &sources, needed));
        let (files, mut faulty) = sources.into_parts();
        if !problems.is_empty() {
            faulty.insert(0, Faulty { path: name.to_owned(), problems });
        }
        match config {
            Some(config) if faulty.is_empty() => (Ok(config), files),
            _ => (Err(ConfigError::Invalid(faulty)), files),
        }
    }

    /// The keys whose values another configuration has otherwise, and that are read at the start only.
    pub fn fixed_at_start(&self, other: &Self) -> Vec<&'static str> {
        let changed = [
            ("listen", self.listen != other.listen),
            ("admin_listen", self.admin_listen != other.admin_listen),
            ("store", !self.store.is(&other.store)),
            ("[queue]", self.queue != other.queue),
        ];
        changed.into_iter().filter_map(|(key, changed)| changed.then_some(key)).collect()
    }

    /// The survey with this id.
    pub fn survey(&self, id: &str) -> Option<&Arc<Survey>> {
        self.surveys.iter().find(|survey| survey.id.as_str() == id)
    }

    /// The platform with this name.
    pub fn platform(&self, name: &str) -> Option<&Arc<Platform>> {
        self.platforms.iter().find(|platform| platform.name.as_str() == name)
    }

    /// What is valid, but not as good as it could be.
    pub fn advice(&self) -> Vec<String> {
        let looks_up = |survey: &Survey| {
            survey
                .metadata
                .iter()
                .any(|rule| matches!(rule.source, MetadataSource::Context(ContextKey::Submission)))
        };
        let unfindable = self.surveys.iter().filter(|survey| !looks_up(survey));
        let unfindable = unfindable.map(|survey| {
            format!(
                "survey {}: add `submission = {{ context = \"submission\" }}` to [survey.metadata]: only with \
                 such a key can an answer be found again at the platform",
                survey.id
            )
        });
        let visitor = self.limits.visitor.map(|rate| rate.per_minute);
        let narrow = self.surveys.iter().filter(|survey| {
            survey.per_minute.is_some_and(|all| visitor.is_none_or(|visitor| all <= visitor))
        });
        let narrow = narrow.map(|survey| {
            format!(
                "survey {}: make `per_minute` larger than [limits] `visitor_per_minute`: else one address can \
                 keep all others out",
                survey.id
            )
        });
        unfindable.chain(narrow).collect()
    }
}

/// What is read of a TOML text, and what is wrong with it.
fn parsed<T>(text: &str, read: impl FnOnce(Table<'_>) -> Option<T>) -> (Option<T>, Vec<Problem>) {
    let (document, errors) = DeTable::parse_recoverable(text);
    let problems = Problems::new(text);
    for error in &errors {
        problems.add(error.span().unwrap_or(0..0), "", error.message(), "this is not valid TOML");
    }
    // After a syntax error half of the file may be missing: what it says is no use then.
    let valid = errors.is_empty();
    let value = valid.then(|| read(Table::root(document.get_ref(), &problems))).flatten();
    (value, problems.into_problems())
}

fn read(root: Table<'_>, name: &str, sources: &Sources<'_>, needed: Needed) -> Option<Config> {
    let public_url = root.get("public_url").and_then(|value| read_public_url(&value));
    let listen = address(&root, "listen", "0.0.0.0:8080");
    let admin_listen = admin_listen(&root);
    let admin_token = read_secret(&root, "admin_token", sources);
    let admin_answers = root.flag("admin_answers");
    let exposed = admin_listen.is_some_and(|address| !address.ip().is_loopback());
    if let (true, Ok(None), Some(value)) = (exposed, &admin_token, root.get("admin_listen")) {
        value.problem(
            "the address is not loopback, and there is no token for it",
            "name one with `admin_token_env` or `admin_token_file`",
        );
    }
    if let (true, Some(address), Some(value)) = (listen == admin_listen, listen, root.get("admin_listen"))
        && address.port() != 0
    {
        value.problem("visitors are listened to there", "use another port than `listen` does");
    }
    let store = store::read(&root, sources);
    let queue = queue::read(&root);
    let trusted_proxies = root
        .get("trusted_proxies")
        .map_or(Some(Vec::new()), |value| list(&value, |v| v.parse("write \"10.0.0.0/8\" or \"127.0.0.1\"")));
    let limits = limits::read(&root);
    let platforms = read_platforms(&root, sources);
    let surveys = surveys::read(&root, name, platforms.as_deref(), sources, needed);
    root.finish();
    Some(Config {
        public_url,
        listen: listen?,
        admin_listen: admin_listen?,
        admin_token: admin_token.ok()?,
        admin_answers: admin_answers?,
        store: store?,
        queue: queue?,
        trusted_proxies: trusted_proxies?,
        limits: limits?,
        platforms: platforms?.into_iter().map(Arc::new).collect(),
        surveys: surveys?.into_iter().map(Arc::new).collect(),
    })
}

fn read_public_url(value: &Value<'_>) -> Option<String> {
    const HINT: &str = "write \"https://feedback.example.com\"";
    let text = value.string()?;
    match reqwest::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.query().is_none() => {
            Some(text.trim_end_matches('/').to_owned())
        }
        _ => {
            value.problem(format!("{text:?} is no web address"), HINT);
            None
        }
    }
}

fn address(root: &Table<'_>, key: &'static str, default: &str) -> Option<SocketAddr> {
    match root.get(key) {
        Some(value) => value.parse("write an address and a port: \"127.0.0.1:8080\" or \"[::]:8080\""),
        None => default.parse().ok(),
    }
}

fn admin_listen(root: &Table<'_>) -> Option<SocketAddr> {
    address(root, "admin_listen", "127.0.0.1:9090")
}

fn list<T>(value: &Value<'_>, read: impl Fn(&Value<'_>) -> Option<T>) -> Option<Vec<T>> {
    let read: Vec<_> = value.array()?.iter().map(read).collect();
    read.into_iter().collect()
}

fn read_platforms(root: &Table<'_>, sources: &Sources<'_>) -> Option<Vec<Platform>> {
    let value = root.required("platform", "add [platform.main] with `token_env` or `token_file`")?;
    let mut platforms: Vec<Platform> = Vec::new();
    let mut complete = true;
    for (name, value) in value.table()?.entries() {
        let Some(platform) = platform::read(name, &value, sources) else {
            complete = false;
            continue;
        };
        if let Some(twin) = platforms.iter().find(|other| other.has_token_of(&platform)) {
            value.problem(
                format!("the same token as platform {}", twin.name),
                "the platform's limit counts per token: let the surveys share one [platform.…]",
            );
            complete = false;
        }
        platforms.push(platform);
    }
    if platforms.is_empty() && complete {
        value.problem("there is no platform", "add [platform.main] with `token_env` or `token_file`");
    }
    (complete && !platforms.is_empty()).then_some(platforms)
}

#[cfg(test)]
pub(crate) mod tests;
