//! The durable queue between intake and forwarder.
//!
//! Promises, for every store:
//! - [`Inbox::enqueue`] returns only after the entry is durable, and stores a submission's UUID once.
//! - [`Lanes::reserve`] marks the entry `sending`, durably, before it hands it out: after a crash
//!   the entries in that state are exactly those whose call may or may not have arrived
//!   ([`Lanes::interrupted`]).
//! - A lane has one owner at a time ([`Lanes::lease`]); only the owner moves its entries on, and each
//!   settlement hits exactly one entry. Operators move what waits for them ([`Records::change`]),
//!   never what is being sent.
//! - Within a lane and a priority, what is due goes first in, first out.
//!
//! ```text
//! waiting -> sending -> delivered
//!    ^          |-----> delayed -> waiting
//!    |          |-----> unknown -> delivered | waiting | parked     (looked up)
//!    |          |-----> parked, dead          (until an operator looks)
//!    '--- retried ------'                     discarded: by an operator
//! ```
//!
//! Knows nothing of HTTP, of the platform, or of what a body means. SQL lives here only.

mod entry;
mod filter;
mod history;
mod postgres;
mod sqlite;
mod stir;
mod stray;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use shared::SurveyId;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::config::{PlatformName, QueueBounds, Store, TokenMark};

pub use entry::{
    Attempt, Due, Enqueued, Entry, EntryId, LaneCount, NewEntry, Priority, Record, Settlement, State, Unknown,
};
pub use filter::{Change, Filter};
pub use history::{Kind, Series, Wanted};
pub use postgres::PostgresQueue;
pub use sqlite::SqliteQueue;

/// What a store is opened with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Entries that are neither delivered nor discarded, at most; beyond it nothing is taken.
    pub max_entries: u64,
    /// Bytes that the store may use, at most; beyond it nothing is taken.
    pub max_bytes: u64,
    /// For how long a delivered entry keeps its body; zero forgets it on delivery.
    pub keep_delivered: Duration,
}

/// As a configuration that says nothing about it.
impl Default for Options {
    fn default() -> Self {
        QueueBounds::default().into()
    }
}

impl From<QueueBounds> for Options {
    fn from(bounds: QueueBounds) -> Self {
        let QueueBounds { max_entries, max_bytes, keep_delivered } = bounds;
        Self { max_entries, max_bytes, keep_delivered }
    }
}

/// Why the queue could not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum QueueError {
    /// More is coming in than the store can write; nothing was stored.
    #[error("the queue takes no more at the moment")]
    Busy,
    /// The bound in [`Options`] is reached; nothing was stored.
    #[error("the queue is full: {0}")]
    Full(String),
    /// The store refused or failed, or did not say what came of it: what was asked for may have been done all the
    /// same, or may be done yet. Each call says what a repetition does.
    #[error("the store failed: {0}")]
    Store(String),
    /// The queue is stopping.
    #[error("the queue has stopped")]
    Stopped,
    /// The entry is not in the state it has to be in.
    #[error("entry {0} is not being sent")]
    NotSending(EntryId),
    /// The lane is not ours, or not any more.
    #[error("the lane {0} has another owner")]
    NotOwner(PlatformName),
    /// Another process has the store, and it is one that they cannot share.
    #[error("cannot open the store {store}: another server uses it; stop that one first")]
    InUse {
        /// The file.
        store: String,
    },
    /// The store cannot be used at all.
    #[error("cannot open the store {store}: {reason}")]
    Open {
        /// The file, or the database's address without secrets.
        store: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
}

/// What intake sees of the queue.
#[async_trait]
pub trait Inbox: Send + Sync + 'static {
    /// Stores a submission once; returns after it is durable. Again, it finds the submission there.
    async fn enqueue(&self, entry: NewEntry) -> Result<Enqueued, QueueError>;

    /// True if this very submission was stored before.
    async fn has(
        &self,
        survey: &SurveyId,
        submission: Uuid,
        fingerprint: [u8; 32],
    ) -> Result<bool, QueueError>;
}

/// The right to forward a lane's entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Changes whenever the lane was not held for a moment: somebody else may have been at work.
    pub term: u64,
    /// Until when nobody else can hold it; `None` for as long as this process lives.
    pub until: Option<Instant>,
}

/// What a lane's owner sees of the queue.
#[async_trait]
pub trait Lanes: Send + Sync + 'static {
    /// Applies for a lane, to work it with a token, and goes on holding it until it is released: the lease when
    /// this process holds it, and each renewal. Each lease lasts `span` from its last renewal. While another
    /// process holds any lane with that token, it is not to be had.
    fn lease(&self, lane: &PlatformName, token: TokenMark, span: Duration) -> watch::Receiver<Option<Lease>>;

    /// Gives a lane up, so that another process need not wait for the lease to end.
    async fn release(&self, lane: &PlatformName) -> Result<(), QueueError>;

    /// Changes when something may have been added to what the lane has to do.
    fn stirred(&self, lane: &PlatformName) -> watch::Receiver<u64>;

    /// When the lane has something to send, but for the surveys that are skipped.
    async fn due(&self, lane: &PlatformName, now: Timestamp, skip: &[SurveyId]) -> Result<Due, QueueError>;

    /// Takes the first entry that is due, durably marked `sending`, with one more attempt. Where the store has failed an
    /// entry may be `sending` that nobody has: [`Lanes::interrupted`] finds it.
    async fn reserve(
        &self,
        lane: &PlatformName,
        now: Timestamp,
        skip: &[SurveyId],
    ) -> Result<Option<Entry>, QueueError>;

    /// Moves an entry on from `sending` or `unknown`, and records the attempt. A delivery is also noted of
    /// what is `waiting` or `delayed`: an operator was faster than the look-up that found it. Again, where it was done
    /// all the same, it is [`QueueError::NotSending`], or settles it so once more.
    async fn settle(
        &self,
        lane: &PlatformName,
        entry: EntryId,
        settlement: Settlement,
        attempt: Attempt,
    ) -> Result<(), QueueError>;

    /// The entries found `sending`: those of an owner that ended before it could settle them.
    async fn interrupted(&self, lane: &PlatformName) -> Result<Vec<Entry>, QueueError>;

    /// For each survey with `unknown` entries, when the first of them is to be looked up.
    async fn look_ups(&self, lane: &PlatformName) -> Result<Vec<(SurveyId, Timestamp)>, QueueError>;

    /// The `unknown` entries of some surveys, by when they are to be looked up, up to a number.
    async fn unknown(
        &self,
        lane: &PlatformName,
        surveys: &[SurveyId],
        limit: u32,
    ) -> Result<Vec<Unknown>, QueueError>;

    /// Looks some `unknown` entries up again later.
    async fn postpone(
        &self,
        lane: &PlatformName,
        entries: &[EntryId],
        due: Timestamp,
    ) -> Result<(), QueueError>;

    /// The latest entries of some surveys delivered before a time, newest first: who they are, and when.
    async fn delivered(
        &self,
        lane: &PlatformName,
        surveys: &[SurveyId],
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Uuid, Timestamp)>, QueueError>;

    /// What was remembered of a lane under a name; durable.
    async fn recall(&self, lane: &PlatformName, name: &str) -> Result<Option<String>, QueueError>;

    /// Remembers something of a lane under a name.
    async fn remember(&self, lane: &PlatformName, name: &str, value: &str) -> Result<(), QueueError>;

    /// Brings delayed entries forward that are due later than any delay reaches: the wall clock was
    /// set back while no server ran.
    async fn bring_forward(&self, lane: &PlatformName, latest: Timestamp) -> Result<(), QueueError>;
}

/// What operators see of the queue.
#[async_trait]
pub trait Records: Send + Sync + 'static {
    /// How the lanes stand, by name.
    async fn counts(&self) -> Result<Vec<LaneCount>, QueueError>;

    /// Entries that pass a filter, by id, after a given one, up to a number.
    async fn page(
        &self,
        filter: &Filter,
        after: Option<EntryId>,
        limit: u32,
    ) -> Result<Vec<Record>, QueueError>;

    /// The latest entries that are not settled and have failed, newest first, without their bodies.
    async fn failures(&self, limit: u32) -> Result<Vec<Record>, QueueError>;

    /// The attempts made for an entry, oldest first.
    async fn attempts(&self, entry: EntryId) -> Result<Vec<Attempt>, QueueError>;

    /// Changes these entries, but for those in a state that the change does not take; returns those
    /// that it did change.
    async fn change(
        &self,
        entries: &[EntryId],
        change: Change,
        now: Timestamp,
    ) -> Result<Vec<EntryId>, QueueError>;

    /// Takes in the records of another store as they are, in their order, but for ids, which are given
    /// anew; all of them or none. A submission that is there already stays as it is. Returns how many
    /// came in.
    async fn adopt(&self, records: Vec<(Record, Vec<Attempt>)>) -> Result<u64, QueueError>;

    /// Puts what is not settled and not being sent into the lanes that its surveys have now; returns how
    /// many went over to another lane.
    async fn assign(&self, lanes: &[(SurveyId, PlatformName)]) -> Result<u64, QueueError>;

    /// Forgets the bodies that delivered entries keep, of those settled before a time; returns how many.
    async fn forget_bodies(&self, before: Timestamp) -> Result<u64, QueueError>;

    /// Forgets what was delivered or discarded before a time, UUIDs too; returns how many.
    async fn forget_settled(&self, before: Timestamp) -> Result<u64, QueueError>;

    /// Proves that the store takes writes.
    async fn check(&self) -> Result<(), QueueError>;
}

/// What has happened, in numbers: kept beside the queue, and no promise of it depends on them.
#[async_trait]
pub trait History: Send + Sync + 'static {
    /// Adds to what was counted; all of it or none.
    async fn record(&self, counts: Vec<(Kind, u64)>) -> Result<(), QueueError>;

    /// What was counted, added up over spans of time, in their order.
    async fn counted(&self, wanted: &Wanted) -> Result<Vec<(Kind, u64)>, QueueError>;

    /// Forgets what was counted of a series before a time.
    async fn forget_counts(&self, series: Series, before: Timestamp) -> Result<(), QueueError>;
}

/// A durable queue. See the module for its promises.
pub trait Queue: Inbox + Lanes + Records + History {}

impl<T: Inbox + Lanes + Records + History> Queue for T {}

/// A queue that all parts of a server share.
pub type SharedQueue = Arc<dyn Queue>;

/// Opens the store that a configuration names.
pub async fn open(store: &Store, options: Options) -> Result<SharedQueue, QueueError> {
    Ok(match store {
        Store::Sqlite(path) => Arc::new(SqliteQueue::open(path, options)?),
        Store::Postgres(database) => Arc::new(PostgresQueue::open(database, options).await?),
    })
}
