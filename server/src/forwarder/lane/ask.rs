//! Asking: looking up at the platform what may have arrived.
//!
//! The call goes through the lane's pacer as every other one. Once the platform has begun to answer
//! the lane goes on, and the reply is read by a task of its own: a month's responses block nobody.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, from_slice};
use shared::SurveyId;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use uuid::Uuid;

use super::Lane;
use crate::accepted::Accepted;
use crate::config::{ContextKey, Guid, MetadataSource, OnUnknown};
use crate::forwarder::decision::{Case, send_again};
use crate::forwarder::look_up::{self, ENTRIES, Evidence, Finding, Seen, WITNESSES, Window};
use crate::forwarder::report::trouble;
use crate::platform::{Client, GetAllError, Outcome, Response};
use crate::queue::{Attempt, QueueError, Settlement, Unknown};

/// So many failed look-ups in a row, while answers are taken, are a refusal.
const PATIENCE: u32 = 10;

/// A lane's look-ups.
#[derive(Default)]
pub(super) struct LookUps {
    /// When each survey's unknown entries are to be looked up; `None` until it is read from the queue.
    wanted: Option<Vec<(SurveyId, Timestamp)>>,
    /// Touchpoints that were looked up, and are left alone for a while.
    rests: Vec<Rest>,
    flight: Option<Flight>,
}

struct Rest {
    touchpoint: Guid,
    until: Instant,
    failures: u32,
}

/// A look-up that is under way.
struct Flight {
    touchpoint: Guid,
    entries: Vec<Unknown>,
    witnesses: Vec<(Uuid, Timestamp)>,
    window: Window,
    asked_at: Timestamp,
    reading: JoinHandle<Seen>,
    seen: Option<Seen>,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl LookUps {
    /// Something may have changed in the queue.
    pub(super) fn read_again(&mut self) {
        self.wanted = None;
    }

    /// Returns once the reply of a look-up is read.
    pub(super) async fn landed(&mut self) {
        match &mut self.flight {
            Some(flight) if flight.seen.is_none() => {
                flight.seen = Some((&mut flight.reading).await.unwrap_or(Seen::Failed));
            }
            _ => std::future::pending().await,
        }
    }

    fn rest(&self, touchpoint: &Guid) -> Option<&Rest> {
        self.rests.iter().find(|rest| rest.touchpoint == *touchpoint)
    }

    /// Leaves a touchpoint alone, longer after each failure in a row; returns their number.
    fn let_rest(&mut self, touchpoint: &Guid, now: Instant, interval: Duration, failed: bool) -> u32 {
        let before = self.rest(touchpoint).map_or(0, |rest| rest.failures);
        let failures = if failed { before.saturating_add(1) } else { 0 };
        self.rests.retain(|rest| rest.touchpoint != *touchpoint);
        let until = now + look_up::pause(interval, failures);
        self.rests.push(Rest { touchpoint: touchpoint.clone(), until, failures });
        failures
    }
}

impl Lane {
    /// The touchpoint to be looked up next, and when; one look-up at a time.
    pub(super) async fn wanted(&mut self, now: Instant) -> Result<Option<(Guid, Instant)>, QueueError> {
        if self.look_ups.flight.is_some() {
            return Ok(None);
        }
        if self.look_ups.wanted.is_none() {
            let wanted = self.queue.look_ups(&self.platform.name).await?;
            self.give_up_orphans(&wanted).await?;
            self.look_ups.wanted = Some(wanted);
        }
        let wanted = self.look_ups.wanted.iter().flatten().filter_map(|(survey, due)| {
            let touchpoint = &self.survey(survey)?.touchpoint;
            let wait = Duration::try_from(due.duration_since(self.clock.at(now))).unwrap_or_default();
            let rest = self.look_ups.rest(touchpoint).map_or(now, |rest| rest.until);
            Some((touchpoint, (now + wait).max(rest)))
        });
        let next = wanted.min_by_key(|(_, at)| *at);
        Ok(next.map(|(touchpoint, at)| (touchpoint.clone(), at)))
    }

    /// Parks what belongs to surveys that are configured no more: nobody knows where to look.
    async fn give_up_orphans(&self, wanted: &[(SurveyId, Timestamp)]) -> Result<(), QueueError> {
        let orphans: Vec<SurveyId> =
            wanted.iter().map(|(survey, _)| survey.clone()).filter(|id| self.survey(id).is_none()).collect();
        if orphans.is_empty() {
            return Ok(());
        }
        for unknown in self.queue.unknown(&self.platform.name, &orphans, ENTRIES).await? {
            let words = "it may have arrived, and its survey is not configured any more";
            let attempt = self.finding("undecidable", Some(words));
            self.queue.settle(&self.platform.name, unknown.entry.id, Settlement::Parked, attempt).await?;
        }
        Ok(())
    }

    fn finding(&self, verdict: &'static str, words: Option<&str>) -> Attempt {
        let error = words.map(str::to_owned);
        Attempt { at: self.clock.now(), verdict: verdict.into(), status: None, error }
    }

    /// Asks the platform what it has of a touchpoint; returns as soon as the next call may be thought of.
    pub(super) async fn look_up(&mut self, touchpoint: &Guid) -> Result<(), QueueError> {
        let (lane, interval) = (self.platform.name.clone(), self.platform.interval);
        let surveys = self.surveys.iter().filter(|survey| survey.touchpoint == *touchpoint);
        let surveys: Vec<SurveyId> = surveys.map(|survey| survey.id.clone()).collect();
        let mut entries = self.queue.unknown(&lane, &surveys, ENTRIES).await?;
        let asked_at = self.clock.now();
        let settled = asked_at.checked_sub(self.platform.settle).unwrap_or(Timestamp::MIN);
        let before =
            entries.iter().map(|entry| entry.since).min().map_or(settled, |since| since.min(settled));
        let witnesses = self.queue.delivered(&lane, &surveys, before, WITNESSES).await?;
        let Some(window) = Window::of(&entries, witnesses.first().map(|(_, at)| *at)) else {
            self.look_ups.read_again();
            return Ok(());
        };
        let keys = self.keys(&surveys, &mut entries);
        let sought: HashSet<Uuid> = entries
            .iter()
            .map(|unknown| unknown.entry.submission)
            .chain(witnesses.iter().map(|w| w.0))
            .collect();
        if !self.holds() {
            return Err(QueueError::NotOwner(lane));
        }

        let sent = Instant::now();
        let (answering, answered) = oneshot::channel();
        let asking = ask(self.client.clone(), touchpoint.clone(), window.clone(), keys, sought, answering);
        let reading = tokio::spawn(asking);
        // The call arrived long before the platform begins to answer. If it takes its time with that,
        // the lane does not wait for it: after a few intervals the arrival is long over.
        let outcome = tokio::time::timeout((interval * 5).min(self.platform.timeout), answered).await;
        let ended = Instant::now();
        let refusal = outcome.ok().and_then(Result::ok).flatten();
        let throttled = matches!(&refusal, Some(Outcome::Reply(reply)) if reply.status == 429);
        self.measure(sent);
        self.pacer.called_otherwise(sent, ended, throttled);
        if let Some(Outcome::Reply(reply)) = &refusal
            && reply.retry_after.is_some()
        {
            self.outage.failed(ended, interval, reply.retry_after);
        }
        let last_call = self.clock.at(sent);
        self.set(|report| (report.last_call, report.last_verdict) = (Some(last_call), Some("look-up")));
        let touchpoint = touchpoint.clone();
        self.look_ups.flight =
            Some(Flight { touchpoint, entries, witnesses, window, asked_at, reading, seen: None });
        Ok(())
    }

    /// The metadata keys under which submissions of these surveys are found; takes the bodies away.
    fn keys(&self, surveys: &[SurveyId], entries: &mut [Unknown]) -> HashSet<String> {
        let configured = surveys.iter().filter_map(|id| self.survey(id)).flat_map(|survey| &survey.metadata);
        let configured = configured
            .filter(|rule| matches!(rule.source, MetadataSource::Context(ContextKey::Submission)))
            .map(|rule| rule.key.clone());
        let mut keys: HashSet<String> = configured.collect();
        for unknown in entries {
            let body = std::mem::take(&mut unknown.entry.body);
            if let Ok(accepted) = from_slice::<Accepted>(&body) {
                keys.extend(accepted.keys_of(unknown.entry.submission).map(str::to_owned));
            }
        }
        keys
    }

    /// Draws the conclusions of a look-up whose reply is read. If the store fails on the way, the rest
    /// is concluded later.
    pub(super) async fn conclude(&mut self) -> Result<(), QueueError> {
        let Some(flight) = self.look_ups.flight.take_if(|flight| flight.seen.is_some()) else {
            return Ok(());
        };
        let concluded = self.conclude_from(&flight).await;
        if concluded.is_err() {
            self.look_ups.flight = Some(flight);
        } else {
            self.look_ups.read_again();
        }
        concluded
    }

    async fn conclude_from(&mut self, flight: &Flight) -> Result<(), QueueError> {
        let now = Instant::now();
        let Some(seen) = &flight.seen else { return Ok(()) };
        let failed = !matches!(seen, Seen::Shown(_));
        let failures = self.look_ups.let_rest(&flight.touchpoint, now, self.platform.interval, failed);
        let given_up = *seen == Seen::Failed && failures >= PATIENCE && self.succeeded_lately(now);
        let seen = if given_up { &Seen::Refused } else { seen };
        let proven = self.proven(flight, seen).await?;
        let (window, asked_at, settle) = (&flight.window, flight.asked_at, self.platform.settle);
        let evidence = Evidence { seen, window, asked_at, proven, settle };
        let outcome = match seen {
            Seen::Shown(_) => "shown",
            Seen::Failed => "failed",
            Seen::Refused => "refused",
        };
        let lane = self.platform.name.to_string();
        metrics::counter!("afterword_look_ups_total", "lane" => lane, "outcome" => outcome).increment(1);
        tracing::info!(lane = %self.platform.name, touchpoint = %flight.touchpoint, outcome, proven,
            entries = flight.entries.len(), "look-up");
        for unknown in &flight.entries {
            self.apply(unknown, look_up::judge(unknown, &evidence)).await?;
        }
        Ok(())
    }

    /// Whether read-back is proven for the touchpoint, by this look-up or an earlier one.
    async fn proven(&self, flight: &Flight, seen: &Seen) -> Result<bool, QueueError> {
        let lane = &self.platform.name;
        let name = format!("read-back of {}", flight.touchpoint.as_str().to_ascii_lowercase());
        let before = self.queue.recall(lane, &name).await?.as_deref() == Some("proven");
        let proven = look_up::proven(before, seen, &flight.window, &flight.witnesses);
        if proven != before {
            self.queue.remember(lane, &name, if proven { "proven" } else { "unproven" }).await?;
            if !proven {
                tracing::warn!(%lane, touchpoint = %flight.touchpoint,
                    "a look-up does not show what is known to be delivered: what is not shown counts as unknown");
            }
        }
        Ok(proven)
    }

    /// Moves an entry on as a look-up has found it.
    async fn apply(&mut self, unknown: &Unknown, finding: Finding) -> Result<(), QueueError> {
        let (lane, id) = (self.platform.name.clone(), unknown.entry.id);
        let now = self.clock.now();
        let on_unknown = self.survey(&unknown.entry.survey).map(|survey| survey.on_unknown);
        let (settlement, verdict, words) = match finding {
            Finding::Open => {
                let due = look_up::next(now, unknown.until, self.platform.interval, self.platform.settle);
                return self.queue.postpone(&lane, &[id], due).await;
            }
            Finding::Found => (Settlement::Delivered, "found", None),
            Finding::Absent => {
                (self.again(unknown, now), "absent", Some("looked up: it did not arrive, and is sent again"))
            }
            Finding::Undecidable if on_unknown == Some(OnUnknown::Resend) => {
                let words =
                    "it may have arrived, which cannot be looked up; it is sent again, as the survey says";
                (self.again(unknown, now), "undecidable", Some(words))
            }
            Finding::Undecidable => {
                let words = "it may have arrived, which cannot be looked up; an operator has to decide";
                (Settlement::Parked, "undecidable", Some(words))
            }
        };
        tracing::info!(%lane, survey = %unknown.entry.survey, submission = %unknown.entry.submission,
            verdict, ?settlement, "looked up");
        metrics::counter!("afterword_looked_up_total", "lane" => lane.to_string(), "finding" => verdict)
            .increment(1);
        match self.queue.settle(&lane, id, settlement, self.finding(verdict, words)).await {
            // An operator was faster.
            Err(QueueError::NotSending(_)) => Ok(()),
            settled => settled,
        }
    }

    fn again(&mut self, unknown: &Unknown, now: Timestamp) -> Settlement {
        send_again(&Case {
            attempts: unknown.entry.attempts,
            accepted_at: unknown.entry.accepted_at,
            on_unknown: OnUnknown::Resend,
            look_up: None,
            others_succeed: self.succeeded_lately(Instant::now()),
            now,
            interval: self.platform.interval,
            jitter: 0.5,
        })
    }
}

/// Asks, says when the platform has begun to answer, and reads which of those sought it shows.
async fn ask(
    client: Client,
    touchpoint: Guid,
    window: Window,
    keys: HashSet<String>,
    sought: HashSet<Uuid>,
    answering: oneshot::Sender<Option<Outcome>>,
) -> Seen {
    let responses = match client.get_all(&touchpoint, window.from, window.to).await {
        Ok(responses) => responses,
        Err(error) => {
            let seen = failure(&error);
            let outcome = if let GetAllError::Call(outcome) = error { Some(outcome) } else { None };
            let reason = outcome.as_ref().map(trouble);
            tracing::warn!(%touchpoint, reason, ?seen, "a look-up failed");
            // The lane has gone on if it does not listen any more.
            answering.send(outcome).ok();
            return seen;
        }
    };
    answering.send(None).ok();
    let (found, shown) = std::sync::mpsc::channel();
    let each = move |response: Response| {
        let values = keys.iter().filter_map(|key| response.key_values.get(key)).filter_map(Value::as_str);
        for id in values.filter_map(|value| Uuid::try_parse(value.trim()).ok()) {
            if sought.contains(&id) {
                // The other end lives until the reply is read.
                found.send(id).ok();
            }
        }
    };
    match responses.each(each).await {
        Ok(()) => Seen::Shown(shown.iter().collect()),
        Err(error) => {
            tracing::warn!(%touchpoint, %error, "a look-up's reply could not be read");
            failure(&error)
        }
    }
}

fn failure(error: &GetAllError) -> Seen {
    match error {
        GetAllError::Call(Outcome::Reply(reply)) if matches!(reply.status, 408 | 429 | 500..=599) => {
            Seen::Failed
        }
        GetAllError::Call(Outcome::NotSent(_) | Outcome::Lost(_)) => Seen::Failed,
        GetAllError::Call(Outcome::Reply(_)) | GetAllError::Read(_) | GetAllError::Window => Seen::Refused,
    }
}
