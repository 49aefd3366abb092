//! Erasing a person from every state.
//!
//! Whoever was thanked is at the platform, or may be: what is there has to be erased there.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::mention::{Address, Found};
use super::pages::Pages;
use super::{Left, MOST_SUBMISSIONS, OperatorError, Tally};
use crate::queue::{Change, EntryId, Filter, Record, Records, State};

/// Who is to be erased: either by address or by submissions. Holds personal data: it has no `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForgetRequest {
    /// The respondent's e-mail address, without regard to case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Submissions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub submissions: Vec<Uuid>,
    /// Erase also what has the address elsewhere: in the words of others, say.
    pub also_mentions: bool,
    /// Erase nothing, and say what would be erased.
    pub dry_run: bool,
}

/// What was erased.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgetReply {
    /// What was erased, by the state in which it was.
    pub erased: Tally,
    /// Submissions that could not be erased yet, since they are being sent or have just moved on.
    pub busy: Vec<Uuid>,
    /// Submissions of others that have the address in them, and were not erased.
    pub mentions: Vec<Left>,
    /// Submissions that were named and are not in the queue.
    pub missing: Vec<Uuid>,
}

/// Erases a person; what is being sent is left, and reported.
pub async fn forget(
    queue: &dyn Records,
    request: &ForgetRequest,
    now: Timestamp,
) -> Result<ForgetReply, OperatorError> {
    let address = match (&request.email, request.submissions.as_slice()) {
        (None, []) | (Some(_), [_, ..]) => {
            return Err(OperatorError::asked("email", "give either an address or some submissions"));
        }
        (None, some) if some.len() > MOST_SUBMISSIONS => {
            let reason = format!("at most {MOST_SUBMISSIONS} submissions can be named at once");
            return Err(OperatorError::asked("submissions", reason));
        }
        (None, _) => None,
        (Some(email), []) => {
            let address = Address::new(email);
            Some(address.ok_or_else(|| OperatorError::asked("email", "this is no e-mail address"))?)
        }
    };
    let filter = Filter { submissions: request.submissions.clone(), ..Filter::default() };
    let mut reply = ForgetReply::default();
    let mut missing: HashSet<Uuid> = request.submissions.iter().copied().collect();
    let mut erased = Vec::new();
    let mut pages = Pages::new(queue, filter, None);
    while let Some(records) = pages.next().await? {
        let mut meant: Vec<Record> = Vec::new();
        for record in records {
            missing.remove(&record.submission);
            let found = match (&address, &record.body) {
                (None, _) => Some(Found::Theirs),
                (Some(address), Some(body)) => address.in_body(body),
                (Some(_), None) => None,
            };
            match found {
                Some(Found::Mentioned) if !request.also_mentions => reply.mentions.push(Left::of(&record)),
                Some(_) if record.state == State::Sending => reply.busy.push(record.submission),
                Some(_) => meant.push(record),
                None => {}
            }
        }
        let ids: Vec<EntryId> = meant.iter().map(|record| record.id).collect();
        let done = if request.dry_run { ids } else { queue.change(&ids, Change::Erase, now).await? };
        let done: HashSet<EntryId> = done.into_iter().collect();
        for record in meant {
            if done.contains(&record.id) {
                reply.erased.add(record.state);
                erased.push(record.submission);
            } else {
                reply.busy.push(record.submission);
            }
        }
    }
    if !erased.is_empty() && !request.dry_run {
        let submissions = erased.iter().map(Uuid::to_string).collect::<Vec<_>>().join(" ");
        tracing::info!(entries = erased.len(), submissions, "erased by an operator");
    }
    reply.missing = request.submissions.iter().copied().filter(|it| missing.remove(it)).collect();
    Ok(reply)
}
