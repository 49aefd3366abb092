//! When a lane's next call may leave, so that calls *arrive* at least one interval apart.
//!
//! The platform counts arrivals, and between a departure and its arrival lies a way of unknown
//! length. The last call arrived before its reply left, so waiting `interval` from the reply is
//! always safe, but wastes the way back and forth each time. The way that every call needs at least
//! (the smallest round trip seen) can be given back: the next call leaves at the later of
//! `last send + interval` and `last reply + interval - smallest round trip`, plus a guard, which a
//! 429 widens and quiet narrows. A call that was lost has no reply: its end counts as one.
//!
//! Pure: moments come in, moments go out.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Round trips that are remembered; the smallest of them counts.
const WINDOW: usize = 128;
/// Round trips needed before the smallest one is trusted.
const WARM_UP: usize = 16;
/// How many times the expected error of the smallest round trip is taken off.
const DOUBT: u32 = 8;
/// A call that leaves so long after the last reply goes over the same connection; another one may have to be made first, and
/// then its round trip is more than the way there and back.
const WARM: Duration = Duration::from_secs(3);
/// Calls without a 429 after which the guard narrows.
const QUIET: u32 = 50;

/// A lane's pacer.
#[derive(Clone, Debug)]
pub struct Pacer {
    interval: Duration,
    guard: Duration,
    quiet: u32,
    sent: Instant,
    replied: Instant,
    /// When the last call ended whose connection is used again.
    answered: Option<Instant>,
    round_trips: VecDeque<Duration>,
}

impl Pacer {
    /// A pacer that waits a full interval from now: nobody knows when the last call was made.
    pub fn new(interval: Duration, now: Instant) -> Self {
        Self {
            interval,
            guard: Self::least_guard(interval),
            quiet: 0,
            sent: now,
            replied: now,
            answered: None,
            round_trips: VecDeque::with_capacity(WINDOW),
        }
    }

    /// The guard that is always there: timers and clocks on both sides are no better.
    fn least_guard(interval: Duration) -> Duration {
        (interval / 500).max(Duration::from_millis(1))
    }

    /// When the next call may leave.
    pub fn next(&self) -> Instant {
        let after_reply = self.replied + self.interval.saturating_sub(self.sure_way());
        (self.sent + self.interval).max(after_reply) + self.guard
    }

    /// What is added to the interval since the platform has said 429, while that is more than always.
    pub fn widened(&self) -> Option<Duration> {
        Some(self.guard).filter(|guard| *guard > Self::least_guard(self.interval))
    }

    /// The way that every call surely needs. Among `n` round trips the smallest lies above the
    /// smallest possible one by a share of about `1/n` of their spread; several times that is left.
    fn sure_way(&self) -> Duration {
        let seen = u32::try_from(self.round_trips.len()).unwrap_or(u32::MAX);
        match (self.round_trips.iter().min(), self.round_trips.iter().max()) {
            (Some(least), Some(most)) if seen as usize >= WARM_UP => {
                least.saturating_sub(most.saturating_sub(*least) * DOUBT / seen)
            }
            _ => Duration::ZERO,
        }
    }

    /// Notes a call that left at `sent` and ended at `ended`.
    pub fn called(&mut self, sent: Instant, ended: Instant, throttled: bool) {
        if self.answered.is_some_and(|before| sent.saturating_duration_since(before) <= WARM) {
            if self.round_trips.len() == WINDOW {
                self.round_trips.pop_front();
            }
            self.round_trips.push_back(ended.saturating_duration_since(sent));
        }
        self.answered = Some(ended);
        self.called_otherwise(sent, ended, throttled);
    }

    /// Notes a call whose reply takes the platform longer than the way there: its round trip tells
    /// nothing about the way.
    pub fn called_otherwise(&mut self, sent: Instant, ended: Instant, throttled: bool) {
        self.sent = sent;
        self.replied = ended;
        if throttled {
            self.quiet = 0;
            self.guard = (self.guard * 2).max(self.interval / 50).min(self.interval);
            // What was believed about the way was too short.
            self.round_trips.clear();
        } else {
            self.quiet += 1;
            if self.quiet >= QUIET {
                self.quiet = 0;
                self.guard = (self.guard / 2).max(Self::least_guard(self.interval));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_call_waits_a_full_interval() {
        let now = Instant::now();
        assert!(Pacer::new(SECOND, now).next() >= now + SECOND);
    }

    #[test]
    fn a_429_widens_the_guard_and_quiet_narrows_it_again() {
        let mut now = Instant::now();
        let mut pacer = Pacer::new(SECOND, now);
        let wait = |pacer: &Pacer, from: Instant| pacer.next() - from;
        let calm = wait(&pacer, now);
        pacer.called(now, now, true);
        let once = wait(&pacer, now);
        pacer.called(now, now, true);
        let twice = wait(&pacer, now);
        assert!(calm < once && once < twice, "{calm:?} {once:?} {twice:?}");
        for _ in 0..1_000 {
            now = pacer.next();
            pacer.called(now, now, false);
        }
        assert_eq!(wait(&pacer, now), calm);
        for _ in 0..100 {
            pacer.called(now, now, true);
        }
        assert!(wait(&pacer, now) <= 2 * SECOND, "the guard has a bound");
    }

    /// Simulates calls whose way there takes `10 ms + 0-50 ms` and whose way back 10 ms.
    fn arrivals(calls: usize, seed: u64) -> (Vec<Instant>, Duration) {
        let mut random = StdRng::seed_from_u64(seed);
        let start = Instant::now();
        let mut pacer = Pacer::new(SECOND, start);
        let mut arrivals: Vec<Instant> = Vec::new();
        for _ in 0..calls {
            let sent = pacer.next();
            let arrived = sent + Duration::from_micros(10_000 + random.random_range(0..50_000));
            let throttled = arrivals.last().is_some_and(|last| arrived - *last < SECOND);
            arrivals.push(arrived);
            pacer.called(sent, arrived + Duration::from_millis(10), throttled);
        }
        let taken = arrivals[calls - 1] - arrivals[0];
        (arrivals, taken)
    }

    #[test]
    fn what_a_connection_costs_is_not_taken_for_the_way() {
        let trip = Duration::from_millis(150);
        let mut pacer = Pacer::new(SECOND, Instant::now());
        // Each over a new connection: there and back twice before the call itself.
        let cold = |sent: Instant| (sent + trip * 5 / 2, sent + trip * 3);
        for _ in 0..40 {
            let sent = pacer.next() + SECOND * 30;
            pacer.called(sent, cold(sent).1, false);
        }
        // A call after a silence, and the next one over the same connection.
        let sent = pacer.next() + SECOND * 30;
        let (arrived, ended) = cold(sent);
        pacer.called(sent, ended, false);
        let next = pacer.next() + trip / 2;
        assert!(next >= arrived + SECOND, "{:?}", next - arrived);
    }

    #[test]
    fn under_jitter_calls_arrive_an_interval_apart_and_waste_little() {
        let mut early = 0;
        for seed in 0..20 {
            let (arrivals, taken) = arrivals(300, seed);
            early += arrivals.windows(2).filter(|pair| pair[1] - pair[0] < SECOND).count();
            let used = 299.0 / taken.as_secs_f64();
            assert!(used > 0.965, "only {used:.4} of the permitted calls were used");
        }
        assert_eq!(early, 0, "of 6,000 calls");
    }
}
