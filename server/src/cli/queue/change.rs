//! `afterword queue retry` and `afterword queue discard`.
//!
//! First a look at what would be changed, then the question, then the change; it leaves alone what came
//! into its state meanwhile. The store is not held while the question waits.

use std::fmt::Write as _;

use anyhow::bail;
use clap::{ArgGroup, Args};

use super::access::Found;
use super::filter::FilterArgs;
use crate::cli::ConfigFile;
use crate::cli::ask::confirm;
use crate::cli::words::{entries, say, why_left};
use crate::clock::Clock;
use crate::operator::{ChangeReply, ChangeRequest, Order, Tally};
use crate::queue::State;

/// Entries that are named one by one in a report, at most.
const NAMED: usize = 20;

const RETRY_HELP: &str = "\
Takes what is dead or parked; --state can add delayed and unknown. What is parked or unknown may have arrived \
already, and would be there twice: look for its UUID at the platform first.

Ids become the platform's GUIDs anew at each call. So mend the configuration first, which a server that runs \
takes up by itself, and then retry. Metadata is stored with the answer, and stays as it is.";

const DISCARD_HELP: &str = "\
Takes what is dead or parked; --state can add waiting, delayed and unknown. The content is erased at once and cannot \
be had back: `queue export` keeps a copy. The UUID is remembered, so that a browser that sends the same submission \
again makes no new entry.";

#[derive(Args)]
#[command(after_long_help = RETRY_HELP)]
pub(super) struct RetryArgs {
    #[command(flatten)]
    which: Which,
}

#[derive(Args)]
#[command(after_long_help = DISCARD_HELP)]
pub(super) struct DiscardArgs {
    #[command(flatten)]
    which: Which,
}

#[derive(Args)]
#[command(group = ArgGroup::new("which").required(true).args(["submissions", "all"]))]
struct Which {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    filter: FilterArgs,
    /// Everything that the filters let through, instead of submissions by their UUIDs
    #[arg(long)]
    all: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn retry(arguments: &RetryArgs) -> anyhow::Result<()> {
    change(Order::Retry, &arguments.which).await
}

pub(super) async fn discard(arguments: &DiscardArgs) -> anyhow::Result<()> {
    change(Order::Discard, &arguments.which).await
}

async fn change(order: Order, which: &Which) -> anyhow::Result<()> {
    let mut request = ChangeRequest {
        selection: which.filter.selection(Clock::wall()),
        all: which.all,
        as_of: None,
        dry_run: true,
    };
    let foreseen = order_at(&which.file, order, &request).await?.0;
    if foreseen.changed.total() == 0 {
        say(&format!("Nothing to {}: {}.", verb(order), which.filter.in_words("state dead or parked")))?;
        return report_left(&foreseen);
    }
    say(&intention(order, &foreseen.changed))?;
    if !confirm("Go on?", which.yes)? {
        return Ok(say("Nothing was changed.")?);
    }
    request.dry_run = false;
    request.as_of = Some(foreseen.as_of);
    let (done, serves) = order_at(&which.file, order, &request).await?;
    say(&outcome(order, &done.changed, serves))?;
    report_left(&done)
}

/// Gives the order; true if a server took it.
async fn order_at(
    file: &ConfigFile,
    order: Order,
    request: &ChangeRequest,
) -> anyhow::Result<(ChangeReply, bool)> {
    let found = Found::by(file).await?;
    found.know(&request.selection).await?;
    Ok((found.access.change(order, request).await?, found.access.serves()))
}

fn verb(order: Order) -> &'static str {
    match order {
        Order::Retry => "retry",
        Order::Discard => "discard",
    }
}

fn intention(order: Order, meant: &Tally) -> String {
    let count = entries(meant.total());
    match order {
        Order::Discard => {
            format!("{count} would be given up, and what the visitors sent erased: {meant}.")
        }
        Order::Retry => {
            let unsure = meant.of(State::Parked) + meant.of(State::Unknown);
            let mut text = format!("{count} would be sent again: {meant}.");
            if unsure > 0 {
                write!(
                    text,
                    "\n{unsure} of them may have arrived already, and would be at the platform twice."
                )
                .ok();
            }
            text
        }
    }
}

fn outcome(order: Order, changed: &Tally, serves: bool) -> String {
    if changed.total() == 0 {
        return "Nothing was changed.".into();
    }
    match (order, serves) {
        (Order::Discard, _) => format!("Given up: {changed}."),
        (Order::Retry, true) => format!("Back in line: {changed}. They go out at the lane's pace."),
        (Order::Retry, false) => {
            format!("Back in line: {changed}. No server runs: they go out once one is started.")
        }
    }
}

/// Says what was left alone, and why; that is a failure.
fn report_left(reply: &ChangeReply) -> anyhow::Result<()> {
    let count = reply.left.len() + reply.missing.len();
    if count == 0 {
        return Ok(());
    }
    let left = reply.left.iter().map(|left| format!("{}: {}", left.submission, why_left(left.state.0)));
    let none = "not in the queue, or the filter leaves it out";
    let missing = reply.missing.iter().map(|submission| format!("{submission}: {none}"));
    let mut text = String::from("Left alone:\n");
    for line in left.chain(missing).take(NAMED) {
        writeln!(text, "  {line}").ok();
    }
    if count > NAMED {
        writeln!(text, "  and {} more", count - NAMED).ok();
    }
    say(&text)?;
    bail!("{} left as {}", entries(count as u64), if count == 1 { "it is" } else { "they are" });
}
