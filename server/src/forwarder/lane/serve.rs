//! Serving: one call that an operator has asked for at the lane's desk.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::Lane;
use crate::config::PlatformName;
use crate::forwarder::calls::{Asked, Done, NOT_MADE, NotMade, PATIENCE, SHARE, Sign};
use crate::forwarder::report::{FailedCall, LaneReport};
use crate::history::{OPERATOR, Recorder};
use crate::queue::{Due, QueueError};

impl Lane {
    /// True if the next call is an operator's. Nobody waits for a platform that wants to be left alone for long.
    pub(super) fn serves_next(&mut self, due: &Due, now: Instant) -> bool {
        // Whoever has asked may have gone.
        self.asked.take_if(|asked| asked.reply.is_closed());
        let rest =
            self.outage.not_before().map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        if rest > PATIENCE {
            self.turn_away(&NotMade::Resting(rest));
        }
        self.asked.is_some() && (*due != Due::Now || self.visitors_in_a_row + 1 >= SHARE)
    }

    /// Tells those who have asked why they are not served.
    pub(super) fn turn_away(&mut self, why: &NotMade) {
        while let Some(asked) = self.asked.take().or_else(|| self.desk.1.try_recv().ok()) {
            // Whoever has asked may have gone.
            asked.reply.send(Err(why.clone())).ok();
        }
    }

    /// Makes the call that was asked for; returns as soon as the next one may be thought of.
    pub(super) async fn serve(&mut self) -> Result<(), QueueError> {
        if !self.holds() {
            return Err(QueueError::NotOwner(self.platform.name.clone()));
        }
        let Some(Asked { call, reply }) = self.asked.take() else { return Ok(()) };
        self.visitors_in_a_row = 0;
        let (kind, touchpoint, adds) = (call.name(), call.touchpoint().clone(), call.adds());
        let (client, ledger, rests) = (self.client.clone(), self.ledger(), self.rests.0.clone());
        let (over, ended) = oneshot::channel();
        let sent = Instant::now();
        let last_call = self.clock.at(sent);
        tokio::spawn(async move {
            let done = call.make(&client).await;
            let sign = Sign::of(&done);
            ledger.note(kind, last_call, sign, &done);
            // The lane has gone on if it does not listen any more.
            if let Err(Sign { rest: Some(rest), .. }) = over.send(sign) {
                rests.send(Instant::now() + rest).ok();
            }
            // So has whoever asked.
            reply.send(done).ok();
        });
        // As with a look-up: if the platform takes its time with a report, the call's arrival is long over.
        let sign = if adds {
            ended.await.ok()
        } else {
            tokio::time::timeout(self.report_patience(), ended).await.ok().and_then(Result::ok)
        };
        let now = Instant::now();
        self.measure(sent);
        self.pacer.called_otherwise(sent, now, sign.is_some_and(|sign| sign.throttled));
        if let Some(rest) = sign.and_then(|sign| sign.rest) {
            self.outage.rest(now + rest);
        }
        let verdict = sign.map_or("begun", |sign| sign.verdict);
        let lane = self.platform.name.to_string();
        tracing::info!(lane, call = kind, %touchpoint, verdict,
            took_ms = u64::try_from((now - sent).as_millis()).unwrap_or(u64::MAX), "operator's call");
        metrics::counter!("afterword_operator_calls_total", "lane" => lane, "call" => kind, "verdict" => verdict)
            .increment(1);
        self.set(|report| (report.last_call, report.last_verdict) = (Some(last_call), Some(kind)));
        Ok(())
    }
    fn ledger(&self) -> Ledger {
        Ledger {
            lane: self.platform.name.clone(),
            recorder: self.recorder.clone(),
            report: self.report.clone(),
        }
    }
}

/// Where it is noted what came of an operators' call, also of one that ends when the lane has gone on.
struct Ledger {
    lane: PlatformName,
    recorder: Recorder,
    report: watch::Sender<LaneReport>,
}

impl Ledger {
    fn note(&self, kind: &'static str, at: Timestamp, sign: Sign, done: &Result<Done, NotMade>) {
        if sign.verdict == NOT_MADE {
            return;
        }
        self.recorder.other_call(&self.lane, OPERATOR, sign.verdict, at);
        let failure = done.as_ref().ok().and_then(Done::failure);
        let failed_call = failure.map(|words| FailedCall { kind, at, words });
        self.report.send_modify(|report| report.failed_call = failed_call);
    }
}
