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

impl LaneState {
    /// Its name, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Working => "working",
            Self::Probing => "probing",
            Self::Paused => "paused",
            Self::StoreFailing => "store_failing",
            Self::Standby => "standby",
            Self::Stopped => "stopped",
        }
    }
}

/// How a lane stands, for operators.
#[derive(Clone, Debug)]
pub struct LaneReport {
    /// What it is doing.
    pub state: LaneState,
    /// The surveys whose touchpoints refuse the token.
    pub paused: Vec<SurveyId>,
    /// The surveys with answers that do not fit the configuration.
    pub unfit: Vec<SurveyId>,
    /// When the last call left.
    pub last_call: Option<jiff::Timestamp>,
    /// The last verdict's name.
    pub last_verdict: Option<&'static str>,
    /// What went wrong last, until the platform takes a call again.
    pub trouble: Option<String>,
    /// When the next call may leave, if something waits.
    pub next_call: Option<jiff::Timestamp>,
    /// The operators' call that failed last, until one succeeds.
    pub failed_call: Option<FailedCall>,
    /// What the pacer adds to the interval since the platform has said 429, for as long as it does.
    pub widened: Option<std::time::Duration>,
}

/// An operators' call that did not bring what it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedCall {
    /// Its kind's name.
    pub kind: &'static str,
    /// When it left.
    pub at: jiff::Timestamp,
    /// What went wrong, in words that hold nothing of the platform's.
    pub words: String,
}

impl LaneReport {
    /// A lane that has not begun.
    pub(super) fn new() -> Self {
        Self {
            state: LaneState::Standby,
            paused: Vec::new(),
            unfit: Vec::new(),
            last_call: None,
            last_verdict: None,
            trouble: None,
            failed_call: None,
            next_call: None,
            widened: None,
        }
    }

    /// True while what waits goes out at the lane's pace: nobody knows how long a platform or a token will be away.
    pub fn flows(&self) -> bool {
        self.state == LaneState::Working && self.paused.is_empty() && self.unfit.is_empty()
    }

    /// What is the matter, and what to do about it.
    pub fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        let trouble = self.trouble.as_deref().unwrap_or("nothing is known yet");
        match self.state {
            LaneState::StoreFailing => {
                advice.push(format!("The store fails: {trouble}. Nothing is sent until it works."));
            }
            LaneState::Probing => advice.push(format!(
                "Calls fail: {trouble}. Nothing is lost: one call at a growing interval finds out when the platform \
                 is back."
            )),
            LaneState::Standby => advice.push(
                "Another server on the same store forwards this lane, or uses its token under another name; this one \
                 takes over if that one ends. When it has ended just now, this takes as long as its lease lasts."
                    .into(),
            ),
            _ => {}
        }
        if !self.paused.is_empty() {
            let surveys = listed(&self.paused);
            advice.push(format!(
                "The platform refuses the token (401) for: {surveys}. Check that the token has not expired and may \
                 add answers to these touchpoints. Their answers wait; a call every now and then finds out when \
                 the token is taken again."
            ));
        }
        if !self.unfit.is_empty() {
            advice.push(format!(
                "Answers do not fit the configuration any more, for: {}. They wait for one that they fit, and go out by themselves \
                 then; after 900 times the lane's interval (a quarter of an hour at one call a second) they are dead \
                 letters. Each letter says what is missing.",
                listed(&self.unfit)
            ));
        }
        advice
    }
}

fn listed(surveys: &[SurveyId]) -> String {
    surveys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
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
