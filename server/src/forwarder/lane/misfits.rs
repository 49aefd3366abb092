//! Answers that do not fit the configuration, one after the other: they cost the store two writes each and the platform
//! no call, so nothing slows them down but this.

use std::time::Duration;

use shared::SurveyId;
use tokio::time::Instant;

/// So many in a row, then others have their turn.
const MANY: u32 = 20;

/// The surveys that are left alone for a while, if others have something to send.
#[derive(Default)]
pub(super) struct Misfits {
    in_a_row: u32,
    rests: Vec<(SurveyId, Instant)>,
}

impl Misfits {
    /// An answer to the survey does not fit: after many of them it rests for an interval.
    pub(super) fn one_of(&mut self, survey: &SurveyId, now: Instant, interval: Duration) {
        self.in_a_row += 1;
        if self.in_a_row >= MANY {
            self.all_of(survey, now + interval);
        }
    }

    /// No answer to the survey fits before a time.
    pub(super) fn all_of(&mut self, survey: &SurveyId, until: Instant) {
        self.in_a_row = 0;
        self.rests.retain(|(resting, _)| resting != survey);
        self.rests.push((survey.clone(), until));
    }

    /// An answer fits.
    pub(super) fn fits(&mut self) {
        self.in_a_row = 0;
    }

    /// The surveys that rest.
    pub(super) fn resting(&self, now: Instant) -> impl Iterator<Item = &SurveyId> {
        self.rests.iter().filter(move |(_, until)| *until > now).map(|(survey, _)| survey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn many_in_a_row_let_others_have_their_turn() {
        let (now, survey) = (Instant::now(), "checkout".parse().unwrap());
        let mut misfits = Misfits::default();
        for _ in 1..MANY {
            misfits.one_of(&survey, now, SECOND);
        }
        assert_eq!(misfits.resting(now).count(), 0);
        misfits.fits();
        misfits.one_of(&survey, now, SECOND);
        assert_eq!(misfits.resting(now).count(), 0, "one between them fits");
        for _ in 1..MANY {
            misfits.one_of(&survey, now, SECOND);
        }
        assert_eq!(misfits.resting(now).collect::<Vec<_>>(), [&survey]);
        assert_eq!(misfits.resting(now + SECOND).count(), 0);
        misfits.all_of(&survey, now + 60 * SECOND);
        assert_eq!(misfits.resting(now + 59 * SECOND).count(), 1);
    }
}
