//! What a server does beside serving: lets submissions follow their surveys, and forgets in time.

use std::time::Duration;

use super::REMEMBER;
use crate::clock::Clock;
use crate::config::{Config, PlatformName, TokenMark};
use crate::history;
use crate::live::Live;
use crate::queue::{Attempt, QueueError, Records, Settlement, SharedQueue};

/// How often what is too old is forgotten.
const EVERY: Duration = Duration::from_hours(1);
/// How long a lane is waited for that nobody ought to be at work in, and held.
const RESCUE: Duration = Duration::from_secs(2);
/// A wall clock that differs this much from the one at the start has been set, and not just corrected.
const DRIFT: Duration = Duration::from_mins(2);

/// Lets what waits follow its survey, where that has another platform than when it was accepted. False if it has to be
/// done again.
pub(super) async fn assign(config: &Config, queue: &dyn Records) -> bool {
    let lanes: Vec<_> =
        config.surveys.iter().map(|survey| (survey.id.clone(), survey.platform.clone())).collect();
    match queue.assign(&lanes).await {
        Ok(0) => true,
        Ok(moved) => {
            tracing::info!(moved, "submissions went over to the platforms that their surveys have now");
            true
        }
        Err(error) => {
            tracing::error!(%error, "submissions could not follow their surveys to other platforms; it is tried again");
            false
        }
    }
}

/// Settles what was in flight in lanes that the configuration has lost, where nobody else is at work: it may have arrived, and
/// follows its survey after that. False if it has to be done again.
pub(super) async fn rescue(config: &Config, queue: &SharedQueue, clock: Clock) -> bool {
    let rescued = async {
        let mut rescued = 0;
        for lost in queue.counts().await? {
            if lost.sending > 0 && config.platform(lost.lane.as_str()).is_none() {
                rescued += rescue_lane(&lost.lane, queue, clock).await?;
            }
        }
        Ok::<_, QueueError>(rescued)
    };
    match rescued.await {
        Ok(0) => true,
        Ok(rescued) => {
            tracing::warn!(rescued, "found in flight in lanes that are configured no more");
            true
        }
        Err(error) => {
            tracing::error!(%error, "what was in flight in lanes of before could not be looked at; it is tried again");
            false
        }
    }
}

async fn rescue_lane(lane: &PlatformName, queue: &SharedQueue, clock: Clock) -> Result<usize, QueueError> {
    let mut lease = queue.lease(lane, TokenMark::NONE, RESCUE);
    let held = async { lease.wait_for(Option::is_some).await.is_ok() };
    let rescued = if tokio::time::timeout(RESCUE, held).await.unwrap_or(false) {
        settle_interrupted(lane, queue, clock).await
    } else {
        Ok(0)
    };
    // Else it would be held for ever, and nobody could work in it.
    queue.release(lane).await?;
    rescued
}

async fn settle_interrupted(
    lane: &PlatformName,
    queue: &SharedQueue,
    clock: Clock,
) -> Result<usize, QueueError> {
    let entries = queue.interrupted(lane).await?;
    for entry in &entries {
        let at = clock.now();
        let (settlement, attempt) = (Settlement::Unknown(at), Attempt::interrupted(at));
        queue.settle(lane, entry.id, settlement, attempt).await?;
    }
    Ok(entries.len())
}

/// Says what waits for a platform that the configuration has lost.
pub(super) async fn warn_of_orphans(config: &Config, queue: &dyn Records) {
    let counts = match queue.counts().await {
        Ok(counts) => counts,
        Err(error) => return tracing::error!(%error, "the queue cannot be counted"),
    };
    for count in counts.iter().filter(|count| config.platform(count.lane.as_str()).is_none()) {
        let waiting = count.to_send();
        tracing::warn!(lane = %count.lane, waiting, "nobody forwards this lane: no [platform] has its name");
    }
}

/// Forgets in time what was delivered: bodies that are kept for a while, and UUIDs. Never ends.
pub(super) async fn keep_up(queue: SharedQueue, clock: Clock, live: Live) {
    // A changed value of it comes into force at the next start.
    let keep = live.config().queue.keep_delivered;
    loop {
        warn_of_drift(&clock);
        forget(&*queue, clock, keep).await;
        history::forget(&*queue, clock.now()).await;
        tokio::time::sleep(EVERY).await;
    }
}

async fn forget(queue: &dyn Records, clock: Clock, keep: Duration) {
    let ago = |span| clock.now().checked_sub(span).unwrap_or(jiff::Timestamp::MIN);
    match queue.forget_bodies(ago(keep)).await {
        Ok(0) => {}
        Ok(forgotten) => tracing::info!(forgotten, "forgot delivered submissions that were kept"),
        Err(error) => tracing::warn!(%error, "delivered submissions could not be forgotten"),
    }
    match queue.forget_settled(ago(REMEMBER)).await {
        Ok(0) => {}
        Ok(forgotten) => tracing::info!(forgotten, "forgot the UUIDs of old submissions"),
        Err(error) => tracing::warn!(%error, "old submissions could not be forgotten"),
    }
}

/// Says when the wall clock has been set since the start: nothing waits longer or shorter for it, but
/// times in the store and in look-ups are the old clock's until the next start.
fn warn_of_drift(clock: &Clock) {
    let drift = Clock::wall().duration_since(clock.now());
    if drift.unsigned_abs() > DRIFT {
        let seconds = drift.as_secs();
        tracing::warn!(seconds, "the wall clock was set while the server ran; restart it at your leisure");
    }
}
