//! What operators do to the SQLite store: counting, paging, changing, forgetting.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use shared::SurveyId;
use uuid::Uuid;

use super::statements::{forget_attempts, millis, record_attempt, store, survey, timestamp};
use super::writer::Desk;
use crate::config::PlatformName;
use crate::queue::stray::Stray;
use crate::queue::{Attempt, Change, EntryId, Filter, LaneCount, Priority, QueueError, Record, State};

const COLUMNS: &str = "id, lane, priority, survey, submission, fingerprint, state, accepted_at, due_at, sent_at, \
                       unsure_since, settled_at, attempts, last_error";

/// Columns: [`COLUMNS`], then the body.
fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    let time = |column| -> rusqlite::Result<Option<Timestamp>> {
        Ok(row.get::<_, Option<i64>>(column)?.map(timestamp))
    };
    Ok(Record {
        id: EntryId(row.get(0)?),
        lane: PlatformName::new(row.get_ref(1)?.as_str()?),
        priority: Priority::from_code(row.get(2)?),
        survey: survey(row.get_ref(3)?.as_str()?)?,
        submission: Uuid::from_bytes(row.get(4)?),
        fingerprint: row.get(5)?,
        state: State::from_code(row.get(6)?),
        accepted_at: timestamp(row.get(7)?),
        due_at: timestamp(row.get(8)?),
        sent_at: time(9)?,
        unsure_since: time(10)?,
        settled_at: time(11)?,
        attempts: row.get(12)?,
        last_error: row.get(13)?,
        body: row.get(14)?,
    })
}

pub(super) fn count(connection: &Connection) -> rusqlite::Result<Vec<LaneCount>> {
    // Each part runs over one partial index; the oldest entry of a lane is the one with the least id.
    let parts: Vec<String> = State::OPEN
        .iter()
        .map(|state| {
            let state = state.code();
            format!(
                "SELECT lane, {state} AS state, count(*) AS entries, min(id) AS oldest
                     FROM entry WHERE state = {state} GROUP BY lane"
            )
        })
        .collect();
    let mut query = connection.prepare_cached(&format!(
        "WITH open AS ({}) SELECT open.lane, open.state, open.entries, entry.accepted_at
         FROM open LEFT JOIN entry ON entry.id = open.oldest ORDER BY open.lane",
        parts.join(" UNION ALL ")
    ))?;
    let mut rows = query.query([])?;
    let mut lanes: Vec<LaneCount> = Vec::new();
    while let Some(row) = rows.next()? {
        let name = PlatformName::new(row.get_ref(0)?.as_str()?);
        if lanes.last().is_none_or(|lane| lane.lane != name) {
            lanes.push(LaneCount::empty(name));
        }
        let Some(lane) = lanes.last_mut() else { continue };
        let oldest = row.get::<_, Option<i64>>(3)?.map(timestamp);
        lane.note(State::from_code(row.get(1)?), row.get(2)?, oldest);
    }
    Ok(lanes)
}

/// Entries that pass a filter, by id.
pub(super) fn page(
    connection: &Connection,
    filter: &Filter,
    after: Option<EntryId>,
    limit: u32,
) -> rusqlite::Result<Vec<Record>> {
    let (mut conditions, mut values) = (Vec::new(), Vec::new());
    // Values are numbered, since the conditions stand once for each state.
    let mut with = |value: Value| {
        values.push(value);
        format!("?{}", values.len())
    };
    let text = |text: &str| Value::from(text.to_owned());
    conditions.push(format!("id > {}", with(Value::from(after.map_or(0, |after| after.0)))));
    if let Some(lane) = &filter.lane {
        conditions.push(format!("lane = {}", with(text(lane.as_str()))));
    }
    if let Some(survey) = &filter.survey {
        conditions.push(format!("survey = {}", with(text(survey.as_str()))));
    }
    if !filter.submissions.is_empty() {
        let ids = filter.submissions.iter().map(|id| with(Value::from(id.as_bytes().to_vec())));
        conditions.push(format!("submission IN ({})", ids.collect::<Vec<_>>().join(", ")));
    }
    if let Some(before) = filter.accepted_before {
        conditions.push(format!("accepted_at < {}", with(Value::from(millis(before)))));
    }
    if let Some(since) = filter.accepted_since {
        conditions.push(format!("accepted_at >= {}", with(Value::from(millis(since)))));
    }
    if let Some(part) = &filter.error_contains {
        conditions.push(format!("instr(lower(last_error), lower({})) > 0", with(text(part))));
    }
    let limit = with(Value::from(i64::from(limit)));
    let conditions = conditions.join(" AND ");
    // An index holds one state only: each is asked for by itself, so that what is delivered is not looked at.
    let of = |state: &State| {
        let state = state.code();
        format!(
            "SELECT * FROM (SELECT id FROM entry WHERE state = {state} AND {conditions} ORDER BY id LIMIT {limit})"
        )
    };
    let chosen = if filter.states.is_empty() {
        conditions.clone()
    } else {
        format!("id IN ({})", filter.states.iter().map(of).collect::<Vec<_>>().join(" UNION ALL "))
    };
    let mut query = connection
        .prepare(&format!("SELECT {COLUMNS}, body FROM entry WHERE {chosen} ORDER BY id LIMIT {limit}"))?;
    let found = query.query_map(params_from_iter(values), record)?;
    found.collect()
}

/// The latest failures of what is open, newest first, without bodies.
pub(super) fn failures(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<Record>> {
    let mut query = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, NULL FROM entry WHERE last_error IS NOT NULL AND state <> 5 AND state <> 7
         ORDER BY settled_at DESC LIMIT ?1"
    ))?;
    let found = query.query_map([limit], record)?;
    found.collect()
}

pub(super) fn attempts(connection: &Connection, entry: EntryId) -> rusqlite::Result<Vec<Attempt>> {
    let mut query = connection
        .prepare_cached("SELECT at, verdict, status, error FROM attempt WHERE entry = ?1 ORDER BY rowid")?;
    let found = query.query_map([entry.0], |row| {
        Ok(Attempt {
            at: timestamp(row.get(0)?),
            verdict: row.get::<_, String>(1)?.into(),
            status: row.get(2)?,
            error: row.get(3)?,
        })
    })?;
    found.collect()
}

/// Changes what the change takes; returns the entries that it did, with their lanes.
pub(super) fn change(
    desk: &Desk<'_>,
    entries: &[EntryId],
    change: Change,
    now: Timestamp,
) -> Result<Vec<(EntryId, PlatformName)>, QueueError> {
    let states: Vec<String> = change.takes().iter().map(|state| state.code().to_string()).collect();
    let (state, set) = match change {
        Change::Retry => (State::Waiting, "due_at = ?3, attempts = 0, last_error = NULL"),
        Change::Discard => (State::Discarded, "settled_at = ?3, last_error = NULL, body = NULL"),
        Change::Erase => {
            (State::Discarded, "settled_at = ?3, last_error = NULL, body = NULL, fingerprint = zeroblob(32)")
        }
    };
    let find = format!("SELECT lane, state FROM entry WHERE id = ?1 AND state IN ({})", states.join(", "));
    let update = format!("UPDATE entry SET state = ?2, {set} WHERE id = ?1");
    let mut changed = Vec::new();
    for id in entries {
        let found = desk.connection.prepare_cached(&find).and_then(|mut find| {
            let row = find.query_row([id.0], |row| {
                Ok((PlatformName::new(row.get_ref(0)?.as_str()?), State::from_code(row.get(1)?)))
            });
            row.optional()
        });
        let Some((lane, before)) = found.map_err(store)? else { continue };
        desk.connection
            .prepare_cached(&update)
            .and_then(|mut update| update.execute(params![id.0, state.code(), millis(now)]))
            .map_err(store)?;
        if state == State::Discarded {
            forget_attempts(desk.connection, *id).map_err(store)?;
            if State::OPEN.contains(&before) {
                desk.closed(1);
            }
        }
        changed.push((*id, lane));
    }
    Ok(changed)
}

/// Takes in the records of another store.
pub(super) fn adopt(desk: &Desk<'_>, all: &[(Record, Vec<Attempt>)]) -> Result<u64, QueueError> {
    let mut adopted = 0;
    for (record, attempts) in all {
        let id: Option<i64> = desk
            .connection
            .prepare_cached(
                "INSERT INTO entry (submission, fingerprint, lane, priority, survey, state, accepted_at, due_at,
                     sent_at, unsure_since, settled_at, attempts, last_error, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
                 ON CONFLICT (submission) DO NOTHING RETURNING id",
            )
            .and_then(|mut insert| {
                let values = params![
                    record.submission.as_bytes(),
                    record.fingerprint,
                    record.lane.as_str(),
                    record.priority as i64,
                    record.survey.as_str(),
                    record.state.code(),
                    millis(record.accepted_at),
                    millis(record.due_at),
                    record.sent_at.map(millis),
                    record.unsure_since.map(millis),
                    record.settled_at.map(millis),
                    record.attempts,
                    record.last_error,
                    record.body,
                ];
                insert.query_row(values, |row| row.get(0)).optional()
            })
            .map_err(store)?;
        let Some(id) = id.map(EntryId) else { continue };
        for attempt in attempts {
            record_attempt(desk.connection, id, attempt).map_err(store)?;
        }
        if State::OPEN.contains(&record.state) {
            desk.opened(1);
        }
        adopted += 1;
    }
    Ok(adopted)
}

/// What waits in another lane than its survey has now.
pub(super) fn strays(
    connection: &Connection,
    lanes: &[(SurveyId, PlatformName)],
) -> rusqlite::Result<Vec<Stray>> {
    let mut strays = Vec::new();
    for state in Stray::states() {
        strays.extend(Stray::among(state, lanes_of_surveys(connection, state)?, lanes));
    }
    Ok(strays)
}

/// Puts entries into the lane where they belong, the oldest of them, a slice; returns how many.
pub(super) fn assign(connection: &Connection, stray: &Stray, slice: u32) -> rusqlite::Result<usize> {
    let state = stray.state.code();
    let update = format!(
        "UPDATE entry SET lane = ?3 WHERE id IN (SELECT id FROM entry
         WHERE state = {state} AND lane = ?1 AND survey = ?2 LIMIT ?4)"
    );
    let Stray { survey, from, to, .. } = stray;
    connection.prepare_cached(&update)?.execute(params![from, survey, to.as_str(), slice])
}

/// Which surveys have entries in a state, and in which lanes.
fn lanes_of_surveys(connection: &Connection, state: State) -> rusqlite::Result<Vec<(String, String)>> {
    let code = state.code();
    if !matches!(state, State::Waiting | State::Unknown) {
        // No index leads from one survey to the next, but there are few such entries.
        let mut query =
            connection.prepare(&format!("SELECT DISTINCT lane, survey FROM entry WHERE state = {code}"))?;
        return query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect();
    }
    // From each pair to the next, past what may be a million entries.
    let mut next = connection.prepare(&format!(
        "SELECT lane, survey FROM entry WHERE state = {code} AND (lane, survey) > (?1, ?2)
         ORDER BY lane, survey LIMIT 1"
    ))?;
    let mut found: Vec<(String, String)> = Vec::new();
    loop {
        let (lane, survey) = found.last().map_or(("", ""), |(lane, survey)| (lane, survey));
        let pair = next.query_row([lane, survey], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let Some(pair) = pair else { return Ok(found) };
        found.push(pair);
    }
}

/// Forgets bodies that delivered entries keep, a slice of them; returns how many.
pub(super) fn forget_bodies(
    connection: &Connection,
    before: Timestamp,
    slice: u32,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "UPDATE entry SET body = NULL WHERE id IN (SELECT id FROM entry
             WHERE state = 5 AND body IS NOT NULL AND settled_at < ?1 ORDER BY settled_at LIMIT ?2)",
        )?
        .execute(params![millis(before), slice])
}

/// Deletes what was settled for good before a time, a slice of it; returns how many.
pub(super) fn forget_settled(
    connection: &Connection,
    before: Timestamp,
    slice: u32,
) -> rusqlite::Result<usize> {
    connection
        .prepare_cached(
            "DELETE FROM entry WHERE id IN (SELECT id FROM (
                 SELECT id FROM entry WHERE state = 5 AND settled_at < ?1
                 UNION ALL SELECT id FROM entry WHERE state = 7 AND settled_at < ?1) LIMIT ?2)",
        )?
        .execute(params![millis(before), slice])
}

/// Writes the header's `user_version` again: the smallest write that has to reach the disk.
pub(super) fn touch(connection: &Connection) -> rusqlite::Result<()> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    connection.pragma_update(None, "user_version", version)
}
