//! What a visitor's browser hands in: the JSON of `POST /v1/surveys/{survey}/answers`.
//!
//! These are wire types: lenient about keys they do not know (an older replica must not lose what a
//! newer widget sends), turned into checked [`Answer`](crate::Answer)s by [`crate::answer::check`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// One visitor's answers to one survey.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// Made by the browser; the idempotency key of everything that follows.
    pub submission: Uuid,
    /// The language that the visitor saw, as a BCP 47 tag.
    pub language: String,
    /// The answers, at most one for a question.
    pub answers: Vec<WireAnswer>,
    /// What the page told about the visit (`meta-…`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Who answered, if the page said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respondent: Option<Respondent>,
    /// Where and when it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// [`Definition::version`](crate::Definition::version) of what was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
}

/// One answer on the wire: exactly one of the four values.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WireAnswer {
    /// The question's id.
    pub question: String,
    /// The step chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<i32>,
    /// The words written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Yes (`true`) or no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boolean: Option<bool>,
    /// The ids of the options chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<String>>,
}

/// Who answered. Personal data: never logged, and kept no longer than the delivery takes.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Respondent {
    /// The first name.
    #[serde(default)]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(default)]
    pub last_name: Option<String>,
    /// The e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// The phone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// The page's own id for the visitor.
    #[serde(default)]
    pub id: Option<String>,
}

/// Where and when a survey was answered.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// The page's address; the server drops its query and fragment.
    #[serde(default)]
    pub page_url: Option<String>,
    /// The address of the page before; the server drops its query and fragment.
    #[serde(default)]
    pub referrer: Option<String>,
    /// The visitor's clock at the moment of sending, RFC 3339.
    #[serde(default)]
    pub answered_at: Option<String>,
}

/// Only ids: answers and personal data do not belong in a log.
impl std::fmt::Debug for Submission {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Submission").field("submission", &self.submission).finish_non_exhaustive()
    }
}
