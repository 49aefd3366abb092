//! Calls that are made again until they are through: what is away comes back, and a lost report does no harm.

use std::time::Duration;

use anyhow::bail;

use super::desk::Desk;
use crate::forwarder::{Call, Done, Verdict, verdict};
use crate::platform::{Outcome, ReportError, advice};

/// Failures in a row after which nobody waits any longer.
const TRIES: u32 = 8;
/// The pause after the first failure; it doubles with each one that follows.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How often a call has failed in a row, and for how long that is borne.
#[derive(Default)]
pub(super) struct Patience {
    failures: u32,
}

impl Patience {
    /// Notes a call that was answered.
    pub(super) fn answered(&mut self) {
        self.failures = 0;
    }

    /// Notes a failure; how long to wait, or `None` if it has lasted too long.
    pub(super) fn failed(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.failures += 1;
        let own = FIRST_PAUSE.saturating_mul(1 << (self.failures - 1).min(16)).min(LONGEST_PAUSE);
        (self.failures < TRIES).then(|| asked.unwrap_or(own))
    }
}

/// Has a report made; `tell` hears why it takes longer.
pub(super) async fn report(
    desk: &mut Desk,
    call: &Call,
    patience: &mut Patience,
    tell: impl Fn(&str),
) -> anyhow::Result<Done> {
    loop {
        let outcome = match desk.call(call.clone()).await? {
            Done::Failed(ReportError::Call(outcome)) => outcome,
            Done::Failed(error) => bail!("{error}"),
            done => {
                patience.answered();
                return Ok(done);
            }
        };
        let pause = match verdict(&outcome) {
            Verdict::Later(asked) => patience.failed(asked),
            // It may have arrived, which does no harm.
            Verdict::Unknown => patience.failed(None),
            Verdict::Delivered | Verdict::Rejected | Verdict::Paused => None,
        };
        let Some(pause) = pause else { bail!(in_words(&outcome)) };
        tell(&format!("{}; again in {} s", said(&outcome), pause.as_secs()));
        tokio::time::sleep(pause).await;
    }
}

/// What came of a call, in a few words.
pub(super) fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Reply(reply) if reply.words.is_empty() => format!("the platform answered {}", reply.status),
        Outcome::Reply(reply) => format!("the platform answered {}: {}", reply.status, reply.words),
        Outcome::NotSent(reason) => format!("not sent: {reason}"),
        Outcome::Lost(reason) => format!("the connection failed during the call: {reason}"),
    }
}

/// The same, with what to do about it.
pub(super) fn in_words(outcome: &Outcome) -> String {
    match advice(outcome) {
        Some(advice) => format!("{}; {advice}", said(outcome)),
        None => said(outcome),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_and_what_the_platform_asks_for_goes_before() {
        let mut patience = Patience::default();
        let waits: Vec<_> = (0..8).map(|_| patience.failed(None).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [Some(1), Some(2), Some(4), Some(8), Some(16), Some(32), Some(60), None]);
        patience.answered();
        assert_eq!(patience.failed(Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
    }
}
