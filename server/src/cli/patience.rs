//! Calls that are made again until they are through: what is away comes back, and a lost report does no harm.

use std::time::Duration;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};

use super::desk::Desk;
use crate::config::Platform;
use crate::forwarder::{Call, Done, Verdict, verdict};
use crate::platform::{Outcome, ReportError, advice};

/// Failures in a row after which nobody waits any longer.
const TRIES: u32 = 8;
/// The longest pause of our own, in intervals; the first is one, and doubles with each failure that follows.
const LONGEST_PAUSE: u32 = 60;
/// The longest that nothing is said of a call that is not through.
const SILENCE: Duration = Duration::from_secs(5);

/// How often a call has failed in a row, and for how long that is borne.
pub(super) struct Patience {
    failures: u32,
    interval: Duration,
}

impl Patience {
    /// With a platform that wants so much time between two calls.
    pub(super) fn new(platform: &Platform) -> Self {
        Self { failures: 0, interval: platform.interval }
    }

    /// Notes a call that was answered whole.
    pub(super) fn answered(&mut self) {
        self.failures = 0;
    }

    /// Notes a failure; how long to wait, or `None` if it has lasted too long.
    pub(super) fn failed(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.failures += 1;
        let own = self.interval * LONGEST_PAUSE.min(1 << (self.failures - 1).min(16));
        (self.failures < TRIES).then(|| asked.map_or(own, |asked| asked.max(own)))
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
        let outcome = match told(desk.call(call.clone()), &tell).await? {
            Done::Failed(ReportError::Call(outcome)) => outcome,
            Done::Failed(error) => bail!("{error}"),
            done => {
                // Whether responses come whole is seen when they are read.
                if !matches!(done, Done::Responses(_)) {
                    patience.answered();
                }
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
        tell(&again(&outcome, pause));
        tokio::time::sleep(pause).await;
    }
}

/// Waits for a call, and says once that it takes long.
async fn told<T>(call: impl Future<Output = T>, tell: impl Fn(&str)) -> T {
    tokio::pin!(call);
    tokio::select! {
        done = &mut call => return done,
        () = tokio::time::sleep(SILENCE) => {
            tell("not through yet: the platform is slow or asked for a pause, or other calls go first");
        }
    }
    call.await
}

/// What came of a call, with what to do about it.
pub(super) fn in_words(outcome: &Outcome) -> String {
    match advice(outcome) {
        Some(advice) => format!("{outcome}; {advice}"),
        None => outcome.to_string(),
    }
}

/// A bar on a terminal, with some words behind it; nothing elsewhere.
pub(super) fn bar(length: usize, words: &str) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    let style = ProgressStyle::with_template(&format!("{{bar:24}} {{pos}} of {{len}} {words}"));
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

/// Why it takes longer.
pub(super) fn again(why: &impl std::fmt::Display, pause: Duration) -> String {
    format!("{why}; again in {} s", pause.as_secs_f64().round())
}

/// Says it beside a bar, or where there is none.
pub(super) fn tell(bar: &ProgressBar, words: &str) {
    if bar.is_hidden() {
        eprintln!("{words}");
    } else {
        bar.println(words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::good;

    #[tokio::test(start_paused = true)]
    async fn a_call_that_takes_long_is_told_of_once() {
        let said = std::cell::Cell::new(0);
        let tell = |_: &str| said.set(said.get() + 1);
        told(tokio::time::sleep(SILENCE / 2), tell).await;
        assert_eq!(said.get(), 0);
        told(tokio::time::sleep(SILENCE * 10), tell).await;
        assert_eq!(said.get(), 1);
    }

    #[test]
    fn pauses_grow_and_end_and_what_the_platform_asks_for_goes_before() {
        let platform = Platform { interval: Duration::from_secs(1), ..(*good().platforms[0]).clone() };
        let mut patience = Patience::new(&platform);
        let waits: Vec<_> = (0..8).map(|_| patience.failed(None).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [Some(1), Some(2), Some(4), Some(8), Some(16), Some(32), Some(60), None]);
        patience.answered();
        assert_eq!(patience.failed(Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
        assert_eq!(
            patience.failed(Some(Duration::ZERO)),
            Some(Duration::from_secs(2)),
            "not all tries at once"
        );
    }
}
