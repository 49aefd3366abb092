//! What a lane tells operators about itself.

use shared::SurveyId;

use crate::platform::{Outcome, advice};

/// What a lane is doing, for operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneState {
    /// Nothing waits.
    Idle,
    /// It works at its pace.
    Working,
    /// The platform fails; it is probed.
    Probing,
    /// The platform refuses the token for everything that waits.
    Paused,
    /// The queue's store fails.
    StoreFailing,
    /// Another server forwards it.
    Standby,
    /// The owner has stopped.
    Stopped,
}

/// How a lane stands, for operators.
#[derive(Clone, Debug)]
pub struct LaneReport {
    /// What it is doing.
    pub state: LaneState,
    /// The surveys whose touchpoints refuse the token.
    pub paused: Vec<SurveyId>,
    /// When the last call left.
    pub last_call: Option<jiff::Timestamp>,
    /// The last verdict's name.
    pub last_verdict: Option<&'static str>,
    /// What went wrong last, until the platform takes a call again.
    pub trouble: Option<String>,
    /// When the next call may leave, if something waits.
    pub next_call: Option<jiff::Timestamp>,
    /// What the pacer adds to the interval since the platform has said 429, for as long as it does.
    pub widened: Option<std::time::Duration>,
}

impl LaneReport {
    /// A lane that has not begun.
    pub(super) fn new() -> Self {
        Self {
            state: LaneState::Standby,
            paused: Vec::new(),
            last_call: None,
            last_verdict: None,
            trouble: None,
            next_call: None,
            widened: None,
        }
    }
}

/// An outcome in words that hold nothing of the platform's: they may repeat a visitor's.
pub(super) fn trouble(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Reply(reply) => format!("the platform answered {}", reply.status),
        Outcome::NotSent(reason) => format!("the platform cannot be reached: {reason}"),
        Outcome::Lost(reason) => format!("the connection failed during the call: {reason}"),
    }
}

/// An outcome as an attempt keeps it, with what to do about a refusal.
pub(super) fn describe(outcome: &Outcome) -> (Option<u16>, Option<String>) {
    match outcome {
        Outcome::Reply(reply) if (200..300).contains(&reply.status) => (Some(reply.status), None),
        Outcome::Reply(reply) => {
            let words = if reply.words.is_empty() { String::new() } else { format!(": {}", reply.words) };
            let advice = advice(outcome).map(|advice| format!("; {advice}")).unwrap_or_default();
            (Some(reply.status), Some(format!("HTTP {}{words}{advice}", reply.status)))
        }
        other => (None, Some(trouble(other))),
    }
}
