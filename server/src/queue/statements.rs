//! The statements of the SQLite queue: one function each, on a connection that the caller chose.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params, params_from_iter};
use shared::SurveyId;
use uuid::Uuid;

use super::schema::state;
use super::{Attempt, Due, Enqueued, Entry, EntryId, Failure, LaneCount, NewEntry, QueueError, Settlement};
use crate::config::PlatformName;

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub(super) fn store(error: rusqlite::Error) -> QueueError {
    QueueError::Store(error.to_string())
}

fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn survey(text: &str) -> rusqlite::Result<SurveyId> {
    text.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}

/// Columns: id, survey, submission, body, attempts, accepted_at.
fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        id: EntryId(row.get(0)?),
        survey: survey(row.get_ref(1)?.as_str()?)?,
        submission: Uuid::from_bytes(row.get(2)?),
        body: row.get(3)?,
        attempts: row.get(4)?,
        accepted_at: timestamp(row.get(5)?),
    })
}

pub(super) fn insert(connection: &Connection, entry: &NewEntry) -> rusqlite::Result<Enqueued> {
    let inserted = connection
        .prepare_cached(
            "INSERT INTO entry (submission, fingerprint, lane, priority, survey, accepted_at, due_at, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7) ON CONFLICT (submission) DO NOTHING",
        )?
        .execute(params![
            entry.submission.as_bytes(),
            entry.fingerprint,
            entry.lane.as_str(),
            entry.priority as i64,
            entry.survey.as_str(),
            millis(entry.accepted_at),
            entry.body,
        ])?;
    if inserted == 1 {
        return Ok(Enqueued::Stored);
    }
    let (lane, survey, fingerprint): (String, String, [u8; 32]) = connection
        .prepare_cached("SELECT lane, survey, fingerprint FROM entry WHERE submission = ?1")?
        .query_row([entry.submission.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let same =
        fingerprint == entry.fingerprint && lane == entry.lane.as_str() && survey == entry.survey.as_str();
    Ok(if same { Enqueued::Repeated } else { Enqueued::Conflict })
}

/// The first waiting entry of a lane; one index look-up where no survey is skipped.
fn first(connection: &Connection, lane: &PlatformName, skip: &[SurveyId]) -> rusqlite::Result<Option<i64>> {
    let skipped = vec!["?"; skip.len()].join(", ");
    let query = format!(
        "SELECT id FROM entry WHERE state = 0 AND lane = ? AND survey NOT IN ({skipped})
         ORDER BY priority, id LIMIT 1"
    );
    let values = std::iter::once(lane.as_str()).chain(skip.iter().map(SurveyId::as_str));
    let values = params_from_iter(values.map(|text| Value::from(text.to_owned())));
    connection.prepare_cached(&query)?.query_row(values, |row| row.get(0)).optional()
}

/// When the lane has something to do.
pub(super) fn due(
    connection: &Connection,
    lane: &PlatformName,
    now: Timestamp,
    skip: &[SurveyId],
) -> rusqlite::Result<Due> {
    if first(connection, lane, skip)?.is_some() {
        return Ok(Due::Now);
    }
    let skipped = vec!["?"; skip.len()].join(", ");
    let query = format!(
        "SELECT due_at FROM entry WHERE state = 1 AND lane = ? AND survey NOT IN ({skipped})
         ORDER BY due_at LIMIT 1"
    );
    let values = std::iter::once(lane.as_str()).chain(skip.iter().map(SurveyId::as_str));
    let next: Option<i64> = connection
        .prepare_cached(&query)?
        .query_row(params_from_iter(values), |row| row.get(0))
        .optional()?;
    Ok(match next.map(timestamp) {
        None => Due::Never,
        Some(due) if due <= now => Due::Now,
        Some(due) => Due::At(due),
    })
}

fn promote(connection: &Connection, lane: &PlatformName, now: Timestamp) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("UPDATE entry SET state = 0 WHERE state = 1 AND lane = ?1 AND due_at <= ?2")?
        .execute(params![lane.as_str(), millis(now)])
}

pub(super) fn take(
    connection: &Connection,
    lane: &PlatformName,
    now: Timestamp,
    skip: &[SurveyId],
) -> rusqlite::Result<Option<Entry>> {
    promote(connection, lane, now)?;
    let Some(id) = first(connection, lane, skip)? else { return Ok(None) };
    connection
        .prepare_cached(
            "UPDATE entry SET state = 2, attempts = attempts + 1 WHERE id = ?1 AND state = 0
             RETURNING id, survey, submission, body, attempts, accepted_at",
        )?
        .query_row([id], entry)
        .optional()
}

pub(super) fn record(
    connection: &Connection,
    id: EntryId,
    settlement: Settlement,
    attempt: &Attempt,
) -> Result<(), QueueError> {
    let now = millis(attempt.at);
    let (state, due) = match settlement {
        Settlement::Delivered => (state::DELIVERED, now),
        Settlement::Later(due) => (state::DELAYED, millis(due)),
        Settlement::Parked => (state::PARKED, now),
        Settlement::Dead => (state::DEAD, now),
    };
    let changed = connection
        .prepare_cached(
            "UPDATE entry SET state = :state, due_at = :due, settled_at = :now, last_error = :error,
                 body = CASE WHEN :state = 5 THEN NULL ELSE body END
             WHERE id = :id AND state = 2",
        )
        .and_then(|mut update| {
            update.execute(named_params! {
                ":state": state, ":due": due, ":now": now, ":error": attempt.error, ":id": id.0,
            })
        })
        .map_err(store)?;
    if changed != 1 {
        return Err(QueueError::NotSending(id));
    }
    let recorded = if state == state::DELIVERED {
        // What is delivered is forgotten, the platform's words about earlier attempts too.
        connection
            .prepare_cached("DELETE FROM attempt WHERE entry = ?1")
            .and_then(|mut delete| delete.execute([id.0]))
    } else {
        connection
            .prepare_cached(
                "INSERT INTO attempt (entry, at, verdict, status, error) VALUES (?1, ?2, ?3, ?4, ?5)",
            )
            .and_then(|mut insert| {
                insert.execute(params![id.0, now, attempt.verdict, attempt.status, attempt.error])
            })
    };
    recorded.map(|_| ()).map_err(store)
}

pub(super) fn count(connection: &Connection) -> rusqlite::Result<Vec<LaneCount>> {
    // Each part runs over one partial index; the oldest entry of a lane is the one with the least id.
    let mut query = connection.prepare_cached(
        "WITH open (lane, state, entries, oldest) AS (
             SELECT lane, state, count(*), min(id) FROM entry WHERE state = 0 GROUP BY lane
             UNION ALL SELECT lane, state, count(*), min(id) FROM entry WHERE state = 1 GROUP BY lane
             UNION ALL SELECT lane, state, count(*), min(id) FROM entry WHERE state = 2 GROUP BY lane
             UNION ALL SELECT lane, state, count(*), NULL FROM entry WHERE state IN (3, 4) GROUP BY lane, state)
         SELECT open.lane, open.state, open.entries, entry.accepted_at
         FROM open LEFT JOIN entry ON entry.id = open.oldest ORDER BY open.lane",
    )?;
    let mut rows = query.query([])?;
    let mut lanes: Vec<LaneCount> = Vec::new();
    while let Some(row) = rows.next()? {
        let name = PlatformName::new(row.get_ref(0)?.as_str()?);
        if lanes.last().is_none_or(|lane| lane.lane != name) {
            lanes.push(LaneCount {
                lane: name,
                waiting: 0,
                delayed: 0,
                sending: 0,
                parked: 0,
                dead: 0,
                oldest: None,
            });
        }
        let Some(lane) = lanes.last_mut() else { continue };
        let entries = u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default();
        match row.get(1)? {
            state::WAITING => lane.waiting = entries,
            state::DELAYED => lane.delayed = entries,
            state::SENDING => lane.sending = entries,
            state::PARKED => lane.parked = entries,
            _ => lane.dead = entries,
        }
        let oldest = row.get::<_, Option<i64>>(3)?.map(timestamp);
        lane.oldest = lane.oldest.into_iter().chain(oldest).min();
    }
    Ok(lanes)
}

fn failure(row: &Row<'_>) -> rusqlite::Result<Failure> {
    Ok(Failure {
        lane: PlatformName::new(row.get_ref(0)?.as_str()?),
        survey: survey(row.get_ref(1)?.as_str()?)?,
        submission: Uuid::from_bytes(row.get(2)?),
        state: state::name(row.get(3)?),
        attempts: row.get(4)?,
        at: timestamp(row.get::<_, Option<i64>>(5)?.unwrap_or_default()),
        error: row.get(6)?,
    })
}

/// The latest failures of what is open, newest first.
pub(super) fn failures(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<Failure>> {
    let mut query = connection.prepare_cached(
        "SELECT lane, survey, submission, state, attempts, settled_at, last_error FROM entry
         WHERE last_error IS NOT NULL AND state < 5 ORDER BY settled_at DESC LIMIT ?1",
    )?;
    let found = query.query_map([limit], failure)?;
    found.collect()
}

/// The lane's entries that are being sent, oldest first.
pub(super) fn sending(connection: &Connection, lane: &PlatformName) -> rusqlite::Result<Vec<Entry>> {
    let mut query = connection.prepare_cached(
        "SELECT id, survey, submission, body, attempts, accepted_at FROM entry
         WHERE state = 2 AND lane = ?1 ORDER BY id",
    )?;
    let found = query.query_map([lane.as_str()], entry)?;
    found.collect()
}

/// Makes delayed entries due at a time, if they are due later.
pub(super) fn bring_forward(
    connection: &Connection,
    lane: &PlatformName,
    latest: Timestamp,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE entry SET due_at = ?2 WHERE state = 1 AND lane = ?1 AND due_at > ?2")?
        .execute(params![lane.as_str(), millis(latest)])?;
    Ok(())
}

/// Deletes what was delivered before a time, a slice of it; returns how many.
pub(super) fn forget(connection: &Connection, before: Timestamp, slice: u32) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM entry WHERE id IN (SELECT id FROM entry
             WHERE state = 5 AND settled_at < ?1 ORDER BY settled_at LIMIT ?2)",
        )?
        .execute(params![millis(before), slice])
}

/// Writes the header's `user_version` again: the smallest write that has to reach the disk.
pub(super) fn touch(connection: &Connection) -> rusqlite::Result<()> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    connection.pragma_update(None, "user_version", version)
}
