//! Retrying entries, and giving them up.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::pages::Pages;
use super::{OperatorError, PAGE, Selection, StateName, Tally};
use crate::queue::{Change, EntryId, Filter, Record, Records, State};

/// What waits for an operator: what a change takes unless it is told otherwise.
pub const STUCK: [State; 2] = [State::Dead, State::Parked];

/// What an operator wants done with some entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Send them again as soon as their turn comes.
    Retry,
    /// Give them up: what the visitors sent goes.
    Discard,
}

impl Order {
    /// The states that it takes.
    pub fn takes(self) -> &'static [State] {
        Change::from(self).takes()
    }
}

impl From<Order> for Change {
    fn from(order: Order) -> Self {
        match order {
            Order::Retry => Self::Retry,
            Order::Discard => Self::Discard,
        }
    }
}

/// Which entries are to be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeRequest {
    /// Which entries; without states, those that are dead or parked.
    pub selection: Selection,
    /// Has to be true where the selection names no submission.
    pub all: bool,
    /// Leave alone what came into its state after this time: what the operator has not seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// Change nothing, and say what would be changed.
    pub dry_run: bool,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeReply {
    /// When it was done, by the clock that stamps the queue's entries.
    pub as_of: Timestamp,
    /// The entries that were changed, by the state in which they were.
    pub changed: Tally,
    /// Entries that were named, or would have been changed, and were not, with their present state.
    pub left: Vec<Left>,
    /// Submissions that were named, and are not in the queue or do not pass the rest of the selection.
    pub missing: Vec<Uuid>,
}

/// An entry that was not changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The submission.
    pub submission: Uuid,
    /// Where it stands.
    pub state: StateName,
}

impl Left {
    pub(super) fn of(record: &Record) -> Self {
        Self { submission: record.submission, state: StateName(record.state) }
    }
}

/// Sends entries again as soon as their turn comes, or gives them up: then what the visitor sent goes.
pub async fn change(
    queue: &dyn Records,
    order: Order,
    request: &ChangeRequest,
    now: Timestamp,
) -> Result<ChangeReply, OperatorError> {
    let selection = &request.selection;
    let named = !selection.submissions.is_empty();
    if !named && !request.all {
        let reason = "name some submissions, or say that all are meant which pass the selection";
        return Err(OperatorError::asked("all", reason));
    }
    let states = selection.states_or(&STUCK);
    if let Some(state) = states.iter().find(|state| !order.takes().contains(state)) {
        let takes: Vec<_> = order.takes().iter().map(|state| state.name()).collect();
        let reason = format!("what is {state} cannot be changed like this; there are: {}", takes.join(", "));
        return Err(OperatorError::asked("states", reason));
    }
    // What is named is read in any state, to say why it is left alone.
    let filter = selection.filter(if named { Vec::new() } else { states.clone() })?;
    let seen = |record: &Record| {
        request.as_of.is_none_or(|as_of| record.settled_at.unwrap_or(record.accepted_at) <= as_of)
    };
    let mut missing: HashSet<Uuid> = selection.submissions.iter().copied().collect();
    let (mut changed, mut left, mut moved) = (Tally::default(), Vec::new(), Vec::new());
    let mut pages = Pages::new(queue, filter, None);
    while let Some(records) = pages.next().await? {
        for record in &records {
            missing.remove(&record.submission);
        }
        let (meant, others): (Vec<Record>, Vec<Record>) =
            records.into_iter().partition(|record| states.contains(&record.state) && seen(record));
        if named {
            left.extend(others.iter().map(Left::of));
        }
        let ids: Vec<EntryId> = meant.iter().map(|record| record.id).collect();
        let done = if request.dry_run { ids } else { queue.change(&ids, order.into(), now).await? };
        let done: HashSet<EntryId> = done.into_iter().collect();
        for record in meant {
            if !done.contains(&record.id) {
                moved.push(record.submission);
                continue;
            }
            changed.add(record.state);
            if order == Order::Discard && !request.dry_run {
                tracing::warn!(lane = %record.lane, survey = %record.survey, submission = %record.submission,
                    was = %record.state, "discarded by an operator");
            }
        }
    }
    if order == Order::Retry && changed.total() > 0 && !request.dry_run {
        tracing::info!(entries = changed.total(), was = %changed, "retried by an operator");
    }
    left.extend(states_of(queue, &moved).await?);
    let missing = selection.submissions.iter().copied().filter(|it| missing.remove(it)).collect();
    Ok(ChangeReply { as_of: now, changed, left, missing })
}

/// Where some submissions stand by now.
async fn states_of(queue: &dyn Records, submissions: &[Uuid]) -> Result<Vec<Left>, OperatorError> {
    let mut found = Vec::new();
    for some in submissions.chunks(PAGE as usize) {
        let filter = Filter { submissions: some.to_vec(), ..Filter::default() };
        let records = queue.page(&filter, None, PAGE).await?;
        found.extend(records.iter().map(Left::of));
    }
    Ok(found)
}
