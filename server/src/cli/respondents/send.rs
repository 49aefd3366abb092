//! Sending a list: several rows a call, and alone what was refused together with others.

use std::ops::Range;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::journal::{Journal, State};
use crate::cli::desk::Desk;
use crate::cli::patience::{Patience, in_words, said};
use crate::config::Guid;
use crate::forwarder::{Call, Done, Verdict, verdict};
use crate::platform::{NewRespondent, Outcome};

/// Calls in a row that may fail the same way before the rest is left alone.
const ALIKE: u32 = 3;

/// Bytes of a call's rows, about.
const LARGEST_CALL: usize = 256 << 10;

/// Why a list was not sent to its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Somebody wanted it.
    Asked,
    /// What happened, and what to do.
    Trouble(String),
}

/// A list on its way.
pub(super) struct Sending<'a> {
    pub(super) desk: &'a mut Desk,
    pub(super) touchpoint: &'a Guid,
    pub(super) respondents: &'a [NewRespondent],
    pub(super) journal: &'a mut Journal,
    /// Rows in a call, at most.
    pub(super) batch: usize,
}

/// What a call means for the rows in it, and for those that follow.
enum Next {
    Go,
    /// Did not arrive; after a while again.
    Again(Duration),
    Stop(String),
}

impl Sending<'_> {
    /// Sends every row that waits, until `stop` is there. A call in flight ends first.
    pub(super) async fn run(&mut self, stop: impl Future<Output = ()>) -> anyhow::Result<Option<Stop>> {
        tokio::pin!(stop);
        let bar = bar(self.respondents.len() as u64);
        let mut patience = Patience::default();
        let mut alike = Alike::default();
        while let Some(rows) = self.next() {
            bar.set_position(settled(self.journal.states()));
            let call = self.call(&rows);
            self.journal.note(rows.clone(), State::Sending)?;
            let done = match self.desk.call(call).await {
                Ok(done) => done,
                Err(error) => {
                    // It was not asked for, or refused before a call was made.
                    self.journal.note(rows, State::Waiting)?;
                    return Err(error);
                }
            };
            let Done::Added(outcome) = done else {
                anyhow::bail!("the platform answered with something else")
            };
            let next = self.settle(rows, &outcome, &mut patience, &mut alike)?;
            let pause = match next {
                Next::Go => Duration::ZERO,
                Next::Again(pause) => {
                    bar.println(format!("{}; again in {} s", said(&outcome), pause.as_secs()));
                    pause
                }
                Next::Stop(words) => return Ok(Some(Stop::Trouble(words))),
            };
            tokio::select! {
                biased;
                () = &mut stop => return Ok(Some(Stop::Asked)),
                () = tokio::time::sleep(pause) => {}
            }
        }
        bar.finish_and_clear();
        Ok(None)
    }

    /// The rows of the next call.
    fn next(&self) -> Option<Range<usize>> {
        let states = self.journal.states();
        let start = states.iter().position(|state| matches!(state, State::Waiting | State::Alone))?;
        if states[start] == State::Alone {
            return Some(start..start + 1);
        }
        let mut room = LARGEST_CALL;
        let rows = states.iter().zip(self.respondents).skip(start).take(self.batch);
        let fit = rows.take_while(|(state, respondent)| {
            let fits = room.checked_sub(size(respondent));
            room = fits.unwrap_or(0);
            **state == State::Waiting && fits.is_some()
        });
        // A row that is larger than all that goes alone.
        Some(start..start + fit.count().max(1))
    }

    fn call(&self, rows: &Range<usize>) -> Call {
        let touchpoint = self.touchpoint.clone();
        match &self.respondents[rows.clone()] {
            [one] => Call::AddRespondent { touchpoint, respondent: one.clone() },
            several => Call::AddRespondents { touchpoint, respondents: several.to_vec() },
        }
    }

    fn settle(
        &mut self,
        rows: Range<usize>,
        outcome: &Outcome,
        patience: &mut Patience,
        alike: &mut Alike,
    ) -> anyhow::Result<Next> {
        let before = if rows.len() == 1 { State::Alone } else { State::Waiting };
        let verdict = verdict(outcome);
        if !matches!(verdict, Verdict::Later(_)) {
            patience.answered();
        }
        let next = match verdict {
            Verdict::Delivered => {
                self.journal.note(rows, State::Added)?;
                alike.forget();
                Next::Go
            }
            Verdict::Rejected if rows.len() > 1 => {
                self.journal.note(rows, State::Alone)?;
                Next::Go
            }
            Verdict::Rejected => {
                self.journal.note(rows, State::Refused(in_words(outcome)))?;
                alike.stop(verdict, in_words(outcome)).map_or(Next::Go, Next::Stop)
            }
            Verdict::Unknown => {
                self.journal.note(rows, State::Unknown(said(outcome)))?;
                alike.stop(verdict, said(outcome)).map_or(Next::Go, Next::Stop)
            }
            Verdict::Paused => {
                self.journal.note(rows, before)?;
                Next::Stop(in_words(outcome))
            }
            Verdict::Later(asked) => {
                self.journal.note(rows, before)?;
                match patience.failed(asked) {
                    Some(pause) => Next::Again(pause),
                    None => Next::Stop(in_words(outcome)),
                }
            }
        };
        Ok(next)
    }
}

/// Calls that fail the same way one after the other: what is wrong is wrong with all of them.
#[derive(Default)]
struct Alike {
    words: String,
    count: u32,
}

impl Alike {
    fn forget(&mut self) {
        *self = Self::default();
    }

    /// Notes a failure; its words, if there have been too many.
    fn stop(&mut self, verdict: Verdict, words: String) -> Option<String> {
        // Lost calls are alike whatever the words: each of them may be there.
        if self.words == words || verdict == Verdict::Unknown && !self.words.is_empty() {
            self.count += 1;
        } else {
            self.count = 1;
        }
        self.words = words;
        (self.count >= ALIKE).then(|| format!("{ALIKE} calls in a row failed: {}", self.words))
    }
}

/// About how many bytes a row has in a call.
fn size(respondent: &NewRespondent) -> usize {
    let NewRespondent { email, first_name, last_name, phone, id, key_values, .. } = respondent;
    let own = [first_name, last_name, phone, id].into_iter().flatten().map(String::len).sum::<usize>();
    let metadata = key_values.iter().map(|(key, value)| key.len() + value.len() + 8).sum::<usize>();
    300 + email.len() + own + metadata
}

/// Rows that need no call any more.
fn settled(states: &[State]) -> u64 {
    let open = |state: &&State| matches!(state, State::Waiting | State::Alone | State::Sending);
    (states.len() - states.iter().filter(open).count()) as u64
}

/// A bar on a terminal; nothing elsewhere.
fn bar(rows: u64) -> ProgressBar {
    let bar = ProgressBar::new(rows);
    let style = ProgressStyle::with_template("{bar:24} {pos} of {len} rows, {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_that_are_alike_end_a_run_and_others_do_not() {
        let mut alike = Alike::default();
        let refused = |alike: &mut Alike, words: &str| alike.stop(Verdict::Rejected, words.into());
        assert_eq!(
            (refused(&mut alike, "a"), refused(&mut alike, "b"), refused(&mut alike, "b")),
            (None, None, None)
        );
        assert!(refused(&mut alike, "b").is_some_and(|words| words.contains("3 calls")));
        alike.forget();
        let lost = |alike: &mut Alike, words: &str| alike.stop(Verdict::Unknown, words.into());
        assert_eq!((lost(&mut alike, "reset"), lost(&mut alike, "time-out")), (None, None));
        assert!(lost(&mut alike, "reset").is_some());
    }
}
