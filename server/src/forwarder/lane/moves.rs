//! Since when each survey has the touchpoint that it has: an answer that was sent before that may be at another one, where
//! nobody looks.

use std::collections::HashMap;

use jiff::Timestamp;
use shared::SurveyId;

use super::Lane;
use crate::queue::{QueueError, Unknown};

/// When surveys went over to their touchpoints, as far as this owner has seen it.
#[derive(Default)]
pub(super) struct Moves {
    since: HashMap<SurveyId, Timestamp>,
    /// True once it is noted as it is configured now.
    noted: bool,
}

impl Moves {
    /// The surveys are others, or have other touchpoints.
    pub(super) fn note_again(&mut self) {
        self.noted = false;
    }
}

impl Lane {
    /// Notes, durably, which touchpoints the surveys have now. One that this lane has never had is taken to have been where
    /// it is always, if the owner is new, and else to have come from another lane just now.
    pub(super) async fn note_moves(&mut self) -> Result<(), QueueError> {
        if self.moves.noted {
            return Ok(());
        }
        let (lane, now) = (&self.platform.name, self.clock.now().as_millisecond());
        let note = |survey: &SurveyId| format!("touchpoint of {survey}");
        let unseen = if self.moves.since.is_empty() { 0 } else { now };
        let mut since = HashMap::new();
        for survey in &self.surveys {
            let touchpoint = survey.touchpoint.as_str().to_ascii_lowercase();
            let known = self.queue.recall(lane, &note(&survey.id)).await?;
            let known = known.as_deref().and_then(|known| known.split_once(' '));
            let at = match known {
                Some((before, at)) if before == touchpoint => at.parse().unwrap_or_default(),
                known => {
                    let at = known.map_or(unseen, |_| now);
                    self.queue.remember(lane, &note(&survey.id), &format!("{touchpoint} {at}")).await?;
                    at
                }
            };
            since.insert(survey.id.clone(), Timestamp::from_millisecond(at).unwrap_or_default());
        }
        // It may come back from another lane, where it had another touchpoint.
        for gone in self.moves.since.keys().filter(|survey| !since.contains_key(*survey)) {
            self.queue.remember(lane, &note(gone), &format!("- {now}")).await?;
        }
        self.moves = Moves { since, noted: true };
        Ok(())
    }

    /// True for an entry that may have gone to a touchpoint which its survey has no more.
    pub(super) fn has_moved_since(&self, unknown: &Unknown) -> bool {
        self.moves.since.get(&unknown.entry.survey).is_some_and(|at| unknown.since <= *at)
    }
}
