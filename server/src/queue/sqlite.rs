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
use rusqlite::Connection;
use shared::SurveyId;
use tokio::sync::{mpsc, oneshot, watch};

use super::schema;
use super::statements::{self, store};
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

#[async_trait]
impl Queue for SqliteQueue {
    async fn enqueue(&self, new: NewEntry) -> Result<Enqueued, QueueError> {
        let (reply, result) = oneshot::channel();
        let stored = Arc::clone(&self.stored);
        let job: Job = Box::new(move |connection| {
            let outcome =
                connection.and_then(|connection| statements::insert(connection, &new).map_err(store));
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
            statements::due(connection, &lane, now, &skip).map_err(store)
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
        self.write(move |connection| statements::take(connection, &lane, now, &skip).map_err(store)).await
    }

    async fn settle(&self, id: EntryId, settlement: Settlement, attempt: Attempt) -> Result<(), QueueError> {
        self.write(move |connection| statements::record(connection, id, settlement, &attempt)).await
    }

    async fn interrupted(&self, lane: &PlatformName) -> Result<Vec<Entry>, QueueError> {
        let lane = lane.clone();
        Self::read(&self.lookups, move |connection| statements::sending(connection, &lane).map_err(store))
            .await
    }

    async fn bring_forward(&self, lane: &PlatformName, latest: Timestamp) -> Result<(), QueueError> {
        let lane = lane.clone();
        self.write(move |connection| statements::bring_forward(connection, &lane, latest).map_err(store))
            .await
    }

    async fn forget_delivered(&self, before: Timestamp) -> Result<u64, QueueError> {
        // In slices, so that no visitor waits behind a long delete.
        const SLICE: u32 = 1_000;
        let mut forgotten = 0;
        loop {
            let slice = self
                .write(move |connection| statements::forget(connection, before, SLICE).map_err(store))
                .await?;
            forgotten += slice as u64;
            if slice < SLICE as usize {
                return Ok(forgotten);
            }
        }
    }

    async fn counts(&self) -> Result<Vec<LaneCount>, QueueError> {
        Self::read(&self.reports, |connection| statements::count(connection).map_err(store)).await
    }

    async fn failures(&self, limit: u32) -> Result<Vec<Failure>, QueueError> {
        Self::read(&self.reports, move |connection| statements::failures(connection, limit).map_err(store))
            .await
    }

    async fn check(&self) -> Result<(), QueueError> {
        self.write(|connection| statements::touch(connection).map_err(store)).await
    }

    fn stored(&self) -> watch::Receiver<u64> {
        self.stored.subscribe()
    }
}
