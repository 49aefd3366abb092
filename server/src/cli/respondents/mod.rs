//! `afterword respondents`: whom the platform is to survey.
//!
//! A list is read, checked whole before anything is sent (`check`), and sent some rows at a time (`send`), with
//! what became of each row in a file beside it (`journal`).

mod check;
mod journal;
mod report;
mod send;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand};

use super::desk::Desk;
use super::patience::Patience;
use super::sheet::{self, ListArgs};
use super::words::{counted, say, span};
use super::{ConfigFile, Usage, ask, files, target};
use crate::config::{Config, Guid, MetadataSource, Platform, Survey};
use crate::platform::{NewRespondent, RESPONDENT_COLUMNS};
use check::{Checked, Rules};
use journal::{Journal, List, State, Way};
use report::{runs, summary, write_report};
use send::Sending;

/// Rows in a call, unless something else is said.
const BATCH: usize = 100;
/// The largest number of rows in a call.
const LARGEST_BATCH: usize = 1_000;

fn help() -> String {
    format!(
        "\
The list is CSV with a line of titles (commas, semicolons or tabs; UTF-8), or a JSON list of objects. The columns \
{RESPONDENT_COLUMNS} (a code or the platform's GUID) are the person's; every other column goes along as metadata. \
Columns may be in any order; capitals, blanks and signs in those names do not count.

Every row is checked before anything is sent, and the first 100 faults are shown; the report has those of rows that were \
left out. Then rows go out some at a time, at the lane's pace and after visitors' answers. What the platform refuses \
together is sent again in halves, so that only those rows stay out that it does not take.

Before anything is sent it asks. In a script, and with a list from standard input, --yes answers; without it nothing is sent.

What became of each row is in FILE.progress, and in words in FILE.report.csv. After an interruption --resume goes on. \
Rows whose call was cut off may have arrived: they are named, and sent again only with --resend-unknown.

It asks the server that runs with this configuration, at admin_listen; if none runs, it calls the platform itself."
    )
}

#[derive(Args)]
pub(super) struct Respondents {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Add the people of a list, who are then sent a survey
    Add(AddArgs),
}

#[derive(Args)]
#[command(after_long_help = help())]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct AddArgs {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    list: ListArgs,
    /// A touchpoint that is not in the configuration, in the survey's place
    #[arg(long, value_name = "GUID", conflicts_with = "survey", requires = "platform")]
    touchpoint: Option<String>,
    /// The platform of that touchpoint, which is a [platform.NAME]
    #[arg(long, value_name = "NAME", requires = "touchpoint")]
    platform: Option<String>,
    /// A column that every row has to have something in; may be given several times
    #[arg(long, value_name = "KEY")]
    mandatory: Vec<String>,
    /// Rows in a call; 1 for a call per row
    #[arg(long, value_name = "ROWS", default_value_t = BATCH)]
    batch: usize,
    /// Go on with what was interrupted
    #[arg(long)]
    resume: bool,
    /// With --resume, send what may have arrived once more
    #[arg(long, requires = "resume")]
    resend_unknown: bool,
    /// Do not stop where nothing is taken and row after row is refused alike
    #[arg(long)]
    keep_going: bool,
    /// Send a list that was sent before
    #[arg(long, conflicts_with = "resume")]
    again: bool,
    /// Where it is kept what became of each row, instead of FILE.progress
    #[arg(long, value_name = "FILE")]
    progress: Option<PathBuf>,
    /// Where that is written in words, instead of FILE.report.csv
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Do not ask; needed without a terminal, and where the list comes from standard input
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn respondents(arguments: Respondents) -> anyhow::Result<()> {
    match arguments.verb {
        Verb::Add(arguments) => add(&arguments).await,
    }
}

async fn add(arguments: &AddArgs) -> anyhow::Result<()> {
    if !(1..=LARGEST_BATCH).contains(&arguments.batch) {
        return Err(Usage(format!("--batch is a number from 1 to {LARGEST_BATCH}")).into());
    }
    let config = super::load_without_secrets(&arguments.file.config)?;
    let (platform, rules) = rules(&config, arguments)?;
    let checked = check::check(&arguments.list.read()?, &rules);
    let faulty = accept(&checked, &arguments.list)?;
    let all: Vec<u64> = checked.rows.iter().map(|(row, _)| *row).collect();
    let good = checked.rows.into_iter().filter_map(|(row, new)| Some((row, new?)));
    let (rows, respondents): (Vec<u64>, Vec<NewRespondent>) = good.unzip();
    // Of what is sent, so that no flag can move the rows under a journal.
    let digest = sheet::digest(&serde_json::to_vec(&respondents)?);
    let (progress, report) = files(arguments, &digest);
    let way = match (arguments.resume, arguments.again) {
        (true, _) => Way::Resume,
        (_, true) => Way::Again,
        _ => Way::New,
    };
    let list = List { digest, touchpoint: rules.touchpoint.to_string(), rows: respondents.len() };
    // What is left has to be known before anybody is asked; anything else begins after that.
    let begun = arguments.resume.then(|| Journal::open(progress.clone(), &list, way)).transpose()?;
    let left = begun.as_ref().map(|journal| left(journal.states(), arguments.resend_unknown));
    let metadata = if checked.keys.is_empty() { "none".to_owned() } else { checked.keys.join(", ") };
    say(&format!(
        "{}\nTheir own: {}. Metadata: {metadata}.",
        announced(&rules.touchpoint, respondents.len(), left, arguments.batch, platform.interval),
        checked.fields.join(", "),
    ))?;
    if arguments.list.dry_run {
        return Ok(say("Nothing was sent: this was a dry run.")?);
    }
    if way != Way::Resume || arguments.resend_unknown {
        let question = if arguments.resend_unknown {
            "Those who may have been added already would be there twice. Go on?"
        } else {
            "The platform writes to these people. Go on?"
        };
        if !ask::confirm(question, arguments.yes)? {
            return Ok(say("Nothing was sent.")?);
        }
    }
    let mut journal = begun.map_or_else(|| Journal::open(progress, &list, way), Ok)?;
    if arguments.resend_unknown {
        resend_unknown(&mut journal)?;
    }
    let mut desk = Desk::open(&config, &platform).await?;
    let stopped = Sending {
        patience: Patience::new(&platform),
        desk: &mut desk,
        touchpoint: &rules.touchpoint,
        respondents: &respondents,
        journal: &mut journal,
        batch: arguments.batch,
        keeps_going: arguments.keep_going,
    }
    .run(crate::server::signal())
    .await;
    desk.close().await;
    let written = write_report(&report, &all, &checked.faults, &rows, &respondents, journal.states());
    let told = summary(&rows, journal.states(), &report, faulty, stopped);
    written.with_context(|| format!("cannot write {}", report.display())).and(told)
}

/// Rows of a list that was begun that are still to be sent.
fn left(states: &[State], resend_unknown: bool) -> usize {
    let open = |state: &&State| match state {
        State::Waiting | State::Within(_) | State::Sending => true,
        State::Unknown(_) => resend_unknown,
        State::Added | State::Refused(_) => false,
    };
    states.iter().filter(open).count()
}

/// What is about to happen; `left` is of a list that was begun.
fn announced(touchpoint: &Guid, all: usize, left: Option<usize>, batch: usize, interval: Duration) -> String {
    let calls = left.unwrap_or(all).div_ceil(batch);
    let takes = interval.saturating_mul(u32::try_from(calls).unwrap_or(u32::MAX));
    let whom = match left {
        None => counted(all, "respondent"),
        Some(left) => format!("{left} of {} left", counted(all, "respondent")),
    };
    format!("{whom} for touchpoint {touchpoint}: {}, about {}.", counted(calls, "call"), span(takes))
}

/// The platform and what rows are held against.
fn rules(config: &Config, arguments: &AddArgs) -> anyhow::Result<(Arc<Platform>, Rules)> {
    let own = |survey: &Survey| {
        let required = survey
            .metadata
            .iter()
            .filter(|rule| matches!(&rule.source, MetadataSource::Page { required: true, .. }));
        required.map(|rule| rule.key.clone()).collect::<Vec<_>>()
    };
    let (platform, touchpoint, languages, mut mandatory) = if let Some(guid) = &arguments.touchpoint {
        let touchpoint: Guid =
            guid.parse().map_err(|error| Usage(format!("--touchpoint {guid}: {error}")))?;
        let platform = target::named_platform(config, arguments.platform.as_deref())?;
        (platform, touchpoint, Vec::new(), Vec::new())
    } else {
        let survey = target::survey(config, arguments.list.survey.as_ref())?;
        let platform = target::platform(config, survey)?;
        (platform, survey.touchpoint.clone(), survey.languages.clone(), own(survey))
    };
    mandatory.extend(arguments.mandatory.iter().cloned());
    mandatory.dedup();
    let language = arguments.list.language(&languages);
    if let Some(words) = sheet::not_offered(language, &languages) {
        return Err(Usage(words).into());
    }
    Ok((Arc::clone(platform), Rules { touchpoint, languages, language, mandatory }))
}

/// Where it is kept what became of each row, and where it is written in words.
fn files(arguments: &AddArgs, digest: &str) -> (PathBuf, PathBuf) {
    let list = match arguments.list.list.as_path() {
        stdin if stdin == Path::new("-") => PathBuf::from(format!("respondents-{}", &digest[..12])),
        list => list.to_owned(),
    };
    let beside = |own: &Option<PathBuf>, what| own.clone().unwrap_or_else(|| files::beside(&list, what));
    (beside(&arguments.progress, "progress"), beside(&arguments.report, "report.csv"))
}

/// Shows what is wrong or may be; how many rows are left out for it.
fn accept(checked: &Checked, asked: &ListArgs) -> anyhow::Result<usize> {
    let mut out = std::io::stderr().lock();
    for warning in &checked.warnings {
        writeln!(out, "{warning}")?;
    }
    drop(out);
    let faulty = checked.rows.iter().filter(|(_, new)| new.is_none()).count();
    asked.accept(&checked.faults, checked.rows.len() - faulty, "sent", "sends")?;
    Ok(faulty)
}

fn resend_unknown(journal: &mut Journal) -> anyhow::Result<()> {
    let unknown = |state: &State| matches!(state, State::Unknown(_));
    for rows in runs(journal.states(), unknown) {
        journal.note(rows, State::Waiting)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_goes_on_announces_what_is_left() {
        let unknown = State::Unknown(String::new());
        let states = [vec![State::Added; 7], vec![State::Waiting, State::Within(2), unknown]].concat();
        let guid = "f30f55f0-a770-4096-aa9f-8bc2a2aff25f";
        let touchpoint: Guid = guid.parse().unwrap();
        let said = |left| announced(&touchpoint, states.len(), left, 2, Duration::from_secs(1));
        assert_eq!(said(None), format!("10 respondents for touchpoint {guid}: 5 calls, about 5 s."));
        let words = format!("2 of 10 respondents left for touchpoint {guid}: 1 call, about 1 s.");
        assert_eq!(said(Some(left(&states, false))), words);
        let words = format!("3 of 10 respondents left for touchpoint {guid}: 2 calls, about 2 s.");
        assert_eq!(said(Some(left(&states, true))), words);
    }
}
