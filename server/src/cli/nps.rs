//! `afterword nps`: the platform's own Net Promoter Score, whole or by month.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use comfy_table::CellAlignment;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::Serialize;
use shared::SurveyId;

use super::desk::Desk;
use super::patience::{Patience, Progress, ahead, report};
use super::target::{self, Ends, Period};
use super::words::{fold, say, table, width};
use super::{ConfigFile, Usage};
use crate::clock::Clock;
use crate::config::{Platform, Survey};
use crate::platform::{Nps, NpsFilter};

/// How many marks a bar is long.
const BAR: usize = 30;

const HELP: &str = "\
The platform computes the score. A filter lets those answers count that have a value under a metadata key; with several \
values for one key each of them counts, and with several keys all have to fit. An answer may take up to two hours until \
the platform counts it.

It asks the server that runs with this configuration, at admin_listen; if none runs, it calls the platform itself.";

#[derive(Args)]
#[command(after_long_help = HELP)]
pub(super) struct NpsArgs {
    #[command(flatten)]
    file: ConfigFile,
    /// The survey, if there are several
    #[arg(long, value_name = "ID")]
    survey: Option<SurveyId>,
    #[command(flatten)]
    period: Period,
    /// Only answers with this metadata; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    filter: Vec<(String, String)>,
    /// Take filters by metadata that the survey does not send, but others may
    #[arg(long)]
    any_key: bool,
    /// One score for each month
    #[arg(long, value_name = "UNIT")]
    by: Option<By>,
    /// How it is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// From the first of a month to the first of the next one
    Month,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For machines
    Json,
}

/// A score, and the time it is of.
#[derive(Debug, Serialize)]
struct Score {
    from: Timestamp,
    to: Timestamp,
    /// `None` where the platform has no answers.
    #[serde(flatten)]
    nps: Option<Nps>,
}

pub(super) async fn nps(arguments: NpsArgs) -> anyhow::Result<()> {
    let config = super::load_without_secrets(&arguments.file.config)?;
    let survey = target::survey(&config, arguments.survey.as_ref())?;
    let ends = arguments.period.ends(Clock::wall())?;
    if let Some(note) = ends.note() {
        eprintln!("{note}");
    }
    let Ends { from, to, .. } = ends;
    let filters = filters(arguments.filter);
    if !arguments.any_key {
        known(survey, &filters)?;
    }
    let platform = target::platform(&config, survey)?;
    let mut desk = Desk::open(&config, platform).await?;
    let mut scores = Vec::new();
    let parts = parts(from, to, arguments.by);
    let asked = ask(&mut desk, platform, survey, parts, &filters, &mut scores).await;
    desk.close().await;
    // What came before a failure is there all the same.
    if asked.is_ok() || !scores.is_empty() {
        match arguments.format {
            Format::Json => say(&serde_json::to_string_pretty(&scores)?)?,
            Format::Table => say(&page(survey, &filters, &scores, width()))?,
        }
    }
    asked.map_err(|error| with_rest(error, &scores))
}

/// A failure after some scores says where to go on.
fn with_rest(error: anyhow::Error, scores: &[Score]) -> anyhow::Error {
    match scores.last() {
        Some(last) => {
            let rest = moment(last.to);
            error.context(format!("only what is before {rest} is there: --from {rest} asks for the rest"))
        }
        None => error,
    }
}

/// Asks for each part; what came before a failure is in `scores`.
async fn ask(
    desk: &mut Desk,
    platform: &Platform,
    survey: &Survey,
    parts: Vec<(Timestamp, Timestamp)>,
    filters: &[NpsFilter],
    scores: &mut Vec<Score>,
) -> anyhow::Result<()> {
    if let Some(words) = ahead(parts.len(), platform) {
        eprintln!("{words}");
    }
    let mut patience = Patience::new(platform);
    let mut progress = Progress::of(parts.len(), "calls");
    for ((from, to), count) in parts.into_iter().zip(1..) {
        progress.at(moment(from));
        // The page does not say whether a range's last second belongs to it: an answer must not count in two of them.
        let last = to - SignedDuration::from_secs(1);
        let end = if last > from { last } else { to };
        let call = async || desk.nps(&survey.touchpoint, from, end, filters).await;
        let nps = report(&mut patience, |words| progress.tell(words), call).await;
        if nps.is_err() {
            progress.clear();
        }
        let nps = nps?;
        patience.answered();
        scores.push(Score { from, to, nps: Some(nps).filter(|nps| !nps.is_empty()) });
        progress.done(count);
    }
    progress.clear();
    Ok(())
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write a key and a value: store=Antwerpen".into()),
    }
}

/// Values of one key together, in the order in which the keys came.
fn filters(pairs: Vec<(String, String)>) -> Vec<NpsFilter> {
    let mut filters: Vec<NpsFilter> = Vec::new();
    for (key, value) in pairs {
        match filters.iter_mut().find(|filter| filter.key == key) {
            Some(filter) => filter.values.push(value),
            None => filters.push(NpsFilter { key, values: vec![value] }),
        }
    }
    filters
}

/// The platform says nothing about a key that it does not know: it finds no answers.
fn known(survey: &Survey, filters: &[NpsFilter]) -> Result<(), Usage> {
    let keys: Vec<&str> = survey.metadata.iter().map(|rule| rule.key.as_str()).collect();
    match filters.iter().find(|filter| !keys.contains(&filter.key.as_str())) {
        None => Ok(()),
        Some(filter) if keys.is_empty() => Err(Usage(format!(
            "the survey {} sends no metadata, so nothing has {:?}; --any-key asks all the same",
            survey.id, filter.key
        ))),
        Some(filter) => Err(Usage(format!(
            "the survey {} sends no metadata {:?}, but {}; --any-key asks all the same",
            survey.id,
            filter.key,
            keys.join(", ")
        ))),
    }
}

/// The times that are asked for.
fn parts(from: Timestamp, to: Timestamp, by: Option<By>) -> Vec<(Timestamp, Timestamp)> {
    if by.is_none() {
        return vec![(from, to)];
    }
    let mut parts = Vec::new();
    let mut start = from;
    while start < to {
        let end = next_month(start).map_or(to, |end| end.min(to));
        parts.push((start, end));
        start = end;
    }
    parts
}

/// The first moment of the month after a moment.
fn next_month(moment: Timestamp) -> Option<Timestamp> {
    let first: Date = TimeZone::UTC.to_datetime(moment).date().first_of_month();
    let next = first.checked_add(1.month()).ok()?;
    TimeZone::UTC.to_timestamp(next.to_datetime(jiff::civil::Time::midnight())).ok()
}

fn page(survey: &Survey, filters: &[NpsFilter], scores: &[Score], width: Option<u16>) -> String {
    let mut page = String::new();
    let narrowed: Vec<String> =
        filters.iter().map(|filter| format!("{} = {}", filter.key, filter.values.join(" or "))).collect();
    let about = [vec![format!("Net Promoter Score of {}, UTC", survey.id)], narrowed].concat().join(", ");
    writeln!(page, "{}\n", fold(&about, width, 0, None)).ok();
    let mut columns = table(["From", "To", "NPS", "Detractors", "Passive", "Promoters", ""]);
    for column in columns.column_iter_mut().skip(2).take(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let bars = width.is_none_or(|width| width >= 100);
    for Score { from, to, nps } in scores {
        let [from, to] = [from, to].map(|time| moment(*time));
        let cells = match nps {
            Some(nps) => {
                let percent = |share: f64| format!("{share:.1} %");
                let bar = if bars { bar(nps) } else { String::new() };
                [
                    format!("{:+.0}", nps.nps),
                    percent(nps.detractors),
                    percent(nps.passive),
                    percent(nps.promoters),
                    bar,
                ]
            }
            None => ["–", "", "", "", if bars { "no answers" } else { "" }].map(str::to_owned),
        };
        columns.add_row([from, to].into_iter().chain(cells));
    }
    for line in columns.lines() {
        writeln!(page, "{}", line.trim_end().trim_start_matches(' ')).ok();
    }
    if bars && scores.iter().any(|score| score.nps.is_some()) {
        writeln!(page, "\n░ detractors, 0 to 6   ▒ passive, 7 and 8   █ promoters, 9 and 10").ok();
    }
    page
}

/// A day where it begins, else the moment.
fn moment(time: Timestamp) -> String {
    let whole = time.as_second() % 86_400 == 0;
    time.strftime(if whole { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
}

/// The three shares, as long as they are large; what is there has a mark at least.
fn bar(nps: &Nps) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "0 to 30"
    )]
    let marks =
        |share: f64| (share / 100.0 * BAR as f64).round().max(f64::from(u8::from(share > 0.0))) as usize;
    let detractors = marks(nps.detractors).min(BAR);
    let promoters = marks(nps.promoters).min(BAR - detractors);
    let passive = BAR - detractors - promoters;
    format!("{}{}{}", "░".repeat(detractors), "▒".repeat(passive), "█".repeat(promoters))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::good;

    fn nps() -> Nps {
        Nps { nps: 31.0, detractors: 5.26, passive: 57.9, promoters: 36.84 }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn months_have_no_gap_and_no_overlap_and_end_with_the_period() {
        let (from, to) = (at("2025-11-15T10:00:00Z"), at("2026-02-10T00:00:00Z"));
        let parts = parts(from, to, Some(By::Month));
        let starts: Vec<String> = parts.iter().map(|(start, _)| moment(*start)).collect();
        assert_eq!(starts, ["2025-11-15 10:00:00", "2025-12-01", "2026-01-01", "2026-02-01"]);
        assert!(parts.windows(2).all(|pair| pair[0].1 == pair[1].0));
        assert_eq!(parts.last().unwrap().1, to);
        assert_eq!(super::parts(from, to, None), [(from, to)]);
    }

    #[test]
    fn values_of_one_key_are_asked_for_together() {
        let pairs = ["store=Antwerpen", "kind=web", "store=Gent=Zuid"].map(|text| pair(text).unwrap());
        let asked = filters(pairs.to_vec());
        assert_eq!(asked.len(), 2);
        assert_eq!(
            (asked[0].key.as_str(), asked[0].values.join("|")),
            ("store", "Antwerpen|Gent=Zuid".into())
        );
        for wrong in ["store", "=x", "store="] {
            assert!(pair(wrong).is_err_and(|error| error.contains("store=Antwerpen")));
        }
    }

    #[test]
    fn a_key_that_the_survey_does_not_send_is_told_from_those_that_it_does() {
        let config = good();
        let filter = |key: &str| [NpsFilter { key: key.into(), values: vec!["1".into()] }];
        assert!(known(&config.surveys[0], &filter("shop")).is_ok());
        let error = known(&config.surveys[0], &filter("shp")).unwrap_err().to_string();
        assert!(
            error.contains("\"shp\"") && error.contains("shop") && error.contains("--any-key"),
            "{error}"
        );
    }

    #[test]
    fn a_page_has_a_bar_where_there_is_room_and_says_where_there_are_no_answers() {
        let config = good();
        let score = |from: &str, to: &str, nps| Score { from: at(from), to: at(to), nps };
        let scores = [
            score("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", Some(nps())),
            score("2026-02-01T00:00:00Z", "2026-02-01T12:00:00Z", None),
        ];
        let filter = [NpsFilter { key: "store".into(), values: vec!["Antwerpen".into(), "Gent".into()] }];
        let wide = page(&config.surveys[0], &filter, &scores, Some(120));
        for part in
            ["checkout", "store = Antwerpen or Gent", "+31", "5.3 %", "█", "no answers", "promoters, 9"]
        {
            assert!(wide.contains(part), "{part}:\n{wide}");
        }
        let narrow = page(&config.surveys[0], &filter, &scores, Some(80));
        assert!(!narrow.contains('█'));
        assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    }

    #[test]
    fn a_bar_is_as_long_as_every_other() {
        for (detractors, passive, promoters) in
            [(100.0, 0.0, 0.0), (0.1, 99.8, 0.1), (33.3, 33.4, 33.3), (45.0, 0.0, 55.0)]
        {
            let bar = bar(&Nps { nps: 0.0, detractors, passive, promoters });
            assert_eq!(bar.chars().count(), BAR, "{bar}");
            assert_eq!(bar.contains('█'), promoters > 0.0);
        }
    }

    #[test]
    fn a_late_failure_says_from_where_to_go_on() {
        let score = Score { from: at("2026-01-01T00:00:00Z"), to: at("2026-02-01T00:00:00Z"), nps: None };
        let told = |scores: &[Score]| format!("{:#}", with_rest(anyhow::anyhow!("HTTP 503"), scores));
        assert_eq!(told(&[]), "HTTP 503");
        let told = told(&[score]);
        assert!(told.contains("--from 2026-02-01 asks") && told.ends_with("HTTP 503"), "{told}");
    }
}
