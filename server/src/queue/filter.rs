//! Which entries an operator means, and what is to become of them.

use jiff::Timestamp;
use shared::SurveyId;
use uuid::Uuid;

use super::State;
use crate::config::PlatformName;

/// Which entries are meant: those for which everything that is given holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// In one of these states; in any, if empty.
    pub states: Vec<State>,
    /// In this lane.
    pub lane: Option<PlatformName>,
    /// Of this survey.
    pub survey: Option<SurveyId>,
    /// With one of these UUIDs; any, if empty.
    pub submissions: Vec<Uuid>,
    /// Accepted before this time.
    pub accepted_before: Option<Timestamp>,
    /// Accepted at this time or after it.
    pub accepted_since: Option<Timestamp>,
    /// Whose last error has this in it, without regard to ASCII case.
    pub error_contains: Option<String>,
}

/// What an operator wants done with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Send it again as soon as its turn comes, and count its attempts anew. Takes what is delayed,
    /// unknown, parked or dead.
    Retry,
    /// Give it up: the body goes, the UUID stays, so that it is not accepted again. Takes what is not
    /// being sent and not settled.
    Discard,
    /// Forget who it was from: as a discard, also of what is delivered, and without a fingerprint.
    Erase,
}

impl Change {
    /// The states that the change takes.
    pub fn takes(self) -> &'static [State] {
        match self {
            Self::Retry => &[State::Delayed, State::Unknown, State::Parked, State::Dead],
            Self::Discard => &[State::Waiting, State::Delayed, State::Unknown, State::Parked, State::Dead],
            Self::Erase => &[
                State::Waiting,
                State::Delayed,
                State::Unknown,
                State::Parked,
                State::Dead,
                State::Delivered,
                State::Discarded,
            ],
        }
    }
}
