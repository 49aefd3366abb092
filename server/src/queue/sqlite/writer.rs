//! The one thread that writes.
//!
//! It takes whatever has queued up in a bounded channel, runs it in one transaction, and answers
//! after the commit (group commit): `synchronous=FULL` in WAL mode syncs once a commit, so an answer
//! means durable.

use std::cell::Cell;
use std::path::PathBuf;

use rusqlite::Connection;
use tokio::sync::mpsc;

use super::file::{Lock, Watched};
use super::statements::{self, store};
use crate::queue::{Options, QueueError};

/// Writes that may wait for the writer; beyond that intake says 503.
pub(super) const WAITING_WRITES: usize = 4_096;
/// Writes in one transaction, at most.
const BATCH: usize = 512;

/// Runs in the writer's transaction, or hears why there is none; returns what to do after the commit.
pub(super) type Job = Box<dyn FnOnce(Result<&Desk<'_>, QueueError>) -> Ack + Send>;
/// Hears whether the commit succeeded.
pub(super) type Ack = Box<dyn FnOnce(Result<(), QueueError>) + Send>;

/// What a job works on.
pub(super) struct Desk<'a> {
    /// Within a transaction.
    pub(super) connection: &'a Connection,
    /// Entries that are neither delivered nor discarded.
    pub(super) open: &'a Cell<u64>,
    /// What the store was opened with.
    pub(super) options: &'a Options,
    /// Why nothing new is taken, if so: the bytes are used up.
    pub(super) used_up: Option<String>,
}

impl Desk<'_> {
    /// Runs a write so that it leaves nothing behind if it fails half-way: others share the transaction.
    pub(super) fn whole_or_not<T>(
        &self,
        write: impl FnOnce(&Self) -> Result<T, QueueError>,
    ) -> Result<T, QueueError> {
        let open = self.open.get();
        let run = |statement| self.connection.prepare_cached(statement)?.execute([]);
        run("SAVEPOINT job").map_err(store)?;
        let outcome = write(self);
        if outcome.is_err() {
            self.open.set(open);
            // A full disk has rolled everything back already.
            run("ROLLBACK TO job").ok();
        }
        run("RELEASE job").map_err(store).and(outcome)
    }

    /// Notes entries that are settled for good.
    pub(super) fn closed(&self, entries: u64) {
        self.open.set(self.open.get().saturating_sub(entries));
    }

    /// Notes entries that came in.
    pub(super) fn opened(&self, entries: u64) {
        self.open.set(self.open.get().saturating_add(entries));
    }

    /// Why nothing new is taken, if so.
    pub(super) fn full(&self) -> Option<String> {
        let entries = self.open.get();
        let crowded = (entries >= self.options.max_entries)
            .then(|| format!("{entries} entries, the bound is {}", self.options.max_entries));
        crowded.or_else(|| self.used_up.clone())
    }
}

/// The writer's own things.
pub(super) struct Writer {
    path: PathBuf,
    file: Watched,
    options: Options,
    open: Cell<u64>,
    /// True until the entries of a file that is new here are counted.
    recount: bool,
    /// Held for as long as the queue lives.
    lock: Lock,
}

impl Writer {
    pub(super) fn new(path: PathBuf, file: Watched, lock: Lock, options: Options) -> Self {
        Self { path, file, options, open: Cell::new(0), recount: true, lock }
    }

    /// Runs until every sender is gone, and what they sent is written.
    pub(super) fn run(mut self, mut waiting: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
            self.write(&mut batch);
        }
    }

    fn write(&mut self, batch: &mut Vec<Job>) {
        let begun = self.begin();
        // Read after the transaction has begun, which may have counted anew.
        let before = begun.as_ref().ok().map(|desk| desk.open.get());
        let run = |job: Job| match &begun {
            Err(error) => job(Err(error.clone())),
            // A full disk makes SQLite roll back by itself: what follows must not run outside of the
            // transaction, where it would be committed one by one, and then be reported as failed.
            Ok(desk) if desk.connection.is_autocommit() => {
                job(Err(QueueError::Store("the transaction was rolled back".into())))
            }
            Ok(desk) => job(Ok(desk)),
        };
        let acks: Vec<Ack> = batch.drain(..).map(run).collect();
        let committed = begun.and_then(|desk| {
            let committed = desk.connection.execute_batch("COMMIT").map_err(store);
            if committed.is_err() && !desk.connection.is_autocommit() {
                desk.connection.execute_batch("ROLLBACK").ok();
            }
            committed
        });
        if let (Err(_), Some(before)) = (&committed, before) {
            self.open.set(before);
        }
        for ack in acks {
            ack(committed.clone());
        }
    }

    /// Begins a transaction, in the file that is there.
    fn begin(&mut self) -> Result<Desk<'_>, QueueError> {
        let (connection, another) = self.file.check()?;
        if another {
            tracing::warn!(store = %self.path.display(), "the store's file was replaced; the new one is used");
            self.recount = true;
        }
        if !self.lock.holds() {
            self.lock = Lock::take(&self.path).map_err(|error| QueueError::Store(error.to_string()))?;
        }
        if self.recount {
            self.open.set(statements::count_open(connection).map_err(store)?);
            self.recount = false;
        }
        connection.execute_batch("BEGIN IMMEDIATE").map_err(store)?;
        let used = statements::used_bytes(connection).map_err(store)?;
        let used_up = (used >= self.options.max_bytes)
            .then(|| format!("{used} bytes, the bound is {}", self.options.max_bytes));
        Ok(Desk { connection, open: &self.open, options: &self.options, used_up })
    }
}
