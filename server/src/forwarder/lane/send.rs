//! Sending: one call that adds an answer, and what it means for the entry and for the lane.

use std::sync::Arc;

use rand::RngExt;
use serde_json::from_slice;
use shared::SurveyId;
use tokio::time::Instant;

use super::{FITS_AGAIN, GRACE, Lane, Unsettled};
use crate::accepted::Accepted;
use crate::clock;
use crate::config::Survey;
use crate::forwarder::decision::{Case, decide, longest_delay};
use crate::forwarder::look_up;
use crate::forwarder::report::{describe, trouble};
use crate::forwarder::verdict::{Verdict, verdict};
use crate::platform::{AddAnswer, Outcome};
use crate::queue::{Attempt, Entry, EntryId, QueueError, Settlement};

/// After so many failed calls in a row the platform is thought to be away.
const AWAY: u32 = 3;

impl Lane {
    /// Takes the next entry, calls the platform for it once the moment has come, and settles it.
    pub(super) async fn send_next(&mut self, leave: Instant, skip: &[SurveyId]) -> Result<(), QueueError> {
        if !self.holds() {
            return Err(QueueError::NotOwner(self.platform.name.clone()));
        }
        let reserved = self.queue.reserve(&self.platform.name, self.clock.now(), skip).await;
        // What failed may have been done all the same, or may be done yet.
        self.mislaid |= matches!(reserved, Err(QueueError::Store(_) | QueueError::Stopped));
        let Some(entry) = reserved? else { return Ok(()) };
        // It may have come together with its survey.
        self.adopt_surveys();
        let survey = self.survey(&entry.survey).cloned();
        let accepted: Result<Accepted, _> = from_slice(&entry.body);
        let mapped = match (&survey, &accepted) {
            (None, _) => Err(format!(
                "the survey {:?} is not configured; add it to the configuration, then retry",
                entry.survey.as_str()
            )),
            (_, Err(error)) => Err(format!(
                "the stored submission cannot be read, at column {}: a newer version stored it, or the store is \
                     damaged; start the version that stored it, then retry",
                error.column()
            )),
            (Some(survey), Ok(accepted)) => AddAnswer::new(survey, accepted)
                .map(|body| (survey, accepted, body))
                .map_err(|error| error.to_string()),
        };
        let (survey, accepted, body) = match mapped {
            Ok(mapped) => mapped,
            Err(error) => return self.does_not_fit(&entry, error).await,
        };
        self.set(|report| report.unfit.retain(|unfit| *unfit != entry.survey));
        self.misfits.fits();
        tokio::time::sleep_until(leave).await;
        self.visitors_in_a_row = self.visitors_in_a_row.saturating_add(1);
        if !self.holds() {
            return self.put_back(&entry).await;
        }
        let sent = Instant::now();
        let outcome = self.client.add_answer(&survey.touchpoint, &body).await;
        let ended = Instant::now();
        let verdict = verdict(&outcome);
        self.note(survey, &outcome, verdict, sent, ended);
        let can_look_up = accepted.keys_of(entry.submission).next().is_some();
        self.decided(&entry, survey, &outcome, verdict, (sent, ended), can_look_up);
        self.settle().await
    }

    /// Lets an entry wait for a configuration that it fits; one that has waited for long is a dead letter.
    async fn does_not_fit(&mut self, entry: &Entry, error: String) -> Result<(), QueueError> {
        let (now, at) = (Instant::now(), self.clock.now());
        let grace = self.platform.interval * GRACE;
        let is_new = clock::later(entry.accepted_at, grace) > at;
        let (settlement, verdict) = if is_new || now < self.may_fit_until() {
            // It is tried again and again; once said, it stands on the pages until an answer to the survey fits.
            if !self.report.borrow().unfit.contains(&entry.survey) {
                tracing::warn!(lane = %self.platform.name, survey = %entry.survey, submission = %entry.submission, error,
                    "it does not fit the configuration, and waits for one that it does; so may others of its survey");
                self.set(|report| report.unfit.push(entry.survey.clone()));
            }
            let again = self.platform.interval * FITS_AGAIN;
            if self.survey(&entry.survey).is_none() {
                self.misfits.all_of(&entry.survey, now + again);
            }
            (Settlement::Later(clock::later(at, again)), "withheld")
        } else {
            tracing::error!(lane = %self.platform.name, survey = %entry.survey, submission = %entry.submission, error,
                "dead letter: it fits the configuration no more; mend that, and retry it on the page Letters or by \
                 `afterword queue retry`");
            (Settlement::Dead, "unmapped")
        };
        self.misfits.one_of(&entry.survey, now, self.platform.interval);
        let attempt = Attempt { at, verdict: verdict.into(), status: None, error: Some(error) };
        self.unsettled = Some(Unsettled { entry: entry.id, settlement, attempt });
        self.settle().await
    }

    /// Puts an entry back whose call did not leave, since the lane may be another's by now.
    async fn put_back(&mut self, entry: &Entry) -> Result<(), QueueError> {
        let now = self.clock.now();
        let error = Some("not sent: the lane's lease had ended".to_owned());
        let attempt = Attempt { at: now, verdict: "withheld".into(), status: None, error };
        tracing::warn!(lane = %self.platform.name, submission = %entry.submission,
            "not sent: the lane's lease has ended");
        self.unsettled = Some(Unsettled { entry: entry.id, settlement: Settlement::Later(now), attempt });
        self.settle().await
    }

    /// Decides where the entry goes, and says so.
    fn decided(
        &mut self,
        entry: &Entry,
        survey: &Survey,
        outcome: &Outcome,
        verdict: Verdict,
        (sent, ended): (Instant, Instant),
        can_look_up: bool,
    ) {
        let now = self.clock.at(ended);
        let (interval, settle) = (self.platform.interval, self.platform.settle);
        if matches!(verdict, Verdict::Later(_) | Verdict::Unknown) && self.succeeded_lately(ended) {
            self.suspects.failed(entry.id, entry.attempts);
        }
        let case = Case {
            attempts: entry.attempts,
            failed_among_others: self.failed_among_others(entry.id, ended),
            accepted_at: entry.accepted_at,
            on_unknown: survey.on_unknown,
            look_up: can_look_up.then(|| look_up::first(now, interval, settle)),
            now,
            interval,
            jitter: self.random.random(),
        };
        let settlement = decide(verdict, &case);
        if verdict == Verdict::Delivered {
            self.last_success = Some(ended);
        }
        if matches!(settlement, Settlement::Delivered | Settlement::Dead | Settlement::Parked) {
            self.suspects.clear(entry.id);
        }
        let reason = (verdict != Verdict::Delivered).then(|| trouble(outcome));
        let (status, error) = describe(outcome);
        tracing::info!(lane = %self.platform.name, survey = %entry.survey, submission = %entry.submission,
            verdict = verdict.name(), status, reason, attempt = entry.attempts,
            took_ms = u64::try_from((ended - sent).as_millis()).unwrap_or(u64::MAX), "call");
        if verdict == Verdict::Unknown && matches!(settlement, Settlement::Later(_)) {
            self.warn_of_a_double(entry);
        }
        if settlement == Settlement::Dead {
            tracing::error!(lane = %self.platform.name, survey = %entry.survey,
                submission = %entry.submission, status,
                "dead letter: an operator has to look at it, on the page Letters or by `afterword queue show`");
        }
        let attempt = Attempt { at: now, verdict: verdict.name().into(), status, error };
        self.unsettled = Some(Unsettled { entry: entry.id, settlement, attempt });
    }

    /// Says that an answer is sent again which may have arrived, since its survey wants that.
    pub(super) fn warn_of_a_double(&self, entry: &Entry) {
        tracing::warn!(lane = %self.platform.name, survey = %entry.survey, submission = %entry.submission,
            "sent again, though it may have arrived and cannot be looked up: it may be at the platform twice");
        let (lane, survey) = (self.platform.name.to_string(), entry.survey.to_string());
        metrics::counter!("afterword_maybe_twice_total", "lane" => lane, "survey" => survey).increment(1);
    }

    /// How often an entry has failed while others arrived; it counts only while they do.
    pub(super) fn failed_among_others(&self, entry: EntryId, now: Instant) -> u32 {
        if self.succeeded_lately(now) { self.suspects.count(entry) } else { 0 }
    }

    /// True when the platform has taken an answer of late.
    pub(super) fn succeeded_lately(&self, now: Instant) -> bool {
        self.last_success.is_some_and(|at| now - at < longest_delay(self.platform.interval))
    }

    /// Takes a call's outcome into account for the calls that follow.
    fn note(
        &mut self,
        survey: &Arc<Survey>,
        outcome: &Outcome,
        verdict: Verdict,
        sent: Instant,
        ended: Instant,
    ) {
        let lane = self.platform.name.to_string();
        let interval = self.platform.interval;
        self.recorder.call(&self.platform.name, verdict.name(), self.clock.at(sent));
        self.measure(sent);
        metrics::histogram!("afterword_call_duration_seconds", "lane" => lane.clone())
            .record((ended - sent).as_secs_f64());
        metrics::counter!("afterword_calls_total", "lane" => lane.clone(), "verdict" => verdict.name())
            .increment(1);
        let throttled = outcome.is_throttled();
        self.pacer.called(sent, ended, throttled);
        let failed_before = self.outage.failures();
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
        self.tell_of_outage(failed_before, outcome);
        self.report_pauses();
        let trouble = match verdict {
            Verdict::Delivered => None,
            _ => Some(trouble(outcome)),
        };
        let (last_call, widened) = (self.clock.at(sent), self.pacer.widened());
        self.set(|report| {
            report.widened = widened;
            report.last_call = Some(last_call);
            report.last_verdict = Some(verdict.name());
            report.trouble = trouble;
        });
    }

    /// Says once that the platform is away, and once that it is back.
    fn tell_of_outage(&self, failed_before: u32, outcome: &Outcome) {
        let (lane, url) = (&self.platform.name, &self.platform.base_url);
        let failures = self.outage.failures();
        if failed_before < AWAY && failures >= AWAY {
            tracing::warn!(%lane, url, reason = trouble(outcome),
                "the platform fails call after call: one at a growing interval finds out when it is back");
        } else if failed_before >= AWAY && failures == 0 {
            tracing::warn!(%lane, url, "the platform is back");
        }
    }

    /// Says which surveys' touchpoints refuse the token.
    pub(super) fn report_pauses(&self) {
        let paused = self.surveys.iter().filter(|survey| self.pauses.contains(&survey.touchpoint));
        let paused: Vec<SurveyId> = paused.map(|survey| survey.id.clone()).collect();
        for survey in &self.surveys {
            self.measure_pause(&survey.id, paused.contains(&survey.id));
        }
        self.set(|report| report.paused = paused);
    }

    pub(super) fn measure_pause(&self, survey: &SurveyId, paused: bool) {
        let (lane, survey) = (self.platform.name.to_string(), survey.to_string());
        let gauge = metrics::gauge!("afterword_survey_paused", "lane" => lane, "survey" => survey);
        gauge.set(if paused { 1.0 } else { 0.0 });
    }

    /// Notes that a call was made, and measures the time between it and the one before it.
    pub(super) fn measure(&mut self, sent: Instant) {
        self.looked_up_last = false;
        if let Some(before) = self.last_call.replace(sent) {
            metrics::histogram!("afterword_call_gap_seconds", "lane" => self.platform.name.to_string())
                .record((sent - before).as_secs_f64());
        }
    }
}
