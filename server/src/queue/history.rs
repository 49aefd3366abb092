//! What was counted: calls, answers and steps, each in a span of time. Numbers, never what somebody wrote.

use std::time::Duration;

use jiff::Timestamp;

/// What is counted. The numbers are stored: they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// Calls, by minute: of a lane, with a verdict as value, and as item what for, if not for an answer.
    Call = 0,
    /// Submissions that were accepted, by day: of a survey in a language. Without an item all of them; with a question
    /// as item those that answered it so, where there is a choice.
    Answer = 1,
    /// Steps that visitors came to, by day: of a survey in a language, with the step as item.
    Step = 2,
}

/// What a number is the count of: in a span of time, all that has the same of each of these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// What is counted.
    pub series: Series,
    /// The lane or the survey.
    pub subject: String,
    /// When the span begins.
    pub at: Timestamp,
    /// The language as a two-letter tag, or nothing.
    pub language: String,
    /// The question, the step or what a call was made for, or nothing.
    pub item: String,
    /// The verdict or the answer, or nothing.
    pub value: String,
}

/// What of the counts is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Of this series.
    pub series: Series,
    /// Since this time.
    pub since: Timestamp,
    /// Added up over spans of so long, of which one begins with 1970.
    pub span: Duration,
    /// Of this lane or survey only.
    pub subject: Option<String>,
    /// Of this question or step only; empty for what has none.
    pub item: Option<String>,
}

impl Wanted {
    /// All of a series since a time, as it was counted.
    pub fn of(series: Series, since: Timestamp) -> Self {
        Self { series, since, span: Duration::from_millis(1), subject: None, item: None }
    }

    /// Of one lane or survey.
    #[must_use]
    pub fn about(self, subject: &str) -> Self {
        Self { subject: Some(subject.to_owned()), ..self }
    }

    /// The span in milliseconds.
    pub(super) fn millis(&self) -> i64 {
        i64::try_from(self.span.as_millis()).unwrap_or(i64::MAX).max(1)
    }
}

impl Series {
    /// Every series.
    pub const ALL: [Self; 3] = [Self::Call, Self::Answer, Self::Step];

    pub(super) fn code(self) -> i16 {
        self as i16
    }
}
