//! A survey as a visitor's browser gets it: one language, no GUID.
//!
//! The JSON stays clear of flattened, untagged and internally tagged shapes: their deserializers
//! are large, and these types are parsed in WebAssembly.

use serde::{Deserialize, Serialize};

use crate::condition::ShowIf;
use crate::id::{OptionId, QuestionId, SurveyId};

/// A survey in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// The survey's id.
    pub survey: SurveyId,
    /// The language of all texts, as a BCP 47 tag (`nl`).
    pub language: String,
    /// True when the language is written from right to left.
    #[serde(default)]
    pub rtl: bool,
    /// Names this very content; sent back with the answers.
    pub version: String,
    /// The questions in their order; never empty.
    pub questions: Vec<Question>,
    /// The widget's own words.
    pub words: Words,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The question's id.
    pub id: QuestionId,
    /// What is asked.
    pub text: String,
    /// A second, quieter line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// True when the visitor has to answer it, where it is shown.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// When to ask it; always, if absent. Refers to earlier questions only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_if: Option<ShowIf>,
    /// How it is answered.
    pub kind: Kind,
}

/// How a question is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A step of a scale.
    Score(Score),
    /// The visitor's own words.
    Text(Text),
    /// Yes or no.
    YesNo,
    /// One or several of a list.
    Choice(Choice),
}

/// A scale of whole numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The lowest step.
    pub min: i32,
    /// The highest step; more than `min`.
    pub max: i32,
    /// What the lowest step means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<String>,
    /// What the highest step means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<String>,
}

/// A text to write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// The longest answer, in Unicode scalar values.
    pub max_length: u32,
}

/// A list to choose from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// True when several options may be chosen.
    #[serde(default, skip_serializing_if = "is_false")]
    pub several: bool,
    /// The options in their order; never empty, ids are unique.
    pub options: Vec<ChoiceOption>,
}

/// One option of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChoiceOption {
    /// The option's id.
    pub id: OptionId,
    /// What the visitor reads.
    pub text: String,
}

/// The widget's own words in the survey's language.
///
/// `{n}`, `{total}` and `{max}` stand for numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// The survey's accessible name.
    pub survey: String,
    /// Goes to the next question.
    pub next: String,
    /// Goes to the question before.
    pub back: String,
    /// Hands the answers in.
    pub send: String,
    /// Yes.
    pub yes: String,
    /// No.
    pub no: String,
    /// `{n} of {total}`.
    pub progress: String,
    /// Marks a question that may be left out.
    pub optional: String,
    /// Tells that several options may be chosen.
    pub several: String,
    /// `{n} / {max}`: characters written of those allowed.
    pub count: String,
    /// A score, yes/no or choice is missing.
    pub choose: String,
    /// A text is missing.
    pub write: String,
    /// `{max}`: the text is too long.
    pub too_long: String,
    /// The answers are on their way.
    pub sending: String,
    /// The answers wait on the device.
    pub kept: String,
    /// The answers wait in this page only.
    pub kept_page: String,
    /// Sends again now.
    pub again: String,
    /// The server refused the answers for good.
    pub refused: String,
    /// Thanks.
    pub thanks: String,
    /// What the answers are good for.
    pub thanks_more: String,
    /// Takes the survey away.
    pub close: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}
