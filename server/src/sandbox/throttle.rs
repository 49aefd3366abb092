//! The platform's throttle: by arrival, per token, of every kind of call, accepted or refused.
//!
//! "Too many requests are following up on each other and there is less than 1 second between each
//! API call" (section 5): a refused arrival counts as the previous one too.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

/// How an arrival stands to the one before it with the same token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// The time since then; `None` for a token's first.
    pub(super) since: Option<Duration>,
    /// Less than the interval.
    pub(super) early: bool,
}

/// The latest arrival of each token, by the token's place in the settings.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    latest: HashMap<usize, Instant>,
}

impl Throttle {
    /// Notes an arrival, and tells how it stands.
    pub(super) fn arrival(&mut self, token: usize, at: Instant, interval: Duration) -> Gap {
        let before = self.latest.get(&token).copied();
        // Two at once may be noted in the other order: the later one stays the one before.
        self.latest.insert(token, before.map_or(at, |before| before.max(at)));
        let since = before.map(|before| at.saturating_duration_since(before));
        Gap { since, early: since.is_some_and(|since| since < interval) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn exactly_the_interval_is_enough_and_a_microsecond_less_is_not() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        assert_eq!(throttle.arrival(0, start, SECOND), Gap { since: None, early: false });
        assert!(!throttle.arrival(0, start + SECOND, SECOND).early);
        let next = start + SECOND + SECOND.checked_sub(Duration::from_micros(1)).unwrap();
        assert!(throttle.arrival(0, next, SECOND).early);
    }

    #[test]
    fn a_refused_arrival_counts_as_the_one_before() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        throttle.arrival(0, start, SECOND);
        assert!(throttle.arrival(0, start + SECOND * 9 / 10, SECOND).early);
        assert!(throttle.arrival(0, start + SECOND * 18 / 10, SECOND).early);
        assert!(!throttle.arrival(0, start + SECOND * 28 / 10, SECOND).early);
    }

    #[test]
    fn tokens_do_not_slow_each_other_and_zero_switches_it_off() {
        let start = Instant::now();
        let mut throttle = Throttle::default();
        throttle.arrival(0, start, SECOND);
        assert_eq!(throttle.arrival(1, start, SECOND).since, None);
        assert!(!throttle.arrival(0, start, Duration::ZERO).early);
    }
}
