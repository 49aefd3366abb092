//! What was counted, in the SQLite store.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::statements::{millis, timestamp};
use crate::queue::{Kind, Series, Wanted};

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

pub(super) fn counted(connection: &Connection, wanted: &Wanted) -> rusqlite::Result<Vec<(Kind, u64)>> {
    let Wanted { series, since, subject, item, .. } = wanted;
    let mut select = connection.prepare_cached(
        "SELECT at - at % ?1 AS span, subject, language, item, value, sum(count) FROM counted
         WHERE series = ?2 AND at >= ?3 AND (?4 IS NULL OR subject = ?4) AND (?5 IS NULL OR item = ?5)
         GROUP BY span, subject, language, item, value ORDER BY span",
    )?;
    let values = params![wanted.millis(), series.code(), millis(*since), subject, item];
    let rows = select.query_map(values, |row| {
        let kind = Kind {
            series: *series,
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

/// Forgets a slice, and says how many there were.
pub(super) fn forget(
    connection: &Connection,
    series: Series,
    before: Timestamp,
    slice: u32,
) -> rusqlite::Result<usize> {
    let mut delete = connection.prepare_cached(
        "DELETE FROM counted WHERE (series, at, subject, language, item, value) IN (
             SELECT series, at, subject, language, item, value FROM counted WHERE series = ?1 AND at < ?2 LIMIT ?3)",
    )?;
    delete.execute(params![series.code(), millis(before), slice])
}
