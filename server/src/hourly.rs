//! Says what may come up with every request at most once an hour.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const HOUR: Duration = Duration::from_hours(1);

/// True once an hour.
#[derive(Debug, Default)]
pub(crate) struct Hourly(Mutex<Option<Instant>>);

impl Hourly {
    /// Nobody has asked yet.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// True for the first who asks, and then not for an hour.
    pub(crate) fn is_due(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| last.elapsed() >= HOUR);
        if due {
            *last = Some(Instant::now());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_hour_has_one_line() {
        let hourly = Hourly::default();
        assert_eq!([hourly.is_due(), hourly.is_due()], [true, false]);
        tokio::time::advance(Duration::from_mins(59)).await;
        assert!(!hourly.is_due());
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!([hourly.is_due(), hourly.is_due()], [true, false]);
    }
}
