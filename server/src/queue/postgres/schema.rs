//! The PostgreSQL schema, as a list of migrations; a table counts those applied.
//!
//! All of it is in a schema named `afterword`, and every statement says so: neither the search path nor
//! other programs' tables matter.

use deadpool_postgres::Pool;
use tokio_postgres::types::Type;

use super::connection::{REPORT_LIMIT, Session, get, statement};
use crate::queue::QueueError;

/// Of two servers that start together one waits here for the other; the number is just ours.
const LOCK: &str = "SELECT pg_advisory_xact_lock(4704912873160285)";

/// Columns mean what they mean in the SQLite store: times are milliseconds since 1970 by the servers'
/// clocks, states the numbers of [`State`](crate::queue::State). `id` grows with each entry, in the order of
/// arrival. Each partial index holds one state only, so a million delivered entries cost the lane nothing.
/// Texts compare byte by byte, so that an index never depends on the system's collations.
///
/// Rows of `entry` change their state a few times and then stay: dead versions are cleaned up early, since
/// a look-up for what is next has to step over them. Leases are by the database's clock.
const MIGRATIONS: [&str; 3] = [
    "
CREATE SEQUENCE afterword.entry_id AS bigint;
CREATE TABLE afterword.entry (
    id           bigint   PRIMARY KEY,
    submission   uuid     NOT NULL UNIQUE,
    fingerprint  bytea    NOT NULL,
    lane         text     COLLATE \"C\" NOT NULL,
    priority     smallint NOT NULL,
    survey       text     COLLATE \"C\" NOT NULL,
    state        smallint NOT NULL DEFAULT 0,
    accepted_at  bigint   NOT NULL,
    due_at       bigint   NOT NULL,
    sent_at      bigint,
    unsure_since bigint,
    settled_at   bigint,
    attempts     bigint   NOT NULL DEFAULT 0,
    last_error   text     COLLATE \"C\",
    body         bytea
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX entry_waiting   ON afterword.entry (lane, survey, priority, id) WHERE state = 0;
CREATE INDEX entry_delayed   ON afterword.entry (lane, due_at)               WHERE state = 1;
CREATE INDEX entry_sending   ON afterword.entry (lane)                       WHERE state = 2;
CREATE INDEX entry_parked    ON afterword.entry (lane)                       WHERE state = 3;
CREATE INDEX entry_dead      ON afterword.entry (lane)                       WHERE state = 4;
CREATE INDEX entry_delivered ON afterword.entry (settled_at)                 WHERE state = 5;
CREATE INDEX entry_arrived   ON afterword.entry (lane, survey, settled_at)   WHERE state = 5;
CREATE INDEX entry_unknown   ON afterword.entry (lane, survey, due_at)       WHERE state = 6;
CREATE INDEX entry_discarded ON afterword.entry (settled_at)                 WHERE state = 7;
CREATE INDEX entry_kept      ON afterword.entry (settled_at)  WHERE state = 5 AND body IS NOT NULL;
CREATE INDEX entry_failed    ON afterword.entry (settled_at)
    WHERE last_error IS NOT NULL AND state <> 5 AND state <> 7;
CREATE TABLE afterword.attempt (
    number   bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entry    bigint   NOT NULL REFERENCES afterword.entry (id) ON DELETE CASCADE,
    at       bigint   NOT NULL,
    verdict  text     NOT NULL,
    status   integer,
    error    text
);
CREATE INDEX attempt_entry ON afterword.attempt (entry, number);
CREATE TABLE afterword.note (
    lane  text COLLATE \"C\" NOT NULL,
    name  text COLLATE \"C\" NOT NULL,
    value text NOT NULL,
    PRIMARY KEY (lane, name)
);
CREATE TABLE afterword.lease (
    lane       text COLLATE \"C\" PRIMARY KEY,
    owner      uuid        NOT NULL,
    term       bigint      NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 50);
",
    // What has happened, in numbers.
    "
CREATE TABLE afterword.counted (
    series   smallint NOT NULL,
    at       bigint   NOT NULL,
    subject  text COLLATE \"C\" NOT NULL,
    language text COLLATE \"C\" NOT NULL,
    item     text COLLATE \"C\" NOT NULL,
    value    text COLLATE \"C\" NOT NULL,
    count    bigint   NOT NULL,
    PRIMARY KEY (series, at, subject, language, item, value)
) WITH (fillfactor = 70);
",
    // Which token a lane is worked with.
    "
ALTER TABLE afterword.lease ADD COLUMN token bigint;
",
];

/// Brings a database to this version's schema, or says why it cannot.
pub(super) async fn migrate(pool: &Pool) -> Result<(), QueueError> {
    let mut session = Session::open(pool, REPORT_LIMIT).await?;
    session.begin(statement(LOCK, &[])).await?;
    // Asked for first: a user who owns the schema need not be allowed to make one.
    let there =
        session.query(statement("SELECT WHERE to_regnamespace('afterword') IS NOT NULL", &[])).await?;
    if there.is_empty() {
        session.batch("CREATE SCHEMA afterword").await?;
    }
    // `applied` counts migrations; `checks` is written by whoever wants to know whether writes work.
    session
        .batch(
            "CREATE TABLE IF NOT EXISTS afterword.version (applied bigint NOT NULL, checks bigint NOT NULL)
                 WITH (fillfactor = 50);
             INSERT INTO afterword.version
                 SELECT 0, 0 WHERE NOT EXISTS (SELECT FROM afterword.version)",
        )
        .await?;
    let rows = session.query(statement("SELECT applied FROM afterword.version", &[])).await?;
    let version: i64 = rows.first().map_or(Ok(0), |row| get(row, 0))?;
    let known = MIGRATIONS.len();
    let applied = usize::try_from(version).ok().filter(|applied| *applied <= known).ok_or_else(|| {
        QueueError::Store(format!(
            "its schema is version {version}, made by a newer Afterword; this one knows up to {known}"
        ))
    })?;
    for migration in &MIGRATIONS[applied..] {
        session.batch(migration).await?;
    }
    let known = i64::try_from(known).unwrap_or(i64::MAX);
    session
        .end(&[statement(
            "UPDATE afterword.version SET applied = $1 WHERE applied <> $1",
            &[(&known, Type::INT8)],
        )])
        .await?;
    Ok(())
}
