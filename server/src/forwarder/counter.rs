//! A lane without its entries: for a command line that needs calls while no server runs.
//!
//! It holds the lane's lease, as an owner does, and keeps the lane's pace. What waits in the queue stays there.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::calls::{Call, Done, NotMade, PATIENCE, Sign};
use super::lane::span;
use super::pacer::Pacer;
use crate::config::Platform;
use crate::platform::Client;
use crate::queue::{Lease, SharedQueue};

/// How much longer than a lease an owner that was killed is waited for.
const MARGIN: Duration = Duration::from_secs(2);

/// A lane that is held for some calls.
pub struct Counter {
    platform: Arc<Platform>,
    client: Client,
    queue: SharedQueue,
    lease: watch::Receiver<Option<Lease>>,
    /// The term in which it was taken; in another one somebody else may have called.
    term: u64,
    pacer: Pacer,
    /// How long the platform has asked to be left alone.
    rest: Option<Instant>,
}

impl Counter {
    /// Takes a platform's lane. It is somebody else's if it cannot be had for as long as the lease of an owner that was
    /// killed takes to end.
    pub async fn open(platform: Arc<Platform>, client: Client, queue: SharedQueue) -> Result<Self, NotMade> {
        let patience = span(&platform) + MARGIN;
        let mut lease = queue.lease(&platform.name, platform.token_mark(), span(&platform));
        let held = tokio::time::timeout(patience, lease.wait_for(Option::is_some)).await;
        let term = held.ok().and_then(Result::ok).and_then(|held| held.map(|lease| lease.term));
        let Some(term) = term else { return Err(NotMade::Standby) };
        // Nobody knows when the last owner made its last call.
        let pacer = Pacer::new(platform.interval, Instant::now());
        Ok(Self { platform, client, queue, lease, term, pacer, rest: None })
    }

    /// Makes a call once the moment has come.
    pub async fn call(&mut self, call: Call) -> Result<Done, NotMade> {
        let now = Instant::now();
        let rest = self.rest.unwrap_or(now);
        if rest - now > PATIENCE {
            return Err(NotMade::Resting(rest - now));
        }
        tokio::time::sleep_until(self.pacer.next().max(rest)).await;
        if !self.holds() {
            return Err(NotMade::Standby);
        }
        let sent = Instant::now();
        let done = call.make(&self.client).await;
        let ended = Instant::now();
        let sign = Sign::of(&done);
        self.pacer.called_otherwise(sent, ended, sign.throttled);
        self.rest = sign.rest.map(|rest| ended + rest);
        done
    }

    /// Gives the lane up, so that a server need not wait for it.
    pub async fn close(self) {
        if let Err(error) = self.queue.release(&self.platform.name).await {
            tracing::warn!(lane = %self.platform.name, %error, "the lane could not be given up");
        }
    }

    fn holds(&self) -> bool {
        let enough = |until: Instant| until >= Instant::now() + self.platform.timeout;
        self.lease.borrow().is_some_and(|lease| lease.term == self.term && lease.until.is_none_or(enough))
    }
}
