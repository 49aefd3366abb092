//! Sending a list: several rows a call, and in halves, down to one, what was refused together.
//!
//! That a refused call has added nobody is how the API page reads ("an error will occur and the data will not be sent to the
//! platform", section 6); it is what the splitting rests on.

use std::ops::Range;
use std::time::Duration;

use super::journal::{Journal, State};
use crate::cli::desk::Desk;
use crate::cli::patience::{Patience, Progress, again, in_words};
use crate::config::Guid;
use crate::forwarder::{Verdict, verdict};
use crate::platform::{NewRespondent, Outcome};

/// Calls in a row that may fail the same way before the rest is left alone.
const ALIKE: usize = 3;

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
    pub(super) patience: Patience,
    /// False to stop where nothing but the same refusal comes.
    pub(super) keeps_going: bool,
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
    pub(super) async fn run(&mut self, stop: impl Future<Output = ()>) -> Option<Stop> {
        tokio::pin!(stop);
        let mut progress = Progress::of(self.respondents.len(), "rows");
        let mut alike = Alike { keeps_going: self.keeps_going, ..Alike::default() };
        let mut pause = Duration::ZERO;
        while let Some(rows) = self.next() {
            progress.done(settled(self.journal.states()));
            // Before the first call too, so that a signal is heard during it.
            tokio::select! {
                biased;
                () = &mut stop => return Some(Stop::Asked),
                () = tokio::time::sleep(pause) => {}
            }
            match self.one(rows, &mut alike).await {
                Ok((Next::Go, _)) => pause = Duration::ZERO,
                Ok((Next::Again(wait), outcome)) => {
                    progress.tell(&again(&outcome, wait));
                    pause = wait;
                }
                Ok((Next::Stop(words), _)) => return Some(Stop::Trouble(words)),
                Err(error) => return Some(Stop::Trouble(format!("{error:#}"))),
            }
        }
        progress.clear();
        None
    }

    /// Makes one call.
    async fn one(&mut self, rows: Range<usize>, alike: &mut Alike) -> anyhow::Result<(Next, Outcome)> {
        let before = self.journal.states()[rows.start].clone();
        self.journal.note(rows.clone(), State::Sending)?;
        let outcome = match self.desk.add(self.touchpoint, &self.respondents[rows.clone()]).await {
            Ok(outcome) => outcome,
            Err(error) => {
                // It was refused before a call was made.
                self.journal.note(rows, before)?;
                return Err(error);
            }
        };
        let next = self.settle(rows, before, &outcome, alike)?;
        Ok((next, outcome))
    }

    /// The rows of the next call.
    fn next(&self) -> Option<Range<usize>> {
        let states = self.journal.states();
        let start = states.iter().position(|state| matches!(state, State::Waiting | State::Within(_)))?;
        let most = if let State::Within(most) = states[start] { most.min(self.batch) } else { self.batch };
        let mut room = LARGEST_CALL;
        let rows = states.iter().zip(self.respondents).skip(start).take(most);
        let fit = rows.take_while(|(state, respondent)| {
            let fits = room.checked_sub(size(respondent));
            room = fits.unwrap_or(0);
            **state == states[start] && fits.is_some()
        });
        // A row that is larger than all that goes alone.
        Some(start..start + fit.count().max(1))
    }

    fn settle(
        &mut self,
        rows: Range<usize>,
        before: State,
        outcome: &Outcome,
        alike: &mut Alike,
    ) -> anyhow::Result<Next> {
        let verdict = verdict(outcome);
        if !matches!(verdict, Verdict::Later(_)) {
            self.patience.answered();
        }
        let next = match verdict {
            Verdict::Delivered => {
                self.journal.note(rows, State::Added)?;
                alike.taken();
                Next::Go
            }
            Verdict::Rejected if of_the_call(outcome, self.keeps_going) => {
                self.journal.note(rows, before)?;
                Next::Stop(in_words(outcome))
            }
            Verdict::Rejected if rows.len() > 1 => {
                let half = rows.len().div_ceil(2);
                self.journal.note(rows, State::Within(half))?;
                Next::Go
            }
            Verdict::Rejected => {
                let words = in_words(outcome);
                self.journal.note(rows.clone(), State::Refused(words.clone()))?;
                match alike.refused(rows.start, words) {
                    None => Next::Go,
                    Some((together, words)) => {
                        // Nothing may be wrong with them: they are sent again once it is mended.
                        for row in together {
                            self.journal.note(row..row + 1, State::Within(1))?;
                        }
                        Next::Stop(words)
                    }
                }
            }
            Verdict::Unknown => {
                self.journal.note(rows, State::Unknown(outcome.to_string()))?;
                alike.lost(outcome).map_or(Next::Go, Next::Stop)
            }
            Verdict::Paused => {
                self.journal.note(rows, before)?;
                Next::Stop(in_words(outcome))
            }
            Verdict::Later(asked) => {
                self.journal.note(rows, before)?;
                match self.patience.failed(asked) {
                    Some(pause) => Next::Again(pause),
                    None => Next::Stop(in_words(outcome)),
                }
            }
        };
        Ok(next)
    }
}

/// True if a refusal is of the call, whatever is in it: with other rows it would be the same. Where somebody says that it is
/// the rows, only a redirect is.
fn of_the_call(outcome: &Outcome, keeps_going: bool) -> bool {
    let Outcome::Reply(reply) = outcome else { return false };
    match reply.status {
        300..=399 => true,
        402..=407 | 410 | 415 => !keeps_going,
        _ => false,
    }
}

/// Calls that fail the same way before any is taken: what is wrong is wrong with all of them.
#[derive(Default)]
struct Alike {
    keeps_going: bool,
    /// True once a call of this run was taken: then it is the rows.
    taken: bool,
    words: String,
    /// The rows that were refused in these words, one after the other.
    rows: Vec<usize>,
    lost: usize,
}

impl Alike {
    fn taken(&mut self) {
        self.taken = true;
        self.lost = 0;
    }

    /// Notes a refused row; once there have been too many, all of them, and what to say.
    fn refused(&mut self, row: usize, words: String) -> Option<(Vec<usize>, String)> {
        self.lost = 0;
        if self.taken || self.keeps_going {
            return None;
        }
        if self.words != words {
            self.rows.clear();
        }
        self.words = words;
        self.rows.push(row);
        (self.rows.len() >= ALIKE).then(|| {
            let words = format!(
                "nothing was taken, and {ALIKE} rows were refused alike: {}. If it is the rows, --keep-going goes on",
                self.words
            );
            (std::mem::take(&mut self.rows), words)
        })
    }

    /// Notes a lost call; what to say once there have been too many in a row.
    fn lost(&mut self, outcome: &Outcome) -> Option<String> {
        self.lost += 1;
        (self.lost >= ALIKE).then(|| format!("{ALIKE} calls in a row were lost: {outcome}"))
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
    let open = |state: &&State| matches!(state, State::Waiting | State::Within(_) | State::Sending);
    (states.len() - states.iter().filter(open).count()) as u64
}

#[cfg(test)]
mod tests {
    use super::super::journal::{List, Way};
    use super::*;
    use crate::cli::remote::Remote;
    use crate::config::tests::good;
    use crate::platform::Reply;

    #[test]
    fn a_refusal_of_the_call_leaves_the_rows_to_be_sent() {
        let config = good();
        let folder = tempfile::tempdir().unwrap();
        let list = List { digest: "d".into(), touchpoint: "t".into(), rows: 2 };
        let mut journal = Journal::open(folder.path().join("list.progress"), &list, Way::New).unwrap();
        let mut desk = Desk::There(Remote::new(&config).unwrap(), config.platforms[0].name.clone());
        let respondents = [NewRespondent::default(), NewRespondent::default()];
        let mut settled = |status, rows: Range<usize>, keeps_going| {
            journal.note(0..2, State::Sending).unwrap();
            let mut sending = Sending {
                desk: &mut desk,
                touchpoint: &config.surveys[0].touchpoint,
                respondents: &respondents,
                journal: &mut journal,
                batch: 2,
                patience: Patience::new(&config.platforms[0]),
                keeps_going,
            };
            let outcome = Outcome::Reply(Reply { status, retry_after: None, words: String::new() });
            let mut alike = Alike { keeps_going, ..Alike::default() };
            let next = sending.settle(rows, State::Waiting, &outcome, &mut alike).unwrap();
            let words = if let Next::Stop(words) = next { words } else { String::new() };
            (words, journal.states()[0].clone())
        };
        for (status, tells) in [(302, "base_url"), (403, "rights"), (404, "base_url"), (405, "405")] {
            let (words, state) = settled(status, 0..2, false);
            assert!(words.contains(tells) && state == State::Waiting, "{status}: {words}");
            assert_eq!(settled(status, 0..1, false).1, State::Waiting);
        }
        assert_eq!(settled(307, 0..1, true).1, State::Waiting);
        for (status, keeps_going) in [(400, false), (413, false), (422, false), (403, true)] {
            let (words, state) = settled(status, 0..1, keeps_going);
            assert!(words.is_empty() && matches!(state, State::Refused(_)), "{status}: {words}");
        }
    }

    #[test]
    fn refusals_that_are_alike_end_a_run_in_which_nothing_was_taken() {
        let mut alike = Alike::default();
        let refused = |alike: &mut Alike, row, words: &str| alike.refused(row, words.into());
        assert!(refused(&mut alike, 0, "a").is_none() && refused(&mut alike, 1, "b").is_none());
        assert!(refused(&mut alike, 2, "b").is_none());
        let (rows, words) = refused(&mut alike, 3, "b").unwrap();
        assert_eq!(rows, [1, 2, 3]);
        assert!(words.contains("--keep-going"));
        alike.taken();
        assert!((4..20).all(|row| refused(&mut alike, row, "b").is_none()));
        let mut told = Alike { keeps_going: true, ..Alike::default() };
        assert!((0..20).all(|row| refused(&mut told, row, "b").is_none()));
    }

    #[test]
    fn lost_calls_end_a_run_whatever_was_taken_before() {
        let mut alike = Alike::default();
        let lost = Outcome::Lost("reset".into());
        alike.taken();
        assert!(alike.lost(&lost).is_none() && alike.lost(&lost).is_none());
        alike.taken();
        assert!(alike.lost(&lost).is_none() && alike.lost(&lost).is_none());
        assert!(alike.lost(&lost).is_some());
    }
}
