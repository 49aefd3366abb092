//! `afterword import`: a survey file, written from what the platform asks.

mod survey;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use jiff::SignedDuration;
use serde_json::value::RawValue;
use shared::{Language, SurveyId};

use super::ConfigFile;
use super::desk::Desk;
use super::patience::{Patience, again, in_full, in_words, report};
use super::target::named_platform;
use super::words::{counted, say};
use crate::clock::Clock;
use crate::config::{Config, Guid, Origin};
use crate::forwarder::{Verdict, verdict};
use crate::platform::{Answered, AskedQuestion, LONGEST_WINDOW, MOST_LABELS, ReportError, questions_of};
use survey::Draft;

fn help() -> String {
    format!(
        "\
It asks the platform for the touchpoint's questions: texts, kinds, scales, labels and GUIDs in every language. Where the \
platform does not tell them, it reads what was asked in the responses of the last 31 days: what nobody has answered or \
chosen lately is missing then, be it a question, a language or an option, and so are required and labels. The file says so.

The platform lists {MOST_LABELS} options of a choice at most: where it lists {MOST_LABELS}, look for more.

The survey is printed, or written to a file, as a [[survey]] for the configuration. Its id and those of its questions are \
made up: rename them before the first answer, not after it. When a question is shown is not known: add show_if.

It asks the server that runs with this configuration, at admin_listen; if none runs, it calls the platform itself. The \
configuration needs no survey for it."
    )
}

#[derive(Args)]
#[command(after_long_help = help())]
pub(super) struct Import {
    #[command(flatten)]
    file: ConfigFile,
    /// The platform, which is a [platform.NAME], if there are several
    #[arg(long, value_name = "NAME")]
    platform: Option<String>,
    /// The company, as the platform's settings show it
    #[arg(long, value_name = "GUID", value_parser = guid)]
    company: Guid,
    /// The touchpoint, as its settings show it under general configuration
    #[arg(long, value_name = "GUID", value_parser = guid)]
    touchpoint: Guid,
    /// The survey's id
    #[arg(long, value_name = "ID", default_value = "survey")]
    id: SurveyId,
    /// A site whose pages show it; may be given several times
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    origin: Vec<Origin>,
    /// The languages, the fallback first; all that every question has, without it
    #[arg(long, value_name = "CODE,…", value_delimiter = ',')]
    languages: Vec<Language>,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long, requires = "output")]
    force: bool,
}

pub(super) async fn import(arguments: Import) -> anyhow::Result<()> {
    let path = &arguments.file.config;
    let config = super::load_draft(path)?;
    let platform = named_platform(&config, arguments.platform.as_deref())?;
    if let Some(output) = &arguments.output
        && output.exists()
        && !arguments.force
    {
        bail!("{} is there already; --force overwrites it", output.display());
    }
    let mut desk = Desk::open(&config, platform).await?;
    let asked =
        questions(&mut desk, Patience::new(platform), &arguments.company, &arguments.touchpoint).await;
    desk.close().await;
    let (asked, answered) = asked?;
    let draft = Draft {
        id: &arguments.id,
        platform: &platform.name,
        company: &arguments.company,
        touchpoint: &arguments.touchpoint,
        origins: &arguments.origin,
        languages: &arguments.languages,
        answered,
    };
    let written = draft.write(&asked).map_err(anyhow::Error::msg)?;
    for note in &written.notes {
        eprintln!("note: {note}");
    }
    check(path, &written.text)?;
    match &arguments.output {
        None => say(&written.text)?,
        Some(output) => {
            std::fs::write(output, &written.text)
                .with_context(|| format!("cannot write {}", output.display()))?;
            eprintln!("{}: {}", output.display(), written.summary);
        }
    }
    Ok(())
}

fn guid(text: &str) -> Result<Guid, String> {
    text.parse().map_err(|error| format!("{error}: as the platform's settings show it"))
}

fn origin(text: &str) -> Result<Origin, String> {
    text.parse().map_err(|error| format!("{error}: write https://shop.example"))
}

/// What the touchpoint asks, from the platform itself or from what was answered lately; and in how many responses then.
async fn questions(
    desk: &mut Desk,
    mut patience: Patience,
    company: &Guid,
    touchpoint: &Guid,
) -> anyhow::Result<(Vec<AskedQuestion>, Option<usize>)> {
    let mut call = async || desk.questions(company, touchpoint).await;
    let why = match call().await? {
        Ok(questions) if !questions.is_empty() => return Ok((questions, None)),
        Ok(_) => "the platform has no questions for this touchpoint and company".to_owned(),
        Err(ReportError::Read(reason)) => format!("the platform's reply cannot be understood: {reason}"),
        Err(ReportError::Call(outcome))
            if matches!(verdict(&outcome), Verdict::Rejected | Verdict::Paused) =>
        {
            in_words(&outcome)
        }
        // It is away: the responses would not come either.
        Err(_) => return Ok((report(&mut patience, |words| eprintln!("{words}"), call).await?, None)),
    };
    eprintln!("{why}\nReading what was asked in the responses of the last 31 days instead.");
    let found = answered(desk, patience, touchpoint).await?;
    if found.is_empty() {
        bail!(
            "there are no responses of the last 31 days either: answer the survey once in every language, or write it by \
             hand"
        );
    }
    let questions =
        questions_of(found.iter().map(|answered| (answered.language.as_str(), answered.answers.as_slice())));
    let languages: HashSet<&str> = found.iter().map(|answered| answered.language.as_str()).collect();
    eprintln!("{} in {}.", counted(found.len(), "response"), counted(languages.len(), "language"));
    Ok((questions, Some(found.len())))
}

/// The responses of the last 31 days.
async fn answered(
    desk: &mut Desk,
    mut patience: Patience,
    touchpoint: &Guid,
) -> anyhow::Result<Vec<Answered>> {
    let to = Clock::wall();
    let from = to - SignedDuration::try_from(LONGEST_WINDOW)?;
    loop {
        let call = async || desk.responses(touchpoint, from, to).await;
        let responses = report(&mut patience, |words| eprintln!("{words}"), call).await?;
        let (found, all) = std::sync::mpsc::channel();
        let each = move |raw: Box<RawValue>| {
            // What cannot be understood tells nothing about questions. The other end lives until the reply is read.
            if let Ok(answered) = Answered::read(raw.get()) {
                found.send(answered).ok();
            }
        };
        match responses.each(each).await {
            Ok(()) => return Ok(all.iter().collect()),
            Err(error) => {
                let Some(pause) = patience.failed(None) else { bail!(in_full(&error)) };
                eprintln!("{}", again(&error, pause));
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Holds what was written against the rules, as if it stood in the configuration already.
fn check(path: &Path, survey: &str) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let whole = format!("{text}\n{survey}");
    let folder = path.parent().unwrap_or(Path::new(""));
    if let Err(error) =
        Config::parse_without_secrets(&whole, "with the survey added, the configuration", folder, &|name| {
            std::env::var(name).ok()
        })
    {
        eprintln!("note: {error}");
    }
    Ok(())
}
