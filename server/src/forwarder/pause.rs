//! Touchpoints whose calls are refused with a 401: paused, and probed slowly.
//!
//! A token may lack one touchpoint and be good for the others, so the pause is the touchpoint's, not
//! the lane's. Pure: moments come in, moments go out.

use std::time::Duration;

use tokio::time::Instant;

use crate::config::Guid;

/// The paused touchpoints of a lane.
#[derive(Clone, Debug, Default)]
pub(super) struct Pauses(Vec<Pause>);

#[derive(Clone, Debug)]
struct Pause {
    touchpoint: Guid,
    probe: Instant,
    refusals: u32,
}

impl Pauses {
    /// Notes a refusal; returns true when the touchpoint was not paused before.
    pub(super) fn refused(&mut self, touchpoint: &Guid, now: Instant, interval: Duration) -> bool {
        let wait = |refusals: u32| interval.saturating_mul(5 << refusals.min(6)).min(interval * 300);
        if let Some(pause) = self.0.iter_mut().find(|pause| pause.touchpoint == *touchpoint) {
            pause.refusals += 1;
            pause.probe = now + wait(pause.refusals);
            return false;
        }
        self.0.push(Pause { touchpoint: touchpoint.clone(), probe: now + wait(0), refusals: 0 });
        true
    }

    /// Notes that the touchpoint's calls are taken; returns true when it was paused.
    pub(super) fn allowed(&mut self, touchpoint: &Guid) -> bool {
        let before = self.0.len();
        self.0.retain(|pause| pause.touchpoint != *touchpoint);
        self.0.len() < before
    }

    /// True while the touchpoint is to be left alone.
    pub(super) fn holds(&self, touchpoint: &Guid, now: Instant) -> bool {
        self.0.iter().any(|pause| pause.touchpoint == *touchpoint && pause.probe > now)
    }

    /// True while the touchpoint's calls are refused, between probes too.
    pub(super) fn contains(&self, touchpoint: &Guid) -> bool {
        self.0.iter().any(|pause| pause.touchpoint == *touchpoint)
    }

    /// When the next probe is due.
    pub(super) fn next_probe(&self, now: Instant) -> Option<Instant> {
        self.0.iter().map(|pause| pause.probe).filter(|probe| *probe > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touchpoint_is_left_alone_between_probes_that_grow_apart() {
        let (mut now, second) = (Instant::now(), Duration::from_secs(1));
        let guid = |digit: &str| -> Guid {
            format!("{}-0000-0000-0000-000000000000", digit.repeat(8)).parse().unwrap()
        };
        let (ours, other) = (guid("a"), guid("b"));
        let mut pauses = Pauses::default();
        assert!(pauses.refused(&ours, now, second));
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert!(pauses.holds(&ours, now) && !pauses.holds(&other, now));
            let probe = pauses.next_probe(now).unwrap();
            waits.push((probe - now).as_secs());
            now = probe;
            assert!(!pauses.holds(&ours, now) && pauses.contains(&ours));
            assert!(!pauses.refused(&ours, now, second));
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert!(pauses.allowed(&guid("A")), "GUIDs have no case");
        assert!(!pauses.allowed(&ours) && pauses.next_probe(now).is_none());
    }
}
