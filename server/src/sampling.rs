//! How many visitors are asked while answers pile up.
//!
//! A survey with `max_delay` asks everybody while its lane's backlog is gone within half of that time, nobody
//! once it takes all of it, and a falling share in between. The share travels with the survey's rules.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use metrics::gauge;
use shared::SurveyId;

use crate::config::{Config, Survey};
use crate::queue::{LaneCount, Records};

/// How often the queue is looked at. Loaders are cached for a minute, so more often gains nothing.
const PAUSE: Duration = Duration::from_secs(15);

/// How many of a hundred visitors are asked, for each survey with `max_delay`.
#[derive(Clone, Debug)]
pub struct Shares(Arc<HashMap<SurveyId, AtomicU8>>);

impl Shares {
    /// Everybody is asked.
    pub fn new(config: &Config) -> Self {
        let limited = config.surveys.iter().filter(|survey| survey.max_delay.is_some());
        Self(Arc::new(limited.map(|survey| (survey.id.clone(), AtomicU8::new(100))).collect()))
    }

    /// Of a hundred visitors, so many are asked.
    pub fn of(&self, survey: &SurveyId) -> u8 {
        self.0.get(survey).map_or(100, |share| share.load(Ordering::Relaxed))
    }

    /// Follows the queue; never ends.
    pub async fn follow(self, config: Arc<Config>, queue: Arc<dyn Records>) {
        if self.0.is_empty() {
            return std::future::pending().await;
        }
        loop {
            self.look(&config, &*queue).await;
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Looks at the queue once.
    pub(crate) async fn look(&self, config: &Config, queue: &dyn Records) {
        if self.0.is_empty() {
            return;
        }
        match queue.counts().await {
            Ok(counts) => self.adjust(config, &counts),
            // What was found last stays.
            Err(error) => tracing::error!(%error, "the queue cannot be counted"),
        }
    }

    pub(crate) fn adjust(&self, config: &Config, counts: &[LaneCount]) {
        for survey in &config.surveys {
            let Some((known, most)) = self.0.get(&survey.id).zip(survey.max_delay) else { continue };
            let wait = backlog(config, survey, counts);
            let share = share(wait, most);
            gauge!("afterword_survey_share", "survey" => survey.id.to_string()).set(f64::from(share) / 100.0);
            if known.swap(share, Ordering::Relaxed) != share {
                let (wait, most) = (wait.as_secs(), most.as_secs());
                tracing::info!(survey = %survey.id, share, wait, max_delay = most, "another share of visitors is asked");
            }
        }
    }
}

/// How long what waits for the survey's platform takes, at the lane's pace. While the platform is away, as if
/// it returned now.
fn backlog(config: &Config, survey: &Survey, counts: &[LaneCount]) -> Duration {
    let interval = config.platform(survey.platform.as_str());
    let count = counts.iter().find(|count| count.lane == survey.platform);
    let (Some(platform), Some(count)) = (interval, count) else { return Duration::ZERO };
    platform.time_for(count.to_send())
}

/// Of a hundred visitors, so many are asked.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 100")]
fn share(wait: Duration, most: Duration) -> u8 {
    let used = wait.as_secs_f64() / most.as_secs_f64();
    (200.0 * (1.0 - used)).clamp(0.0, 100.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{PlatformName, tests::good};

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn everybody_is_asked_until_half_of_the_delay_and_nobody_at_all_of_it() {
        for (minutes, expected) in [(0, 100), (29, 100), (30, 100), (45, 50), (54, 20), (60, 0), (600, 0)] {
            assert_eq!(share(Duration::from_mins(minutes), HOUR), expected, "{minutes}");
        }
        assert_eq!(share(Duration::MAX, HOUR), 0);
    }

    #[test]
    fn the_share_follows_the_lane_of_the_survey_alone() {
        let mut config = good();
        let mut survey = (*config.surveys[0]).clone();
        survey.max_delay = Some(HOUR);
        let lane = survey.platform.clone();
        let id = survey.id.clone();
        config.surveys[0] = survey.into();
        let interval = config.platforms[0].interval;
        let shares = Shares::new(&config);
        let open = |lane: &PlatformName, time: Duration| LaneCount {
            waiting: (time.as_millis() / interval.as_millis()).try_into().unwrap(),
            dead: 1_000_000,
            ..LaneCount::empty(lane.clone())
        };
        assert_eq!(shares.of(&id), 100);
        shares.adjust(&config, &[open(&lane, HOUR * 3 / 4)]);
        assert_eq!(shares.of(&id), 50);
        shares.adjust(&config, &[open(&PlatformName::new("other"), HOUR * 9), open(&lane, HOUR / 4)]);
        assert_eq!(shares.of(&id), 100);
        shares.adjust(&config, &[open(&lane, HOUR * 9)]);
        assert_eq!(shares.of(&id), 0);
        shares.adjust(&config, &[]);
        assert_eq!(shares.of(&id), 100);
    }
}
