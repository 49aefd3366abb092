//! A store whose lease the test deals out, and that fails when it is told to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use shared::SurveyId;
use tokio::sync::watch;
use uuid::Uuid;

use crate::config::{PlatformName, TokenMark};
use crate::queue::{
    Attempt, Change, Due, Enqueued, Entry, EntryId, Filter, History, Inbox, Kind, LaneCount, Lanes, Lease,
    NewEntry, QueueError, Record, Records, Series, Settlement, SharedQueue, Unknown, Wanted,
};

/// A queue whose lease the test deals out.
pub(super) struct Leased {
    pub(super) queue: SharedQueue,
    pub(super) lease: watch::Sender<Option<Lease>>,
    /// Loses the answer to the next reservation, which is made.
    pub(super) loses: Arc<AtomicBool>,
    /// Stores no verdict.
    pub(super) refuses: Arc<AtomicBool>,
    /// How often the lane has looked for what is due.
    pub(super) looks: watch::Sender<u64>,
}

#[async_trait]
impl Inbox for Leased {
    async fn enqueue(&self, entry: NewEntry) -> Result<Enqueued, QueueError> {
        self.queue.enqueue(entry).await
    }
    async fn has(&self, survey: &SurveyId, id: Uuid, fingerprint: [u8; 32]) -> Result<bool, QueueError> {
        self.queue.has(survey, id, fingerprint).await
    }
}

#[async_trait]
impl Lanes for Leased {
    fn lease(&self, _: &PlatformName, _: TokenMark, _: Duration) -> watch::Receiver<Option<Lease>> {
        self.lease.subscribe()
    }
    async fn release(&self, lane: &PlatformName) -> Result<(), QueueError> {
        self.queue.release(lane).await
    }
    fn stirred(&self, lane: &PlatformName) -> watch::Receiver<u64> {
        self.queue.stirred(lane)
    }
    async fn due(&self, lane: &PlatformName, now: Timestamp, skip: &[SurveyId]) -> Result<Due, QueueError> {
        self.looks.send_modify(|looks| *looks += 1);
        self.queue.due(lane, now, skip).await
    }
    async fn reserve(
        &self,
        lane: &PlatformName,
        now: Timestamp,
        skip: &[SurveyId],
    ) -> Result<Option<Entry>, QueueError> {
        let reserved = self.queue.reserve(lane, now, skip).await;
        if self.loses.swap(false, Ordering::Relaxed) {
            return Err(QueueError::Store("the connection broke during the commit".into()));
        }
        reserved
    }
    async fn settle(
        &self,
        lane: &PlatformName,
        entry: EntryId,
        settlement: Settlement,
        attempt: Attempt,
    ) -> Result<(), QueueError> {
        if self.lease.borrow().is_none() {
            return Err(QueueError::NotOwner(lane.clone()));
        }
        if self.refuses.load(Ordering::Relaxed) {
            return Err(QueueError::Store("the disk is full".into()));
        }
        self.queue.settle(lane, entry, settlement, attempt).await
    }
    async fn interrupted(&self, lane: &PlatformName) -> Result<Vec<Entry>, QueueError> {
        self.queue.interrupted(lane).await
    }
    async fn look_ups(&self, lane: &PlatformName) -> Result<Vec<(SurveyId, Timestamp)>, QueueError> {
        self.queue.look_ups(lane).await
    }
    async fn unknown(
        &self,
        lane: &PlatformName,
        surveys: &[SurveyId],
        limit: u32,
    ) -> Result<Vec<Unknown>, QueueError> {
        self.queue.unknown(lane, surveys, limit).await
    }
    async fn postpone(&self, lane: &PlatformName, ids: &[EntryId], due: Timestamp) -> Result<(), QueueError> {
        self.queue.postpone(lane, ids, due).await
    }
    async fn delivered(
        &self,
        lane: &PlatformName,
        surveys: &[SurveyId],
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Uuid, Timestamp)>, QueueError> {
        self.queue.delivered(lane, surveys, before, limit).await
    }
    async fn recall(&self, lane: &PlatformName, name: &str) -> Result<Option<String>, QueueError> {
        self.queue.recall(lane, name).await
    }
    async fn remember(&self, lane: &PlatformName, name: &str, value: &str) -> Result<(), QueueError> {
        self.queue.remember(lane, name, value).await
    }
    async fn bring_forward(&self, lane: &PlatformName, latest: Timestamp) -> Result<(), QueueError> {
        self.queue.bring_forward(lane, latest).await
    }
}

#[async_trait]
impl Records for Leased {
    async fn counts(&self) -> Result<Vec<LaneCount>, QueueError> {
        self.queue.counts().await
    }
    async fn page(
        &self,
        filter: &Filter,
        after: Option<EntryId>,
        limit: u32,
    ) -> Result<Vec<Record>, QueueError> {
        self.queue.page(filter, after, limit).await
    }
    async fn failures(&self, limit: u32) -> Result<Vec<Record>, QueueError> {
        self.queue.failures(limit).await
    }
    async fn attempts(&self, entry: EntryId) -> Result<Vec<Attempt>, QueueError> {
        self.queue.attempts(entry).await
    }
    async fn change(
        &self,
        entries: &[EntryId],
        change: Change,
        now: Timestamp,
    ) -> Result<Vec<EntryId>, QueueError> {
        self.queue.change(entries, change, now).await
    }
    async fn adopt(&self, records: Vec<(Record, Vec<Attempt>)>) -> Result<u64, QueueError> {
        self.queue.adopt(records).await
    }
    async fn assign(&self, lanes: &[(SurveyId, PlatformName)]) -> Result<u64, QueueError> {
        self.queue.assign(lanes).await
    }
    async fn forget_bodies(&self, before: Timestamp) -> Result<u64, QueueError> {
        self.queue.forget_bodies(before).await
    }
    async fn forget_settled(&self, before: Timestamp) -> Result<u64, QueueError> {
        self.queue.forget_settled(before).await
    }
    async fn check(&self) -> Result<(), QueueError> {
        self.queue.check().await
    }
}

#[async_trait]
impl History for Leased {
    async fn record(&self, counts: Vec<(Kind, u64)>) -> Result<(), QueueError> {
        self.queue.record(counts).await
    }
    async fn counted(&self, wanted: &Wanted) -> Result<Vec<(Kind, u64)>, QueueError> {
        self.queue.counted(wanted).await
    }
    async fn forget_counts(&self, series: Series, before: Timestamp) -> Result<(), QueueError> {
        self.queue.forget_counts(series, before).await
    }
}
