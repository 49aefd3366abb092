//! Which survey, and which time, a report is about.

use std::sync::Arc;

use clap::Args;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use shared::SurveyId;

use super::Usage;
use crate::config::{Config, Platform, Survey};

/// The survey that is meant; the only one needs no name.
pub(super) fn survey<'a>(config: &'a Config, id: Option<&SurveyId>) -> Result<&'a Arc<Survey>, Usage> {
    let known = || config.surveys.iter().map(|survey| survey.id.as_str()).collect::<Vec<_>>().join(", ");
    match (id, config.surveys.as_slice()) {
        (None, [only]) => Ok(only),
        (None, []) => Err(Usage("the configuration has no survey".into())),
        (None, _) => Err(Usage(format!("say which survey is meant with --survey: {}", known()))),
        (Some(id), surveys) => surveys
            .iter()
            .find(|survey| survey.id == *id)
            .ok_or_else(|| Usage(format!("there is no survey {:?}; there is {}", id.as_str(), known()))),
    }
}

/// The platform of a survey; the configuration has checked that it is there.
pub(super) fn platform<'a>(config: &'a Config, survey: &Survey) -> Result<&'a Arc<Platform>, Usage> {
    let platform = config.platform(survey.platform.as_str());
    platform.ok_or_else(|| Usage(format!("there is no [platform.{}]", survey.platform)))
}

/// The platform that is meant; the only one needs no name.
pub(super) fn named_platform<'a>(config: &'a Config, name: Option<&str>) -> Result<&'a Arc<Platform>, Usage> {
    let known = || {
        let names = config.platforms.iter().map(|platform| platform.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    };
    match (name, config.platforms.as_slice()) {
        (None, [only]) => Ok(only),
        (None, _) => Err(Usage(format!("say which platform is meant with --platform: {}", known()))),
        (Some(name), all) => all
            .iter()
            .find(|platform| platform.name.as_str() == name)
            .ok_or_else(|| Usage(format!("there is no [platform.{name}]; there is {}", known()))),
    }
}

/// A time with a start and an end.
#[derive(Args, Clone, Debug)]
pub(super) struct Period {
    /// The first day, as 2026-01-31, or a moment, as 2026-01-31T12:00:00Z; days begin at midnight, UTC
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(super) from: Timestamp,
    /// Up to this day or moment, which is not part of it any more; without it, and at most, up to now
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(super) to: Option<Timestamp>,
}

/// The two ends of a time, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) from: Timestamp,
    /// The future is no part of it.
    pub(super) to: Timestamp,
    /// Where it is to end once that is past.
    pub(super) aim: Timestamp,
}

impl Period {
    /// Its two ends.
    pub(super) fn ends(&self, now: Timestamp) -> Result<Ends, Usage> {
        let from = self.from;
        if from >= now {
            return Err(Usage(format!("--from {from} is in the future")));
        }
        let to = self.to.unwrap_or(now);
        if to <= from {
            return Err(Usage(format!("--to {to} is not after --from {from}")));
        }
        let whole = |time: Timestamp| Timestamp::from_second(time.as_second()).unwrap_or(time);
        let (from, aim) = (whole(from), whole(to));
        let to = aim.min(whole(now));
        // A moment that has just begun has no answers, and cannot be asked for.
        let to = if to <= from { from + SignedDuration::from_secs(1) } else { to };
        Ok(Ends { from, to, aim: aim.max(to) })
    }
}

impl Ends {
    /// What is to be said of an end that is not there yet.
    pub(super) fn note(&self) -> Option<String> {
        (self.aim > self.to).then(|| format!("--to {} is in the future: up to now", self.aim))
    }
}

/// Reads a day or a moment.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    let day = |date: Date| TimeZone::UTC.to_timestamp(date.to_datetime(jiff::civil::Time::midnight()));
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let wrong = || "write a day, 2026-01-31, or a moment, 2026-01-31T12:00:00Z".to_owned();
    match (text.parse::<Date>(), text.parse::<DateTime>()) {
        (Ok(date), _) if text.len() == 10 => day(date).map_err(|_| wrong()),
        (_, Ok(moment)) => TimeZone::UTC.to_timestamp(moment).map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::good;

    fn period(from: &str, to: Option<&str>) -> Period {
        Period { from: moment(from).unwrap(), to: to.map(|to| moment(to).unwrap()) }
    }

    #[test]
    fn days_begin_at_midnight_and_the_future_is_left_out() {
        let now: Timestamp = "2026-11-26T12:00:00.5Z".parse().unwrap();
        let ends = |from, to| {
            let ends = period(from, to).ends(now).map_err(|error| error.to_string());
            ends.map(|Ends { from, to, .. }| format!("{from} {to}"))
        };
        assert_eq!(
            ends("2026-01-01", Some("2026-02-01")).unwrap(),
            "2026-01-01T00:00:00Z 2026-02-01T00:00:00Z"
        );
        assert_eq!(ends("2026-11-26", None).unwrap(), "2026-11-26T00:00:00Z 2026-11-26T12:00:00Z");
        assert_eq!(
            ends("2026-11-26T10:00:00+01:00", Some("2027-01-01")).unwrap(),
            "2026-11-26T09:00:00Z 2026-11-26T12:00:00Z"
        );
        assert!(ends("2026-12-01", None).unwrap_err().contains("in the future"));
        assert!(ends("2026-12-01", Some("2027-01-01")).unwrap_err().contains("in the future"));
        let note = |to| period("2026-01-01", to).ends(now).unwrap().note();
        assert_eq!((note(None), note(Some("2026-11-26"))), (None, None));
        let said = "--to 2027-06-01T00:00:00Z is in the future: up to now";
        assert_eq!(note(Some("2027-06-01")).as_deref(), Some(said));
        assert!(ends("2026-02-01", Some("2026-01-01")).unwrap_err().contains("not after"));
        for wrong in ["2026", "01/02/2026", "2026-13-01", "2026-02-30", ""] {
            assert!(moment(wrong).is_err_and(|error| error.contains("2026-01-31")), "{wrong}");
        }
    }

    #[test]
    fn a_survey_that_is_not_there_is_told_from_those_that_are() {
        let config = good();
        assert_eq!(survey(&config, None).unwrap().id, config.surveys[0].id);
        let unknown = survey(&config, Some(&"chekout".parse().unwrap())).unwrap_err().to_string();
        assert!(unknown.contains("\"chekout\"") && unknown.contains("checkout"), "{unknown}");
    }
}
