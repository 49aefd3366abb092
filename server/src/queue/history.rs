//! What was counted: calls, answers and steps, each in a span of time. Numbers, never what somebody wrote.

use jiff::Timestamp;

/// What is counted. The numbers are stored: they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Series {
    /// Calls, by minute: of a lane, with a verdict as value.
    Call = 0,
    /// Submissions that were accepted, by day: of a survey in a language. Without an item all of them; with a question
    /// as item those that answered it so, where there is a choice.
    Answer = 1,
    /// Steps that visitors came to, by day: of a survey in a language, with the step as item.
    Step = 2,
}

/// So many, of a kind, in a span of time.
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
    /// The question or the step, or nothing.
    pub item: String,
    /// The verdict or the answer, or nothing.
    pub value: String,
}

impl Series {
    /// Every series.
    pub const ALL: [Self; 3] = [Self::Call, Self::Answer, Self::Step];

    pub(super) fn code(self) -> i16 {
        self as i16
    }
}
