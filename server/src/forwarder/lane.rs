//! A lane's owner: the loop that works through one token's entries.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::from_slice;
use shared::SurveyId;
use tokio::sync::watch;
use tokio::time::Instant;

use super::decision::{Case, decide, longest_delay};
use super::outage::Outage;
use super::pacer::Pacer;
use super::pause::Pauses;
use super::verdict::{Verdict, verdict};
use crate::accepted::Accepted;
use crate::clock::{self, Clock};
use crate::config::{OnUnknown, Platform, Survey};
use crate::platform::{AddAnswer, Client, Outcome};
use crate::queue::{Attempt, Due, Entry, EntryId, Queue, QueueError, Settlement};

/// How long an entry may be marked `sending` before its call leaves, so that the commit does not
/// cost the lane time. A quarter of the interval, if that is less.
const LEAD: Duration = Duration::from_millis(20);
/// How long the lane leaves a store alone that has failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// The longest that anything is delayed: a `Retry-After` counts up to a day.
const LONGEST_WAIT: Duration = Duration::from_hours(24);
/// How often a verdict in hand is offered to a failing store when the lane stops.
const LAST_TRIES: u32 = 5;

/// What a lane is doing, for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneState {
    /// Nothing waits.
    Idle,
    /// It works at its pace.
    Working,
    /// The platform fails; it is probed.
    Probing,
    /// The platform refuses the token for everything that waits.
    Paused,
    /// The queue's store fails.
    StoreFailing,
    /// The owner has stopped.
    Stopped,
}

/// How a lane stands, for operators.
#[derive(Clone, Debug)]
pub struct LaneReport {
    /// What it is doing.
    pub state: LaneState,
    /// The surveys whose touchpoints refuse the token.
    pub paused: Vec<SurveyId>,
    /// When the last call left.
    pub last_call: Option<jiff::Timestamp>,
    /// The last verdict's name.
    pub last_verdict: Option<&'static str>,
    /// What went wrong last, until the platform takes a call again.
    pub trouble: Option<String>,
    /// When the next call may leave, if something waits.
    pub next_call: Option<jiff::Timestamp>,
}

/// A lane's owner.
pub struct Lane {
    platform: Arc<Platform>,
    surveys: Vec<Arc<Survey>>,
    client: Client,
    queue: Arc<dyn Queue>,
    clock: Clock,
    pacer: Pacer,
    outage: Outage,
    pauses: Pauses,
    /// The last call's verdict, until it is stored.
    unsettled: Option<(EntryId, Settlement, Attempt)>,
    last_success: Option<Instant>,
    last_call: Option<Instant>,
    /// Spreads retries; nothing depends on its being unpredictable.
    random: StdRng,
    report: watch::Sender<LaneReport>,
}

impl Lane {
    /// An owner for a platform's lane; `surveys` are all that are configured.
    pub fn new(
        platform: Arc<Platform>,
        surveys: Vec<Arc<Survey>>,
        client: Client,
        queue: Arc<dyn Queue>,
        clock: Clock,
    ) -> Self {
        let pacer = Pacer::new(platform.interval, Instant::now());
        let report = LaneReport {
            state: LaneState::Idle,
            paused: Vec::new(),
            last_call: None,
            last_verdict: None,
            trouble: None,
            next_call: None,
        };
        Self {
            platform,
            surveys,
            client,
            queue,
            clock,
            pacer,
            outage: Outage::default(),
            pauses: Pauses::default(),
            unsettled: None,
            last_success: None,
            last_call: None,
            random: rand::make_rng(),
            report: watch::Sender::new(report),
        }
    }

    /// How the lane stands, as it changes.
    pub fn report(&self) -> watch::Receiver<LaneReport> {
        self.report.subscribe()
    }

    /// Works until told to stop; the call in flight ends first, the rest stays in the queue.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut stirred = self.queue.stirred(&self.platform.name);
        let mut recovered = false;
        while !*stop.borrow() {
            let wake = match self.step(&mut recovered).await {
                Ok(wake) => wake,
                Err(error) => {
                    tracing::error!(lane = %self.platform.name, %error, "the queue's store fails");
                    self.set(|report| {
                        report.state = LaneState::StoreFailing;
                        report.trouble = Some(error.to_string());
                    });
                    Wake::At(Instant::now() + STORE_PAUSE)
                }
            };
            // A signal that came during the step is seen here, since it marks the channel changed.
            tokio::select! {
                () = wake.at() => {}
                _ = stirred.changed(), if wake.on_entry() => {}
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
        self.settle_last().await;
        self.set(|report| report.state = LaneState::Stopped);
    }

    /// Stores a verdict that is still in hand when the lane stops: without it the entry would be sent again.
    async fn settle_last(&mut self) {
        for _ in 0..LAST_TRIES {
            match self.settle().await {
                Ok(()) => return,
                Err(error) => tracing::error!(lane = %self.platform.name, %error, "the queue's store fails"),
            }
            tokio::time::sleep(STORE_PAUSE).await;
        }
        if let Some((id, settlement, _)) = &self.unsettled {
            tracing::error!(lane = %self.platform.name, entry = %id, ?settlement, "a verdict could not be stored");
        }
    }

    /// Makes at most one call; says when to step again.
    async fn step(&mut self, recovered: &mut bool) -> Result<Wake, QueueError> {
        if !*recovered {
            self.recover().await?;
            *recovered = true;
        }
        self.settle().await?;
        let now = Instant::now();
        let skip = self.skipped(now);
        match self.queue.due(&self.platform.name, self.clock.at(now), &skip).await? {
            Due::Never => {
                let probe = self.pauses.next_probe(now);
                let state = if skip.is_empty() { LaneState::Idle } else { LaneState::Paused };
                self.set(|report| (report.state, report.next_call) = (state, None));
                return Ok(probe.map_or(Wake::OnEntry, Wake::OnEntryOrAt));
            }
            Due::At(due) => {
                let wait = due.duration_since(self.clock.at(now)).unsigned_abs();
                let wake = self.pauses.next_probe(now).map_or(now + wait, |probe| probe.min(now + wait));
                let state = if self.outage.failures() > 0 { LaneState::Probing } else { LaneState::Working };
                self.set(|report| (report.state, report.next_call) = (state, Some(due)));
                return Ok(Wake::OnEntryOrAt(wake));
            }
            Due::Now => {}
        }
        let leave = self.next_call();
        let next_call = self.clock.at(leave);
        let state = if self.outage.failures() > 0 { LaneState::Probing } else { LaneState::Working };
        self.set(|report| (report.state, report.next_call) = (state, Some(next_call)));
        let reserve_at = leave - LEAD.min(self.platform.interval / 4);
        if reserve_at > now {
            return Ok(Wake::At(reserve_at));
        }
        let Some(entry) = self.queue.reserve(&self.platform.name, self.clock.now(), &skip).await? else {
            return Ok(Wake::At(now));
        };
        self.forward(entry, leave).await?;
        Ok(Wake::At(Instant::now()))
    }

    /// Settles what a process that ended had in flight: nobody knows whether it arrived.
    async fn recover(&mut self) -> Result<(), QueueError> {
        let latest = clock::later(self.clock.now(), LONGEST_WAIT.max(longest_delay(self.platform.interval)));
        self.queue.bring_forward(&self.platform.name, latest).await?;
        for entry in self.queue.interrupted(&self.platform.name).await? {
            let park = self.survey(&entry).is_some_and(|survey| survey.on_unknown == OnUnknown::Park);
            let now = self.clock.now();
            let settlement = if park { Settlement::Parked } else { Settlement::Later(now) };
            tracing::warn!(lane = %self.platform.name, submission = %entry.submission, ?settlement,
                "found in flight after an unclean stop: it may have arrived");
            let error = Some("the server stopped while the call was in flight".to_owned());
            let attempt = Attempt { at: now, verdict: Verdict::Unknown.name().into(), status: None, error };
            self.queue.settle(&self.platform.name, entry.id, settlement, attempt).await?;
        }
        Ok(())
    }

    fn survey(&self, entry: &Entry) -> Option<&Arc<Survey>> {
        self.surveys.iter().find(|survey| survey.id == entry.survey)
    }

    /// The surveys to leave alone, since their touchpoint refuses the token.
    fn skipped(&self, now: Instant) -> Vec<SurveyId> {
        let held = self.surveys.iter().filter(|survey| self.pauses.holds(&survey.touchpoint, now));
        held.map(|survey| survey.id.clone()).collect()
    }

    fn next_call(&self) -> Instant {
        let paced = self.pacer.next();
        self.outage.not_before().map_or(paced, |probe| probe.max(paced))
    }

    /// Calls the platform for an entry once the moment has come, and settles it.
    async fn forward(&mut self, entry: Entry, leave: Instant) -> Result<(), QueueError> {
        let survey = self.survey(&entry).cloned();
        let accepted: Result<Accepted, _> = from_slice(&entry.body);
        let mapped = match (&survey, &accepted) {
            (None, _) => Err(format!(
                "the survey {:?} is not configured; add it to the configuration, then retry",
                entry.survey.as_str()
            )),
            (_, Err(error)) => {
                Err(format!("the stored submission cannot be read, at column {}", error.column()))
            }
            (Some(survey), Ok(accepted)) => {
                AddAnswer::new(survey, accepted).map(|body| (survey, body)).map_err(|error| error.to_string())
            }
        };
        let (survey, body) = match mapped {
            Ok(mapped) => mapped,
            Err(error) => {
                tracing::error!(lane = %self.platform.name, submission = %entry.submission, error,
                    "dead letter: it fits the configuration no more");
                let attempt = Attempt {
                    at: self.clock.now(),
                    verdict: "unmapped".into(),
                    status: None,
                    error: Some(error),
                };
                self.unsettled = Some((entry.id, Settlement::Dead, attempt));
                return self.settle().await;
            }
        };
        tokio::time::sleep_until(leave).await;
        let sent = Instant::now();
        let outcome = self.client.add_answer(&survey.touchpoint, &body).await;
        let ended = Instant::now();
        let verdict = verdict(&outcome);
        self.note(survey, &outcome, verdict, sent, ended);

        let now = self.clock.at(ended);
        let case = Case {
            attempts: entry.attempts,
            accepted_at: entry.accepted_at,
            on_unknown: survey.on_unknown,
            others_succeed: self
                .last_success
                .is_some_and(|at| ended - at < longest_delay(self.platform.interval)),
            now,
            interval: self.platform.interval,
            jitter: self.random.random(),
        };
        let settlement = decide(verdict, &case);
        if verdict == Verdict::Delivered {
            self.last_success = Some(ended);
        }
        let (status, error) = describe(outcome);
        tracing::info!(lane = %self.platform.name, survey = %entry.survey, submission = %entry.submission,
            verdict = verdict.name(), status, attempt = entry.attempts,
            took_ms = u64::try_from((ended - sent).as_millis()).unwrap_or(u64::MAX), "call");
        if settlement == Settlement::Dead {
            tracing::error!(lane = %self.platform.name, survey = %entry.survey,
                submission = %entry.submission, status, "dead letter: an operator has to look at it");
        }
        let attempt = Attempt { at: now, verdict: verdict.name().into(), status, error };
        self.unsettled = Some((entry.id, settlement, attempt));
        self.settle().await
    }

    /// Takes a call's outcome into account for the calls that follow.
    fn note(&mut self, survey: &Survey, outcome: &Outcome, verdict: Verdict, sent: Instant, ended: Instant) {
        let lane = self.platform.name.to_string();
        let interval = self.platform.interval;
        if let Some(before) = self.last_call.replace(sent) {
            metrics::histogram!("afterword_call_gap_seconds", "lane" => lane.clone())
                .record((sent - before).as_secs_f64());
        }
        metrics::histogram!("afterword_call_duration_seconds", "lane" => lane.clone())
            .record((ended - sent).as_secs_f64());
        metrics::counter!("afterword_calls_total", "lane" => lane.clone(), "verdict" => verdict.name())
            .increment(1);
        let throttled = matches!(outcome, Outcome::Reply(reply) if reply.status == 429);
        self.pacer.called(sent, ended, throttled);
        match verdict {
            Verdict::Delivered | Verdict::Rejected => {
                self.outage.answered();
                if self.pauses.allowed(&survey.touchpoint) {
                    tracing::warn!(lane, survey = %survey.id, "the platform takes the token again");
                }
            }
            Verdict::Paused => {
                self.outage.answered();
                let first = self.pauses.refused(&survey.touchpoint, ended, interval);
                let message = "the platform refuses the token (401): check that it has not expired, and that \
                               it may add answers to this touchpoint; its answers wait";
                if first {
                    tracing::error!(lane, survey = %survey.id, "{message}");
                } else {
                    tracing::warn!(lane, survey = %survey.id, "{message}");
                }
            }
            Verdict::Later(asked) => self.outage.failed(ended, interval, asked),
            Verdict::Unknown => self.outage.failed(ended, interval, None),
        }
        let paused: Vec<SurveyId> = self
            .surveys
            .iter()
            .filter(|survey| {
                survey.platform == self.platform.name && self.pauses.contains(&survey.touchpoint)
            })
            .map(|survey| survey.id.clone())
            .collect();
        for survey in self.surveys.iter().filter(|survey| survey.platform == self.platform.name) {
            let value = if paused.contains(&survey.id) { 1.0 } else { 0.0 };
            metrics::gauge!("afterword_survey_paused", "lane" => lane.clone(), "survey" => survey.id.to_string())
                .set(value);
        }
        let trouble = match verdict {
            Verdict::Delivered => None,
            _ => Some(trouble(outcome)),
        };
        let last_call = self.clock.at(sent);
        self.set(|report| {
            report.paused = paused;
            report.last_call = Some(last_call);
            report.last_verdict = Some(verdict.name());
            report.trouble = trouble;
        });
    }

    /// Stores the last call's verdict. While the store fails it stays in hand, and no other call is
    /// made: what the platform said must not be forgotten.
    async fn settle(&mut self) -> Result<(), QueueError> {
        let Some((id, settlement, attempt)) = self.unsettled.clone() else { return Ok(()) };
        match self.queue.settle(&self.platform.name, id, settlement, attempt).await {
            Err(error @ QueueError::NotSending(_)) => {
                tracing::error!(lane = %self.platform.name, %error, "somebody else moved it; its verdict is dropped");
            }
            settled => settled?,
        }
        self.unsettled = None;
        Ok(())
    }

    fn set(&self, change: impl FnOnce(&mut LaneReport)) {
        self.report.send_modify(change);
    }
}

/// What wakes the lane.
enum Wake {
    At(Instant),
    OnEntry,
    OnEntryOrAt(Instant),
}

impl Wake {
    async fn at(&self) {
        match self {
            Self::At(at) | Self::OnEntryOrAt(at) => tokio::time::sleep_until(*at).await,
            Self::OnEntry => std::future::pending().await,
        }
    }

    fn on_entry(&self) -> bool {
        !matches!(self, Self::At(_))
    }
}

/// An outcome in words that hold nothing of the platform's: they may repeat a visitor's.
fn trouble(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Reply(reply) => format!("the platform answered {}", reply.status),
        Outcome::NotSent(reason) => format!("the platform cannot be reached: {reason}"),
        Outcome::Lost(reason) => format!("the connection failed during the call: {reason}"),
    }
}

/// An outcome as an attempt keeps it.
fn describe(outcome: Outcome) -> (Option<u16>, Option<String>) {
    match outcome {
        Outcome::Reply(reply) if (200..300).contains(&reply.status) => (Some(reply.status), None),
        Outcome::Reply(reply) if reply.words.is_empty() => {
            (Some(reply.status), Some(format!("HTTP {}", reply.status)))
        }
        Outcome::Reply(reply) => {
            (Some(reply.status), Some(format!("HTTP {}: {}", reply.status, reply.words)))
        }
        other => (None, Some(trouble(&other))),
    }
}
