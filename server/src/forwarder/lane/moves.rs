//! Since when each survey has the touchpoint that it has: an answer that was sent before that may be at another one, where
//! nobody looks.

use std::collections::HashMap;

use jiff::Timestamp;
use shared::SurveyId;

use super::Lane;
use crate::queue::{QueueError, Unknown};

/// When surveys went over to their touchpoints, as far as that was seen.
pub(super) type Moves = HashMap<SurveyId, Timestamp>;

impl Lane {
    /// Notes, durably, which touchpoints the surveys have now. One that is seen for the first time is taken to have been
    /// there always.
    pub(super) async fn note_moves(&mut self) -> Result<(), QueueError> {
        let mut moves = Moves::new();
        for survey in &self.surveys {
            let name = format!("touchpoint of {}", survey.id);
            let now = survey.touchpoint.as_str().to_ascii_lowercase();
            let known = self.queue.recall(&self.platform.name, &name).await?;
            let known = known.as_deref().and_then(|known| known.split_once(' '));
            let since = match known {
                Some((before, since)) if before == now => since.parse().unwrap_or_default(),
                known => {
                    let since = known.map_or(0, |_| self.clock.now().as_millisecond());
                    let value = format!("{now} {since}");
                    self.queue.remember(&self.platform.name, &name, &value).await?;
                    since
                }
            };
            moves.insert(survey.id.clone(), Timestamp::from_millisecond(since).unwrap_or_default());
        }
        self.moves = Some(moves);
        Ok(())
    }

    /// True for an entry that may have gone to a touchpoint which its survey has no more.
    pub(super) fn has_moved_since(&self, unknown: &Unknown) -> bool {
        let moved = self.moves.as_ref().and_then(|moves| moves.get(&unknown.entry.survey));
        moved.is_some_and(|at| unknown.since <= *at)
    }
}
