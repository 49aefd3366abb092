//! What intake and the lanes' owners ask of the PostgreSQL store: the statements, and how rows are read.
//!
//! A text that PostgreSQL cannot hold (one with a NUL in it) is stored with `U+FFFD` in its place: a reply of
//! the platform's must never keep an entry from being settled.

use deadpool_postgres::Pool;
use jiff::Timestamp;
use shared::SurveyId;
use tokio_postgres::Row;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::connection::{LIMIT, Session, get, once, statement};
use crate::config::PlatformName;
use crate::queue::{Attempt, Due, Entry, EntryId, QueueError, Settlement, State, Unknown};

/// Locks the lane's lease if it is ours, so that nobody can take it over before the transaction ends.
/// Renewals are not in its way, nor it in theirs.
pub(super) const FENCE: &str = "
SELECT FROM afterword.lease WHERE lane = $1 AND owner = $2 AND term = $3 AND expires_at > clock_timestamp()
FOR KEY SHARE";

/// The same, once no other transaction of ours is at work on the lane: a commit may still be on its way to the disk that
/// nobody waits for any more.
pub(super) const FENCE_ALONE: &str = "
SELECT FROM afterword.lease WHERE lane = $1 AND owner = $2 AND term = $3 AND expires_at > clock_timestamp()
FOR UPDATE";

/// The first waiting entry of `asked.lane`, but for the surveys `asked.skip`: one look-up to find each survey
/// that waits, and one in each that is not skipped.
macro_rules! first {
    () => {
        "LATERAL (
    WITH RECURSIVE waits (survey) AS (
        (SELECT entry.survey FROM afterword.entry WHERE state = 0 AND lane = asked.lane
         ORDER BY entry.survey LIMIT 1)
        UNION ALL
        SELECT (SELECT entry.survey FROM afterword.entry
                WHERE state = 0 AND lane = asked.lane AND entry.survey > waits.survey
                ORDER BY entry.survey LIMIT 1)
        FROM waits WHERE waits.survey IS NOT NULL)
    SELECT head.id FROM waits CROSS JOIN LATERAL (
        SELECT entry.id, entry.priority FROM afterword.entry
        WHERE state = 0 AND lane = asked.lane AND entry.survey = waits.survey
        ORDER BY entry.priority, entry.id LIMIT 1) AS head
    WHERE waits.survey IS NOT NULL AND waits.survey <> ALL (asked.skip)
    ORDER BY head.priority, head.id LIMIT 1) AS first"
    };
}

/// True if something waits, else when the first delayed entry is due.
const DUE: &str = concat!(
    "SELECT EXISTS (SELECT FROM (SELECT $1::text AS lane, $2::text[] AS skip) AS asked, ",
    first!(),
    "), (SELECT due_at FROM afterword.entry WHERE state = 1 AND lane = $1 AND survey <> ALL ($2)
         ORDER BY due_at LIMIT 1)"
);

/// Of some lanes, each with the surveys it skips, those in which something waits.
pub(super) const WAKEN: &str = concat!(
    "SELECT asked.lane FROM (SELECT lane, string_to_array(skip, ',') AS skip
                             FROM unnest($1::text[], $2::text[]) AS idle (lane, skip)) AS asked, ",
    first!()
);

pub(super) const PROMOTE: &str =
    "UPDATE afterword.entry SET state = 0 WHERE state = 1 AND lane = $1 AND due_at <= $2";

pub(super) const TAKE: &str = concat!(
    "UPDATE afterword.entry SET state = 2, attempts = entry.attempts + 1, sent_at = $3
     FROM (SELECT $1::text AS lane, $2::text[] AS skip) AS asked, ",
    first!(),
    // Said again of the row itself: it may have gone to another lane while its lock was waited for.
    " WHERE entry.id = first.id AND entry.state = 0 AND entry.lane = asked.lane
     RETURNING entry.id, survey, submission, body, attempts, accepted_at"
);

/// Moves an entry on with its attempt. One that has just been settled in this very way is settled: the
/// answer to that commit was lost.
pub(super) const SETTLE: &str = "
WITH moved AS (
    UPDATE afterword.entry SET state = $3, due_at = $4, settled_at = $5, last_error = $6,
        unsure_since = CASE WHEN $3 IN (3, 6) THEN coalesce(unsure_since, sent_at, $5) ELSE unsure_since END,
        body = CASE WHEN $7 THEN body END
    WHERE id = $1 AND lane = $2 AND (state IN (2, 6) OR $3 = 5 AND state IN (0, 1)) AND NOT (state = $3 AND due_at = $4 AND settled_at = $5)
    RETURNING id),
forgotten AS (
    DELETE FROM afterword.attempt USING moved WHERE attempt.entry = moved.id AND $3 = 5),
noted AS (
    INSERT INTO afterword.attempt (entry, at, verdict, status, error)
    SELECT id, $5, $8, $9, $6 FROM moved WHERE $3 <> 5)
SELECT true FROM moved
UNION ALL
SELECT false FROM afterword.entry
WHERE id = $1 AND lane = $2 AND state = $3 AND due_at = $4 AND settled_at = $5 AND NOT EXISTS (SELECT FROM moved)";

pub(super) const POSTPONE: &str =
    "UPDATE afterword.entry SET due_at = $3 WHERE id = ANY ($1) AND lane = $2 AND state = 6";

pub(super) const REMEMBER: &str = "
INSERT INTO afterword.note (lane, name, value) VALUES ($1, $2, $3)
ON CONFLICT (lane, name) DO UPDATE SET value = excluded.value";

/// Makes delayed entries due at a time, if they are due later; one statement for each state, since an index
/// holds one state only.
pub(super) const BRING_FORWARD: [&str; 2] = [
    "UPDATE afterword.entry SET due_at = $2 WHERE state = 1 AND lane = $1 AND due_at > $2",
    "UPDATE afterword.entry SET due_at = $2 WHERE state = 6 AND lane = $1 AND due_at > $2",
];

pub(super) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

pub(super) fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(super) fn time(row: &Row, column: usize) -> Result<Option<Timestamp>, QueueError> {
    Ok(get::<Option<i64>>(row, column)?.map(timestamp))
}

pub(super) fn survey(row: &Row, column: usize) -> Result<SurveyId, QueueError> {
    let text: &str = get(row, column)?;
    text.parse().map_err(|error| QueueError::Store(format!("the survey {text:?} in the store: {error}")))
}

/// A text as the database can hold it.
pub(super) fn clean(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

pub(super) fn ids(surveys: &[SurveyId]) -> Vec<&str> {
    surveys.iter().map(SurveyId::as_str).collect()
}

/// Columns: id, survey, submission, body, attempts, accepted_at.
pub(super) fn entry(row: &Row) -> Result<Entry, QueueError> {
    Ok(Entry {
        id: EntryId(get(row, 0)?),
        survey: survey(row, 1)?,
        submission: get(row, 2)?,
        body: get::<Option<Vec<u8>>>(row, 3)?.unwrap_or_default(),
        attempts: u32::try_from(get::<i64>(row, 4)?).unwrap_or(u32::MAX),
        accepted_at: timestamp(get(row, 5)?),
    })
}

/// When the lane has something to do.
pub(super) async fn due(
    pool: &Pool,
    lane: &PlatformName,
    now: Timestamp,
    skip: &[SurveyId],
) -> Result<Due, QueueError> {
    let (lane, skip) = (lane.as_str(), ids(skip));
    let rows = once(pool, LIMIT, DUE, &[(&lane, Type::TEXT), (&skip, Type::TEXT_ARRAY)]).await?;
    let Some(row) = rows.first() else { return Ok(Due::Never) };
    Ok(match (get(row, 0)?, time(row, 1)?) {
        (true, _) => Due::Now,
        (false, Some(due)) if due <= now => Due::Now,
        (false, Some(due)) => Due::At(due),
        (false, None) => Due::Never,
    })
}

/// A settlement's state and when it is due.
pub(super) fn target(settlement: Settlement, attempt: &Attempt) -> (State, i64) {
    let now = millis(attempt.at);
    match settlement {
        Settlement::Delivered => (State::Delivered, now),
        Settlement::Later(due) => (State::Delayed, millis(due)),
        Settlement::Unknown(due) => (State::Unknown, millis(due)),
        Settlement::Parked => (State::Parked, now),
        Settlement::Dead => (State::Dead, now),
    }
}

/// The lane's entries that are being sent, oldest first.
pub(super) async fn sending(session: &mut Session, lane: &PlatformName) -> Result<Vec<Entry>, QueueError> {
    const SENDING: &str = "SELECT id, survey, submission, body, attempts, accepted_at FROM afterword.entry
                           WHERE state = 2 AND lane = $1 ORDER BY id";
    let rows = session.query(statement(SENDING, &[(&lane.as_str(), Type::TEXT)])).await?;
    rows.iter().map(entry).collect()
}

/// When each survey's first unknown entry is to be looked up.
pub(super) async fn look_ups(
    pool: &Pool,
    lane: &PlatformName,
) -> Result<Vec<(SurveyId, Timestamp)>, QueueError> {
    const LOOK_UPS: &str = "SELECT survey, min(due_at) FROM afterword.entry
                            WHERE state = 6 AND lane = $1 GROUP BY survey ORDER BY survey";
    let rows = once(pool, LIMIT, LOOK_UPS, &[(&lane.as_str(), Type::TEXT)]).await?;
    rows.iter().map(|row| Ok((survey(row, 0)?, timestamp(get(row, 1)?)))).collect()
}

/// Unknown entries, by when they are to be looked up.
pub(super) async fn unknown(
    pool: &Pool,
    lane: &PlatformName,
    surveys: &[SurveyId],
    limit: u32,
) -> Result<Vec<Unknown>, QueueError> {
    const UNKNOWN: &str = "
        SELECT id, survey, submission, body, attempts, accepted_at, unsure_since, settled_at FROM afterword.entry
        WHERE state = 6 AND lane = $1 AND survey = ANY ($2) ORDER BY due_at, id LIMIT $3";
    let (lane, surveys, limit) = (lane.as_str(), ids(surveys), i64::from(limit));
    let values: &[_] =
        &[(&lane as _, Type::TEXT), (&surveys as _, Type::TEXT_ARRAY), (&limit as _, Type::INT8)];
    let rows = once(pool, LIMIT, UNKNOWN, values).await?;
    let unknown = |row| {
        let entry = entry(row)?;
        let (since, until) = (time(row, 6)?, time(row, 7)?);
        let (since, until) = (since.unwrap_or(entry.accepted_at), until.unwrap_or(entry.accepted_at));
        Ok(Unknown { entry, since, until })
    };
    rows.iter().map(unknown).collect()
}

/// The latest deliveries before a time.
pub(super) async fn delivered(
    pool: &Pool,
    lane: &PlatformName,
    surveys: &[SurveyId],
    before: Timestamp,
    limit: u32,
) -> Result<Vec<(Uuid, Timestamp)>, QueueError> {
    const DELIVERED: &str = "
        SELECT found.submission, found.settled_at FROM unnest($2::text[]) AS asked (survey), LATERAL (
            SELECT submission, settled_at FROM afterword.entry
            WHERE state = 5 AND lane = $1 AND entry.survey = asked.survey AND settled_at < $3
            ORDER BY settled_at DESC LIMIT $4) AS found
        ORDER BY found.settled_at DESC LIMIT $4";
    let (lane, surveys, before, limit) = (lane.as_str(), ids(surveys), millis(before), i64::from(limit));
    let values: &[_] = &[
        (&lane as _, Type::TEXT),
        (&surveys as _, Type::TEXT_ARRAY),
        (&before as _, Type::INT8),
        (&limit as _, Type::INT8),
    ];
    let rows = once(pool, LIMIT, DELIVERED, values).await?;
    rows.iter().map(|row| Ok((get(row, 0)?, timestamp(get(row, 1)?)))).collect()
}

pub(super) async fn recall(
    pool: &Pool,
    lane: &PlatformName,
    name: &str,
) -> Result<Option<String>, QueueError> {
    const RECALL: &str = "SELECT value FROM afterword.note WHERE lane = $1 AND name = $2";
    let rows = once(pool, LIMIT, RECALL, &[(&lane.as_str(), Type::TEXT), (&name, Type::TEXT)]).await?;
    rows.first().map(|row| get(row, 0)).transpose()
}
