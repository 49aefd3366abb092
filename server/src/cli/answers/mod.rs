//! `afterword answers`: what people answered elsewhere, on paper or on the phone.
//!
//! A list is read, made into submissions (`submission`), checked whole by the rules that hold for visitors, and stored in
//! the same queue. The UUID of a row comes from what it says, so that a row that is handed in again, in whatever list, adds
//! nothing.

mod submission;

use std::sync::Arc;

use anyhow::bail;
use clap::{Args, Subcommand};
use shared::{Language, Submission};

use super::queue::access::{Access, Door};
use super::sheet::{Fault, ListArgs, Sheet};
use super::words::{counted, say, span};
use super::{ConfigFile, target};
use crate::clock::Clock;
use crate::config::{Platform, Survey};
use crate::intake::{HandInRequest, HandedIn, Wrong};
use submission::{Maker, column_of};

/// Submissions that are handed in at a time.
const BATCH: usize = 200;

const HELP: &str = "\
The list is CSV with a line of titles (commas, semicolons or tabs; UTF-8), or a JSON list of objects. A column is called \
as the question is in the configuration; beside them language, answered_at (2026-01-31 or a moment), metadata.KEY as the \
page would send it, respondent.first_name, last_name, email, phone and id, and submission, a UUID. An empty cell is no \
answer. A score is its number, yes and no are true or yes, false or no, in one of the survey's languages too; options are \
their ids or their texts, several with a semicolon between them; QUESTION.other has the words for an option called other.

Every row is checked by the rules that hold for visitors before anything is stored, and the first 100 faults are shown. \
Then the answers wait in the same queue, behind those of visitors, and go out at the lane's pace.

A row that says the same is the same answer, also in a list that was mended, continued, sorted or saved anew: for 30 days \
it is known, and adds nothing. Rows of one list that say the same are an answer each; a row that was changed is a new one. \
So give rows an answered_at, a respondent or a submission if other people may say the same in another list.

It asks the server that runs with this configuration, at admin_listen; if none runs, it opens the store itself.";

#[derive(Args)]
pub(super) struct Answers {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Add the answers of a list
    Add(AddArgs),
}

#[derive(Args)]
#[command(after_long_help = HELP)]
struct AddArgs {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    list: ListArgs,
}

pub(super) async fn answers(arguments: Answers) -> anyhow::Result<()> {
    match arguments.verb {
        Verb::Add(arguments) => add(&arguments).await,
    }
}

async fn add(arguments: &AddArgs) -> anyhow::Result<()> {
    let asked = &arguments.list;
    let config = Arc::new(super::load_without_secrets(&arguments.file.config)?);
    let survey = target::survey(&config, asked.survey.as_ref())?;
    let list = asked.read()?;
    let access = Access::open(&config).await?;
    let door = access.door(&config);
    let mut faults = Vec::new();
    let made = make(survey, &list, asked.language(&survey.languages), &mut faults);
    let checked = check(&door, survey, made, &mut faults).await?;
    faults.sort_by_key(|fault| fault.row);
    asked.accept(&faults, checked.len(), "stored", "stores")?;
    if asked.dry_run {
        return Ok(say(&format!(
            "{} could be stored; nothing was: this was a dry run.",
            counted(checked.len(), "answer")
        ))?);
    }
    let left = list.rows.len() - checked.len();
    let serves = access.serves();
    store(&door, serves, target::platform(&config, survey)?, survey, checked, left).await
}

/// The rows as submissions.
fn make(
    survey: &Survey,
    list: &Sheet,
    language: Option<Language>,
    faults: &mut Vec<Fault>,
) -> Vec<(u64, Submission)> {
    match Maker::new(survey, list, language, Clock::wall()) {
        Ok(mut maker) => {
            let made = list.each(faults, |cells, wrong| maker.make(cells, wrong));
            made.into_iter().filter_map(|(row, submission)| Some((row, submission?))).collect()
        }
        Err(wrong) => {
            faults.extend(wrong);
            Vec::new()
        }
    }
}

/// Those that keep the rules.
async fn check(
    door: &Door<'_>,
    survey: &Survey,
    made: Vec<(u64, Submission)>,
    faults: &mut Vec<Fault>,
) -> anyhow::Result<Vec<(u64, Submission)>> {
    let mut checked = Vec::with_capacity(made.len());
    for (rows, request) in batches(made, true) {
        let outcome = door.hand_in(&survey.id, &request).await?;
        for ((row, submission), outcome) in rows.into_iter().zip(request.submissions).zip(outcome) {
            match outcome {
                HandedIn::Refused(wrong) => {
                    faults.extend(wrong.into_iter().map(|wrong| fault(row, wrong, &submission)));
                }
                _ => checked.push((row, submission)),
            }
        }
    }
    Ok(checked)
}

async fn store(
    door: &Door<'_>,
    serves: bool,
    platform: &Platform,
    survey: &Survey,
    checked: Vec<(u64, Submission)>,
    left: usize,
) -> anyhow::Result<()> {
    let (mut stored, mut repeated, mut alike, mut trouble) = (0, 0, 0, Vec::new());
    'batches: for (rows, request) in batches(checked, false) {
        let handed_in = rows.iter().zip(&request.submissions).zip(door.hand_in(&survey.id, &request).await?);
        for ((row, submission), outcome) in handed_in {
            match outcome {
                HandedIn::Taken => stored += 1,
                HandedIn::Repeated => {
                    repeated += 1;
                    alike += usize::from(submission.context.is_none() && submission.respondent.is_none());
                }
                HandedIn::Conflict => {
                    trouble.push(format!("row {row}: other answers are there under its UUID, and count"));
                }
                HandedIn::Refused(_) => {
                    trouble.push(format!("row {row}: the server runs with other rules by now"));
                }
                HandedIn::Failed(words) => {
                    trouble.push(format!(
                        "row {row} and those behind it are not stored: {words}. Hand the list in again later: what is there \
                         is known"
                    ));
                    break 'batches;
                }
            }
        }
    }
    let takes = platform.time_for(stored as u64);
    let mut said = vec![format!("{} stored", counted(stored, "answer"))];
    if stored > 0 {
        let goes = if serves { "they go out" } else { "they go out, once a server is started," };
        said.push(format!("{goes} in about {}, behind what visitors answer", span(takes)));
    }
    if repeated > 0 {
        said.push(format!("{repeated} were there already"));
    }
    say(&format!("{}.", said.join("; ")))?;
    if alike > 0 {
        say(&format!(
            "{alike} of those tell neither who answered nor when: if they are other people's than before, add answered_at, or \
             a UUID of their own as submission."
        ))?;
    }
    if left > 0 {
        trouble.push(format!("{} left out for their faults", counted(left, "answer")));
    }
    if trouble.is_empty() { Ok(()) } else { bail!("{}", trouble.join("\n")) }
}

/// Some at a time, with their rows.
fn batches(
    submissions: Vec<(u64, Submission)>,
    check: bool,
) -> impl Iterator<Item = (Vec<u64>, HandInRequest)> {
    let mut left = submissions.into_iter().peekable();
    std::iter::from_fn(move || {
        left.peek()?;
        let (rows, submissions) = left.by_ref().take(BATCH).unzip();
        Some((rows, HandInRequest { submissions, check }))
    })
}

/// What the rules say is wrong, under the title of its column.
fn fault(row: u64, wrong: Wrong, submission: &Submission) -> Fault {
    let place = wrong.question.or_else(|| column_of(&wrong.pointer, submission));
    Fault { row: Some(row), place, words: wrong.words }
}
