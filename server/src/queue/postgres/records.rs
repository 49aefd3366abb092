//! What operators do to the PostgreSQL store: counting, paging, changing, forgetting.

use std::collections::{HashMap, HashSet};

use deadpool_postgres::Pool;
use jiff::Timestamp;
use shared::SurveyId;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::bounds::Bounds;
use super::connection::{LIMIT, REPORT_LIMIT, Session, get, once, statement};
use super::statements::{clean, millis, survey, time, timestamp};
use crate::config::PlatformName;
use crate::queue::stray::Stray;
use crate::queue::{Attempt, Change, EntryId, Filter, LaneCount, Priority, QueueError, Record, State};

/// Rows that one transaction forgets or moves, so that nobody waits behind a long one.
const SLICE: i64 = 1_000;

const COLUMNS: &str = "id, lane, priority, survey, submission, fingerprint, state, accepted_at, due_at, sent_at, \
                       unsure_since, settled_at, attempts, last_error";

const ADOPT: &str = "
INSERT INTO afterword.entry (id, submission, fingerprint, lane, priority, survey, state, accepted_at, due_at,
    sent_at, unsure_since, settled_at, attempts, last_error, body)
SELECT id, submission, fingerprint, lane, priority, survey, state, accepted_at, due_at,
    sent_at, unsure_since, settled_at, attempts, last_error, body FROM (
    SELECT nextval('afterword.entry_id') AS id, old.*
    FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::smallint[], $5::text[], $6::smallint[], $7::bigint[],
        $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[], $14::bytea[])
        WITH ORDINALITY AS old (submission, fingerprint, lane, priority, survey, state, accepted_at, due_at,
        sent_at, unsure_since, settled_at, attempts, last_error, body, place)
    ORDER BY place) AS numbered
ORDER BY submission
ON CONFLICT (submission) DO NOTHING RETURNING id, submission";

const ADOPT_ATTEMPTS: &str = "
INSERT INTO afterword.attempt (entry, at, verdict, status, error)
SELECT entry, at, verdict, status, error
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::integer[], $5::text[])
    WITH ORDINALITY AS old (entry, at, verdict, status, error, place)
ORDER BY place";

/// Columns: [`COLUMNS`], then the body.
fn record(row: &Row) -> Result<Record, QueueError> {
    let fingerprint: &[u8] = get(row, 5)?;
    Ok(Record {
        id: EntryId(get(row, 0)?),
        lane: PlatformName::new(get(row, 1)?),
        priority: Priority::from_code(i64::from(get::<i16>(row, 2)?)),
        survey: survey(row, 3)?,
        submission: get(row, 4)?,
        fingerprint: fingerprint
            .try_into()
            .map_err(|_| QueueError::Store("a fingerprint in the store is not one".into()))?,
        state: State::from_code(i64::from(get::<i16>(row, 6)?)),
        accepted_at: timestamp(get(row, 7)?),
        due_at: timestamp(get(row, 8)?),
        sent_at: time(row, 9)?,
        unsure_since: time(row, 10)?,
        settled_at: time(row, 11)?,
        attempts: u32::try_from(get::<i64>(row, 12)?).unwrap_or(u32::MAX),
        last_error: get(row, 13)?,
        body: get(row, 14)?,
    })
}

fn codes(states: &[State]) -> String {
    states.iter().map(|state| state.code().to_string()).collect::<Vec<_>>().join(", ")
}

fn code(state: State) -> i16 {
    state as i16
}

pub(super) async fn count(pool: &Pool) -> Result<Vec<LaneCount>, QueueError> {
    // Each part runs over one partial index; the oldest entry of a lane is the one with the least id.
    let parts: Vec<String> = State::OPEN
        .iter()
        .map(|state| {
            let state = state.code();
            format!(
                "SELECT lane, {state} AS state, count(*) AS entries, min(id) AS oldest
                     FROM afterword.entry WHERE state = {state} GROUP BY lane"
            )
        })
        .collect();
    let query = format!(
        "WITH open AS ({}) SELECT open.lane, open.state, open.entries, entry.accepted_at
         FROM open LEFT JOIN afterword.entry ON entry.id = open.oldest ORDER BY open.lane",
        parts.join(" UNION ALL ")
    );
    let mut lanes: Vec<LaneCount> = Vec::new();
    for row in &once(pool, REPORT_LIMIT, &query, &[]).await? {
        let name = PlatformName::new(get(row, 0)?);
        if lanes.last().is_none_or(|lane| lane.lane != name) {
            lanes.push(LaneCount::empty(name));
        }
        let Some(lane) = lanes.last_mut() else { continue };
        let (state, entries): (i32, i64) = (get(row, 1)?, get(row, 2)?);
        lane.note(State::from_code(i64::from(state)), entries.unsigned_abs(), time(row, 3)?);
    }
    Ok(lanes)
}

/// Values of a statement that is put together.
#[derive(Default)]
struct Values(Vec<(Box<dyn ToSql + Sync + Send>, Type)>);

impl Values {
    /// Adds a value; gives its name in the statement.
    fn add(&mut self, value: impl ToSql + Sync + Send + 'static, of: Type) -> String {
        self.0.push((Box::new(value), of));
        format!("${}", self.0.len())
    }
}

/// Entries that pass a filter, by id.
pub(super) async fn page(
    pool: &Pool,
    filter: &Filter,
    after: Option<EntryId>,
    limit: u32,
) -> Result<Vec<Record>, QueueError> {
    let mut values = Values::default();
    let mut conditions = vec![format!("id > {}", values.add(after.map_or(0, |after| after.0), Type::INT8))];
    if let Some(lane) = &filter.lane {
        conditions.push(format!("lane = {}", values.add(clean(lane.as_str()), Type::TEXT)));
    }
    if let Some(survey) = &filter.survey {
        conditions.push(format!("survey = {}", values.add(survey.as_str().to_owned(), Type::TEXT)));
    }
    if !filter.submissions.is_empty() {
        let submissions = values.add(filter.submissions.clone(), Type::UUID_ARRAY);
        conditions.push(format!("submission = ANY ({submissions})"));
    }
    if let Some(before) = filter.accepted_before {
        conditions.push(format!("accepted_at < {}", values.add(millis(before), Type::INT8)));
    }
    if let Some(since) = filter.accepted_since {
        conditions.push(format!("accepted_at >= {}", values.add(millis(since), Type::INT8)));
    }
    if let Some(part) = &filter.error_contains {
        let part = values.add(clean(part), Type::TEXT);
        conditions.push(format!("strpos(lower(last_error), lower({part} COLLATE \"C\")) > 0"));
    }
    let limit = values.add(i64::from(limit), Type::INT8);
    let conditions = conditions.join(" AND ");
    // An index holds one state only: each is asked for by itself, so that what is delivered is not looked at.
    let of = |state: &State| {
        let state = state.code();
        format!(
            "(SELECT id FROM afterword.entry WHERE state = {state} AND {conditions} ORDER BY id LIMIT {limit})"
        )
    };
    let chosen = if filter.states.is_empty() {
        conditions.clone()
    } else {
        format!("id IN ({})", filter.states.iter().map(of).collect::<Vec<_>>().join(" UNION ALL "))
    };
    let query =
        format!("SELECT {COLUMNS}, body FROM afterword.entry WHERE {chosen} ORDER BY id LIMIT {limit}");
    let values: Vec<(&(dyn ToSql + Sync), Type)> =
        values.0.iter().map(|(value, of)| (&**value as &(dyn ToSql + Sync), of.clone())).collect();
    once(pool, REPORT_LIMIT, &query, &values).await?.iter().map(record).collect()
}

/// The latest failures of what is open, newest first, without bodies.
pub(super) async fn failures(pool: &Pool, limit: u32) -> Result<Vec<Record>, QueueError> {
    let query = format!(
        "SELECT {COLUMNS}, NULL::bytea FROM afterword.entry
         WHERE last_error IS NOT NULL AND state <> 5 AND state <> 7 ORDER BY settled_at DESC LIMIT $1"
    );
    let rows = once(pool, REPORT_LIMIT, &query, &[(&i64::from(limit), Type::INT8)]).await?;
    rows.iter().map(record).collect()
}

pub(super) async fn attempts(pool: &Pool, entry: EntryId) -> Result<Vec<Attempt>, QueueError> {
    const ATTEMPTS: &str =
        "SELECT at, verdict, status, error FROM afterword.attempt WHERE entry = $1 ORDER BY number";
    let rows = once(pool, REPORT_LIMIT, ATTEMPTS, &[(&entry.0, Type::INT8)]).await?;
    let attempt = |row| {
        Ok(Attempt {
            at: timestamp(get(row, 0)?),
            verdict: get::<String>(row, 1)?.into(),
            status: get::<Option<i32>>(row, 2)?.and_then(|status| u16::try_from(status).ok()),
            error: get(row, 3)?,
        })
    };
    rows.iter().map(attempt).collect()
}

/// Changes what the change takes; returns the entries that it did, in the order asked for, with their lanes.
pub(super) async fn change(
    pool: &Pool,
    bounds: &Bounds,
    entries: &[EntryId],
    change: Change,
    now: Timestamp,
) -> Result<Vec<(EntryId, PlatformName)>, QueueError> {
    let (state, set) = match change {
        Change::Retry => (State::Waiting, "due_at = $2, attempts = 0, last_error = NULL"),
        Change::Discard => (State::Discarded, "settled_at = $2, last_error = NULL, body = NULL"),
        Change::Erase => (
            State::Discarded,
            "settled_at = $2, last_error = NULL, body = NULL, fingerprint = decode(repeat('00', 32), 'hex')",
        ),
    };
    // Locked in one order, so that two operators do not wait for each other.
    let query = format!(
        "WITH found AS (
             SELECT id, lane, state FROM afterword.entry WHERE id = ANY ($1) AND state IN ({takes})
             ORDER BY id FOR UPDATE),
         changed AS (
             UPDATE afterword.entry SET state = {state}, {set} FROM found WHERE entry.id = found.id),
         forgotten AS (
             DELETE FROM afterword.attempt USING found WHERE attempt.entry = found.id AND {state} = 7)
         SELECT id, lane, state FROM found",
        takes = codes(change.takes()),
        state = state.code(),
    );
    let ids: Vec<i64> = entries.iter().map(|id| id.0).collect();
    let rows = once(pool, LIMIT, &query, &[(&ids, Type::INT8_ARRAY), (&millis(now), Type::INT8)]).await?;
    let mut changed = HashMap::with_capacity(rows.len());
    let mut closed = 0;
    for row in &rows {
        let before = State::from_code(i64::from(get::<i16>(row, 2)?));
        if state == State::Discarded && State::OPEN.contains(&before) {
            closed += 1;
        }
        changed.insert(EntryId(get(row, 0)?), PlatformName::new(get(row, 1)?));
    }
    bounds.closed(closed);
    Ok(entries.iter().filter_map(|id| changed.remove(id).map(|lane| (*id, lane))).collect())
}

/// Takes in the records of another store.
pub(super) async fn adopt(
    pool: &Pool,
    bounds: &Bounds,
    all: &[(Record, Vec<Attempt>)],
) -> Result<u64, QueueError> {
    let each = |of: fn(&Record) -> i64| all.iter().map(|(record, _)| of(record)).collect::<Vec<i64>>();
    let maybe = |of: fn(&Record) -> Option<Timestamp>| {
        all.iter().map(|(record, _)| of(record).map(millis)).collect::<Vec<Option<i64>>>()
    };
    let submissions: Vec<Uuid> = all.iter().map(|(record, _)| record.submission).collect();
    let fingerprints: Vec<&[u8]> = all.iter().map(|(record, _)| &record.fingerprint[..]).collect();
    let lanes: Vec<String> = all.iter().map(|(record, _)| clean(record.lane.as_str())).collect();
    let priorities: Vec<i16> = all.iter().map(|(record, _)| record.priority as i16).collect();
    let surveys: Vec<&str> = all.iter().map(|(record, _)| record.survey.as_str()).collect();
    let states: Vec<i16> = all.iter().map(|(record, _)| code(record.state)).collect();
    let (accepted, due) = (each(|record| millis(record.accepted_at)), each(|record| millis(record.due_at)));
    let (sent, unsure) = (maybe(|record| record.sent_at), maybe(|record| record.unsure_since));
    let settled = maybe(|record| record.settled_at);
    let tries = each(|record| i64::from(record.attempts));
    let errors: Vec<_> = all.iter().map(|(record, _)| record.last_error.as_deref().map(clean)).collect();
    let bodies: Vec<_> = all.iter().map(|(record, _)| record.body.as_deref()).collect();
    let mut session = Session::open(pool, REPORT_LIMIT).await?;
    let values: &[(&(dyn ToSql + Sync), Type)] = &[
        (&submissions, Type::UUID_ARRAY),
        (&fingerprints, Type::BYTEA_ARRAY),
        (&lanes, Type::TEXT_ARRAY),
        (&priorities, Type::INT2_ARRAY),
        (&surveys, Type::TEXT_ARRAY),
        (&states, Type::INT2_ARRAY),
        (&accepted, Type::INT8_ARRAY),
        (&due, Type::INT8_ARRAY),
        (&sent, Type::INT8_ARRAY),
        (&unsure, Type::INT8_ARRAY),
        (&settled, Type::INT8_ARRAY),
        (&tries, Type::INT8_ARRAY),
        (&errors, Type::TEXT_ARRAY),
        (&bodies, Type::BYTEA_ARRAY),
    ];
    let mut adopted = HashMap::with_capacity(all.len());
    for row in session.begin(statement(ADOPT, values)).await? {
        adopted.insert(get::<Uuid>(&row, 1)?, get::<i64>(&row, 0)?);
    }
    // Of two records with one UUID the database has taken one; their attempts must not be mixed.
    let mut seen = HashSet::new();
    let taken = all.iter().filter_map(|pair| {
        let id = adopted.get(&pair.0.submission)?;
        seen.insert(pair.0.submission).then_some((*id, pair))
    });
    let taken: Vec<(i64, &(Record, Vec<Attempt>))> = taken.collect();
    let attempts = taken.iter().flat_map(|(id, (_, attempts))| attempts.iter().map(move |each| (*id, each)));
    let attempts: Vec<(i64, &Attempt)> = attempts.collect();
    let owners: Vec<i64> = attempts.iter().map(|(id, _)| *id).collect();
    let times: Vec<i64> = attempts.iter().map(|(_, attempt)| millis(attempt.at)).collect();
    let verdicts: Vec<String> = attempts.iter().map(|(_, attempt)| clean(&attempt.verdict)).collect();
    let statuses: Vec<Option<i32>> =
        attempts.iter().map(|(_, attempt)| attempt.status.map(i32::from)).collect();
    let words: Vec<_> = attempts.iter().map(|(_, attempt)| attempt.error.as_deref().map(clean)).collect();
    let values: &[(&(dyn ToSql + Sync), Type)] = &[
        (&owners, Type::INT8_ARRAY),
        (&times, Type::INT8_ARRAY),
        (&verdicts, Type::TEXT_ARRAY),
        (&statuses, Type::INT4_ARRAY),
        (&words, Type::TEXT_ARRAY),
    ];
    session.end(&[statement(ADOPT_ATTEMPTS, values)]).await?;
    let open = taken.iter().filter(|(_, (record, _))| State::OPEN.contains(&record.state));
    let bytes = open.clone().filter_map(|(_, (record, _))| record.body.as_ref()).map(Vec::len).sum();
    bounds.opened(open.count(), bytes);
    Ok(adopted.len() as u64)
}

/// Forgets bodies that delivered entries keep.
pub(super) async fn forget_bodies(pool: &Pool, before: Timestamp) -> Result<u64, QueueError> {
    const FORGET: &str = "
        UPDATE afterword.entry SET body = NULL WHERE id IN (
            SELECT id FROM afterword.entry WHERE state = 5 AND body IS NOT NULL AND settled_at < $1
            ORDER BY settled_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING true";
    slices_before(pool, FORGET, before).await
}

/// Puts entries into the lanes that their surveys have now. What an owner takes meanwhile stays.
pub(super) async fn assign(pool: &Pool, lanes: &[(SurveyId, PlatformName)]) -> Result<u64, QueueError> {
    let mut moved = 0;
    for state in Stray::states() {
        for stray in Stray::among(state, lanes_of_surveys(pool, state).await?, lanes) {
            let update = format!(
                "UPDATE afterword.entry SET lane = $3 WHERE id IN (
                     SELECT id FROM afterword.entry WHERE state = {} AND lane = $1 AND survey = $2
                     LIMIT $4 FOR UPDATE SKIP LOCKED)
                 RETURNING true",
                state.code()
            );
            let to = stray.to.as_str();
            let values: &[_] = &[
                (&stray.from as _, Type::TEXT),
                (&stray.survey as _, Type::TEXT),
                (&to as _, Type::TEXT),
                (&SLICE as _, Type::INT8),
            ];
            moved += slices(pool, &update, values).await?;
        }
    }
    Ok(moved)
}

/// Which lanes and surveys have entries in a state.
async fn lanes_of_surveys(pool: &Pool, state: State) -> Result<Vec<(String, String)>, QueueError> {
    let code = state.code();
    let find = if matches!(state, State::Waiting | State::Unknown) {
        // From each pair to the next, past what may be a million entries.
        format!(
            "WITH RECURSIVE pair AS (
                 (SELECT lane, survey FROM afterword.entry WHERE state = {code} ORDER BY lane, survey LIMIT 1)
                 UNION ALL
                 SELECT next.lane, next.survey FROM pair CROSS JOIN LATERAL (
                     SELECT lane, survey FROM afterword.entry
                     WHERE state = {code} AND (lane, survey) > (pair.lane, pair.survey)
                     ORDER BY lane, survey LIMIT 1) AS next)
             SELECT lane, survey FROM pair"
        )
    } else {
        // No index leads from one survey to the next, but there are few such entries.
        format!("SELECT DISTINCT lane, survey FROM afterword.entry WHERE state = {code}")
    };
    let rows = once(pool, REPORT_LIMIT, &find, &[]).await?;
    rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect()
}

/// Deletes what was settled for good before a time.
pub(super) async fn forget_settled(pool: &Pool, before: Timestamp) -> Result<u64, QueueError> {
    const DELIVERED: &str = "
        DELETE FROM afterword.entry WHERE id IN (
            SELECT id FROM afterword.entry WHERE state = 5 AND settled_at < $1
            ORDER BY settled_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING true";
    const DISCARDED: &str = "
        DELETE FROM afterword.entry WHERE id IN (
            SELECT id FROM afterword.entry WHERE state = 7 AND settled_at < $1
            ORDER BY settled_at LIMIT $2 FOR UPDATE SKIP LOCKED)
        RETURNING true";
    Ok(slices_before(pool, DELIVERED, before).await? + slices_before(pool, DISCARDED, before).await?)
}

async fn slices_before(pool: &Pool, sql: &str, before: Timestamp) -> Result<u64, QueueError> {
    slices(pool, sql, &[(&millis(before) as _, Type::INT8), (&SLICE as _, Type::INT8)]).await
}

/// Runs a statement again and again, each time for a slice, until a slice is not full. Another server may
/// be at the same work: each takes what the other has not in hand.
async fn slices(pool: &Pool, sql: &str, values: &[(&(dyn ToSql + Sync), Type)]) -> Result<u64, QueueError> {
    let mut all = 0;
    loop {
        let done = once(pool, REPORT_LIMIT, sql, values).await?.len() as u64;
        all += done;
        if done < SLICE.unsigned_abs() {
            return Ok(all);
        }
    }
}

/// The smallest write that has to reach the disk.
pub(super) async fn touch(pool: &Pool) -> Result<(), QueueError> {
    const TOUCH: &str = "UPDATE afterword.version SET checks = checks + 1 RETURNING true";
    let rows = once(pool, LIMIT, TOUCH, &[]).await?;
    if rows.is_empty() {
        Err(QueueError::Store("the store's table `version` is empty".into()))
    } else {
        Ok(())
    }
}
