//! The flags that say which entries are meant.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use shared::SurveyId;
use uuid::Uuid;

use crate::cli::words::{self, span};
use crate::operator::{Selection, StateName};

/// Everything that is given has to hold.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct FilterArgs {
    /// Only these submissions
    #[arg(value_name = "UUID")]
    pub(super) submissions: Vec<Uuid>,
    /// Only in these states: waiting, delayed, sending, unknown, parked, dead, delivered, discarded
    #[arg(long, value_name = "STATE,…", value_delimiter = ',')]
    pub(super) state: Vec<StateName>,
    /// Only of this survey
    #[arg(long, value_name = "ID")]
    survey: Option<SurveyId>,
    /// Only in this lane, which is a [platform.NAME]
    #[arg(long, value_name = "NAME")]
    lane: Option<String>,
    /// Only what was accepted longer ago: 90s, 30m, 2h, 7d
    #[arg(long, value_name = "SPAN", value_parser = words::parse_span)]
    older_than: Option<Duration>,
    /// Only what was accepted since then: 90s, 30m, 2h, 7d
    #[arg(long, value_name = "SPAN", value_parser = words::parse_span)]
    newer_than: Option<Duration>,
    /// Only what failed last with this in the words, in capitals or not
    #[arg(long, value_name = "TEXT")]
    error_contains: Option<String>,
}

impl FilterArgs {
    /// What is meant, at a time.
    pub(super) fn selection(&self, now: Timestamp) -> Selection {
        let before = |span: Duration| now.checked_sub(span).unwrap_or(Timestamp::MIN);
        Selection {
            states: self.state.clone(),
            lane: self.lane.clone(),
            survey: self.survey.clone(),
            submissions: self.submissions.clone(),
            accepted_before: self.older_than.map(before),
            accepted_since: self.newer_than.map(before),
            error_contains: self.error_contains.clone(),
        }
    }

    /// What is meant, in words; `states` says which count where none is named.
    pub(super) fn in_words(&self, states: &str) -> String {
        let named = match self.submissions.as_slice() {
            [] => None,
            [one] => Some(format!("submission {one}")),
            some => Some(format!("one of {} submissions", some.len())),
        };
        let states = match self.state.as_slice() {
            [] => states.to_owned(),
            some => {
                let states: Vec<_> = some.iter().map(ToString::to_string).collect();
                format!("state {}", states.join(" or "))
            }
        };
        let parts = [
            named,
            Some(states),
            self.survey.as_ref().map(|survey| format!("survey {survey}")),
            self.lane.as_ref().map(|lane| format!("lane {lane}")),
            self.older_than.map(|age| format!("accepted more than {} ago", span(age))),
            self.newer_than.map(|age| format!("accepted in the last {}", span(age))),
            self.error_contains.as_ref().map(|part| format!("{part:?} in the last error")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::queue::State;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        filter: FilterArgs,
    }

    fn parse(line: &str) -> Result<FilterArgs, String> {
        let words = std::iter::once("x").chain(line.split_whitespace());
        Line::try_parse_from(words).map(|line| line.filter).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_become_a_selection() {
        let id = Uuid::from_bytes([7; 16]);
        let line = format!(
            "{id} --state dead,parked --survey checkout --lane main --older-than 2h --newer-than 1d \
             --error-contains production"
        );
        let args = parse(&line).unwrap();
        let now = Timestamp::from_second(100_000).unwrap();
        let expected = Selection {
            states: vec![StateName(State::Dead), StateName(State::Parked)],
            lane: Some("main".into()),
            survey: "checkout".parse().ok(),
            submissions: vec![id],
            accepted_before: Timestamp::from_second(92_800).ok(),
            accepted_since: Timestamp::from_second(13_600).ok(),
            error_contains: Some("production".into()),
        };
        assert_eq!(args.selection(now), expected);
        assert_eq!(
            args.in_words("open"),
            format!(
                "submission {id}, state dead or parked, survey checkout, lane main, accepted more than 2 h ago, \
                 accepted in the last 1 d, \"production\" in the last error"
            )
        );
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_what_there_is() {
        let refused = |line: &str| parse(line).unwrap_err();
        assert!(refused("--state ded").contains("parked"));
        assert!(refused("--older-than 2").contains("30m"));
        assert!(refused("--survey A").contains("a-z"));
        assert!(refused("123").contains("123"));
    }
}
