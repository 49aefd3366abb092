//! The durable queue between intake and forwarder.
//!
//! Promises, for every store:
//! - [`Queue::enqueue`] returns only after the entry is durable, and stores a submission's UUID once.
//! - [`Queue::reserve`] marks the entry `sending`, durably, before it hands it out: after a crash
//!   the entries in that state are exactly those whose call may or may not have arrived
//!   ([`Queue::interrupted`]).
//! - An entry is `waiting`, `delayed`, `sending`, `parked`, `dead` or `delivered`; only a settlement
//!   by the lane's owner moves it on, and it hits exactly one entry.
//! - Within a lane and a priority, what is due goes first in, first out.
//!
//! Knows nothing of HTTP, of the platform, or of what a body means. SQL lives here only.

mod schema;
mod sqlite;
mod statements;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use jiff::Timestamp;
use shared::SurveyId;
use tokio::sync::watch;
use uuid::Uuid;

use crate::config::PlatformName;

pub use sqlite::SqliteQueue;

/// Names an entry; grows with each entry of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(i64);

impl std::fmt::Display for EntryId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

/// Which entries of a lane go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Visitors' answers.
    Visitor = 0,
    /// Operators' calls.
    Operator = 1,
}

/// A submission that is to be kept.
#[derive(Clone)]
pub struct NewEntry {
    /// Whose line it waits in.
    pub lane: PlatformName,
    /// What goes first.
    pub priority: Priority,
    /// The survey that was answered.
    pub survey: SurveyId,
    /// The idempotency key.
    pub submission: Uuid,
    /// Tells a repetition from another submission with the same key.
    pub fingerprint: [u8; 32],
    /// What the forwarder will read; opaque here.
    pub body: Vec<u8>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// What became of a new entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It is stored.
    Stored,
    /// The same submission was stored before; nothing changed.
    Repeated,
    /// Another submission was stored under this UUID; nothing changed.
    Conflict,
}

/// An entry that its lane's owner has in hand.
#[derive(Clone)]
pub struct Entry {
    /// Its name in the store.
    pub id: EntryId,
    /// The survey that was answered.
    pub survey: SurveyId,
    /// The idempotency key.
    pub submission: Uuid,
    /// What intake stored.
    pub body: Vec<u8>,
    /// How many calls were made for it, the one at hand included.
    pub attempts: u32,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// Where an entry goes after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It arrived: its body is forgotten, its UUID remembered.
    Delivered,
    /// It is tried again from this time on.
    Later(Timestamp),
    /// It waits for an operator, since it may have arrived.
    Parked,
    /// It waits for an operator, since the platform refused it.
    Dead,
}

/// One call made for an entry, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When the call ended.
    pub at: Timestamp,
    /// The verdict's name.
    pub verdict: &'static str,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// The platform's words or the connection's error; never the visitor's words.
    pub error: Option<String>,
}

/// When a lane has something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// An entry is due.
    Now,
    /// The next entry is due then.
    At(Timestamp),
    /// Nothing waits.
    Never,
}

/// How a lane stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneCount {
    /// The lane.
    pub lane: PlatformName,
    /// Entries that are due.
    pub waiting: u64,
    /// Entries to be tried again later.
    pub delayed: u64,
    /// Entries whose call is being made.
    pub sending: u64,
    /// Entries that may have arrived and wait for an operator.
    pub parked: u64,
    /// Entries that were refused and wait for an operator.
    pub dead: u64,
    /// When the oldest entry that is not settled was accepted.
    pub oldest: Option<Timestamp>,
}

/// The last thing that went wrong with an entry that is not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The lane.
    pub lane: PlatformName,
    /// The survey.
    pub survey: SurveyId,
    /// The idempotency key.
    pub submission: Uuid,
    /// `waiting`, `delayed`, `sending`, `parked` or `dead`.
    pub state: &'static str,
    /// Calls made.
    pub attempts: u32,
    /// When the last call ended.
    pub at: Timestamp,
    /// What went wrong.
    pub error: String,
}

/// Why the queue could not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum QueueError {
    /// More is coming in than the store can write; nothing was stored.
    #[error("the queue takes no more at the moment")]
    Full,
    /// The store refused or failed; nothing was stored.
    #[error("the store failed: {0}")]
    Store(String),
    /// The queue is stopping.
    #[error("the queue has stopped")]
    Stopped,
    /// The entry is not in the state it has to be in.
    #[error("entry {0} is not being sent")]
    NotSending(EntryId),
    /// The store cannot be used at all.
    #[error("cannot open the store {path}: {reason}")]
    Open {
        /// The file.
        path: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
}

/// A durable queue. See the module for its promises.
#[async_trait]
pub trait Queue: Send + Sync + 'static {
    /// Stores a submission once; returns after it is durable.
    async fn enqueue(&self, entry: NewEntry) -> Result<Enqueued, QueueError>;

    /// When the lane has something to do, but for the surveys that are skipped.
    async fn due(&self, lane: &PlatformName, now: Timestamp, skip: &[SurveyId]) -> Result<Due, QueueError>;

    /// Takes the first entry that is due, durably marked `sending`, with one more attempt.
    async fn reserve(
        &self,
        lane: &PlatformName,
        now: Timestamp,
        skip: &[SurveyId],
    ) -> Result<Option<Entry>, QueueError>;

    /// Moves an entry on from `sending`, and records the call.
    async fn settle(
        &self,
        entry: EntryId,
        settlement: Settlement,
        attempt: Attempt,
    ) -> Result<(), QueueError>;

    /// The entries found `sending`: those of a process that ended before it could settle them.
    async fn interrupted(&self, lane: &PlatformName) -> Result<Vec<Entry>, QueueError>;

    /// Brings delayed entries forward that are due later than any delay reaches: the wall clock was
    /// set back while no server ran.
    async fn bring_forward(&self, lane: &PlatformName, latest: Timestamp) -> Result<(), QueueError>;

    /// Forgets what was delivered before a time, UUIDs too; returns how many.
    async fn forget_delivered(&self, before: Timestamp) -> Result<u64, QueueError>;

    /// How the lanes stand, by name.
    async fn counts(&self) -> Result<Vec<LaneCount>, QueueError>;

    /// The latest failures of entries that are not delivered, newest first.
    async fn failures(&self, limit: u32) -> Result<Vec<Failure>, QueueError>;

    /// Proves that the store takes writes.
    async fn check(&self) -> Result<(), QueueError>;

    /// Changes whenever an entry was stored.
    fn stored(&self) -> watch::Receiver<u64>;
}
