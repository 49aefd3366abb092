//! The queue in a PostgreSQL database, which several servers may share.
//!
//! - What comes in is stored in batches by one task ([`batch`]), and answered after the commit, which is
//!   synchronous whatever the database's default says.
//! - A lane belongs to the server that holds its lease ([`keeper`]). All that an owner writes is fenced in
//!   the same transaction: without the lease nothing is written.
//! - Bounds are kept to within what other servers add in a few seconds ([`bounds`]).
//! - An owner hears at once of what this server stores, and within a quarter of a second of what others
//!   store ([`watcher`]).
//! - Nothing depends on a session, so a transaction pooler may stand between ([`connection`]). Every
//!   operation ends within seconds; after a failure the next one makes a new connection.

mod batch;
mod bounds;
mod connection;
mod history;
mod keeper;
mod records;
mod schema;
mod statements;
mod watcher;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Pool;
use jiff::Timestamp;
use shared::SurveyId;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::stir::Stir;
use super::{
    Attempt, Change, Due, Enqueued, Entry, EntryId, Filter, History, Inbox, Kind, LaneCount, Lanes, Lease,
    NewEntry, Options, QueueError, Record, Records, Series, Settlement, State, Unknown, Wanted,
};
use crate::config::{Database, PlatformName, TokenMark};
use batch::{Committer, WAITING_ENTRIES, Waiting};
use bounds::Bounds;
use connection::{LIMIT, Session, get, once, statement};
use keeper::Keeper;
use statements::{clean, ids, millis};
use watcher::{Idle, Watcher};

/// Connections for the lanes and for what comes in.
const WORKERS: usize = 8;
/// Connections for operators, whose reports may run over a million entries.
const REPORTERS: usize = 2;
/// Connections for leases, which must not wait behind anything, and for the look for others' entries.
const KEEPERS: usize = 2;

/// A queue in a PostgreSQL database.
pub struct PostgresQueue {
    incoming: mpsc::Sender<Waiting>,
    work: Pool,
    reports: Pool,
    bounds: Arc<Bounds>,
    keeper: Arc<Keeper>,
    idle: Arc<Idle>,
    stir: Arc<Stir>,
    /// What runs beside; ends with the queue.
    #[cfg_attr(not(test), expect(dead_code, reason = "it is dropped with the queue"))]
    tasks: JoinSet<()>,
    /// The same tasks: none of them ends by itself.
    running: Vec<AbortHandle>,
}

impl PostgresQueue {
    /// Opens the store, brings its schema up to date, and counts what it holds.
    pub async fn open(database: &Database, options: Options) -> Result<Self, QueueError> {
        let failed = |reason: String| QueueError::Open { store: database.address.clone(), reason };
        let failed_at = |error: QueueError| match error {
            QueueError::Store(reason) => failed(reason),
            other => other,
        };
        let work = connection::pool(database, WORKERS).map_err(failed)?;
        let reports = connection::pool(database, REPORTERS).map_err(failed)?;
        let keepers = connection::pool(database, KEEPERS).map_err(failed)?;
        refuse_a_database_that_cannot_keep(&work).await.map_err(failed_at)?;
        schema::migrate(&work).await.map_err(failed_at)?;
        let bounds = Arc::new(Bounds::new(options));
        bounds.count(&reports).await.map_err(failed_at)?;
        let (stir, idle, keeper) =
            (Arc::<Stir>::default(), Arc::<Idle>::default(), Keeper::new(keepers.clone()));
        let (incoming, waiting) = mpsc::channel(WAITING_ENTRIES);
        // Ends by itself when the queue is gone and what it has is stored.
        let committer =
            Committer { pool: work.clone(), bounds: Arc::clone(&bounds), stir: Arc::clone(&stir) };
        let committing = tokio::spawn(committer.run(waiting)).abort_handle();
        let mut tasks = JoinSet::new();
        let kept = Arc::clone(&keeper);
        let mut running = vec![committing, tasks.spawn(async move { kept.run().await })];
        let (counted, pool) = (Arc::clone(&bounds), reports.clone());
        running.push(tasks.spawn(async move { counted.keep_counting(&pool).await }));
        let watcher = Watcher {
            pool: keepers,
            idle: Arc::clone(&idle),
            keeper: Arc::clone(&keeper),
            stir: Arc::clone(&stir),
        };
        running.push(tasks.spawn(watcher.run()));
        Ok(Self { incoming, work, reports, bounds, keeper, idle, stir, tasks, running })
    }

    /// Begins a transaction in which nobody can take the lane over; `None` if it is not ours.
    async fn as_owner(&self, lane: &PlatformName) -> Result<Option<Session>, QueueError> {
        self.fenced(lane, statements::FENCE).await
    }

    async fn fenced(&self, lane: &PlatformName, by: &str) -> Result<Option<Session>, QueueError> {
        let Some(term) = self.keeper.term(lane) else { return Ok(None) };
        let mut session = Session::open(&self.work, LIMIT).await?;
        let (lane, owner) = (lane.as_str(), self.keeper.owner);
        let fence: &[_] = &[(&lane as _, Type::TEXT), (&owner as _, Type::UUID), (&term as _, Type::INT8)];
        let held = session.begin(statement(by, fence)).await?;
        Ok((!held.is_empty()).then_some(session))
    }

    /// Stops all that runs beside, as a process does that is frozen; our own deadline of a lease is set, as if
    /// the clock had stood still as well.
    #[cfg(test)]
    pub(super) fn freeze(&mut self, lane: &PlatformName, until: Option<tokio::time::Instant>) {
        self.tasks.abort_all();
        if let Some(until) = until {
            self.keeper.pretend(lane, until);
        }
    }

    async fn as_owner_or_refuse(&self, lane: &PlatformName) -> Result<Session, QueueError> {
        self.as_owner(lane).await?.ok_or_else(|| QueueError::NotOwner(lane.clone()))
    }
}

/// A thank-you means durable: a database that does not sync its log cannot keep that. One that cannot hold every letter
/// would refuse what the platform says, for ever, and the lane would stand still.
async fn refuse_a_database_that_cannot_keep(pool: &Pool) -> Result<(), QueueError> {
    const SETTINGS: &str = "SELECT current_setting('fsync'), current_setting('full_page_writes'),
                                   current_setting('server_encoding')";
    let rows = once(pool, LIMIT, SETTINGS, &[]).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let (fsync, pages, encoding): (&str, &str, &str) = (get(row, 0)?, get(row, 1)?, get(row, 2)?);
    if encoding != "UTF8" {
        return Err(QueueError::Store(format!(
            "its encoding is {encoding}, which cannot hold every letter: create the database anew with ENCODING 'UTF8' \
             and TEMPLATE template0"
        )));
    }
    if fsync != "on" {
        let reason = "its `fsync` is off: it would forget answers when its machine fails; turn it on";
        return Err(QueueError::Store(reason.into()));
    }
    if pages != "on" {
        tracing::warn!(
            "the database's `full_page_writes` is off: unless its disks write whole pages, a power failure may \
             spoil it"
        );
    }
    Ok(())
}

#[async_trait]
impl Inbox for PostgresQueue {
    async fn enqueue(&self, new: NewEntry) -> Result<Enqueued, QueueError> {
        let (reply, result) = oneshot::channel();
        self.incoming.try_send(Waiting { new, reply }).map_err(|error| match error {
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
        let there = batch::stored(&self.work, vec![submission]).await?;
        Ok(there.get(&submission) == Some(&batch::content(survey, fingerprint)))
    }
}

#[async_trait]
impl Lanes for PostgresQueue {
    fn lease(&self, lane: &PlatformName, token: TokenMark, span: Duration) -> watch::Receiver<Option<Lease>> {
        self.keeper.lease(lane, token, span)
    }

    async fn release(&self, lane: &PlatformName) -> Result<(), QueueError> {
        self.keeper.release(lane).await
    }

    fn stirred(&self, lane: &PlatformName) -> watch::Receiver<u64> {
        self.stir.watch(lane)
    }

    async fn due(&self, lane: &PlatformName, now: Timestamp, skip: &[SurveyId]) -> Result<Due, QueueError> {
        let due = statements::due(&self.work, lane, now, skip).await?;
        self.idle.looked(lane, skip, due == Due::Now);
        Ok(due)
    }

    async fn reserve(
        &self,
        lane: &PlatformName,
        now: Timestamp,
        skip: &[SurveyId],
    ) -> Result<Option<Entry>, QueueError> {
        let session = self.as_owner_or_refuse(lane).await?;
        let (name, now, skipped) = (lane.as_str(), millis(now), ids(skip));
        let promote: &[_] = &[(&name as _, Type::TEXT), (&now as _, Type::INT8)];
        let take: &[_] =
            &[(&name as _, Type::TEXT), (&skipped as _, Type::TEXT_ARRAY), (&now as _, Type::INT8)];
        let all = [statement(statements::PROMOTE, promote), statement(statements::TAKE, take)];
        let taken = session.end(&all).await?;
        let entry = taken.last().and_then(|rows| rows.first()).map(statements::entry).transpose()?;
        self.idle.looked(lane, skip, entry.is_some());
        Ok(entry)
    }

    async fn settle(
        &self,
        lane: &PlatformName,
        entry: EntryId,
        settlement: Settlement,
        attempt: Attempt,
    ) -> Result<(), QueueError> {
        let session = self.as_owner_or_refuse(lane).await?;
        let (state, due) = statements::target(settlement, &attempt);
        let (lane, code, at) = (lane.as_str(), state as i16, millis(attempt.at));
        let keep = state != State::Delivered || self.bounds.keeps_delivered();
        let (verdict, error) = (clean(&attempt.verdict), attempt.error.as_deref().map(clean));
        let status = attempt.status.map(i32::from);
        let values: &[_] = &[
            (&entry.0 as _, Type::INT8),
            (&lane as _, Type::TEXT),
            (&code as _, Type::INT2),
            (&due as _, Type::INT8),
            (&at as _, Type::INT8),
            (&error as _, Type::TEXT),
            (&keep as _, Type::BOOL),
            (&verdict as _, Type::TEXT),
            (&status as _, Type::INT4),
        ];
        let rows = session.end(&[statement(statements::SETTLE, values)]).await?;
        let moved: Option<bool> =
            rows.first().and_then(|rows| rows.first()).map(|row| get(row, 0)).transpose()?;
        if moved == Some(true) && state == State::Delivered {
            self.bounds.closed(1);
        }
        moved.map(|_| ()).ok_or(QueueError::NotSending(entry))
    }

    async fn interrupted(&self, lane: &PlatformName) -> Result<Vec<Entry>, QueueError> {
        // What an earlier transaction of ours has begun is through, or failed, before anybody looks.
        let session = self.fenced(lane, statements::FENCE_ALONE).await?;
        let mut session = session.ok_or_else(|| QueueError::NotOwner(lane.clone()))?;
        let sending = statements::sending(&mut session, lane).await?;
        session.end(&[]).await?;
        Ok(sending)
    }

    async fn look_ups(&self, lane: &PlatformName) -> Result<Vec<(SurveyId, Timestamp)>, QueueError> {
        statements::look_ups(&self.work, lane).await
    }

    async fn unknown(
        &self,
        lane: &PlatformName,
        surveys: &[SurveyId],
        limit: u32,
    ) -> Result<Vec<Unknown>, QueueError> {
        statements::unknown(&self.work, lane, surveys, limit).await
    }

    async fn postpone(
        &self,
        lane: &PlatformName,
        entries: &[EntryId],
        due: Timestamp,
    ) -> Result<(), QueueError> {
        let session = self.as_owner_or_refuse(lane).await?;
        let (ids, lane, due): (Vec<i64>, _, _) =
            (entries.iter().map(|id| id.0).collect(), lane.as_str(), millis(due));
        let values: &[_] =
            &[(&ids as _, Type::INT8_ARRAY), (&lane as _, Type::TEXT), (&due as _, Type::INT8)];
        session.end(&[statement(statements::POSTPONE, values)]).await.map(|_| ())
    }

    async fn delivered(
        &self,
        lane: &PlatformName,
        surveys: &[SurveyId],
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Uuid, Timestamp)>, QueueError> {
        statements::delivered(&self.work, lane, surveys, before, limit).await
    }

    async fn recall(&self, lane: &PlatformName, name: &str) -> Result<Option<String>, QueueError> {
        statements::recall(&self.work, lane, name).await
    }

    async fn remember(&self, lane: &PlatformName, name: &str, value: &str) -> Result<(), QueueError> {
        let session = self.as_owner_or_refuse(lane).await?;
        let (lane, value) = (lane.as_str(), clean(value));
        let values: &[_] = &[(&lane as _, Type::TEXT), (&name as _, Type::TEXT), (&value as _, Type::TEXT)];
        session.end(&[statement(statements::REMEMBER, values)]).await.map(|_| ())
    }

    async fn bring_forward(&self, lane: &PlatformName, latest: Timestamp) -> Result<(), QueueError> {
        let session = self.as_owner_or_refuse(lane).await?;
        let (lane, latest) = (lane.as_str(), millis(latest));
        let values: &[_] = &[(&lane as _, Type::TEXT), (&latest as _, Type::INT8)];
        session.end(&statements::BRING_FORWARD.map(|each| statement(each, values))).await.map(|_| ())
    }
}

#[async_trait]
impl Records for PostgresQueue {
    async fn counts(&self) -> Result<Vec<LaneCount>, QueueError> {
        records::count(&self.reports).await
    }

    async fn page(
        &self,
        filter: &Filter,
        after: Option<EntryId>,
        limit: u32,
    ) -> Result<Vec<Record>, QueueError> {
        records::page(&self.reports, filter, after, limit).await
    }

    async fn failures(&self, limit: u32) -> Result<Vec<Record>, QueueError> {
        records::failures(&self.reports, limit).await
    }

    async fn attempts(&self, entry: EntryId) -> Result<Vec<Attempt>, QueueError> {
        records::attempts(&self.reports, entry).await
    }

    async fn change(
        &self,
        entries: &[EntryId],
        change: Change,
        now: Timestamp,
    ) -> Result<Vec<EntryId>, QueueError> {
        let changed = records::change(&self.work, &self.bounds, entries, change, now).await?;
        for (_, lane) in &changed {
            self.stir.stir(lane);
        }
        Ok(changed.into_iter().map(|(id, _)| id).collect())
    }

    async fn adopt(&self, all: Vec<(Record, Vec<Attempt>)>) -> Result<u64, QueueError> {
        let adopted = records::adopt(&self.reports, &self.bounds, &all).await?;
        self.stir.stir_all();
        Ok(adopted)
    }

    async fn assign(&self, lanes: &[(SurveyId, PlatformName)]) -> Result<u64, QueueError> {
        let moved = records::assign(&self.reports, lanes).await?;
        self.stir.stir_all();
        Ok(moved)
    }

    async fn forget_bodies(&self, before: Timestamp) -> Result<u64, QueueError> {
        records::forget_bodies(&self.reports, before).await
    }

    async fn forget_settled(&self, before: Timestamp) -> Result<u64, QueueError> {
        records::forget_settled(&self.reports, before).await
    }

    async fn check(&self) -> Result<(), QueueError> {
        if self.running.iter().any(AbortHandle::is_finished) {
            return Err(QueueError::Store("a part of the queue has failed; restart the server".into()));
        }
        records::touch(&self.work).await?;
        let (room, why) = self.bounds.room();
        if room == 0 { Err(QueueError::Full(why)) } else { Ok(()) }
    }
}

#[async_trait]
impl History for PostgresQueue {
    async fn record(&self, counts: Vec<(Kind, u64)>) -> Result<(), QueueError> {
        history::record(&self.reports, &counts).await
    }

    async fn counted(&self, wanted: &Wanted) -> Result<Vec<(Kind, u64)>, QueueError> {
        history::counted(&self.reports, wanted).await
    }

    async fn forget_counts(&self, series: Series, before: Timestamp) -> Result<(), QueueError> {
        history::forget(&self.reports, series, before).await
    }
}
