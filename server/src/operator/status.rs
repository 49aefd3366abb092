//! How the lanes stand.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::OperatorError;
use crate::config::{Platform, PlatformName};
use crate::queue::{LaneCount, Records};

/// How the queue stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The configured lanes in the configuration's order, then those that it has lost.
    pub lanes: Vec<LaneStatus>,
    /// Why visitors' answers are refused at present; `None` if they are taken, or where no server tells.
    pub refuses: Option<String>,
}

/// How a lane stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneStatus {
    /// Its name.
    pub lane: String,
    /// The least time between two calls; `None` if nobody forwards the lane.
    pub interval_ms: Option<u64>,
    /// Entries that are due.
    pub waiting: u64,
    /// Entries to be tried again later.
    pub delayed: u64,
    /// Entries whose call is being made.
    pub sending: u64,
    /// Entries that may have arrived and are looked up.
    pub unknown: u64,
    /// Entries that may have arrived and wait for an operator.
    pub parked: u64,
    /// Entries that were refused and wait for an operator.
    pub dead: u64,
    /// When the oldest entry that is still to be sent was accepted.
    pub oldest_accepted_at: Option<Timestamp>,
    /// How long what is to be sent takes at the lane's interval, if nothing disturbs it; `None` if it does not go out
    /// at present.
    pub through_in_ms: Option<u64>,
    /// What the lane is doing; `None` where no server tells.
    pub state: Option<String>,
    /// What is the matter with it, and what to do.
    pub advice: Vec<String>,
}

/// What a lane says of itself.
#[derive(Clone, Debug)]
pub struct OwnWords {
    /// What it is doing.
    pub state: &'static str,
    /// True while what waits goes out at its pace.
    pub flows: bool,
    /// What is the matter with it, and what to do.
    pub advice: Vec<String>,
}

impl LaneStatus {
    fn new(count: &LaneCount, platform: Option<&Platform>, own: Option<OwnWords>) -> Self {
        let to_send = count.to_send();
        let interval_ms =
            platform.map(|platform| u64::try_from(platform.interval.as_millis()).unwrap_or(u64::MAX));
        Self {
            lane: count.lane.to_string(),
            interval_ms,
            waiting: count.waiting,
            delayed: count.delayed,
            sending: count.sending,
            unknown: count.unknown,
            parked: count.parked,
            dead: count.dead,
            oldest_accepted_at: count.oldest,
            through_in_ms: interval_ms
                .filter(|_| to_send == 0 || own.as_ref().is_none_or(|own| own.flows))
                .map(|interval| interval.saturating_mul(to_send)),
            state: own.as_ref().map(|own| own.state.to_owned()),
            advice: own.map(|own| own.advice).unwrap_or_default(),
        }
    }
}

/// That visitors' answers are refused, which comes first, and why and what becomes of them.
pub fn refused(reason: &str) -> (&'static str, String) {
    let meanwhile = "Their browsers keep them for a week at least, and send them again.";
    ("Visitors' answers are refused:", format!("{reason}. {meanwhile}"))
}

/// How every lane stands that is configured or has entries; `own` is what a lane says itself, where it is at hand.
pub async fn status(
    queue: &dyn Records,
    platforms: &[Arc<Platform>],
    own: impl Fn(&PlatformName) -> Option<OwnWords>,
) -> Result<Status, OperatorError> {
    let counts = queue.counts().await?;
    let configured = platforms.iter().map(|platform| {
        let count = counts.iter().find(|count| count.lane == platform.name);
        let empty = LaneCount::empty(platform.name.clone());
        LaneStatus::new(count.unwrap_or(&empty), Some(platform), own(&platform.name))
    });
    let lost = counts.iter().filter(|count| platforms.iter().all(|platform| platform.name != count.lane));
    let lanes = configured.chain(lost.map(|count| LaneStatus::new(count, None, None))).collect();
    Ok(Status { lanes, refuses: None })
}
