//! The SQLite schema, as a list of migrations; `user_version` counts those applied.

use rusqlite::{Connection, TransactionBehavior};

/// Times are milliseconds since 1970, states the numbers of [`State`](crate::queue::State). `id` grows
/// with each entry, so it is the order of arrival. Each partial index holds one state only, so a million
/// delivered entries cost the lane nothing.
const MIGRATIONS: [&str; 3] = [
    "
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
",
    // A look-up per survey finds what is next, so a survey that is passed by costs nothing; entries may
    // be unknown or discarded; what is delivered may keep its body for a while.
    "
ALTER TABLE entry ADD COLUMN sent_at INTEGER;
ALTER TABLE entry ADD COLUMN unsure_since INTEGER;
DROP INDEX entry_waiting;
DROP INDEX entry_stuck;
DROP INDEX entry_failed;
CREATE INDEX entry_arrived   ON entry (lane, survey, settled_at)   WHERE state = 5;
CREATE INDEX entry_waiting   ON entry (lane, survey, priority, id) WHERE state = 0;
CREATE INDEX entry_parked    ON entry (lane)                       WHERE state = 3;
CREATE INDEX entry_dead      ON entry (lane)                       WHERE state = 4;
CREATE INDEX entry_unknown   ON entry (lane, survey, due_at)       WHERE state = 6;
CREATE INDEX entry_discarded ON entry (settled_at)                 WHERE state = 7;
CREATE INDEX entry_kept      ON entry (settled_at)                 WHERE state = 5 AND body IS NOT NULL;
CREATE INDEX entry_failed    ON entry (settled_at)
    WHERE last_error IS NOT NULL AND state <> 5 AND state <> 7;
CREATE TABLE note (
    lane  TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (lane, name)
) STRICT, WITHOUT ROWID;
",
    // What has happened, in numbers.
    "
CREATE TABLE counted (
    series   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    subject  TEXT    NOT NULL,
    language TEXT    NOT NULL,
    item     TEXT    NOT NULL,
    value    TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (series, at, subject, language, item, value)
) STRICT, WITHOUT ROWID;
",
];

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_of_the_first_version_is_brought_up_to_date_with_what_it_holds() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(MIGRATIONS[0]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO entry (submission, fingerprint, lane, priority, survey, accepted_at, due_at, body)
                 VALUES (x'01', x'02', 'main', 0, 'checkout', 1, 1, x'03'); PRAGMA user_version = 1",
            )
            .unwrap();
        migrate(&mut connection).unwrap();
        let kept: (i64, Option<i64>) = connection
            .query_row("SELECT accepted_at, sent_at FROM entry", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(kept, (1, None));
        migrate(&mut connection).unwrap();
    }
}
