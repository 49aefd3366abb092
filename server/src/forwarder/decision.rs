//! Where an entry goes after a verdict, and when it is tried again: pure.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::verdict::Verdict;
use crate::clock;
use crate::config::OnUnknown;
use crate::queue::{EntryId, Settlement};

/// Calls after which an entry that keeps failing may be a poison.
const POISON_ATTEMPTS: u32 = 20;
/// So many of the last of them failed while others arrived: most may have been made while the platform was away, or while it
/// refused the token.
const POISON_AMONG_OTHERS: u32 = 5;
/// Suspects that are remembered, at most.
const MOST_SUSPECTS: usize = 10_000;
/// Age from which an entry that keeps failing may be a poison.
const POISON_AGE: Duration = Duration::from_hours(24);

/// What is known about an entry when its verdict comes in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// Calls made for it, this one included.
    pub(super) attempts: u32,
    /// How often it has failed of late while others arrived, this time included.
    pub(super) failed_among_others: u32,
    /// When it was accepted.
    pub(super) accepted_at: Timestamp,
    /// What the survey wants for an entry that may have arrived, and cannot be looked up.
    pub(super) on_unknown: OnUnknown,
    /// When it is looked up, if it can be.
    pub(super) look_up: Option<Timestamp>,
    /// The present time.
    pub(super) now: Timestamp,
    /// The lane's interval.
    pub(super) interval: Duration,
    /// A random number from 0 to 1, to spread retries.
    pub(super) jitter: f64,
}

/// Entries that fail again and again, and how often each has failed while others arrived. Forgotten with the process, which
/// spares an entry for some more calls.
#[derive(Debug, Default)]
pub(super) struct Suspects(HashMap<EntryId, u32>);

impl Suspects {
    /// An entry has failed at its so many-th call, while others arrive.
    pub(super) fn failed(&mut self, entry: EntryId, attempts: u32) {
        if attempts <= POISON_ATTEMPTS - POISON_AMONG_OTHERS {
            return;
        }
        if self.0.len() >= MOST_SUSPECTS && !self.0.contains_key(&entry) {
            self.0.clear();
        }
        *self.0.entry(entry).or_default() += 1;
    }

    /// How often it has failed so.
    pub(super) fn count(&self, entry: EntryId) -> u32 {
        self.0.get(&entry).copied().unwrap_or_default()
    }

    /// Nobody suspects it any more.
    pub(super) fn clear(&mut self, entry: EntryId) {
        self.0.remove(&entry);
    }
}

/// The longest delay that any entry gets by ourselves.
pub(super) fn longest_delay(interval: Duration) -> Duration {
    interval * 300
}

/// Where the entry goes.
pub(super) fn decide(verdict: Verdict, case: &Case) -> Settlement {
    if let (Verdict::Unknown, Some(at)) = (verdict, case.look_up) {
        return Settlement::Unknown(at);
    }
    match verdict {
        Verdict::Delivered => Settlement::Delivered,
        Verdict::Rejected => Settlement::Dead,
        // The lane skips what is paused; the entry keeps its place.
        Verdict::Paused => Settlement::Later(case.now),
        Verdict::Unknown if case.on_unknown == OnUnknown::Park => Settlement::Parked,
        Verdict::Unknown | Verdict::Later(_) if is_poison(case) => Settlement::Dead,
        Verdict::Later(Some(wait)) => Settlement::Later(clock::later(case.now, wait)),
        Verdict::Unknown | Verdict::Later(None) => Settlement::Later(clock::later(case.now, delay(case))),
    }
}

/// Where an entry goes that was looked up, and is to be sent again.
pub(super) fn send_again(case: &Case) -> Settlement {
    if is_poison(case) { Settlement::Dead } else { Settlement::Later(case.now) }
}

/// True for an entry that keeps failing while others arrive.
fn is_poison(case: &Case) -> bool {
    let old_enough = clock::later(case.accepted_at, POISON_AGE) <= case.now;
    case.failed_among_others >= POISON_AMONG_OTHERS && case.attempts >= POISON_ATTEMPTS && old_enough
}

/// Grows from two intervals on, doubles with each attempt, and varies by a quarter to each side.
fn delay(case: &Case) -> Duration {
    let doublings = case.attempts.saturating_sub(1).min(16);
    let delay = (case.interval * 2).saturating_mul(1 << doublings).min(longest_delay(case.interval));
    delay.mul_f64(0.75 + case.jitter / 2.0).min(longest_delay(case.interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::constant(1_700_000_000, 0);

    fn case() -> Case {
        Case {
            attempts: 1,
            failed_among_others: 0,
            accepted_at: NOW,
            on_unknown: OnUnknown::Resend,
            look_up: None,
            now: NOW,
            interval: Duration::from_secs(1),
            jitter: 0.5,
        }
    }

    fn in_seconds(settlement: Settlement) -> i64 {
        match settlement {
            Settlement::Later(due) => due.duration_since(NOW).as_secs(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_verdict_has_its_settlement() {
        let parks = Case { on_unknown: OnUnknown::Park, ..case() };
        assert_eq!(decide(Verdict::Delivered, &case()), Settlement::Delivered);
        assert_eq!(decide(Verdict::Rejected, &case()), Settlement::Dead);
        assert_eq!(decide(Verdict::Paused, &case()), Settlement::Later(NOW));
        assert_eq!(decide(Verdict::Unknown, &parks), Settlement::Parked);
        assert_eq!(in_seconds(decide(Verdict::Unknown, &case())), 2);
        assert_eq!(in_seconds(decide(Verdict::Later(None), &parks)), 2, "it did not arrive: no need to park");
    }

    #[test]
    fn what_can_be_looked_up_is_looked_up_whatever_the_survey_wants_otherwise() {
        for on_unknown in [OnUnknown::Resend, OnUnknown::Park] {
            let case = Case { on_unknown, look_up: Some(NOW), ..case() };
            assert_eq!(decide(Verdict::Unknown, &case), Settlement::Unknown(NOW));
            assert!(matches!(decide(Verdict::Later(None), &case), Settlement::Later(_)));
        }
    }

    #[test]
    fn retry_after_wins_over_our_own_delay() {
        let wait = Some(Duration::from_secs(77));
        assert_eq!(in_seconds(decide(Verdict::Later(wait), &case())), 77);
    }

    #[test]
    fn delays_grow_to_a_bound_and_are_spread() {
        let after =
            |attempts, jitter| in_seconds(decide(Verdict::Later(None), &Case { attempts, jitter, ..case() }));
        assert_eq!([1, 2, 3, 4].map(|attempts| after(attempts, 0.5)), [2, 4, 8, 16]);
        assert_eq!(after(4_000_000_000, 1.0), 300);
        assert!(after(5, 0.0) < after(5, 1.0));
    }

    #[test]
    fn a_poison_is_a_dead_letter_only_while_others_arrive() {
        let old = clock::later(NOW, Duration::ZERO).checked_sub(POISON_AGE).unwrap();
        let poison = Case { attempts: 20, failed_among_others: 5, accepted_at: old, ..case() };
        assert_eq!(decide(Verdict::Unknown, &poison), Settlement::Dead);
        assert_eq!(decide(Verdict::Later(None), &poison), Settlement::Dead);
        assert_eq!(send_again(&poison), Settlement::Dead);
        assert_eq!(send_again(&case()), Settlement::Later(NOW));
        let asked = Verdict::Later(Some(Duration::from_secs(1)));
        assert_eq!(decide(asked, &poison), Settlement::Dead, "a Retry-After does not keep a poison alive");
        for spared in [
            Case { failed_among_others: 4, ..poison },
            Case { attempts: 19, ..poison },
            Case { accepted_at: NOW, ..poison },
        ] {
            assert!(matches!(decide(Verdict::Unknown, &spared), Settlement::Later(_)), "{spared:?}");
        }
    }

    #[test]
    fn who_failed_while_nobody_arrived_is_no_suspect() {
        let (entry, other) = (EntryId::new(1), EntryId::new(2));
        let mut suspects = Suspects::default();
        for attempts in 1..=20 {
            suspects.failed(entry, attempts);
        }
        assert_eq!((suspects.count(entry), suspects.count(other)), (5, 0), "the first are not remembered");
        // After a day without the platform, one failure proves nothing.
        suspects.failed(other, 288);
        assert_eq!(suspects.count(other), 1);
        suspects.clear(entry);
        assert_eq!(suspects.count(entry), 0);
        for entry in 0..=10_000 {
            suspects.failed(EntryId::new(entry), 20);
        }
        assert!(suspects.0.len() <= MOST_SUSPECTS);
    }
}
