//! Says what may come up with every request, or every second, only now and then.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// True once in a while.
#[derive(Debug)]
pub(crate) struct Seldom {
    period: Duration,
    last: Mutex<Option<Instant>>,
}

impl Seldom {
    /// For what a stranger can bring about.
    pub(crate) const fn hourly() -> Self {
        Self { period: Duration::from_hours(1), last: Mutex::new(None) }
    }

    /// For trouble of our own that goes on.
    pub(crate) const fn by_the_minute() -> Self {
        Self { period: Duration::from_mins(1), last: Mutex::new(None) }
    }

    /// True for the first who asks, and then not until the period is over.
    pub(crate) fn is_due(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| last.elapsed() >= self.period);
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
    async fn a_period_has_one_line() {
        for (seldom, seconds) in [(Seldom::hourly(), 3_600), (Seldom::by_the_minute(), 60)] {
            assert_eq!([seldom.is_due(), seldom.is_due()], [true, false]);
            tokio::time::advance(Duration::from_secs(seconds - 1)).await;
            assert!(!seldom.is_due());
            tokio::time::advance(Duration::from_secs(1)).await;
            assert_eq!([seldom.is_due(), seldom.is_due()], [true, false]);
        }
    }
}
