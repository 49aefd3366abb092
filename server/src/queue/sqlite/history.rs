//! What was counted, in the SQLite store.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::statements::{millis, timestamp};
use crate::queue::{Kind, Series};

pub(super) fn record(connection: &Connection, counts: &[(Kind, u64)]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO counted (series, at, subject, language, item, value, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?;
    for (kind, count) in counts {
        let Kind { series, subject, at, language, item, value } = kind;
        insert.execute(params![series.code(), millis(*at), subject, language, item, value, count])?;
    }
    Ok(())
}

pub(super) fn counted(
    connection: &Connection,
    series: Series,
    subject: Option<&str>,
    since: Timestamp,
) -> rusqlite::Result<Vec<(Kind, u64)>> {
    let mut select = connection.prepare_cached(
        "SELECT at, subject, language, item, value, count FROM counted
         WHERE series = ?1 AND at >= ?2 AND (?3 IS NULL OR subject = ?3) ORDER BY at",
    )?;
    let rows = select.query_map(params![series.code(), millis(since), subject], |row| {
        let kind = Kind {
            series,
            at: timestamp(row.get(0)?),
            subject: row.get(1)?,
            language: row.get(2)?,
            item: row.get(3)?,
            value: row.get(4)?,
        };
        Ok((kind, row.get(5)?))
    })?;
    rows.collect()
}

pub(super) fn forget(connection: &Connection, series: Series, before: Timestamp) -> rusqlite::Result<()> {
    let mut delete = connection.prepare_cached("DELETE FROM counted WHERE series = ?1 AND at < ?2")?;
    delete.execute(params![series.code(), millis(before)]).map(|_| ())
}
