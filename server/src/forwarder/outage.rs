//! A platform that fails call after call: the lane slows down to one probe at a growing interval.
//!
//! Each probe takes the next entry that is due, and the one that failed is delayed, so probes
//! rotate over what waits. Pure: moments come in, moments go out.

use std::time::Duration;

use tokio::time::Instant;

/// Failed calls in a row before the lane slows down.
const TOLERATED: u32 = 2;

/// How a lane stands with a platform that may be away.
#[derive(Clone, Debug, Default)]
pub(super) struct Outage {
    failures: u32,
    not_before: Option<Instant>,
}

impl Outage {
    /// The earliest moment of the next call, if the platform is thought to be away.
    pub(super) fn not_before(&self) -> Option<Instant> {
        self.not_before
    }

    /// Failed calls in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Notes a call that the platform took or refused for good: it is there.
    pub(super) fn answered(&mut self) {
        *self = Self::default();
    }

    /// Notes that the platform has asked to be left alone until then: it is there.
    pub(super) fn rest(&mut self, until: Instant) {
        self.not_before = self.not_before.max(Some(until));
    }

    /// Notes a call that failed; `asked` is the time that the platform asked to wait.
    pub(super) fn failed(&mut self, now: Instant, interval: Duration, asked: Option<Duration>) {
        self.failures = self.failures.saturating_add(1);
        let doublings = self.failures.saturating_sub(TOLERATED).min(16);
        let own = match doublings {
            0 => Duration::ZERO,
            _ => interval.saturating_mul(1 << doublings).min(interval * 60),
        };
        self.not_before = Some(now + asked.unwrap_or(own));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_grow_apart_to_a_bound_and_an_answer_ends_the_outage() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut outage = Outage::default();
        let mut waits = Vec::new();
        for _ in 0..10 {
            outage.failed(now, second, None);
            waits.push((outage.not_before().unwrap() - now).as_secs());
        }
        assert_eq!(waits, [0, 0, 2, 4, 8, 16, 32, 60, 60, 60]);
        outage.failed(now, second, Some(Duration::from_secs(7)));
        assert_eq!(outage.not_before(), Some(now + Duration::from_secs(7)));
        outage.answered();
        assert_eq!((outage.not_before(), outage.failures()), (None, 0));
        outage.rest(now + second * 5);
        outage.rest(now + second);
        assert_eq!((outage.not_before(), outage.failures()), (Some(now + second * 5), 0));
    }
}
