//! The one home of the system's clocks.
//!
//! Everything durable is stamped with a [`Clock`]'s time. It reads the wall clock once, at the
//! start, and goes on with the monotonic one: a wall clock that jumps while the server runs changes
//! no waiting time. It follows tokio's paused time in tests.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Wall-clock time that never jumps while the process runs.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Timestamp,
    instant: Instant,
}

impl Clock {
    /// A clock that starts at the wall clock's present time.
    #[expect(clippy::disallowed_methods, reason = "this is its home")]
    pub fn start() -> Self {
        Self::start_at(Timestamp::now())
    }

    /// A clock that starts at a given time.
    pub fn start_at(started: Timestamp) -> Self {
        Self { started, instant: Instant::now() }
    }

    /// The wall clock's present time, as it has been corrected since the start: to judge and stamp
    /// moments of the world outside, never to wait.
    #[expect(clippy::disallowed_methods, reason = "this is its home")]
    pub fn wall() -> Timestamp {
        Timestamp::now()
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        self.at(Instant::now())
    }

    /// The time at a moment of the monotonic clock; moments before the start count as the start.
    pub fn at(&self, moment: Instant) -> Timestamp {
        later(self.started, moment.saturating_duration_since(self.instant))
    }
}

/// A time and a span after it; the end of time, if that is sooner.
pub fn later(time: Timestamp, span: Duration) -> Timestamp {
    time.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_goes_on_with_monotonic_time() {
        let clock = Clock::start_at(Timestamp::UNIX_EPOCH);
        tokio::time::advance(Duration::from_secs(90)).await;
        assert_eq!(clock.now(), Timestamp::from_second(90).unwrap());
    }
}
