//! `afterword responses`: what the platform has of a survey, over any time.
//!
//! The platform hands out 31 days at most, so a longer time is asked for in parts, one after the other (`collect`),
//! and kept as it comes: what is interrupted goes on where it was. Only a whole is written out (`columns`).

mod collect;
mod columns;
mod spool;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use shared::SurveyId;

use super::desk::Desk;
use super::files::{self, beside};
use super::target::{self, Period};
use super::words::{self, counted};
use super::{ConfigFile, Usage};
use crate::clock::Clock;
use crate::config::Survey;
use collect::collect;
use columns::Columns;
use spool::{Spool, Task};

const HELP: &str = "\
A time of any length is asked for in parts of at most 31 days, each with a call of its own, at the lane's pace. What \
comes is kept in FILE.part, and how far it is in FILE.progress: after an interruption the same command with --resume \
goes on. FILE is there once all of it is. Without --output nothing is kept.

csv has a row per response and a column per question, which is the same in all languages; its name is the question's id \
in the configuration, or what was asked where the configuration does not have it. ndjson and json have the platform's \
own objects, one a line or in one list. An answer may take up to two hours until the platform shows it.

Responses are personal data: a file is readable by you alone; delete it when it has served.

It asks the server that runs with this configuration, at admin_listen; if none runs, it calls the platform itself.";

#[derive(Args)]
#[command(after_long_help = HELP)]
pub(super) struct ResponsesArgs {
    #[command(flatten)]
    file: ConfigFile,
    /// The survey, if there are several
    #[arg(long, value_name = "ID")]
    survey: Option<SurveyId>,
    #[command(flatten)]
    period: Period,
    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Go on with what was interrupted
    #[arg(long, requires = "output", conflicts_with = "force")]
    resume: bool,
    /// Overwrite the file, and begin anew what was interrupted
    #[arg(long, requires = "output")]
    force: bool,
    /// For Excel: a mark at the start, and semicolons between the columns
    #[arg(long)]
    excel: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For spreadsheets
    Csv,
    /// One object a line, as the platform has it
    Ndjson,
    /// A list of the platform's objects
    Json,
    /// For people
    Table,
}

pub(super) async fn responses(arguments: ResponsesArgs) -> anyhow::Result<()> {
    if arguments.excel && arguments.format != Format::Csv {
        return Err(Usage("--excel is for --format csv".into()).into());
    }
    let config = super::load_without_secrets(&arguments.file.config)?;
    let survey = target::survey(&config, arguments.survey.as_ref())?;
    let ends = arguments.period.ends(Clock::wall())?;
    if let Some(note) = ends.note() {
        eprintln!("{note}");
    }
    let task = Task { touchpoint: survey.touchpoint.to_string(), from: ends.from, to: ends.aim };
    let mut spool = match &arguments.output {
        Some(output) => open(output, task, &arguments)?,
        None => Spool::unnamed(task)?,
    };
    let platform = target::platform(&config, survey)?;
    let mut desk = Desk::open(&config, platform).await?;
    let collected = collect(&mut desk, platform, survey, &mut spool, ends.to).await;
    desk.close().await;
    if let Err(error) = collected {
        let hint = match &arguments.output {
            Some(_) => "what came is kept: the same command with --resume goes on",
            None => "nothing is kept; with --output it could go on from there",
        };
        return Err(error.context(hint));
    }
    let Some(output) = &arguments.output else {
        return match write(&spool, survey, &arguments, &mut io::stdout().lock()) {
            Err(error) if words::is_closed_pipe(&error) => Ok(()),
            written => written,
        };
    };
    let partly = beside(output, "written");
    let file = files::private(&partly).with_context(|| format!("cannot write {}", partly.display()))?;
    let mut out = BufWriter::new(file);
    let written =
        write(&spool, survey, &arguments, &mut out).and_then(|()| Ok(out.into_inner()?.sync_all()?));
    written.with_context(|| format!("cannot write {}", partly.display()))?;
    std::fs::rename(&partly, output).with_context(|| format!("cannot write {}", output.display()))?;
    let count = usize::try_from(spool.responses()).unwrap_or(usize::MAX);
    spool.remove()?;
    eprintln!("{} written to {}", counted(count, "response"), output.display());
    Ok(())
}

fn open(output: &Path, task: Task, arguments: &ResponsesArgs) -> anyhow::Result<Spool> {
    if output.exists() && !arguments.force {
        bail!("{} is there already; --force overwrites it", output.display());
    }
    let (part, progress) = (beside(output, "part"), beside(output, "progress"));
    if arguments.resume {
        return Spool::resume(part, progress, &task, arguments.period.to.is_some());
    }
    if progress.exists() && !arguments.force {
        bail!(
            "{} is there: the same was begun and interrupted. --resume goes on with it, --force begins anew",
            progress.display()
        );
    }
    Spool::begin(part, progress, task)
}

/// Writes out what was collected.
fn write(
    spool: &Spool,
    survey: &Survey,
    arguments: &ResponsesArgs,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    match arguments.format {
        Format::Ndjson => {
            io::copy(&mut spool.lines()?, out)?;
        }
        Format::Json => {
            for (place, line) in spool.each()?.enumerate() {
                out.write_all(if place == 0 { b"[\n" } else { b",\n" })?;
                out.write_all(line?.as_bytes())?;
            }
            out.write_all(if spool.responses() == 0 { b"[]\n" } else { b"\n]\n" })?;
        }
        Format::Csv => Columns::of(survey, spool)?.write_csv(spool, arguments.excel, &mut *out)?,
        Format::Table => {
            let table = Columns::of(survey, spool)?.table(spool, words::width())?;
            out.write_all(table.as_bytes())?;
        }
    }
    Ok(out.flush()?)
}

/// A file for reading again what was written to it.
fn reader(file: &File) -> io::Result<File> {
    use std::io::Seek as _;
    let mut file = file.try_clone()?;
    file.rewind()?;
    Ok(file)
}
