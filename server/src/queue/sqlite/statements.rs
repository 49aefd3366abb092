//! What intake and the lanes' owners do to the SQLite store: one function each, on a connection that
//! the caller chose.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params, params_from_iter};
use shared::SurveyId;
use uuid::Uuid;

use super::writer::Desk;
use crate::config::PlatformName;
use crate::queue::{
    Attempt, Due, Enqueued, Entry, EntryId, NewEntry, QueueError, Settlement, State, Unknown,
};

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
pub(super) fn store(error: rusqlite::Error) -> QueueError {
    QueueError::Store(error.to_string())
}

pub(super) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

pub(super) fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(super) fn survey(text: &str) -> rusqlite::Result<SurveyId> {
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
        body: row.get::<_, Option<Vec<u8>>>(3)?.unwrap_or_default(),
        attempts: row.get(4)?,
        accepted_at: timestamp(row.get(5)?),
    })
}

/// Entries that are neither delivered nor discarded: each part counts one partial index.
pub(super) fn count_open(connection: &Connection) -> rusqlite::Result<u64> {
    let parts: Vec<String> = State::OPEN
        .iter()
        .map(|state| format!("(SELECT count(*) FROM entry WHERE state = {})", state.code()))
        .collect();
    connection.query_row(&format!("SELECT {}", parts.join(" + ")), [], |row| row.get(0))
}

/// The bytes of the pages in use.
pub(super) fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name: &str| -> rusqlite::Result<u64> {
        connection.prepare_cached(&format!("PRAGMA {name}"))?.query_row([], |row| row.get(0))
    };
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(pages.saturating_mul(pragma("page_size")?))
}

pub(super) fn enqueue(desk: &Desk<'_>, new: &NewEntry) -> Result<Enqueued, QueueError> {
    if let Some(full) = desk.full() {
        // What is stored already is stored, full or not.
        return stored_before(desk.connection, &new.survey, new.submission, new.fingerprint)
            .map_err(store)?
            .ok_or(QueueError::Full(full));
    }
    let inserted = desk
        .connection
        .prepare_cached(
            "INSERT INTO entry (submission, fingerprint, lane, priority, survey, accepted_at, due_at, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7) ON CONFLICT (submission) DO NOTHING",
        )
        .and_then(|mut insert| {
            insert.execute(params![
                new.submission.as_bytes(),
                new.fingerprint,
                new.lane.as_str(),
                new.priority as i64,
                new.survey.as_str(),
                millis(new.accepted_at),
                new.body,
            ])
        })
        .map_err(store)?;
    if inserted == 1 {
        desk.opened(1);
        return Ok(Enqueued::Stored);
    }
    let before = stored_before(desk.connection, &new.survey, new.submission, new.fingerprint);
    Ok(before.map_err(store)?.unwrap_or(Enqueued::Conflict))
}

/// What is stored under the same UUID: the same, or something else.
pub(super) fn stored_before(
    connection: &Connection,
    survey: &SurveyId,
    submission: Uuid,
    fingerprint: [u8; 32],
) -> rusqlite::Result<Option<Enqueued>> {
    let found = connection
        .prepare_cached("SELECT survey, fingerprint FROM entry WHERE submission = ?1")?
        .query_row([submission.as_bytes()], |row| {
            // Not by the lane: the survey may have had another one.
            let same =
                row.get_ref(0)?.as_str()? == survey.as_str() && row.get_ref(1)?.as_blob()? == fingerprint;
            Ok(if same { Enqueued::Repeated } else { Enqueued::Conflict })
        });
    found.optional()
}

/// The first waiting entry of a lane: one look-up to find each survey that waits, and one in each that
/// is not skipped.
fn first(connection: &Connection, lane: &PlatformName, skip: &[SurveyId]) -> rusqlite::Result<Option<i64>> {
    let query = format!(
        "WITH RECURSIVE waits (survey) AS (
             SELECT min(survey) FROM entry WHERE state = 0 AND lane = ?1
             UNION ALL
             SELECT (SELECT min(survey) FROM entry WHERE state = 0 AND lane = ?1 AND survey > waits.survey)
             FROM waits WHERE waits.survey IS NOT NULL)
         SELECT entry.id FROM waits JOIN entry ON entry.id = (
             SELECT id FROM entry WHERE state = 0 AND lane = ?1 AND survey = waits.survey
             ORDER BY priority, id LIMIT 1)
         WHERE waits.survey IS NOT NULL AND waits.survey NOT IN ({})
         ORDER BY entry.priority, entry.id LIMIT 1",
        placeholders(skip.len())
    );
    let values = texts(std::iter::once(lane.as_str()).chain(skip.iter().map(SurveyId::as_str)));
    connection.prepare_cached(&query)?.query_row(params_from_iter(values), |row| row.get(0)).optional()
}

/// So many `?` for a list.
pub(super) fn placeholders(count: usize) -> String {
    vec!["?"; count].join(", ")
}

pub(super) fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<Value> {
    texts.map(|text| Value::from(text.to_owned())).collect()
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
    let query = format!(
        "SELECT due_at FROM entry WHERE state = 1 AND lane = ? AND survey NOT IN ({})
         ORDER BY due_at LIMIT 1",
        placeholders(skip.len())
    );
    let values = texts(std::iter::once(lane.as_str()).chain(skip.iter().map(SurveyId::as_str)));
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
            "UPDATE entry SET state = 2, attempts = attempts + 1, sent_at = ?2 WHERE id = ?1 AND state = 0
             RETURNING id, survey, submission, body, attempts, accepted_at",
        )?
        .query_row(params![id, millis(now)], entry)
        .optional()
}

pub(super) fn settle(
    desk: &Desk<'_>,
    id: EntryId,
    settlement: Settlement,
    attempt: &Attempt,
) -> Result<(), QueueError> {
    let now = millis(attempt.at);
    let (state, due) = match settlement {
        Settlement::Delivered => (State::Delivered, now),
        Settlement::Later(due) => (State::Delayed, millis(due)),
        Settlement::Unknown(due) => (State::Unknown, millis(due)),
        Settlement::Parked => (State::Parked, now),
        Settlement::Dead => (State::Dead, now),
    };
    let keep = state != State::Delivered || !desk.options.keep_delivered.is_zero();
    let changed = desk
        .connection
        .prepare_cached(
            "UPDATE entry SET state = :state, due_at = :due, settled_at = :now, last_error = :error,
                 unsure_since = CASE WHEN :unsure THEN coalesce(unsure_since, sent_at, :now)
                                ELSE unsure_since END,
                 body = CASE WHEN :keep THEN body END
             WHERE id = :id AND (state IN (2, 6) OR :state = 5 AND state IN (0, 1))",
        )
        .and_then(|mut update| {
            update.execute(named_params! {
                ":state": state.code(), ":due": due, ":now": now, ":error": attempt.error,
                ":unsure": matches!(state, State::Unknown | State::Parked), ":keep": keep, ":id": id.0,
            })
        })
        .map_err(store)?;
    if changed != 1 {
        return Err(QueueError::NotSending(id));
    }
    let recorded = if state == State::Delivered {
        desk.closed(1);
        // What is delivered is forgotten, the platform's words about earlier attempts too.
        forget_attempts(desk.connection, id)
    } else {
        record_attempt(desk.connection, id, attempt)
    };
    recorded.map_err(store)
}

pub(super) fn record_attempt(
    connection: &Connection,
    id: EntryId,
    attempt: &Attempt,
) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO attempt (entry, at, verdict, status, error) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    insert
        .execute(params![id.0, millis(attempt.at), attempt.verdict, attempt.status, attempt.error])
        .map(|_| ())
}

pub(super) fn forget_attempts(connection: &Connection, id: EntryId) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM attempt WHERE entry = ?1")?.execute([id.0]).map(|_| ())
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

/// When each survey's first unknown entry is to be looked up.
pub(super) fn look_ups(
    connection: &Connection,
    lane: &PlatformName,
) -> rusqlite::Result<Vec<(SurveyId, Timestamp)>> {
    let mut query = connection.prepare_cached(
        "SELECT survey, min(due_at) FROM entry WHERE state = 6 AND lane = ?1 GROUP BY survey",
    )?;
    let found = query
        .query_map([lane.as_str()], |row| Ok((survey(row.get_ref(0)?.as_str()?)?, timestamp(row.get(1)?))))?;
    found.collect()
}

pub(super) fn unknown(
    connection: &Connection,
    lane: &PlatformName,
    surveys: &[SurveyId],
    limit: u32,
) -> rusqlite::Result<Vec<Unknown>> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT id, survey, submission, body, attempts, accepted_at, unsure_since, settled_at FROM entry
         WHERE state = 6 AND lane = ? AND survey IN ({}) ORDER BY due_at, id LIMIT ?",
        placeholders(surveys.len())
    ))?;
    let mut values = texts(std::iter::once(lane.as_str()).chain(surveys.iter().map(SurveyId::as_str)));
    values.push(Value::from(i64::from(limit)));
    let found = query.query_map(params_from_iter(values), |row| {
        let entry = entry(row)?;
        let time = |value: Option<i64>| value.map_or(entry.accepted_at, timestamp);
        let (since, until) = (time(row.get(6)?), time(row.get(7)?));
        Ok(Unknown { entry, since, until })
    })?;
    found.collect()
}

pub(super) fn postpone(connection: &Connection, entries: &[EntryId], due: Timestamp) -> rusqlite::Result<()> {
    let mut update = connection.prepare_cached("UPDATE entry SET due_at = ?2 WHERE id = ?1 AND state = 6")?;
    for id in entries {
        update.execute(params![id.0, millis(due)])?;
    }
    Ok(())
}

pub(super) fn delivered(
    connection: &Connection,
    lane: &PlatformName,
    surveys: &[SurveyId],
    before: Timestamp,
    limit: u32,
) -> rusqlite::Result<Vec<(Uuid, Timestamp)>> {
    let mut query = connection.prepare_cached(
        "SELECT submission, settled_at FROM entry
         WHERE state = 5 AND lane = ?1 AND survey = ?2 AND settled_at < ?3 ORDER BY settled_at DESC LIMIT ?4",
    )?;
    // One look-up for each survey, so that what others deliver is not looked at.
    let mut all: Vec<(Uuid, Timestamp)> = Vec::new();
    for survey in surveys {
        let found = query
            .query_map(params![lane.as_str(), survey.as_str(), millis(before), limit], |row| {
                Ok((Uuid::from_bytes(row.get(0)?), timestamp(row.get(1)?)))
            })?;
        all.extend(found.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    all.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
    all.truncate(limit as usize);
    Ok(all)
}

pub(super) fn recall(
    connection: &Connection,
    lane: &PlatformName,
    name: &str,
) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM note WHERE lane = ?1 AND name = ?2")?
        .query_row([lane.as_str(), name], |row| row.get(0))
        .optional()
}

pub(super) fn remember(
    connection: &Connection,
    lane: &PlatformName,
    name: &str,
    value: &str,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO note (lane, name, value) VALUES (?1, ?2, ?3)
             ON CONFLICT (lane, name) DO UPDATE SET value = excluded.value",
        )?
        .execute([lane.as_str(), name, value])?;
    Ok(())
}

/// Makes delayed entries due at a time, if they are due later.
pub(super) fn bring_forward(
    connection: &Connection,
    lane: &PlatformName,
    latest: Timestamp,
) -> rusqlite::Result<()> {
    // One statement for each state: an index holds one state only.
    for state in [State::Delayed, State::Unknown] {
        let state = state.code();
        let update =
            format!("UPDATE entry SET due_at = ?2 WHERE state = {state} AND lane = ?1 AND due_at > ?2");
        connection.prepare_cached(&update)?.execute(params![lane.as_str(), millis(latest)])?;
    }
    Ok(())
}
