//! A submission as intake stores it and the forwarder reads it: the body of a queue's entry.
//!
//! It holds ids, never GUIDs: those are looked up when it is forwarded, so that a mended
//! configuration mends what waits. Metadata is resolved already, since only intake saw the visit.
//! It is kept apart from the wire's types, and old rows have to stay readable: fields are only added,
//! with a default.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::{Answer, Chosen, OptionId, QuestionId, Value};
use uuid::Uuid;

/// An accepted submission.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// The language answered in, as a two-letter tag.
    pub language: String,
    /// The answers in the survey's order; never empty.
    pub answers: Vec<StoredAnswer>,
    /// The platform's keys and their values.
    pub metadata: BTreeMap<String, String>,
    /// Who answered, if known.
    #[serde(default)]
    pub respondent: Option<StoredRespondent>,
    /// When it was answered.
    pub answered_at: Timestamp,
}

/// One answer.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// The question.
    pub question: QuestionId,
    /// What was answered.
    pub value: StoredValue,
}

/// What was answered.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoredValue {
    /// A step of a scale.
    Score(i32),
    /// Words.
    Text(String),
    /// Yes (`true`) or no.
    Boolean(bool),
    /// The options chosen.
    Options(Vec<OptionId>),
    /// The options chosen, and what the one called "other" means.
    OptionsWithWords(Vec<OptionId>, String),
}

/// Who answered.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRespondent {
    /// The page's own id for the visitor.
    pub id: Option<String>,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone number.
    pub phone: Option<String>,
}

impl Accepted {
    /// The metadata keys under which the platform has the submission's UUID: with none of them it cannot
    /// be found there again.
    pub fn keys_of(&self, submission: Uuid) -> impl Iterator<Item = &str> {
        let holds = move |value: &str| Uuid::try_parse(value).is_ok_and(|uuid| uuid == submission);
        self.metadata.iter().filter(move |(_, value)| holds(value)).map(|(key, _)| key.as_str())
    }
}

impl StoredValue {
    /// What the visitor wrote, if anything.
    pub fn words(&self) -> Option<&str> {
        match self {
            Self::Text(words) | Self::OptionsWithWords(_, words) => Some(words),
            Self::Score(_) | Self::Boolean(_) | Self::Options(_) => None,
        }
    }
}

impl From<Answer> for StoredAnswer {
    fn from(answer: Answer) -> Self {
        let value = match answer.value {
            Value::Score(score) => StoredValue::Score(score),
            Value::Text(text) => StoredValue::Text(text),
            Value::Boolean(boolean) => StoredValue::Boolean(boolean),
            Value::Options(Chosen { ids, other: None }) => StoredValue::Options(ids),
            Value::Options(Chosen { ids, other: Some(words) }) => StoredValue::OptionsWithWords(ids, words),
        };
        Self { question: answer.question, value }
    }
}

/// Nothing: answers and personal data do not belong in a log.
impl std::fmt::Debug for Accepted {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Accepted").finish_non_exhaustive()
    }
}
