//! Submissions that operators hand in for people who answered elsewhere: on paper, on the phone.
//!
//! The same rules hold as for visitors, but for what concerns a browser: origin, rate, and how long ago it was. They go
//! out after visitors' answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shared::Submission;

use super::Intake;
use super::accept::{Hand, accept, store};
use super::problem::{Detail, Problem};
use crate::queue::{Enqueued, QueueError};

/// Some submissions to one survey.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HandInRequest {
    /// The submissions.
    pub submissions: Vec<Submission>,
    /// True if they are only to be checked.
    #[serde(default)]
    pub check: bool,
}

/// What became of one of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HandedIn {
    /// It is right, and durable unless it was only to be checked.
    Taken,
    /// It was there already, with the same answers.
    Repeated,
    /// Another one is there under its UUID.
    Conflict,
    /// It breaks rules.
    Refused(Vec<Wrong>),
    /// The store cannot take it at the moment, in words.
    Failed(String),
}

/// One thing that is wrong with a submission.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Wrong {
    /// JSON pointer (RFC 6901) into the submission; empty for the whole.
    pub pointer: String,
    /// The question, where it is known.
    pub question: Option<String>,
    /// The fault in words.
    pub words: String,
}

impl Intake {
    /// Takes submissions for a survey, in their order; `None` if there is no such survey. What cannot be stored ends it:
    /// those behind it fail as well.
    pub async fn hand_in(&self, survey: &str, request: &HandInRequest) -> Option<Vec<HandedIn>> {
        let survey = self.config.survey(survey)?;
        let mut handed_in = Vec::with_capacity(request.submissions.len());
        let mut failed: Option<String> = None;
        for submission in &request.submissions {
            let checked = match accept(self, survey, submission, Hand::Operator) {
                Ok(checked) => checked,
                Err(problem) => {
                    handed_in.push(HandedIn::Refused(wrong(problem)));
                    continue;
                }
            };
            if request.check {
                handed_in.push(HandedIn::Taken);
                continue;
            }
            if let Some(words) = &failed {
                handed_in.push(HandedIn::Failed(words.clone()));
                continue;
            }
            // In a task of its own: what is stored is counted and logged even if the operator hangs up.
            let storing = tokio::spawn(store(Arc::clone(&self.queue), self.recorder.clone(), checked));
            handed_in.push(match storing.await.unwrap_or(Err(QueueError::Stopped)) {
                Ok(Enqueued::Stored) => HandedIn::Taken,
                Ok(Enqueued::Repeated) => HandedIn::Repeated,
                Ok(Enqueued::Conflict) => HandedIn::Conflict,
                Err(error) => {
                    failed = Some(error.to_string());
                    HandedIn::Failed(error.to_string())
                }
            });
        }
        Some(handed_in)
    }
}

/// What is wrong with the content, or with the whole.
fn wrong(problem: Problem) -> Vec<Wrong> {
    if problem.errors.is_empty() {
        return vec![Wrong { pointer: String::new(), question: None, words: problem.words }];
    }
    let wrong = |Detail { pointer, question, words, .. }| Wrong { pointer, question, words };
    problem.errors.into_iter().map(wrong).collect()
}
