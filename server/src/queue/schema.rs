//! The SQLite schema, as a list of migrations; `user_version` counts those applied.

use rusqlite::{Connection, TransactionBehavior};

/// States of an entry as stored. Their order matters: everything below `DELIVERED` is open.
pub(super) mod state {
    pub(in crate::queue) const WAITING: i64 = 0;
    pub(in crate::queue) const DELAYED: i64 = 1;
    pub(in crate::queue) const SENDING: i64 = 2;
    pub(in crate::queue) const PARKED: i64 = 3;
    pub(in crate::queue) const DEAD: i64 = 4;
    pub(in crate::queue) const DELIVERED: i64 = 5;

    /// The state's name for people.
    pub(in crate::queue) fn name(state: i64) -> &'static str {
        match state {
            WAITING => "waiting",
            DELAYED => "delayed",
            SENDING => "sending",
            PARKED => "parked",
            DEAD => "dead",
            _ => "delivered",
        }
    }
}

/// Times are milliseconds since 1970. `id` grows with each entry, so it is the order of arrival.
/// Each partial index holds one state only, so a million delivered entries cost the lane nothing.
const MIGRATIONS: [&str; 1] = ["
CREATE TABLE entry (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    submission   BLOB    NOT NULL UNIQUE,
    fingerprint  BLOB    NOT NULL,
    lane         TEXT    NOT NULL,
    priority     INTEGER NOT NULL,
    survey       TEXT    NOT NULL,
    state        INTEGER NOT NULL DEFAULT 0,
    accepted_at  INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    settled_at   INTEGER,
    attempts     INTEGER NOT NULL DEFAULT 0,
    last_error   TEXT,
    body         BLOB
) STRICT;
CREATE INDEX entry_waiting   ON entry (lane, priority, id, survey) WHERE state = 0;
CREATE INDEX entry_delayed   ON entry (lane, due_at)               WHERE state = 1;
CREATE INDEX entry_sending   ON entry (lane)                       WHERE state = 2;
CREATE INDEX entry_stuck     ON entry (lane, state)                WHERE state IN (3, 4);
CREATE INDEX entry_delivered ON entry (settled_at)                 WHERE state = 5;
CREATE INDEX entry_failed    ON entry (settled_at)                 WHERE last_error IS NOT NULL AND state < 5;
CREATE TABLE attempt (
    entry    INTEGER NOT NULL REFERENCES entry (id) ON DELETE CASCADE,
    at       INTEGER NOT NULL,
    verdict  TEXT    NOT NULL,
    status   INTEGER,
    error    TEXT
) STRICT;
CREATE INDEX attempt_entry ON attempt (entry);
"];

/// Brings a database to this version's schema, or says why it cannot.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), String> {
    let failed = |error: rusqlite::Error| format!("its schema cannot be brought up to date: {error}");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    let known = MIGRATIONS.len();
    let applied = usize::try_from(version).ok().filter(|applied| *applied <= known).ok_or_else(|| {
        format!("its schema is version {version}, made by a newer Afterword; this one knows up to {known}")
    })?;
    if applied == 0 {
        let tables: i64 = transaction
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .map_err(failed)?;
        if tables > 0 {
            return Err("it is a database of another program; name another file".into());
        }
    }
    for migration in &MIGRATIONS[applied..] {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction
        .pragma_update(None, "user_version", i64::try_from(known).unwrap_or(i64::MAX))
        .map_err(failed)?;
    transaction.commit().map_err(failed)
}
