//! The queue in one SQLite file.
//!
//! One thread writes ([`writer`]); reads go through connections of their own and block nobody. A lock
//! file keeps a second server away from the same store, so this process owns every lane.

mod file;
mod history;
mod records;
mod schema;
mod statements;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::Connection;
use shared::SurveyId;
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;

use super::stir::Stir;
use super::{
    Attempt, Change, Due, Enqueued, Entry, EntryId, Filter, History, Inbox, Kind, LaneCount, Lanes, Lease,
    NewEntry, Options, QueueError, Record, Records, Series, Settlement, Unknown, Wanted,
};
use crate::config::{PlatformName, TokenMark};
use file::{Lock, Watched};
use statements::store;
use writer::{Desk, Job, WAITING_WRITES, Writer};

/// Rows that one transaction forgets or moves, so that no visitor waits behind a long one.
const SLICE: u32 = 1_000;

/// A queue in one SQLite file.
pub struct SqliteQueue {
    path: PathBuf,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    /// For lanes, whose look-ups are short and must not wait behind a report.
    lookups: Arc<Mutex<Watched>>,
    /// For operators, whose reports may run over a million entries.
    reports: Arc<Mutex<Watched>>,
    stir: Arc<Stir>,
    leases: watch::Sender<Option<Lease>>,
}

impl SqliteQueue {
    /// Opens or makes the store, brings its schema up to date, and locks it against other servers.
    pub fn open(path: &Path, options: Options) -> Result<Self, QueueError> {
        let failed = |reason: String| QueueError::Open { store: path.display().to_string(), reason };
        let lock = Lock::take(path).map_err(|error| error.at(path))?;
        file::make_private(path).map_err(|error| failed(error.to_string()))?;
        let mut connection = Watched::open(path).map_err(failed)?;
        connection.migrate().map_err(failed)?;
        let reader = || Watched::open(path).map(|reader| Arc::new(Mutex::new(reader))).map_err(failed);
        let (lookups, reports) = (reader()?, reader()?);
        let (jobs, waiting) = mpsc::channel(WAITING_WRITES);
        let writer = Writer::new(path.to_owned(), connection, lock, options);
        let writer = std::thread::Builder::new()
            .name("queue-writer".into())
            .spawn(move || writer.run(waiting))
            .map_err(|error| failed(error.to_string()))?;
        Ok(Self {
            path: path.to_owned(),
            jobs: Some(jobs),
            writer: Some(writer),
            lookups,
            reports,
            stir: Arc::default(),
            leases: watch::Sender::new(Some(Lease { term: 0, until: None })),
        })
    }

    /// Closes the store, and gives its file another name, under which no server looks for it.
    pub fn set_aside(self, name: &Path) -> Result<(), QueueError> {
        let path = self.path.clone();
        let failed = |reason: String| QueueError::Open { store: path.display().to_string(), reason };
        // First the last connection closes, which folds the log into the file.
        drop(self);
        let _lock = Lock::take(&path).map_err(|error| error.at(&path))?;
        std::fs::rename(&path, name).map_err(|error| failed(format!("it cannot be renamed: {error}")))
    }

    fn job<T: Send + 'static>(
        write: impl FnOnce(&Desk<'_>) -> Result<T, QueueError> + Send + 'static,
    ) -> (Job, oneshot::Receiver<Result<T, QueueError>>) {
        let (reply, result) = oneshot::channel();
        let job: Job = Box::new(move |desk| {
            let outcome = desk.and_then(|desk| desk.whole_or_not(write));
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
        write: impl FnOnce(&Desk<'_>) -> Result<T, QueueError> + Send + 'static,
    ) -> Result<T, QueueError> {
        let (job, result) = Self::job(write);
        let jobs = self.jobs.as_ref().ok_or(QueueError::Stopped)?;
        jobs.send(job).await.map_err(|_| QueueError::Stopped)?;
        result.await.map_err(|_| QueueError::Stopped)?
    }

    /// Runs a write again and again, each time for a slice, until a slice is not full.
    async fn write_slices(
        &self,
        slice: impl Fn(&Connection, u32) -> rusqlite::Result<usize> + Clone + Send + 'static,
    ) -> Result<u64, QueueError> {
        let mut all = 0;
        loop {
            let slice = slice.clone();
            let done = self.write(move |desk| slice(desk.connection, SLICE).map_err(store)).await?;
            all += done as u64;
            if done < SLICE as usize {
                return Ok(all);
            }
        }
    }

    /// Reads from the last commit, on a thread that may block.
    async fn read<T: Send + 'static>(
        reader: &Arc<Mutex<Watched>>,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, QueueError> {
        let reader = Arc::clone(reader);
        let task = tokio::task::spawn_blocking(move || {
            let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            let (connection, _) = reader.check()?;
            read(connection).map_err(store)
        });
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

#[async_trait]
impl Inbox for SqliteQueue {
    async fn enqueue(&self, new: NewEntry) -> Result<Enqueued, QueueError> {
        let (reply, result) = oneshot::channel();
        let stir = Arc::clone(&self.stir);
        let job: Job = Box::new(move |desk| {
            let outcome = desk.and_then(|desk| statements::enqueue(desk, &new));
            Box::new(move |committed| {
                let outcome = committed.and(outcome);
                // Told from here and not from the caller, who is gone if the visitor hung up.
                if matches!(outcome, Ok(Enqueued::Stored)) {
                    stir.stir(&new.lane);
                }
                reply.send(outcome).ok();
            })
        });
        let jobs = self.jobs.as_ref().ok_or(QueueError::Stopped)?;
        jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => QueueError::Busy,
            mpsc::error::TrySendError::Closed(_) => QueueError::Stopped,
        })?;
        result.await.map_err(|_| QueueError::Stopped)?
    }

    async fn has(
        &self,
        survey: &SurveyId,
        submission: Uuid,
        fingerprint: [u8; 32],
    ) -> Result<bool, QueueError> {
        let survey = survey.clone();
        let find = move |connection: &Connection| {
            statements::stored_before(connection, &survey, submission, fingerprint)
        };
        Ok(Self::read(&self.lookups, find).await? == Some(Enqueued::Repeated))
    }
}

#[async_trait]
impl Lanes for SqliteQueue {
    fn lease(&self, _: &PlatformName, _: TokenMark, _: Duration) -> watch::Receiver<Option<Lease>> {
        self.leases.subscribe()
    }

    async fn release(&self, _: &PlatformName) -> Result<(), QueueError> {
        Ok(())
    }

    fn stirred(&self, lane: &PlatformName) -> watch::Receiver<u64> {
        self.stir.watch(lane)
    }

    async fn due(&self, lane: &PlatformName, now: Timestamp, skip: &[SurveyId]) -> Result<Due, QueueError> {
        let (lane, skip) = (lane.clone(), skip.to_vec());
        Self::read(&self.lookups, move |connection| statements::due(connection, &lane, now, &skip)).await
    }

    async fn reserve(
        &self,
        lane: &PlatformName,
        now: Timestamp,
        skip: &[SurveyId],
    ) -> Result<Option<Entry>, QueueError> {
        let (lane, skip) = (lane.clone(), skip.to_vec());
        self.write(move |desk| statements::take(desk.connection, &lane, now, &skip).map_err(store)).await
    }

    async fn settle(
        &self,
        _: &PlatformName,
        id: EntryId,
        settlement: Settlement,
        attempt: Attempt,
    ) -> Result<(), QueueError> {
        self.write(move |desk| statements::settle(desk, id, settlement, &attempt)).await
    }

    async fn interrupted(&self, lane: &PlatformName) -> Result<Vec<Entry>, QueueError> {
        let lane = lane.clone();
        Self::read(&self.lookups, move |connection| statements::sending(connection, &lane)).await
    }

    async fn look_ups(&self, lane: &PlatformName) -> Result<Vec<(SurveyId, Timestamp)>, QueueError> {
        let lane = lane.clone();
        Self::read(&self.lookups, move |connection| statements::look_ups(connection, &lane)).await
    }

    async fn unknown(
        &self,
        lane: &PlatformName,
        surveys: &[SurveyId],
        limit: u32,
    ) -> Result<Vec<Unknown>, QueueError> {
        let (lane, surveys) = (lane.clone(), surveys.to_vec());
        Self::read(&self.lookups, move |connection| statements::unknown(connection, &lane, &surveys, limit))
            .await
    }

    async fn postpone(
        &self,
        _: &PlatformName,
        entries: &[EntryId],
        due: Timestamp,
    ) -> Result<(), QueueError> {
        let entries = entries.to_vec();
        self.write(move |desk| statements::postpone(desk.connection, &entries, due).map_err(store)).await
    }

    async fn delivered(
        &self,
        lane: &PlatformName,
        surveys: &[SurveyId],
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Uuid, Timestamp)>, QueueError> {
        let (lane, surveys) = (lane.clone(), surveys.to_vec());
        Self::read(&self.lookups, move |connection| {
            statements::delivered(connection, &lane, &surveys, before, limit)
        })
        .await
    }

    async fn recall(&self, lane: &PlatformName, name: &str) -> Result<Option<String>, QueueError> {
        let (lane, name) = (lane.clone(), name.to_owned());
        Self::read(&self.lookups, move |connection| statements::recall(connection, &lane, &name)).await
    }

    async fn remember(&self, lane: &PlatformName, name: &str, value: &str) -> Result<(), QueueError> {
        let (lane, name, value) = (lane.clone(), name.to_owned(), value.to_owned());
        self.write(move |desk| statements::remember(desk.connection, &lane, &name, &value).map_err(store))
            .await
    }

    async fn bring_forward(&self, lane: &PlatformName, latest: Timestamp) -> Result<(), QueueError> {
        let lane = lane.clone();
        self.write(move |desk| statements::bring_forward(desk.connection, &lane, latest).map_err(store)).await
    }
}

#[async_trait]
impl Records for SqliteQueue {
    async fn counts(&self) -> Result<Vec<LaneCount>, QueueError> {
        Self::read(&self.reports, records::count).await
    }

    async fn page(
        &self,
        filter: &Filter,
        after: Option<EntryId>,
        limit: u32,
    ) -> Result<Vec<Record>, QueueError> {
        let filter = filter.clone();
        Self::read(&self.reports, move |connection| records::page(connection, &filter, after, limit)).await
    }

    async fn failures(&self, limit: u32) -> Result<Vec<Record>, QueueError> {
        Self::read(&self.reports, move |connection| records::failures(connection, limit)).await
    }

    async fn attempts(&self, entry: EntryId) -> Result<Vec<Attempt>, QueueError> {
        Self::read(&self.reports, move |connection| records::attempts(connection, entry)).await
    }

    async fn change(
        &self,
        entries: &[EntryId],
        change: Change,
        now: Timestamp,
    ) -> Result<Vec<EntryId>, QueueError> {
        let entries = entries.to_vec();
        let changed = self.write(move |desk| records::change(desk, &entries, change, now)).await?;
        for (_, lane) in &changed {
            self.stir.stir(lane);
        }
        Ok(changed.into_iter().map(|(id, _)| id).collect())
    }

    async fn adopt(&self, all: Vec<(Record, Vec<Attempt>)>) -> Result<u64, QueueError> {
        let adopted = self.write(move |desk| records::adopt(desk, &all)).await?;
        self.stir.stir_all();
        Ok(adopted)
    }

    async fn assign(&self, lanes: &[(SurveyId, PlatformName)]) -> Result<u64, QueueError> {
        let lanes = lanes.to_vec();
        let strays = Self::read(&self.reports, move |connection| records::strays(connection, &lanes)).await?;
        let mut moved = 0;
        for stray in strays {
            let assign = move |connection: &Connection, slice| records::assign(connection, &stray, slice);
            moved += self.write_slices(assign).await?;
        }
        self.stir.stir_all();
        Ok(moved)
    }

    async fn forget_bodies(&self, before: Timestamp) -> Result<u64, QueueError> {
        self.write_slices(move |connection, slice| records::forget_bodies(connection, before, slice)).await
    }

    async fn forget_settled(&self, before: Timestamp) -> Result<u64, QueueError> {
        self.write_slices(move |connection, slice| records::forget_settled(connection, before, slice)).await
    }

    async fn check(&self) -> Result<(), QueueError> {
        self.write(|desk| {
            records::touch(desk.connection).map_err(store)?;
            desk.full().map_or(Ok(()), |full| Err(QueueError::Full(full)))
        })
        .await
    }
}

#[async_trait]
impl History for SqliteQueue {
    async fn record(&self, counts: Vec<(Kind, u64)>) -> Result<(), QueueError> {
        self.write(move |desk| history::record(desk.connection, &counts).map_err(store)).await
    }

    async fn counted(&self, wanted: &Wanted) -> Result<Vec<(Kind, u64)>, QueueError> {
        let wanted = wanted.clone();
        Self::read(&self.reports, move |connection| history::counted(connection, &wanted)).await
    }

    async fn forget_counts(&self, series: Series, before: Timestamp) -> Result<(), QueueError> {
        let forget = move |connection: &Connection, slice| history::forget(connection, series, before, slice);
        self.write_slices(forget).await.map(|_| ())
    }
}
