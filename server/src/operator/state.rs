//! A state as requests and replies write it, and counts by state.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::queue::State;

/// A state by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub struct StateName(pub State);

impl From<StateName> for &'static str {
    fn from(name: StateName) -> Self {
        name.0.name()
    }
}

impl TryFrom<String> for StateName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for StateName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// How many entries of each state; states without any are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tally(BTreeMap<StateName, u64>);

impl Tally {
    /// The entries of a state.
    pub fn of(&self, state: State) -> u64 {
        self.0.get(&StateName(state)).copied().unwrap_or_default()
    }

    /// All entries.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    pub(super) fn add(&mut self, state: State) {
        *self.0.entry(StateName(state)).or_default() += 1;
    }

    /// Adds another tally's entries.
    pub fn join(&mut self, other: &Self) {
        for (state, entries) in &other.0 {
            *self.0.entry(*state).or_default() += entries;
        }
    }
}

/// `2 dead, 1 parked`, in the order in which people read the states.
impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let there = State::ALL.into_iter().filter(|state| self.of(*state) > 0);
        for (index, state) in there.enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(out, "{comma}{} {state}", self.of(state))?;
        }
        Ok(())
    }
}
