//! Which entries an operator means, as it travels: in JSON, or as the parameters of an address.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::SurveyId;
use uuid::Uuid;

use super::{OperatorError, StateName};
use crate::config::PlatformName;
use crate::queue::{Filter, State};

/// The most submissions that one request may name.
pub const MOST_SUBMISSIONS: usize = 1_000;

/// Which entries are meant: those for which everything that is given holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// In one of these states; if empty, the operation says which.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<StateName>,
    /// In this lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// Of this survey.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub survey: Option<SurveyId>,
    /// One of these; any, if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub submissions: Vec<Uuid>,
    /// Accepted before this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_before: Option<Timestamp>,
    /// Accepted at this time or after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_since: Option<Timestamp>,
    /// Whose last error has this in it, without regard to ASCII case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_contains: Option<String>,
}

impl Selection {
    /// The parameters of an address that say the same.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let list = |words: Vec<String>| (!words.is_empty()).then(|| words.join(","));
        let states = list(self.states.iter().map(ToString::to_string).collect());
        let submissions = list(self.submissions.iter().map(ToString::to_string).collect());
        [
            ("state", states),
            ("lane", self.lane.clone()),
            ("survey", self.survey.as_ref().map(ToString::to_string)),
            ("submission", submissions),
            ("accepted_before", self.accepted_before.map(|time| time.to_string())),
            ("accepted_since", self.accepted_since.map(|time| time.to_string())),
            ("error_contains", self.error_contains.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect()
    }

    /// Takes a parameter of an address; `None` if it is none of the selection's, else whether its value
    /// could be read.
    pub fn take(&mut self, name: &str, value: &str) -> Option<Result<(), String>> {
        let taken = match name {
            "state" => list(value).map(|states| self.states.extend::<Vec<StateName>>(states)),
            "submission" => list(value).map(|named| self.submissions.extend::<Vec<Uuid>>(named)),
            "lane" => parse(value).map(|lane| self.lane = Some(lane)),
            "survey" => parse(value).map(|survey| self.survey = Some(survey)),
            "accepted_before" => parse(value).map(|time| self.accepted_before = Some(time)),
            "accepted_since" => parse(value).map(|time| self.accepted_since = Some(time)),
            "error_contains" => parse(value).map(|part| self.error_contains = Some(part)),
            _ => return None,
        };
        Some(taken)
    }

    /// The selected states, or others where none is.
    pub(super) fn states_or(&self, others: &[State]) -> Vec<State> {
        if self.states.is_empty() {
            others.to_vec()
        } else {
            self.states.iter().map(|state| state.0).collect()
        }
    }

    /// What the queue is asked, with other states than the selection's own.
    pub(super) fn filter(&self, states: Vec<State>) -> Result<Filter, OperatorError> {
        if self.submissions.len() > MOST_SUBMISSIONS {
            let reason = format!("at most {MOST_SUBMISSIONS} submissions can be named at once");
            return Err(OperatorError::asked("submissions", reason));
        }
        Ok(Filter {
            states,
            lane: self.lane.as_deref().map(PlatformName::new),
            survey: self.survey.clone(),
            submissions: self.submissions.clone(),
            accepted_before: self.accepted_before,
            accepted_since: self.accepted_since,
            error_contains: self.error_contains.clone(),
        })
    }
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{text:?}: {error}"))
}

fn list<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<Vec<T>, String> {
    text.split(',').map(|part| parse(part.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_comes_back_from_an_address_as_it_was() {
        let selection = Selection {
            states: vec![StateName(State::Dead), StateName(State::Parked)],
            lane: Some("main".into()),
            survey: "checkout".parse().ok(),
            submissions: vec![Uuid::from_bytes([1; 16]), Uuid::from_bytes([2; 16])],
            accepted_before: Some(Timestamp::UNIX_EPOCH),
            accepted_since: Some(Timestamp::MIN),
            error_contains: Some("not set, to production & more".into()),
        };
        let mut back = Selection::default();
        for (name, value) in selection.pairs() {
            back.take(name, &value).unwrap().unwrap();
        }
        assert_eq!(back, selection);
        assert!(Selection::default().pairs().is_empty());
    }

    #[test]
    fn a_parameter_that_cannot_be_read_is_named_with_its_value() {
        let mut selection = Selection::default();
        let refusal = selection.take("state", "dead,ded").unwrap().unwrap_err();
        assert!(refusal.contains("\"ded\"") && refusal.contains("parked"), "{refusal}");
        for (name, value) in [("submission", "1"), ("survey", "A B"), ("accepted_before", "2h")] {
            assert!(selection.take(name, value).unwrap().is_err(), "{name}");
        }
        assert!(selection.take("stat", "dead").is_none());
        assert_eq!(selection, Selection::default());
    }
}
