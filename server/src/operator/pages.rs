//! The records that pass a filter, some at a time, in the order in which they were stored.

use std::ops::Deref;

use super::PAGE;
use crate::queue::{EntryId, Filter, QueueError, Record, Records};

/// How far a reader has come. An entry that is there all the while is seen once, whatever happens to others meanwhile.
pub(super) struct Pages<Q> {
    queue: Q,
    filter: Filter,
    after: Option<EntryId>,
    ended: bool,
}

impl<Q: Deref<Target: Records>> Pages<Q> {
    /// All that pass the filter, after a given one.
    pub(super) fn new(queue: Q, filter: Filter, after: Option<EntryId>) -> Self {
        Self { queue, filter, after, ended: false }
    }

    /// The next records; `None` once there are no more.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Record>>, QueueError> {
        if self.ended {
            return Ok(None);
        }
        let records = self.queue.page(&self.filter, self.after, PAGE).await?;
        self.ended = records.len() < PAGE as usize;
        self.after = records.last().map(|last| last.id);
        Ok((!records.is_empty()).then_some(records))
    }
}
