//! The entries that pass a selection, without what visitors wrote.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::SurveyId;
use uuid::Uuid;

use super::pages::Pages;
use super::{OperatorError, Selection, StateName};
use crate::queue::{EntryId, Filter, Record, Records, State};

/// The most entries that one listing has.
pub const MOST_LISTED: u32 = 10_000;

/// What is to be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRequest {
    /// Which entries; without states, the open ones.
    pub selection: Selection,
    /// How many, at most.
    pub limit: u32,
    /// Only entries that were stored after this submission.
    pub after: Option<Uuid>,
    /// The last of them instead of the first.
    pub newest: bool,
}

/// Some entries, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The entries.
    pub entries: Vec<Row>,
    /// True if more pass the selection.
    pub more: bool,
}

/// An entry in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The submission.
    pub submission: Uuid,
    /// The survey that was answered.
    pub survey: SurveyId,
    /// Whose line it waits in.
    pub lane: String,
    /// Where it stands.
    pub state: StateName,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When it came into its state after a call or by an operator.
    pub settled_at: Option<Timestamp>,
    /// From when on it is tried, or looked up.
    pub due_at: Timestamp,
    /// Calls made since it was accepted or retried.
    pub attempts: u32,
    /// What went wrong last; the platform's words.
    pub last_error: Option<String>,
}

impl Row {
    pub(super) fn new(record: &Record) -> Self {
        Self {
            submission: record.submission,
            survey: record.survey.clone(),
            lane: record.lane.to_string(),
            state: StateName(record.state),
            accepted_at: record.accepted_at,
            settled_at: record.settled_at,
            due_at: record.due_at,
            attempts: record.attempts,
            last_error: record.last_error.clone(),
        }
    }
}

/// The first entries that pass the selection, or the last.
pub async fn list(queue: &dyn Records, request: &ListRequest) -> Result<Listing, OperatorError> {
    if request.limit == 0 || request.limit > MOST_LISTED {
        return Err(OperatorError::asked("limit", format!("choose 1 to {MOST_LISTED}")));
    }
    let filter = request.selection.filter(request.selection.states_or(&State::OPEN))?;
    let after = match request.after {
        Some(submission) => Some(find(queue, submission).await?),
        None => None,
    };
    let limit = request.limit as usize;
    let mut entries = VecDeque::new();
    let mut more = false;
    let mut pages = Pages::new(queue, filter, after);
    while let Some(records) = pages.next().await? {
        for record in &records {
            entries.push_back(Row::new(record));
            if entries.len() > limit {
                more = true;
                if request.newest {
                    entries.pop_front();
                } else {
                    entries.pop_back();
                    return Ok(Listing { entries: entries.into(), more });
                }
            }
        }
    }
    Ok(Listing { entries: entries.into(), more })
}

/// A submission's place in the store.
async fn find(queue: &dyn Records, submission: Uuid) -> Result<EntryId, OperatorError> {
    let filter = Filter { submissions: vec![submission], ..Filter::default() };
    let found = queue.page(&filter, None, 1).await?;
    let place = found.first().map(|record| record.id);
    place.ok_or_else(|| OperatorError::asked("after", format!("the queue has no submission {submission}")))
}
