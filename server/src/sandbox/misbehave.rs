//! What a sandbox can be told to do wrong, for whom, how often and how long.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::Call;

/// One way of failing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answers this status and does nothing.
    Status {
        /// The status.
        status: u16,
        /// Seconds in a `Retry-After` header.
        retry_after: Option<u64>,
        /// The body; none, if `None`.
        body: Option<String>,
    },
    /// Waits before it does what it should.
    Late(Duration),
    /// Does what it should, and waits before it replies.
    LateReply(Duration),
    /// Cuts the connection when the request's head is there; does nothing.
    CutAtHead,
    /// Cuts the connection when the whole request is there; does nothing.
    CutAfterBody,
    /// Does what it should, and cuts the connection without a byte of a reply.
    LostReply,
    /// Does what it should, and cuts the connection in the middle of the reply's body.
    CutReply,
    /// Does what it should, and replies 200 with a body that is no JSON.
    Garbage,
}

impl Fault {
    /// What it does, for people.
    pub fn words(&self) -> String {
        let seconds = |time: &Duration| format!("{} s", time.as_secs_f64());
        match self {
            Self::Status { status, .. } => format!("answers {status} and does nothing"),
            Self::Late(time) => format!("waits {} before it does anything", seconds(time)),
            Self::LateReply(time) => format!("does its work, and replies {} late", seconds(time)),
            Self::CutAtHead => "cuts the connection at once and does nothing".into(),
            Self::CutAfterBody => "cuts the connection after the request and does nothing".into(),
            Self::LostReply => "does its work, and loses the reply".into(),
            Self::CutReply => "does its work, and cuts its reply short".into(),
            Self::Garbage => "does its work, and replies garbage".into(),
        }
    }
}

/// A fault and its limits; the default limits are none.
#[derive(Clone, Debug, PartialEq)]
pub struct Misbehaviour {
    /// What goes wrong.
    pub fault: Fault,
    /// Ends after so many calls that went wrong; never, if `None`.
    pub calls: Option<u64>,
    /// Ends after this time; never, if `None`.
    pub lasting: Option<Duration>,
    /// The share of calls that go wrong, from 0 to 1.
    pub share: f64,
    /// Only these kinds of call; all, if empty.
    pub only: Vec<Call>,
}

impl From<Fault> for Misbehaviour {
    fn from(fault: Fault) -> Self {
        Self { fault, calls: None, lasting: None, share: 1.0, only: Vec::new() }
    }
}

impl Misbehaviour {
    /// Ends after so many calls that went wrong.
    #[must_use]
    pub fn calls(self, calls: u64) -> Self {
        Self { calls: Some(calls), ..self }
    }

    /// Ends after this time.
    #[must_use]
    pub fn lasting(self, time: Duration) -> Self {
        Self { lasting: Some(time), ..self }
    }

    /// Spares the rest of the calls; which ones depends on their numbers only.
    #[must_use]
    pub fn share(self, share: f64) -> Self {
        Self { share, ..self }
    }

    /// Spares other kinds of call.
    #[must_use]
    pub fn only(self, call: Call) -> Self {
        Self { only: vec![call], ..self }
    }
}

/// A misbehaviour as it runs.
#[derive(Clone, Debug)]
pub(super) struct InForce {
    pub(super) misbehaviour: Misbehaviour,
    pub(super) until: Option<Instant>,
    pub(super) left: Option<u64>,
}

impl InForce {
    pub(super) fn new(misbehaviour: Misbehaviour, now: Instant) -> Self {
        let until = misbehaviour.lasting.and_then(|lasting| now.checked_add(lasting));
        Self { until, left: misbehaviour.calls, misbehaviour }
    }

    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.left == Some(0) || self.until.is_some_and(|until| until <= now)
    }

    /// What the call with this number gets, if anything.
    pub(super) fn strike(&mut self, number: u64, call: Call, now: Instant) -> Option<Fault> {
        let meant = self.misbehaviour.only.is_empty() || self.misbehaviour.only.contains(&call);
        if self.is_over(now) || !meant || !falls_within(number, self.misbehaviour.share) {
            return None;
        }
        self.left = self.left.map(|left| left - 1);
        Some(self.misbehaviour.fault.clone())
    }
}

/// Spreads a share over the numbers without a pattern, and always the same way.
fn falls_within(number: u64, share: f64) -> bool {
    scattered(number) < share
}

/// A fraction from 0 to below 1 that neighbouring numbers have far apart, and each always the same.
pub(super) fn scattered(number: u64) -> f64 {
    // The mixer of SplitMix64.
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let step = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or_default();
    f64::from(step) / 4_294_967_296.0
}

/// A misbehaviour as it is ordered over HTTP.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    fault: String,
    status: Option<u16>,
    retry_after: Option<u64>,
    body: Option<String>,
    milliseconds: Option<u64>,
    calls: Option<u64>,
    seconds: Option<u64>,
    share: Option<f64>,
    #[serde(default)]
    only: Vec<Call>,
}

/// Why an order is not understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum OrderError {
    #[error(
        "`{0}` is no fault: status, late, late_reply, cut_at_head, cut_after_body, lost_reply, cut_reply or garbage"
    )]
    Fault(String),
    #[error("`status` has to be a number from 200 to 599")]
    Status,
    #[error("`milliseconds` is missing: how late?")]
    Milliseconds,
    #[error("`share` has to be from 0 to 1")]
    Share,
}

impl TryFrom<Order> for Misbehaviour {
    type Error = OrderError;

    fn try_from(order: Order) -> Result<Self, OrderError> {
        let late = || order.milliseconds.map(Duration::from_millis).ok_or(OrderError::Milliseconds);
        let fault = match order.fault.as_str() {
            "status" => Fault::Status {
                status: order
                    .status
                    .filter(|status| (200..600).contains(status))
                    .ok_or(OrderError::Status)?,
                retry_after: order.retry_after,
                body: order.body,
            },
            "late" => Fault::Late(late()?),
            "late_reply" => Fault::LateReply(late()?),
            "cut_at_head" => Fault::CutAtHead,
            "cut_after_body" => Fault::CutAfterBody,
            "lost_reply" => Fault::LostReply,
            "cut_reply" => Fault::CutReply,
            "garbage" => Fault::Garbage,
            _ => return Err(OrderError::Fault(order.fault)),
        };
        let share = order.share.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&share) {
            return Err(OrderError::Share);
        }
        let lasting = order.seconds.map(Duration::from_secs);
        Ok(Self { fault, calls: order.calls, lasting, share, only: order.only })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_kept_without_a_pattern() {
        let struck = (1..=10_000).filter(|number| falls_within(*number, 0.3)).count();
        assert!((2_800..3_200).contains(&struck), "{struck}");
        assert!((1..1_000).all(|number| falls_within(number, 1.0) && !falls_within(number, 0.0)));
    }

    #[test]
    fn it_ends_after_its_calls_or_its_time_and_spares_other_kinds() {
        let now = Instant::now();
        let mut two = InForce::new(Misbehaviour::from(Fault::Garbage).calls(2).only(Call::AddAnswer), now);
        let strikes = [Call::AddAnswer, Call::GetAnswers, Call::AddAnswer, Call::AddAnswer]
            .map(|call| two.strike(1, call, now).is_some());
        assert_eq!(strikes, [true, false, true, false]);
        let mut short = InForce::new(Misbehaviour::from(Fault::Garbage).lasting(Duration::from_secs(2)), now);
        assert!(short.strike(1, Call::AddAnswer, now + Duration::from_millis(1_999)).is_some());
        assert!(short.strike(2, Call::AddAnswer, now + Duration::from_secs(2)).is_none());
    }
}
