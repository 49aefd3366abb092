//! Connections to the database, and transactions on them.
//!
//! Everything runs in a short transaction of its own and leaves nothing behind on the connection, so that
//! a transaction pooler may stand between: settings are `SET LOCAL`, statements have no name. What belongs
//! together is sent in one go; the server works it off in order. A connection on which something failed,
//! was too late or was given up half-way is thrown away: the next use makes a new one.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Client, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod};
use futures::future::{join, join_all};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use secrecy::ExposeSecret as _;
use tokio::time::Instant;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::{Database, missing};
use crate::queue::QueueError;

/// How long anything but a report may take.
pub(super) const LIMIT: Duration = Duration::from_secs(5);
/// How long a report may take.
pub(super) const REPORT_LIMIT: Duration = Duration::from_secs(20);
/// How long making a connection may take; less than [`LIMIT`], so that its own reason is told.
const CONNECT: Duration = Duration::from_secs(4);

/// A statement and what goes into it.
pub(super) struct Statement<'a> {
    pub(super) sql: &'a str,
    pub(super) values: &'a [(&'a (dyn ToSql + Sync), Type)],
}

pub(super) fn statement<'a>(sql: &'a str, values: &'a [(&'a (dyn ToSql + Sync), Type)]) -> Statement<'a> {
    Statement { sql, values }
}

/// Prepares connections; makes none yet.
pub(super) fn pool(database: &Database, size: usize) -> Result<Pool, String> {
    let mut settings = database.settings.clone();
    if let Some(password) = &database.password {
        if let Some(advice) = missing(password, "password") {
            return Err(format!("{advice}, as for the server"));
        }
        settings.password(password.expose_secret());
    }
    if settings.get_application_name().is_none() {
        settings.application_name("afterword");
    }
    // A peer that vanished is found out by us, not by the kernel after a quarter of an hour.
    settings.connect_timeout(CONNECT).tcp_user_timeout(LIMIT);
    settings.keepalives_idle(Duration::from_secs(10)).keepalives_interval(Duration::from_secs(5));
    settings.keepalives_retries(3);
    let config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match settings.get_ssl_mode() {
        tokio_postgres::config::SslMode::Disable => Manager::from_config(settings, NoTls, config),
        _ => Manager::from_config(settings, tls(database)?, config),
    };
    Pool::builder(manager).max_size(size).build().map_err(|error| error.to_string())
}

fn tls(database: &Database) -> Result<MakeRustlsConnect, String> {
    let mut roots = rustls::RootCertStore::empty();
    match &database.ca_file {
        None => {
            roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
        }
        Some(file) => {
            let failed = |error: &dyn std::fmt::Display| {
                format!("cannot use store_ca_file {}: {error}", file.path.display())
            };
            for certificate in CertificateDer::pem_slice_iter(&file.pem) {
                let certificate = certificate.map_err(|error| failed(&error))?;
                roots.add(certificate).map_err(|error| failed(&error))?;
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("cannot set up TLS: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// A transaction, or a connection that has none yet.
pub(super) struct Session {
    /// Gone only at the end.
    client: Option<Client>,
    limit: Duration,
    deadline: Instant,
    /// True when nothing of it is left on the connection.
    clean: bool,
}

impl Session {
    /// Takes a connection; all that is done with it has to be done within `limit`.
    pub(super) async fn open(pool: &Pool, limit: Duration) -> Result<Self, QueueError> {
        let deadline = Instant::now() + limit;
        let client = match tokio::time::timeout_at(deadline, pool.get()).await {
            Ok(client) => client.map_err(|error| QueueError::Store(reason_of_pool(&error)))?,
            Err(_) => return Err(too_late(limit)),
        };
        Ok(Self { client: Some(client), limit, deadline, clean: true })
    }

    /// Begins a transaction with a statement; if the session is dropped without [`Session::end`], nothing of it
    /// is kept.
    pub(super) async fn begin(&mut self, first: Statement<'_>) -> Result<Vec<Row>, QueueError> {
        self.clean = false;
        let opening = self.opening();
        let client = self.client()?;
        let both = join(client.batch_execute(&opening), client.query_typed(first.sql, first.values));
        let (begun, rows) = self.in_time(both).await?;
        begun.and(rows).map_err(store)
    }

    /// Runs statements, and commits.
    pub(super) async fn end(mut self, last: &[Statement<'_>]) -> Result<Vec<Vec<Row>>, QueueError> {
        let client = self.client()?;
        let all = join_all(last.iter().map(|each| client.query_typed(each.sql, each.values)));
        let (rows, committed) = self.in_time(join(all, client.batch_execute("COMMIT"))).await?;
        let rows = rows.into_iter().collect::<Result<_, _>>().map_err(store)?;
        committed.map_err(store)?;
        self.clean = true;
        Ok(rows)
    }

    /// Runs statements in a transaction of their own.
    pub(super) async fn run(mut self, all: &[Statement<'_>]) -> Result<Vec<Vec<Row>>, QueueError> {
        self.clean = false;
        let opening = self.opening();
        let client = self.client()?;
        let queries = join_all(all.iter().map(|each| client.query_typed(each.sql, each.values)));
        let begun_and_run = join(client.batch_execute(&opening), queries);
        let ((begun, rows), committed) =
            self.in_time(join(begun_and_run, client.batch_execute("COMMIT"))).await?;
        begun.map_err(store)?;
        let rows = rows.into_iter().collect::<Result<_, _>>().map_err(store)?;
        committed.map_err(store)?;
        self.clean = true;
        Ok(rows)
    }

    /// Runs a statement within the transaction.
    pub(super) async fn query(&mut self, next: Statement<'_>) -> Result<Vec<Row>, QueueError> {
        let client = self.client()?;
        self.in_time(client.query_typed(next.sql, next.values)).await?.map_err(store)
    }

    /// Runs a text of several statements within the transaction.
    pub(super) async fn batch(&mut self, text: &str) -> Result<(), QueueError> {
        let client = self.client()?;
        self.in_time(client.batch_execute(text)).await?.map_err(store)
    }

    /// The database may lose nothing of it after the commit, whatever its default is, and does not go on
    /// with what we have given up.
    fn opening(&self) -> String {
        let millis = self.limit.as_millis();
        format!(
            "BEGIN; SET LOCAL synchronous_commit = on; SET LOCAL statement_timeout = {millis}; \
             SET LOCAL idle_in_transaction_session_timeout = {millis}"
        )
    }

    fn client(&self) -> Result<&Client, QueueError> {
        self.client.as_ref().ok_or(QueueError::Stopped)
    }

    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, QueueError> {
        tokio::time::timeout_at(self.deadline, work).await.map_err(|_| too_late(self.limit))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let (false, Some(client)) = (self.clean, self.client.take()) {
            drop(Client::take(client));
        }
    }
}

/// Runs one statement in a transaction of its own.
pub(super) async fn once(
    pool: &Pool,
    limit: Duration,
    sql: &str,
    values: &[(&(dyn ToSql + Sync), Type)],
) -> Result<Vec<Row>, QueueError> {
    let session = Session::open(pool, limit).await?;
    let mut rows = session.run(&[statement(sql, values)]).await?;
    Ok(rows.pop().unwrap_or_default())
}

/// A column's value.
pub(super) fn get<'a, T: FromSql<'a>>(row: &'a Row, column: usize) -> Result<T, QueueError> {
    row.try_get(column).map_err(store)
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub(super) fn store(error: tokio_postgres::Error) -> QueueError {
    QueueError::Store(reason(&error))
}

/// What went wrong, without the values that were sent: the database repeats those in its details only.
fn reason(error: &tokio_postgres::Error) -> String {
    if let Some(told) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", told.message(), told.code().code());
    }
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    reason
}

fn reason_of_pool(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) => reason(error),
        other => other.to_string(),
    }
}

fn too_late(limit: Duration) -> QueueError {
    QueueError::Store(format!("the database did not answer within {} ms", limit.as_millis()))
}
