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
use crate::clock::{self, Clock};
use crate::config::{ContextKey, Guid, MetadataSource, OnUnknown};
use crate::forwarder::decision::{Case, send_again};
use crate::forwarder::look_up::{self, ENTRIES, Ending, Evidence, Finding, Seen, WITNESSES, Window};
use crate::forwarder::report::trouble;
use crate::history::LOOK_UP;
use crate::platform::{Client, Outcome, Reply, ReportError, Response};
use crate::queue::{Attempt, EntryId, QueueError, Settlement, Unknown};

/// So many failed look-ups in a row, while answers are taken, are a refusal.
const PATIENCE: u32 = 10;

/// Submissions that are known to be delivered, and when.
type Witnesses = Vec<(Uuid, Timestamp)>;

/// A lane's look-ups.
#[derive(Default)]
pub(super) struct LookUps {
    /// When each survey's unknown entries are to be looked up; `None` until it is read from the queue.
    wanted: Option<Vec<(SurveyId, Timestamp)>>,
    /// Touchpoints that were looked up, and are left alone for a while.
    rests: Vec<Rest>,
    flight: Option<Flight>,
    orphans: bool,
}

struct Rest {
    touchpoint: Guid,
    until: Instant,
    failures: u32,
}

/// A look-up that is under way.
struct Flight {
    touchpoint: Guid,
    /// The metadata key under which they are found.
    key: String,
    entries: Vec<Unknown>,
    /// What is known to be delivered, before the entries and after them.
    witnesses: Witnesses,
    newer: Witnesses,
    window: Window,
    asked_at: Timestamp,
    reading: JoinHandle<Seen>,
    seen: Option<Seen>,
    /// Failed look-ups in a row with this one, once it is counted.
    failures: Option<u32>,
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

    /// True if something is to be looked up whose survey is not configured.
    pub(super) fn has_orphans(&self) -> bool {
        self.orphans
    }

    /// Returns once the reply of a look-up is read.
    pub(super) async fn landed(&mut self) {
        match &mut self.flight {
            Some(flight) if flight.seen.is_none() => {
                flight.seen = Some((&mut flight.reading).await.unwrap_or(Seen::nothing(Ending::Failed)));
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
            self.look_ups.orphans = wanted.iter().any(|(survey, _)| self.survey(survey).is_none());
            self.look_ups.wanted = Some(wanted);
        }
        if self.look_ups.orphans && now >= self.may_fit_until() {
            let wanted = self.look_ups.wanted.take().unwrap_or_default();
            self.give_up_orphans(&wanted).await?;
            self.look_ups.orphans = false;
            return Box::pin(self.wanted(now)).await;
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
        let surveys = self.surveys_of(touchpoint);
        let entries = self.queue.unknown(&lane, &surveys, ENTRIES).await?;
        let Some((key, entries)) = of_one_key(entries) else {
            self.look_ups.read_again();
            return Ok(());
        };
        let asked_at = self.clock.now();
        let (witnesses, newer) = self.witnesses(&surveys, &key, &entries, asked_at).await?;
        let window = Window::of(&entries, witnesses.first().map(|(_, at)| *at), &newer);
        // What this clock has missed, if the machine was stopped for a while or began with another time.
        let drift = Clock::wall().duration_since(asked_at);
        let Some(window) = window.map(|window| window.widened(drift)) else { return Ok(()) };
        let known = witnesses.iter().chain(&newer).map(|(id, _)| *id);
        let sought: HashSet<Uuid> =
            entries.iter().map(|unknown| unknown.entry.submission).chain(known).collect();
        if !self.holds() {
            return Err(QueueError::NotOwner(lane));
        }

        let sent = Instant::now();
        let (answering, answered) = oneshot::channel();
        let asking =
            ask(self.client.clone(), touchpoint.clone(), window.clone(), key.clone(), sought, answering);
        let rests = self.rests.0.clone();
        let reading = tokio::spawn(async move {
            let (seen, unheard) = asking.await;
            if let Some(Outcome::Reply(Reply { retry_after: Some(rest), .. })) = unheard {
                // The lane may have ended.
                rests.send(Instant::now() + rest).ok();
            }
            seen
        });
        let outcome = tokio::time::timeout(self.report_patience(), answered).await;
        let ended = Instant::now();
        let refusal = outcome.ok().and_then(Result::ok).flatten();
        let throttled = refusal.as_ref().is_some_and(Outcome::is_throttled);
        self.measure(sent);
        self.looked_up_last = true;
        self.pacer.called_otherwise(sent, ended, throttled);
        if let Some(Outcome::Reply(reply)) = &refusal
            && reply.retry_after.is_some()
        {
            self.outage.failed(ended, interval, reply.retry_after);
        }
        let last_call = self.clock.at(sent);
        self.set(|report| (report.last_call, report.last_verdict) = (Some(last_call), Some("look-up")));
        let touchpoint = touchpoint.clone();
        let (seen, failures) = (None, None);
        self.look_ups.flight = Some(Flight {
            touchpoint,
            key,
            entries,
            witnesses,
            newer,
            window,
            asked_at,
            reading,
            seen,
            failures,
        });
        Ok(())
    }

    /// Notes a look-up that could not be prepared, so that answers have their turn.
    pub(super) fn not_asked(&mut self, touchpoint: &Guid, error: &QueueError) {
        tracing::error!(lane = %self.platform.name, %touchpoint, %error, "a look-up could not be prepared");
        self.look_ups.let_rest(touchpoint, Instant::now(), self.platform.interval, true);
    }

    /// What is known to be delivered by surveys that are found under a key: before some entries, and after
    /// them.
    async fn witnesses(
        &self,
        surveys: &[SurveyId],
        key: &str,
        entries: &[Unknown],
        asked_at: Timestamp,
    ) -> Result<(Witnesses, Witnesses), QueueError> {
        let (lane, settle) = (&self.platform.name, self.platform.settle);
        let has_key = |id: &&SurveyId| {
            let survey = self.survey(id);
            survey.is_some_and(|survey| {
                survey.metadata.iter().any(|rule| {
                    rule.key == key && rule.source == MetadataSource::Context(ContextKey::Submission)
                })
            })
        };
        let surveys: Vec<SurveyId> = surveys.iter().filter(has_key).cloned().collect();
        let settled = asked_at.checked_sub(settle).unwrap_or(Timestamp::MIN);
        let since = entries.iter().map(|entry| entry.since).min().unwrap_or(settled);
        let until = entries.iter().map(|entry| entry.until).max().unwrap_or(settled);
        let before = self.queue.delivered(lane, &surveys, since.min(settled), WITNESSES).await?;
        let soon = clock::later(until, (settle / 4).max(self.platform.interval * 20));
        let mut newer = self.queue.delivered(lane, &surveys, soon, WITNESSES).await?;
        newer.retain(|(_, at)| *at >= since);
        Ok((before, newer))
    }

    /// Draws the conclusions of a look-up whose reply is read. If the store fails on the way, the rest
    /// is concluded later.
    pub(super) async fn conclude(&mut self) -> Result<(), QueueError> {
        let Some(mut flight) = self.look_ups.flight.take_if(|flight| flight.seen.is_some()) else {
            return Ok(());
        };
        let concluded = self.conclude_from(&mut flight).await;
        if concluded.is_err() {
            self.look_ups.flight = Some(flight);
        } else {
            self.look_ups.read_again();
        }
        concluded
    }

    async fn conclude_from(&mut self, flight: &mut Flight) -> Result<(), QueueError> {
        let now = Instant::now();
        let Some(seen) = flight.seen.clone() else { return Ok(()) };
        let failures = match flight.failures {
            Some(failures) => failures,
            None => self.count(flight, seen.ending, now),
        };
        flight.failures = Some(failures);
        let evidence = Evidence {
            seen: &seen,
            window: &flight.window,
            asked_at: flight.asked_at,
            proven: self.proven(flight, &seen).await?,
            newer: &flight.newer,
            hopeless: failures >= PATIENCE,
            takes_answers: self.succeeded_lately(now),
            settle: self.platform.settle,
        };
        let unmoved = self.unmoved(&flight.touchpoint).await?;
        let mut open = Vec::new();
        for unknown in &flight.entries {
            match look_up::judge(unknown, &evidence) {
                Finding::Found => self.apply(unknown, Finding::Found).await?,
                _ if !unmoved.contains(&(unknown.entry.id, unknown.until)) => {}
                Finding::Open => open.push(unknown),
                Finding::Absent if self.has_moved_since(unknown) => {
                    self.apply(unknown, Finding::Undecidable).await?;
                }
                finding => self.apply(unknown, finding).await?,
            }
        }
        // One look-up serves all, so all are put off until the first of them wants it.
        let (now, interval, settle) = (self.clock.now(), self.platform.interval, self.platform.settle);
        let next = |unknown: &&Unknown| look_up::next(now, unknown.until, interval, settle);
        if let Some(due) = open.iter().map(next).min() {
            let ids: Vec<EntryId> = open.iter().map(|unknown| unknown.entry.id).collect();
            self.queue.postpone(&self.platform.name, &ids, due).await?;
        }
        Ok(())
    }

    /// Those that are as they were when the platform was asked. An operator may have retried another, and
    /// its call may have been lost again: about that the look-up says nothing, but that it is there.
    async fn unmoved(&self, touchpoint: &Guid) -> Result<HashSet<(EntryId, Timestamp)>, QueueError> {
        // Those that were asked about are still the first: whatever became unknown since is due later.
        let present = self.queue.unknown(&self.platform.name, &self.surveys_of(touchpoint), ENTRIES).await?;
        Ok(present.iter().map(|unknown| (unknown.entry.id, unknown.until)).collect())
    }

    fn surveys_of(&self, touchpoint: &Guid) -> Vec<SurveyId> {
        let surveys = self.surveys.iter().filter(|survey| survey.touchpoint == *touchpoint);
        surveys.map(|survey| survey.id.clone()).collect()
    }

    /// Notes how a look-up ended; gives back how many have failed in a row.
    fn count(&mut self, flight: &Flight, ending: Ending, now: Instant) -> u32 {
        let (outcome, verdict) = (ending.name(), ending.verdict().name());
        self.recorder.other_call(&self.platform.name, LOOK_UP, verdict, flight.asked_at);
        let lane = self.platform.name.to_string();
        metrics::counter!("afterword_look_ups_total", "lane" => lane, "outcome" => outcome).increment(1);
        tracing::info!(lane = %self.platform.name, touchpoint = %flight.touchpoint, outcome,
            entries = flight.entries.len(), "look-up");
        self.look_ups.let_rest(&flight.touchpoint, now, self.platform.interval, ending != Ending::Whole)
    }

    /// Whether read-back is proven for the touchpoint, by this look-up or an earlier one.
    async fn proven(&self, flight: &Flight, seen: &Seen) -> Result<bool, QueueError> {
        let lane = &self.platform.name;
        let touchpoint = flight.touchpoint.as_str().to_ascii_lowercase();
        let name = format!("read-back of {touchpoint} by {}", flight.key);
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
            Finding::Open => return Ok(()),
            Finding::Found => (Settlement::Delivered, "found", None),
            Finding::Absent => {
                (self.again(unknown, now), "absent", Some("looked up: it did not arrive, and is sent again"))
            }
            Finding::Undecidable if on_unknown == Some(OnUnknown::Resend) => {
                let words =
                    "it may have arrived, which cannot be looked up; it is sent again, as the survey says";
                self.warn_of_a_double(&unknown.entry);
                (self.again(unknown, now), "undecidable", Some(words))
            }
            Finding::Undecidable => {
                let words = "it may have arrived, which cannot be looked up; an operator has to decide";
                (Settlement::Parked, "undecidable", Some(words))
            }
        };
        tracing::info!(%lane, survey = %unknown.entry.survey, submission = %unknown.entry.submission,
            verdict, settlement = settlement.name(), "looked up");
        metrics::counter!("afterword_looked_up_total", "lane" => lane.to_string(), "finding" => verdict)
            .increment(1);
        if !matches!(settlement, Settlement::Later(_)) {
            self.suspects.clear(id);
        }
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
            failed_among_others: self.failed_among_others(unknown.entry.id, Instant::now()),
            now,
            interval: self.platform.interval,
            jitter: 0.5,
        })
    }
}

/// Asks, says when the platform has begun to answer, and reads which of those sought it shows; with what the platform said
/// when nobody waited for it any more.
pub(super) async fn ask(
    client: Client,
    touchpoint: Guid,
    window: Window,
    key: String,
    sought: HashSet<Uuid>,
    answering: oneshot::Sender<Option<Outcome>>,
) -> (Seen, Option<Outcome>) {
    let responses = match client.get_all(&touchpoint, window.from, window.to).await {
        Ok(responses) => responses,
        Err(error) => {
            let seen = Seen::nothing(Ending::of(&error));
            let (reason, outcome) = match error {
                ReportError::Call(outcome) => (trouble(&outcome), Some(outcome)),
                other => (other.to_string(), None),
            };
            tracing::warn!(%touchpoint, reason, "a look-up failed");
            // The lane has gone on if it does not listen any more.
            return (seen, answering.send(outcome).err().flatten());
        }
    };
    answering.send(None).ok();
    let (found, shown) = std::sync::mpsc::channel();
    let each = move |response: Response| {
        let value = response.key_values.get(&key).and_then(Value::as_str);
        let id = value.and_then(|value| Uuid::try_parse(value.trim()).ok());
        if let Some(id) = id.filter(|id| sought.contains(id)) {
            // The other end lives until the reply is read.
            found.send(id).ok();
        }
    };
    let ending = match responses.each(each).await {
        Ok(()) => Ending::Whole,
        Err(error) => {
            tracing::warn!(%touchpoint, %error, "a look-up's reply could not be read to its end");
            Ending::of(&error)
        }
    };
    (Seen { found: shown.iter().collect(), ending }, None)
}

/// Those entries that are found under the same metadata key as the first, and the key; without their
/// bodies. The others have their turn at the next look-up.
fn of_one_key(entries: Vec<Unknown>) -> Option<(String, Vec<Unknown>)> {
    let mut key: Option<String> = None;
    let mut of_key = Vec::new();
    for mut unknown in entries {
        let body = std::mem::take(&mut unknown.entry.body);
        let accepted: Option<Accepted> = from_slice(&body).ok();
        let own = accepted.as_ref().and_then(|it| it.keys_of(unknown.entry.submission).next());
        let own = own.unwrap_or_default();
        if key.get_or_insert_with(|| own.to_owned()) == own {
            of_key.push(unknown);
        }
    }
    key.map(|key| (key, of_key))
}
