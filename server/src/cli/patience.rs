//! Calls that are made again until they are through: what is away comes back, and a lost report does no harm.

use std::time::Duration;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::desk::Reported;
use super::words::{counted, span};
use crate::config::Platform;
use crate::forwarder::{Verdict, verdict};
use crate::platform::{Outcome, ReportError, advice};

/// Failures in a row after which nobody waits any longer.
const TRIES: u32 = 8;
/// The same, where somebody waits for a look only.
const FEW: u32 = 3;
/// The longest pause of our own, in intervals; the first is one, and doubles with each failure that follows.
const LONGEST_PAUSE: u32 = 60;
/// The longest that nothing is said of a call that is not through.
const SILENCE: Duration = Duration::from_secs(5);

/// Where there is no bar, this often is said how far it is.
const OFTEN: Duration = Duration::from_secs(30);
/// What to do about replies that cannot be read.
const GARBLED: &str =
    "base_url may lead to something else than the platform, or a proxy in between changes what comes";

/// How often a call has failed in a row, and for how long that is borne.
pub(super) struct Patience {
    failures: u32,
    tries: u32,
    interval: Duration,
}

impl Patience {
    /// With a platform that wants so much time between two calls.
    pub(super) fn new(platform: &Platform) -> Self {
        Self { failures: 0, tries: TRIES, interval: platform.interval }
    }

    /// The same, of somebody who rather hears soon that it fails.
    pub(super) fn short(platform: &Platform) -> Self {
        Self { tries: FEW, ..Self::new(platform) }
    }

    /// Notes a call that was answered whole.
    pub(super) fn answered(&mut self) {
        self.failures = 0;
    }

    /// Notes a failure; how long to wait, or `None` if it has lasted too long.
    pub(super) fn failed(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.failures += 1;
        let own = self.interval * LONGEST_PAUSE.min(1 << (self.failures - 1).min(16));
        (self.failures < self.tries).then(|| asked.map_or(own, |asked| asked.max(own)))
    }
}

/// Makes a call until it brings what was asked for; `tell` hears why it takes longer. Whoever asked has seen the whole
/// of it, and says so with [`Patience::answered`].
pub(super) async fn report<T>(
    patience: &mut Patience,
    tell: impl Fn(&str),
    mut call: impl AsyncFnMut() -> anyhow::Result<Reported<T>>,
) -> anyhow::Result<T> {
    loop {
        let failed = match told(call(), &tell).await? {
            Ok(report) => return Ok(report),
            Err(failed) => failed,
        };
        let pause = match &failed {
            ReportError::Call(outcome) => match verdict(outcome) {
                Verdict::Later(asked) => patience.failed(asked),
                // It may have arrived, which does no harm.
                Verdict::Unknown => patience.failed(None),
                Verdict::Delivered | Verdict::Rejected | Verdict::Paused => None,
            },
            // As good as lost.
            ReportError::Read(_) => patience.failed(None),
            ReportError::Window => None,
        };
        let Some(pause) = pause else { bail!(in_full(&failed)) };
        match &failed {
            ReportError::Call(outcome) => tell(&again(outcome, pause)),
            other => tell(&again(other, pause)),
        }
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

/// Why a report could not be had, with what to do about it.
pub(super) fn in_full(failed: &ReportError) -> String {
    match failed {
        ReportError::Call(outcome) => in_words(outcome),
        ReportError::Read(_) => format!("{failed}; {GARBLED}"),
        ReportError::Window => failed.to_string(),
    }
}

/// What is ahead, where it is more than one call.
pub(super) fn ahead(calls: usize, platform: &Platform) -> Option<String> {
    let least = platform.time_for(calls as u64);
    (calls > 1)
        .then(|| format!("{}: about {}, or longer if others go first", counted(calls, "call"), span(least)))
}

/// How far something is: a bar on a terminal, a line now and then elsewhere.
pub(super) struct Progress {
    bar: ProgressBar,
    /// What is counted: `calls`.
    what: &'static str,
    said: Instant,
}

impl Progress {
    /// At the start of so many.
    pub(super) fn of(length: usize, what: &'static str) -> Self {
        let bar = ProgressBar::new(length as u64);
        let style = format!("{{bar:24}} {{pos}} of {{len}} {what}, {{eta}} left {{msg}}");
        bar.set_style(ProgressStyle::with_template(&style).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.enable_steady_tick(Duration::from_millis(500));
        Self { bar, what, said: Instant::now() }
    }

    /// What is at work now.
    pub(super) fn at(&self, words: String) {
        self.bar.set_message(words);
    }

    /// So many are done.
    pub(super) fn done(&mut self, count: u64) {
        self.bar.set_position(count);
        if let Some(line) = self.line()
            && self.bar.is_hidden()
        {
            eprintln!("{line}");
        }
    }

    /// How far it is, if that has not been said for a while.
    fn line(&mut self) -> Option<String> {
        if self.said.elapsed() < OFTEN {
            return None;
        }
        self.said = Instant::now();
        Some(format!("{} of {} {}", self.bar.position(), self.bar.length().unwrap_or_default(), self.what))
    }

    /// Says something beside it.
    pub(super) fn tell(&self, words: &str) {
        if self.bar.is_hidden() {
            eprintln!("{words}");
        } else {
            self.bar.println(words);
        }
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Why it takes longer.
pub(super) fn again(why: &impl std::fmt::Display, pause: Duration) -> String {
    format!("{why}; again in {} s", pause.as_secs_f64().round())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::cli::desk::Desk;
    use crate::config::tests::good;
    use crate::queue::{Options, SqliteQueue};
    use crate::sandbox::{Fault, Misbehaviour};

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

    #[tokio::test(start_paused = true)]
    async fn where_there_is_no_bar_it_is_said_now_and_then_how_far_it_is() {
        let mut progress = Progress::of(1_530, "calls");
        progress.done(1);
        assert_eq!(progress.line(), None);
        tokio::time::advance(OFTEN).await;
        assert_eq!(progress.line().as_deref(), Some("1 of 1530 calls"));
        assert_eq!(progress.line(), None, "and not again at once");
    }

    #[test]
    fn more_than_one_call_is_announced_with_the_time_it_takes() {
        let platform = Platform { interval: Duration::from_secs(1), ..(*good().platforms[0]).clone() };
        assert_eq!(ahead(1, &platform), None);
        let words = ahead(1_530, &platform).unwrap();
        assert!(words.starts_with("1530 calls: about 25 min 30 s"), "{words}");
    }

    #[tokio::test]
    async fn a_reply_that_cannot_be_read_is_asked_for_again_and_then_explained() {
        let (sandbox, platform, survey) = crate::platform::tests::sandbox().await;
        let platform = Platform { interval: Duration::from_millis(1), ..platform };
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("queue.db");
        let queue = Arc::new(SqliteQueue::open(&store, Options::default()).unwrap());
        let mut desk = Desk::here(&Arc::new(platform.clone()), queue).await.unwrap();
        let at = |text: &str| text.parse().unwrap();
        let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        let garbage = || Misbehaviour::from(Fault::Garbage);
        sandbox.misbehave(garbage().calls(2));
        let said = std::cell::RefCell::new(Vec::new());
        let tell = |words: &str| said.borrow_mut().push(words.to_owned());
        let mut call = async || desk.nps(&survey.touchpoint, from, to, &[]).await;
        let nps = report(&mut Patience::new(&platform), tell, &mut call).await;
        assert!(nps.is_ok(), "{nps:?}");
        assert_eq!(said.borrow().len(), 2, "{said:?}");
        sandbox.misbehave(garbage());
        let error = report(&mut Patience::new(&platform), |_| {}, &mut call).await.unwrap_err().to_string();
        assert!(error.contains("cannot be read") && error.contains("base_url"), "{error}");
        desk.close().await;
    }
}
