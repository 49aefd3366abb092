//! The sandbox itself: what it knows, what arrived, and who waits for what.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use shared::Language;
use tokio::sync::watch;
use tokio::time::Instant;

use super::arrival::Brought;
use super::misbehave::{InForce, scattered};
use super::throttle::Throttle;
use super::{Answer, Arrival, Counts, Misbehaviour, Reports, Respondent, Settings, Token, Touchpoint};

/// A fake platform; clones are the same one.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Shared>,
}

struct Shared {
    known: RwLock<Known>,
    keep: usize,
    /// Wall-clock time is read once and goes on with the monotonic clock.
    started: (Timestamp, Instant),
    /// Held for moments only, never across an await, a page or a report.
    state: Mutex<State>,
    /// Told after every change of the state.
    changed: watch::Sender<()>,
}

/// What answers may be for, and whose calls are taken.
#[derive(Default)]
struct Known {
    /// Each keeps its place, by which arrivals are told apart.
    tokens: Vec<Token>,
    touchpoints: Vec<Arc<Touchpoint>>,
}

struct State {
    interval: Duration,
    jitter: Duration,
    /// Requests whose head was there; some may still be on their made-up way.
    requests: u64,
    reports: Reports,
    throttle: Throttle,
    misbehaviour: Option<InForce>,
    /// Consecutive numbers, the newest at the end.
    arrivals: VecDeque<Arrival>,
    answers: VecDeque<Answer>,
    respondents: VecDeque<Respondent>,
    counts: Counts,
}

/// Counts only: neither tokens nor answers.
impl fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Sandbox").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// A sandbox that nothing has reached yet.
    pub fn new(settings: Settings) -> Self {
        let state = State {
            interval: settings.interval,
            jitter: settings.jitter,
            requests: 0,
            reports: settings.reports,
            throttle: Throttle::default(),
            misbehaviour: None,
            arrivals: VecDeque::new(),
            answers: VecDeque::new(),
            respondents: VecDeque::new(),
            counts: Counts::default(),
        };
        let shared = Shared {
            known: RwLock::default(),
            keep: settings.keep.max(1),
            started: (wall_clock(), Instant::now()),
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
        };
        let sandbox = Self { shared: Arc::new(shared) };
        sandbox.know(settings.tokens, settings.touchpoints);
        sandbox
    }

    /// Knows these tokens and touchpoints from the next call on, and no others. What has arrived stays.
    pub fn know(&self, tokens: Vec<Token>, touchpoints: Vec<Touchpoint>) {
        let mut known = self.shared.known.write().unwrap_or_else(PoisonError::into_inner);
        for old in &mut known.tokens {
            (old.touchpoints, old.calls) = (Some(Vec::new()), Some(Vec::new()));
        }
        for token in tokens {
            match known.tokens.iter_mut().find(|old| old.is(token.secret.expose_secret())) {
                Some(old) => *old = token,
                None => known.tokens.push(token),
            }
        }
        known.touchpoints = touchpoints.into_iter().map(Arc::new).collect();
        drop(known);
        self.shared.changed.send_replace(());
    }

    /// The calls that are remembered, in the order of arrival; some may still be worked on.
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.state().arrivals.iter().cloned().collect()
    }

    /// The answers that are remembered, in the order in which they were stored.
    pub fn answers(&self) -> Vec<Answer> {
        self.state().answers.iter().cloned().collect()
    }

    /// The respondents that are remembered, in the order in which they were stored.
    pub fn respondents(&self) -> Vec<Respondent> {
        self.state().respondents.iter().cloned().collect()
    }

    /// Puts an answer in as if it had arrived at some time; it has passed no check.
    pub fn put(&self, touchpoint: &str, language: Language, time: Timestamp, json: Value) {
        self.change(|state| {
            let answer = Answer {
                // Out of the way of arrivals' numbers.
                arrival: (1 << 40) + state.counts.stored,
                at: self.shared.started.1,
                time,
                touchpoint: touchpoint.to_owned(),
                language,
                json: Arc::new(json),
            };
            state.counts.stored += 1;
            keep(&mut state.answers, [answer], self.shared.keep);
        });
    }

    /// What has been counted since the start.
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Waits until so many calls are done with, and returns what is there then, or at the deadline.
    pub async fn arrived(&self, calls: u64, deadline: Duration) -> Vec<Arrival> {
        self.until(deadline, |counts| counts.done >= calls).await;
        self.arrivals()
    }

    /// Waits until so many answers are stored, and returns what is there then, or at the deadline.
    pub async fn answered(&self, answers: u64, deadline: Duration) -> Vec<Answer> {
        self.until(deadline, |counts| counts.stored >= answers).await;
        self.answers()
    }

    /// Waits for a condition; false, if it has not come true at the deadline.
    pub async fn until(&self, deadline: Duration, condition: impl Fn(&Counts) -> bool) -> bool {
        let mut changes = self.shared.changed.subscribe();
        let met = async { changes.wait_for(|()| condition(&self.counts())).await.is_ok() };
        tokio::time::timeout(deadline, met).await.unwrap_or(false)
    }

    /// Misbehaves from the next call on, in the place of any misbehaviour before.
    pub fn misbehave(&self, misbehaviour: impl Into<Misbehaviour>) {
        let in_force = InForce::new(misbehaviour.into(), Instant::now());
        self.change(|state| state.misbehaviour = Some(in_force));
    }

    /// Ends any misbehaviour.
    pub fn behave(&self) {
        self.change(|state| state.misbehaviour = None);
    }

    /// The misbehaviour in force, and how many calls and how much time it has left.
    pub fn misbehaviour(&self) -> Option<(Misbehaviour, Option<u64>, Option<Duration>)> {
        let now = Instant::now();
        let in_force = self.state().misbehaviour.clone().filter(|in_force| !in_force.is_over(now))?;
        let time = in_force.until.map(|until| until.saturating_duration_since(now));
        Some((in_force.misbehaviour, in_force.left, time))
    }

    /// The throttle's interval.
    pub fn interval(&self) -> Duration {
        self.state().interval
    }

    /// Changes the throttle from the next call on; zero switches it off.
    pub fn set_interval(&self, interval: Duration) {
        self.change(|state| state.interval = interval);
    }

    /// Changes how long requests are on their way, from the next one on.
    pub fn set_jitter(&self, jitter: Duration) {
        self.change(|state| state.jitter = jitter);
    }

    /// How stored answers are handed back.
    pub fn reports(&self) -> Reports {
        self.state().reports.clone()
    }

    /// Changes how stored answers are handed back.
    pub fn set_reports(&self, reports: Reports) {
        self.change(|state| state.reports = reports);
    }

    /// The touchpoints it knows.
    pub fn touchpoints(&self) -> Vec<Arc<Touchpoint>> {
        self.known().touchpoints.clone()
    }

    pub(super) fn touchpoint(&self, guid: &str) -> Option<Arc<Touchpoint>> {
        self.known().touchpoints.iter().find(|touchpoint| touchpoint.guid.eq_ignore_ascii_case(guid)).cloned()
    }

    /// The place of a token.
    pub(super) fn token(&self, secret: &str) -> Option<usize> {
        self.known().tokens.iter().position(|token| token.is(secret))
    }

    /// The token at a place.
    pub(super) fn token_at(&self, place: usize) -> Option<Token> {
        self.known().tokens.get(place).cloned()
    }

    /// Whether a text gives a token away.
    pub(super) fn gives_away(&self, text: &str) -> bool {
        self.known().tokens.iter().any(|token| token.is_within(text))
    }

    /// The wall-clock time of a moment.
    pub(super) fn time(&self, moment: Instant) -> Timestamp {
        let (time, started) = self.shared.started;
        time.checked_add(moment.saturating_duration_since(started)).unwrap_or(Timestamp::MAX)
    }

    /// How long the next request is still on its way.
    pub(super) fn way(&self) -> Duration {
        let mut state = self.state();
        state.requests += 1;
        state.jitter.mul_f64(scattered(state.requests))
    }

    /// Notes an arrival: gives it its number and its gap, and the fault it meets.
    pub(super) fn arrive(&self, arrival: Arrival) -> Arrival {
        self.change(|state| {
            let mut arrival = arrival;
            state.counts.arrived += 1;
            arrival.number = state.counts.arrived;
            if let Some(token) = arrival.token {
                let gap = state.throttle.arrival(token, arrival.at, state.interval);
                (arrival.gap, arrival.early) = (gap.since, gap.early);
                state.counts.early += u64::from(gap.early);
                state.counts.smallest_gap = state.counts.smallest_gap.into_iter().chain(gap.since).min();
            }
            let in_force = state.misbehaviour.as_mut();
            arrival.fault = in_force.and_then(|it| it.strike(arrival.number, arrival.call, arrival.at));
            state.counts.struck += u64::from(arrival.fault.is_some());
            if state.arrivals.len() >= self.shared.keep {
                state.arrivals.pop_front();
            }
            state.arrivals.push_back(arrival.clone());
            arrival
        })
    }

    /// Notes what became of an arrival, with what it brought.
    pub(super) fn finish(&self, mut arrival: Arrival, brought: Brought) {
        arrival.done = true;
        arrival.stored = brought.is_some();
        self.change(|state| {
            state.counts.done += 1;
            state.counts.stored += u64::from(brought.answer.is_some());
            state.counts.respondents += brought.respondents.len() as u64;
            keep(&mut state.answers, brought.answer, self.shared.keep);
            keep(&mut state.respondents, brought.respondents, self.shared.keep);
            let first = state.arrivals.front().map_or(u64::MAX, |first| first.number);
            let place = arrival.number.checked_sub(first).and_then(|place| usize::try_from(place).ok());
            if let Some(place) = place.and_then(|place| state.arrivals.get_mut(place)) {
                *place = arrival;
            }
        });
    }

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.shared.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        // The lock is gone before anybody who waits is woken: they look at the state at once.
        let result = change(&mut self.state());
        self.shared.changed.send_replace(());
        result
    }
}

/// Adds to what is kept, and forgets the oldest of it.
fn keep<T>(kept: &mut VecDeque<T>, new: impl IntoIterator<Item = T>, most: usize) {
    kept.extend(new);
    kept.drain(..kept.len().saturating_sub(most));
}

#[expect(clippy::disallowed_methods, reason = "the sandbox stands apart from the server and its clock")]
fn wall_clock() -> Timestamp {
    Timestamp::now()
}
