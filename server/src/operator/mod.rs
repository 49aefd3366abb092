//! What operators do with the queue: see how it stands, look at entries, retry them, give them up, take
//! them elsewhere, forget a person.
//!
//! Each operation is a function on the queue, with a request and a reply of its own that travel as JSON:
//! the command line calls them itself while no server runs, and through the operators' listener while
//! one does, and says the same either way.
//!
//! - What is being sent is never changed, and a change looks for the states that it was asked to take.
//! - Answers and personal data are in a reply only where they were asked for, and never in a log line.
//!
//! Knows nothing of HTTP, of a terminal, or of the platform.

mod change;
mod export;
mod forget;
mod list;
mod mention;
mod pages;
mod selection;
mod show;
mod state;
mod status;
#[cfg(test)]
mod tests;

use crate::queue::QueueError;

pub use change::{ChangeReply, ChangeRequest, Left, Order, STUCK, change};
pub use export::{Exported, export};
pub use forget::{ForgetReply, ForgetRequest, forget};
pub use list::{ListRequest, Listing, MOST_LISTED, Row, list};
pub use selection::{MOST_SUBMISSIONS, Selection};
pub use show::{Call, Shown, show};
pub use state::{StateName, Tally};
pub use status::{LaneStatus, OwnWords, Status, refused, status};

/// Records that are read at once.
const PAGE: u32 = 500;

/// Why an operation was not done, or not to its end.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OperatorError {
    /// It was asked in a way that cannot be done.
    #[error("{parameter}: {reason}")]
    Asked {
        /// Which part of the request.
        parameter: &'static str,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl OperatorError {
    fn asked(parameter: &'static str, reason: impl Into<String>) -> Self {
        Self::Asked { parameter, reason: reason.into() }
    }
}
