//! `store`: where submissions wait, and how a database is reached.
//!
//! A password never stands in the address: it would be in the file, in process lists and in logs.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::{Host, SslMode};

use super::platform::{CaFile, read_ca_file, read_secret};
use super::reader::{Table, Value};
use super::sources::Sources;

const HINT: &str = "write \"sqlite:\" and the path of a file, or \"postgres://user@host:5432/database\"";
const TLS_HINT: &str = "write sslmode=require: certificates are always verified; or sslmode=disable, where nobody \
                        else can listen";

/// Where submissions wait.
#[derive(Clone, Debug)]
pub enum Store {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database, which several servers may share.
    Postgres(Box<Database>),
}

impl fmt::Display for Store {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(out, "sqlite:{}", path.display()),
            Self::Postgres(database) => out.write_str(&database.address),
        }
    }
}

/// How a database is reached.
#[derive(Clone, Debug)]
pub struct Database {
    /// The address as it was written; it holds no secret.
    pub address: String,
    /// The same, taken apart; without the password.
    pub settings: tokio_postgres::Config,
    /// What the user shows, unless the database asks for nothing.
    pub password: Option<SecretString>,
    /// The certificate authorities to trust, in the place of the public ones.
    pub ca_file: Option<CaFile>,
}

impl Store {
    /// True if it is the same store, reached in the same way.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(path), Self::Sqlite(other)) => path == other,
            (Self::Postgres(database), Self::Postgres(other)) => {
                let secret = |database: &Database| {
                    database.password.as_ref().map(|password| password.expose_secret().to_owned())
                };
                (&database.address, &database.ca_file) == (&other.address, &other.ca_file)
                    && secret(database) == secret(other)
            }
            _ => false,
        }
    }
}

impl Database {
    /// Reads an address, or says what is wrong with it and what to do.
    pub fn parse(address: &str) -> Result<Self, (String, &'static str)> {
        let rest = ["postgres://", "postgresql://"].iter().find_map(|scheme| address.strip_prefix(scheme));
        let rest = rest.ok_or_else(|| {
            // With an `@` in it there may be a password as well.
            let shown = if address.contains('@') { "this".to_owned() } else { format!("{address:?}") };
            (format!("{shown} is no store"), HINT)
        })?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let Some((user, _)) = place.split('/').next().and_then(|authority| authority.rsplit_once('@')) else {
            return Err(("the address names no user".into(), HINT));
        };
        let (mut kept, mut tls) = (Vec::new(), None);
        for part in query.split('&').filter(|part| !part.is_empty()) {
            match part.split_once('=').unwrap_or((part, "")) {
                ("sslmode", mode) => tls = Some(mode),
                ("password", _) => return Err(password_in_address()),
                ("sslrootcert", _) => {
                    return Err(("`sslrootcert` has a key of its own".into(), "write store_ca_file = \"…\""));
                }
                _ => kept.push(part),
            }
        }
        if user.contains(':') {
            return Err(password_in_address());
        }
        let plain = format!("postgres://{place}?{}", kept.join("&"));
        let mut settings: tokio_postgres::Config = plain.parse().map_err(|error| (in_full(&error), HINT))?;
        if settings.get_hosts().is_empty() {
            return Err(("the address names no host".into(), HINT));
        }
        settings.ssl_mode(match tls {
            Some("disable") => SslMode::Disable,
            None if is_local(&settings) => SslMode::Disable,
            None | Some("require" | "verify-ca" | "verify-full") => SslMode::Require,
            Some(mode) => return Err((format!("sslmode={mode} would let others listen"), TLS_HINT)),
        });
        Ok(Self { address: address.to_owned(), settings, password: None, ca_file: None })
    }
}

fn password_in_address() -> (String, &'static str) {
    const HINT: &str = "take it out, and name it with `store_password_env` or `store_password_file`";
    ("an address holds no password".into(), HINT)
}

fn in_full(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// True if what is sent stays on this machine.
fn is_local(settings: &tokio_postgres::Config) -> bool {
    let host = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback()),
    };
    settings.get_hosts().iter().all(host) && settings.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

pub(super) fn read(root: &Table<'_>, sources: &Sources<'_>) -> Option<Store> {
    let password = read_secret(root, "store_password", sources);
    let ca_file = root.get("store_ca_file").map(|value| read_ca_file(&value, sources));
    let value = root.required("store", "add store = \"sqlite:/var/lib/afterword/queue.db\"")?;
    let text = value.string()?;
    if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
        if ca_file.is_some() || !matches!(password, Ok(None)) {
            value.problem("a file has no password and no certificate", "take the other `store_…` keys out");
        }
        return Some(Store::Sqlite(sources.path(path)));
    }
    read_database(&value, text).and_then(|database| {
        let ca_file = ca_file.map_or(Some(None), |path| path.map(Some))?;
        Some(Store::Postgres(Box::new(Database { password: password.ok()?, ca_file, ..database })))
    })
}

fn read_database(value: &Value<'_>, text: &str) -> Option<Database> {
    let read = Database::parse(text);
    read.map_err(|(message, hint)| value.problem(message, hint)).ok()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{GOOD, parse};
    use super::*;

    fn refused(address: &str) -> String {
        Database::parse(address).unwrap_err().0
    }

    fn is_encrypted(address: &str) -> bool {
        Database::parse(address).unwrap().settings.get_ssl_mode() == SslMode::Require
    }

    #[test]
    fn what_leaves_the_machine_is_encrypted_unless_the_address_says_otherwise() {
        assert!(is_encrypted("postgres://me@db.example/queue"));
        assert!(is_encrypted("postgresql://me@db.example:6432,127.0.0.1/queue"));
        assert!(is_encrypted("postgres://me@127.0.0.1/queue?sslmode=verify-full"));
        assert!(!is_encrypted("postgres://me@db.example/queue?sslmode=disable&connect_timeout=2"));
        assert!(!is_encrypted("postgres://me@127.0.0.1:5433/queue"));
        assert!(!is_encrypted("postgres://me@localhost/queue"));
        assert!(!is_encrypted("postgres://me@%2Fvar%2Frun%2Fpostgresql/queue"));
        assert_eq!(
            refused("postgres://me@db.example/x?sslmode=prefer"),
            "sslmode=prefer would let others listen"
        );
    }

    #[test]
    fn an_address_that_cannot_be_used_is_refused() {
        assert_eq!(refused("postgres://db.example/queue"), "the address names no user");
        assert_eq!(refused("postgres://me@/queue"), "the address names no host");
        assert!(refused("postgres://me@db.example:port/queue").contains("port"));
        assert!(refused("postgres://me@db.example/queue?colour=red").contains("colour"));
    }

    #[test]
    fn a_password_comes_from_elsewhere_and_is_never_shown() {
        let with = |store: &str| parse(&GOOD.replace("store = \"sqlite:queue.db\"", store));
        for wrong in [
            "store = \"postgres://me:c2VjcmV0@db.example/queue\"",
            "store = \"postgres://me:c2Vj/cmV0c2VjcmV0@db.example/queue\"",
            "store = \"postgres://me@db.example/queue?password=c2VjcmV0\"",
            "store = \"pg://me:c2VjcmV0@db.example/queue\"",
            "store = \"postgres://me@db.example/queue\"\nstore_password = \"c2VjcmV0\"",
            "store = \"sqlite:queue.db\"\nstore_password_env = \"TOKEN\"",
        ] {
            let error = with(wrong).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("c2VjcmV0"), "{error}");
        }
        let right = "store = \"postgres://me@db.example/queue\"\nstore_password_env = \"TOKEN\"";
        let config = with(right).unwrap();
        assert!(!format!("{config:?}").contains("c2VjcmV0"));
        assert_eq!(config.store.to_string(), "postgres://me@db.example/queue");
        let Store::Postgres(database) = config.store else { panic!() };
        assert!(database.password.is_some());
    }
}
