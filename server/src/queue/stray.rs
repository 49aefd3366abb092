//! What waits in another lane than its survey has now.

use shared::SurveyId;

use super::State;
use crate::config::PlatformName;

/// The entries of a survey in a state that are in the wrong lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stray {
    pub(super) state: State,
    pub(super) survey: String,
    /// Where they are.
    pub(super) from: String,
    /// Where they belong.
    pub(super) to: PlatformName,
}

impl Stray {
    /// The states in which entries follow their survey: what is being sent stays until it is settled.
    pub(super) fn states() -> impl Iterator<Item = State> {
        State::OPEN.into_iter().filter(|state| *state != State::Sending)
    }

    /// What of a state has to move: `found` are the lanes and surveys that have any of it.
    pub(super) fn among(
        state: State,
        found: Vec<(String, String)>,
        lanes: &[(SurveyId, PlatformName)],
    ) -> Vec<Self> {
        let astray = |(from, survey): (String, String)| {
            let (_, to) = lanes.iter().find(|(id, _)| id.as_str() == survey)?;
            let to = to.clone();
            (to.as_str() != from).then_some(Self { state, survey, from, to })
        };
        found.into_iter().filter_map(astray).collect()
    }
}
