//! The queue in one SQLite file.
//!
//! One thread writes. It takes whatever has queued up in a bounded channel, runs it in one
//! transaction, and answers after the commit (group commit): `synchronous=FULL` in WAL mode syncs
//! once a commit, so an answer means durable. A lock file keeps a second server away from the same
//! store; reads go through connections of their own and block nobody.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, named_params, params, params_from_iter};
use shared::SurveyId;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::schema::{self, state};
use super::{
    Attempt, Due, Enqueued, Entry, EntryId, Failure, LaneCount, NewEntry, Queue, QueueError, Settlement,
};
use crate::config::PlatformName;

/// Writes that may wait for the writer; beyond that intake says 503.
const WAITING_WRITES: usize = 4_096;
/// Writes in one transaction, at most.
const BATCH: usize = 512;

/// Runs in the writer's transaction, or hears why there is none; returns what to do after the commit.
type Job = Box<dyn FnOnce(Result<&Connection, QueueError>) -> Ack + Send>;
type Ack = Box<dyn FnOnce(Result<(), QueueError>) + Send>;

/// A queue in one SQLite file.
pub struct SqliteQueue {
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    /// For lanes, whose look-ups are short and must not wait behind a report.
    lookups: Arc<Mutex<Connection>>,
    /// For operators, whose reports may run over a million entries.
    reports: Arc<Mutex<Connection>>,
    stored: Arc<watch::Sender<u64>>,
    /// Held for as long as the queue lives.
    _lock: File,
}

impl SqliteQueue {
    /// Opens or makes the store, brings its schema up to date, and locks it against other servers.
    pub fn open(path: &Path) -> Result<Self, QueueError> {
        let failed = |reason: String| QueueError::Open { path: path.display().to_string(), reason };
        let lock = lock(path).map_err(failed)?;
        private(path).map_err(|error| failed(error.to_string()))?;
        let mut connection = connect(path).map_err(|error| failed(error.to_string()))?;
        schema::migrate(&mut connection).map_err(failed)?;
        let reader = || connect(path).map(|reader| Arc::new(Mutex::new(reader)));
        let lookups = reader().map_err(|error| failed(error.to_string()))?;
        let reports = reader().map_err(|error| failed(error.to_string()))?;
        let (jobs, waiting) = mpsc::channel(WAITING_WRITES);
        let writer = std::thread::Builder::new()
            .name("queue-writer".into())
            .spawn(move || write_batches(&connection, waiting))
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            jobs: Some(jobs),
            writer: Some(writer),
            lookups,
            reports,
            stored: Arc::new(watch::Sender::new(0)),
            _lock: lock,
        })
    }

    fn job<T: Send + 'static>(
        write: impl FnOnce(&Connection) -> Result<T, QueueError> + Send + 'static,
    ) -> (Job, oneshot::Receiver<Result<T, QueueError>>) {
        let (reply, result) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let outcome = connection.and_then(write);
            Box::new(move |committed| {
                // Nobody waits any more if the visitor hung up.
                reply.send(committed.and(outcome)).ok();
            })
        });
        (job, result)
    }

    /// Runs a write in the next transaction; waits for room.
    async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, QueueError> + Send + 'static,
    ) -> Result<T, QueueError> {
        let (job, result) = Self::job(write);
        let jobs = self.jobs.as_ref().ok_or(QueueError::Stopped)?;
        jobs.send(job).await.map_err(|_| QueueError::Stopped)?;
        result.await.map_err(|_| QueueError::Stopped)?
    }

    /// Reads from the last commit, on a thread that may block.
    async fn read<T: Send + 'static>(
        reader: &Arc<Mutex<Connection>>,
        read: impl FnOnce(&Connection) -> Result<T, QueueError> + Send + 'static,
    ) -> Result<T, QueueError> {
        let reader = Arc::clone(reader);
        let task =
            tokio::task::spawn_blocking(move || read(&reader.lock().unwrap_or_else(PoisonError::into_inner)));
        task.await.map_err(|_| QueueError::Stopped)?
    }
}

impl Drop for SqliteQueue {
    /// Lets the writer end what it has, so that the file is closed before the lock goes.
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take() {
            writer.join().ok();
        }
    }
}

fn lock(path: &Path) -> Result<File, String> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
        && !folder.is_dir()
    {
        return Err(format!("the folder {} is missing; make it, or mount the volume", folder.display()));
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
        .map_err(|error| format!("cannot write {}: {error}", name.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err("another server uses it; stop that one first".into()),
        Err(TryLockError::Error(error)) => Err(format!("cannot lock {}: {error}", name.display())),
    }
}

/// Makes the file readable by its owner only, before anything is in it; its companions follow suit.
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options().create(true).truncate(false).write(true).mode(0o600).open(path).map(|_| ())
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    // What is delivered is forgotten in the file too, and not only in the table.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Runs until every sender is gone, and what they sent is written.
fn write_batches(connection: &Connection, mut waiting: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
        let begun = connection.execute_batch("BEGIN IMMEDIATE").map_err(store);
        let run = |job: Job| match &begun {
            Err(error) => job(Err(error.clone())),
            // A full disk makes SQLite roll back by itself: what follows must not run outside of the
            // transaction, where it would be committed one by one, and then be reported as failed.
            Ok(()) if connection.is_autocommit() => {
                job(Err(QueueError::Store("the transaction was rolled back".into())))
            }
            Ok(()) => job(Ok(connection)),
        };
        let acks: Vec<Ack> = batch.drain(..).map(run).collect();
        let committed = begun.and_then(|()| connection.execute_batch("COMMIT").map_err(store));
        if committed.is_err() && !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK").ok();
        }
        for ack in acks {
            ack(committed.clone());
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn store(error: rusqlite::Error) -> QueueError {
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

fn insert(connection: &Connection, entry: &NewEntry) -> rusqlite::Result<Enqueued> {
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

fn promote(connection: &Connection, lane: &PlatformName, now: Timestamp) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("UPDATE entry SET state = 0 WHERE state = 1 AND lane = ?1 AND due_at <= ?2")?
        .execute(params![lane.as_str(), millis(now)])
}

fn take(
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

fn record(
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

fn count(connection: &Connection) -> rusqlite::Result<Vec<LaneCount>> {
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

#[async_trait]
impl Queue for SqliteQueue {
    async fn enqueue(&self, new: NewEntry) -> Result<Enqueued, QueueError> {
        let (reply, result) = oneshot::channel();
        let stored = Arc::clone(&self.stored);
        let job: Job = Box::new(move |connection| {
            let outcome = connection.and_then(|connection| insert(connection, &new).map_err(store));
            Box::new(move |committed| {
                let outcome = committed.and(outcome);
                // Told from here and not from the caller, who is gone if the visitor hung up.
                if matches!(outcome, Ok(Enqueued::Stored)) {
                    stored.send_modify(|stored| *stored += 1);
                }
                reply.send(outcome).ok();
            })
        });
        let jobs = self.jobs.as_ref().ok_or(QueueError::Stopped)?;
        jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => QueueError::Full,
            mpsc::error::TrySendError::Closed(_) => QueueError::Stopped,
        })?;
        result.await.map_err(|_| QueueError::Stopped)?
    }

    async fn due(&self, lane: &PlatformName, now: Timestamp, skip: &[SurveyId]) -> Result<Due, QueueError> {
        let (lane, skip) = (lane.clone(), skip.to_vec());
        Self::read(&self.lookups, move |connection| {
            if first(connection, &lane, &skip).map_err(store)?.is_some() {
                return Ok(Due::Now);
            }
            let skipped = vec!["?"; skip.len()].join(", ");
            let query = format!(
                "SELECT due_at FROM entry WHERE state = 1 AND lane = ? AND survey NOT IN ({skipped})
                 ORDER BY due_at LIMIT 1"
            );
            let values = std::iter::once(lane.as_str()).chain(skip.iter().map(SurveyId::as_str));
            let next: Option<i64> = connection
                .prepare_cached(&query)
                .and_then(|mut query| query.query_row(params_from_iter(values), |row| row.get(0)).optional())
                .map_err(store)?;
            Ok(match next.map(timestamp) {
                None => Due::Never,
                Some(due) if due <= now => Due::Now,
                Some(due) => Due::At(due),
            })
        })
        .await
    }

    async fn reserve(
        &self,
        lane: &PlatformName,
        now: Timestamp,
        skip: &[SurveyId],
    ) -> Result<Option<Entry>, QueueError> {
        let (lane, skip) = (lane.clone(), skip.to_vec());
        self.write(move |connection| take(connection, &lane, now, &skip).map_err(store)).await
    }

    async fn settle(&self, id: EntryId, settlement: Settlement, attempt: Attempt) -> Result<(), QueueError> {
        self.write(move |connection| record(connection, id, settlement, &attempt)).await
    }

    async fn interrupted(&self, lane: &PlatformName) -> Result<Vec<Entry>, QueueError> {
        let lane = lane.clone();
        Self::read(&self.lookups, move |connection| {
            let mut query = connection
                .prepare_cached(
                    "SELECT id, survey, submission, body, attempts, accepted_at FROM entry
                     WHERE state = 2 AND lane = ?1 ORDER BY id",
                )
                .map_err(store)?;
            let found = query.query_map([lane.as_str()], entry).map_err(store)?;
            found.collect::<Result<_, _>>().map_err(store)
        })
        .await
    }

    async fn bring_forward(&self, lane: &PlatformName, latest: Timestamp) -> Result<(), QueueError> {
        let lane = lane.clone();
        self.write(move |connection| {
            connection
                .execute(
                    "UPDATE entry SET due_at = ?2 WHERE state = 1 AND lane = ?1 AND due_at > ?2",
                    params![lane.as_str(), millis(latest)],
                )
                .map(|_| ())
                .map_err(store)
        })
        .await
    }

    async fn forget_delivered(&self, before: Timestamp) -> Result<u64, QueueError> {
        // In slices, so that no visitor waits behind a long delete.
        const SLICE: usize = 1_000;
        let mut forgotten = 0;
        loop {
            let slice = self
                .write(move |connection| {
                    connection
                        .prepare_cached(
                            "DELETE FROM entry WHERE id IN (SELECT id FROM entry
                             WHERE state = 5 AND settled_at < ?1 ORDER BY settled_at LIMIT ?2)",
                        )
                        .and_then(|mut delete| {
                            delete.execute(params![millis(before), i64::try_from(SLICE).unwrap_or(i64::MAX)])
                        })
                        .map_err(store)
                })
                .await?;
            forgotten += slice as u64;
            if slice < SLICE {
                return Ok(forgotten);
            }
        }
    }

    async fn counts(&self) -> Result<Vec<LaneCount>, QueueError> {
        Self::read(&self.reports, |connection| count(connection).map_err(store)).await
    }

    async fn failures(&self, limit: u32) -> Result<Vec<Failure>, QueueError> {
        Self::read(&self.reports, move |connection| {
            let mut query = connection
                .prepare_cached(
                    "SELECT lane, survey, submission, state, attempts, settled_at, last_error FROM entry
                     WHERE last_error IS NOT NULL AND state < 5 ORDER BY settled_at DESC LIMIT ?1",
                )
                .map_err(store)?;
            let found = query.query_map([limit], failure).map_err(store)?;
            found.collect::<Result<_, _>>().map_err(store)
        })
        .await
    }

    async fn check(&self) -> Result<(), QueueError> {
        // Rewriting the header's user_version is the smallest write that has to reach the disk.
        self.write(|connection| {
            let version: i64 =
                connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(store)?;
            connection.pragma_update(None, "user_version", version).map_err(store)
        })
        .await
    }

    fn stored(&self) -> watch::Receiver<u64> {
        self.stored.subscribe()
    }
}
