//! Counts what happens: calls by the minute, answers and visitors' steps by the day.
//!
//! Counts come together in memory and go to the store every few seconds, where several servers add to the same
//! ones. What a kill takes with it is a few seconds of numbers; no promise depends on them. Nothing that a visitor wrote
//! is counted, only which step of a scale, which option, yes or no.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use shared::SurveyId;

use crate::accepted::{Accepted, StoredValue};
use crate::config::PlatformName;
use crate::queue::{History, Kind, Series};
use crate::seldom::Seldom;

/// How often what has come together goes to the store.
const FLUSH: Duration = Duration::from_secs(5);
/// For how long calls are counted by the minute: a day is shown, and some more.
const KEEP_CALLS: Duration = Duration::from_hours(26);
/// For how long answers and steps are counted by the day.
const KEEP_DAYS: Duration = Duration::from_hours(400 * 24);

/// What a call was made for that hands in no answer: the item under which it is counted. What older versions stored has
/// it as value, and no item.
pub const LOOK_UP: &str = "look-up";
/// The same, of one that an operator has asked for.
pub const OPERATOR: &str = "operator";

/// Takes what is to be counted; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<HashMap<Kind, u64>>>);

impl Recorder {
    /// Counts a call of a lane that handed in an answer.
    pub fn call(&self, lane: &PlatformName, verdict: &str, at: Timestamp) {
        self.other_call(lane, "", verdict, at);
    }

    /// Counts a call of a lane that was made for something else.
    pub fn other_call(&self, lane: &PlatformName, purpose: &str, verdict: &str, at: Timestamp) {
        let (item, value) = (purpose.to_owned(), verdict.to_owned());
        self.add([Kind { item, value, ..kind(Series::Call, lane.as_str(), minute(at), "") }]);
    }

    /// Counts a submission that was accepted, and what was chosen in it.
    pub fn answered(&self, survey: &SurveyId, accepted: &Accepted, at: Timestamp) {
        let all = kind(Series::Answer, survey.as_str(), day(at), &accepted.language);
        let answers = accepted.answers.iter().flat_map(|answer| {
            let chosen = match &answer.value {
                StoredValue::Score(score) => vec![score.to_string()],
                StoredValue::Boolean(yes) => vec![yes.to_string()],
                StoredValue::Options(options) | StoredValue::OptionsWithWords(options, _) => {
                    options.iter().map(ToString::to_string).collect()
                }
                StoredValue::Text(_) => vec![String::new()],
            };
            let item = answer.question.to_string();
            let all = all.clone();
            chosen.into_iter().map(move |value| Kind { item: item.clone(), value, ..all.clone() })
        });
        self.add(answers.chain([all.clone()]));
    }

    /// Counts a step that a visitor has come to.
    pub fn step(&self, survey: &SurveyId, language: &str, step: &str, at: Timestamp) {
        self.add([Kind { item: step.to_owned(), ..kind(Series::Step, survey.as_str(), day(at), language) }]);
    }

    fn add(&self, kinds: impl IntoIterator<Item = Kind>) {
        let kinds: Vec<Kind> = kinds.into_iter().collect();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in kinds {
            *counts.entry(kind).or_default() += 1;
        }
    }

    /// Takes what has come together to the store; what the store does not take waits for the next time.
    pub async fn flush(&self, history: &dyn History) {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if counts.is_empty() {
            return;
        }
        let counts: Vec<(Kind, u64)> = counts.into_iter().collect();
        if let Err(error) = history.record(counts.clone()).await {
            static TOLD: Seldom = Seldom::by_the_minute();
            if TOLD.is_due() {
                tracing::warn!(%error, "what was counted could not be stored; it is tried again (said once a minute)");
            }
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for (kind, count) in counts {
                *waiting.entry(kind).or_default() += count;
            }
        }
    }

    /// Flushes again and again, and a last time when it is to stop.
    pub async fn keep_up(self, history: Arc<dyn History>, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let last = tokio::select! {
                () = tokio::time::sleep(FLUSH) => false,
                () = &mut stop => true,
            };
            self.flush(&*history).await;
            if last {
                return;
            }
        }
    }
}

/// Forgets what is too old to be shown.
pub async fn forget(history: &dyn History, now: Timestamp) {
    for (series, keep) in [(Series::Call, KEEP_CALLS), (Series::Answer, KEEP_DAYS), (Series::Step, KEEP_DAYS)]
    {
        let before = now.checked_sub(keep).unwrap_or(Timestamp::MIN);
        if let Err(error) = history.forget_counts(series, before).await {
            tracing::warn!(%error, "old counts could not be forgotten");
        }
    }
}

/// The minute in which a moment lies.
pub fn minute(at: Timestamp) -> Timestamp {
    floor(at, 60)
}

/// The day in which a moment lies, in UTC.
pub fn day(at: Timestamp) -> Timestamp {
    floor(at, 86_400)
}

fn floor(at: Timestamp, seconds: i64) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(seconds)).unwrap_or(at)
}

fn kind(series: Series, subject: &str, at: Timestamp, language: &str) -> Kind {
    let (item, value) = (String::new(), String::new());
    Kind { series, subject: subject.to_owned(), at, language: language.to_owned(), item, value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::tests::accepted;
    use crate::queue::{Options, SqliteQueue, Wanted};

    #[tokio::test]
    async fn what_happens_is_counted_in_its_span_and_kept_in_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(&folder.path().join("queue.db"), Options::default()).unwrap();
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let (recorder, survey) = (Recorder::default(), "checkout".parse().unwrap());
        let lane = PlatformName::new("main");
        recorder.call(&lane, "delivered", at("2026-11-26T10:00:59Z"));
        recorder.call(&lane, "delivered", at("2026-11-26T10:00:00Z"));
        recorder.call(&lane, "later", at("2026-11-26T10:01:00Z"));
        recorder.flush(&queue).await;
        recorder.call(&lane, "delivered", at("2026-11-26T10:00:30Z"));
        recorder.answered(&survey, &accepted(), at("2026-11-26T23:59:59Z"));
        recorder.step(&survey, "nl", "shown", at("2026-11-27T00:00:00Z"));
        recorder.flush(&queue).await;
        recorder.flush(&queue).await;
        let calls = queue.counted(&Wanted::of(Series::Call, Timestamp::UNIX_EPOCH)).await.unwrap();
        let calls: Vec<_> =
            calls.iter().map(|(kind, count)| (kind.at.to_string(), &*kind.value, *count)).collect();
        assert_eq!(
            calls,
            [("2026-11-26T10:00:00Z".into(), "delivered", 3), ("2026-11-26T10:01:00Z".into(), "later", 1)]
        );
        let answers = queue
            .counted(&Wanted::of(Series::Answer, Timestamp::UNIX_EPOCH).about("checkout"))
            .await
            .unwrap();
        assert!(
            answers.iter().all(|(kind, _)| kind.at == at("2026-11-26T00:00:00Z") && kind.language == "nl")
        );
        let all: u64 = answers.iter().filter(|(kind, _)| kind.item.is_empty()).map(|(_, count)| count).sum();
        assert_eq!(all, 1);
        let words = format!("{answers:?}");
        assert!(
            accepted()
                .answers
                .iter()
                .all(|answer| answer.value.words().is_none_or(|said| !words.contains(said)))
        );
        let steps = queue.counted(&Wanted::of(Series::Step, at("2026-11-27T00:00:00Z"))).await.unwrap();
        assert_eq!(steps.len(), 1);
        forget(&queue, at("2026-11-28T00:00:00Z")).await;
        assert!(queue.counted(&Wanted::of(Series::Call, Timestamp::UNIX_EPOCH)).await.unwrap().is_empty());
        assert_eq!(queue.counted(&Wanted::of(Series::Step, Timestamp::UNIX_EPOCH)).await.unwrap().len(), 1);
    }
}
