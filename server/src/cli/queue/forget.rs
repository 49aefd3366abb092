//! `afterword queue forget`.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::bail;
use clap::{ArgGroup, Args};
use tokio::time::Instant;
use uuid::Uuid;

use super::access::Found;
use crate::cli::ConfigFile;
use crate::cli::ask::{answer, confirm};
use crate::cli::words::{entries, say};
use crate::operator::{ForgetReply, ForgetRequest};

/// How long to wait for what is being sent.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often to look whether it has been.
const PAUSE: Duration = Duration::from_millis(250);
/// Submissions that are named one by one, at most.
const NAMED: usize = 50;

const HELP: &str = "\
Erases what the visitor sent, the words about failed calls, and the fingerprint; the UUID stays for 30 days, so that \
the same submission is not taken again. An address is compared, in capitals or not, with the respondent's e-mail \
address of everything that is still stored. What was delivered is forgotten here already, and is at the platform: have \
it erased there.

The log gets the UUIDs, never the address. An address on the command line can be seen by others on this machine, and \
stays in the shell's history: --email - reads it from standard input.";

#[derive(Args)]
#[command(after_long_help = HELP, group = ArgGroup::new("whom").required(true).args(["email", "submission"]))]
pub(super) struct ForgetArgs {
    #[command(flatten)]
    file: ConfigFile,
    /// The person's e-mail address; - reads it from standard input
    #[arg(
        long,
        value_name = "ADDRESS",
        required_unless_present = "submission",
        conflicts_with = "submission"
    )]
    email: Option<String>,
    /// A submission; may be given several times
    #[arg(long, value_name = "UUID")]
    submission: Vec<Uuid>,
    /// Also erase submissions of others that have the address somewhere in them
    #[arg(long, requires = "email")]
    also_mentions: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(super) async fn forget(arguments: &ForgetArgs) -> anyhow::Result<()> {
    let email = match arguments.email.as_deref() {
        Some("-") => {
            // Nobody is asked in vain, and nobody else has to wait for the answer.
            drop(Found::by(&arguments.file).await?);
            Some(answer("E-mail address: ")?)
        }
        email => email.map(str::to_owned),
    };
    let mut request = ForgetRequest {
        email,
        submissions: arguments.submission.clone(),
        also_mentions: arguments.also_mentions,
        dry_run: true,
    };
    let foreseen = Found::by(&arguments.file).await?.access.forget(&request).await?;
    say(&intention(&foreseen))?;
    if foreseen.erased.total() == 0 && foreseen.busy.is_empty() {
        return missing(&foreseen);
    }
    if !confirm("Go on? It cannot be undone.", arguments.yes)? {
        return Ok(say("Nothing was changed.")?);
    }
    request.dry_run = false;
    let done = patiently(&arguments.file, request).await?;
    let erased = if done.erased.total() == 0 { "nothing".to_owned() } else { done.erased.to_string() };
    say(&format!("Erased: {erased}.\nWhat the platform has already has to be erased there."))?;
    if !done.busy.is_empty() {
        bail!(
            "{} could not be erased, since a call for it has not ended: {}. Wait until the call is over (if no \
             server runs, start one), and say it again",
            entries(done.busy.len() as u64),
            some(&done.busy)
        );
    }
    missing(&done)
}

/// Erases, and tries again for some seconds what is being sent.
async fn patiently(file: &ConfigFile, request: ForgetRequest) -> anyhow::Result<ForgetReply> {
    let access = Found::by(file).await?.access;
    let mut done = access.forget(&request).await?;
    let end = Instant::now() + PATIENCE;
    // Without a server no call is made: what is marked as being sent stays so.
    while access.serves() && !done.busy.is_empty() && Instant::now() < end {
        tokio::time::sleep(PAUSE).await;
        let rest = ForgetRequest { submissions: done.busy.clone(), ..ForgetRequest::default() };
        let more = access.forget(&rest).await?;
        done.erased.join(&more.erased);
        done.busy = more.busy;
    }
    Ok(done)
}

fn intention(foreseen: &ForgetReply) -> String {
    let mut text = String::new();
    match foreseen.erased.total() {
        0 if foreseen.busy.is_empty() => text.push_str("Nothing that is stored is theirs."),
        0 => {}
        count => write!(text, "{} would be erased: {}.", entries(count), foreseen.erased).unwrap_or_default(),
    }
    if !foreseen.busy.is_empty() {
        let count = entries(foreseen.busy.len() as u64);
        write!(text, "\n{count} being sent at this moment, to be erased right after that.").ok();
    }
    if !foreseen.mentions.is_empty() {
        let count = foreseen.mentions.len();
        write!(
            text,
            "\n{} of others with the address in them, left alone without --also-mentions:",
            entries(count as u64)
        )
        .ok();
        for left in foreseen.mentions.iter().take(NAMED) {
            write!(text, "\n  {}  {}", left.submission, left.state).ok();
        }
        if count > NAMED {
            write!(text, "\n  and {} more", count - NAMED).ok();
        }
    }
    if foreseen.erased.total() == 0 && foreseen.busy.is_empty() {
        text.push_str("\nWhat the platform has already has to be erased there.");
    }
    text.trim_start().to_owned()
}

/// Submissions that were named and are not there are a failure: one may have been mistyped.
fn missing(reply: &ForgetReply) -> anyhow::Result<()> {
    if !reply.missing.is_empty() {
        bail!("not in the queue: {}", some(&reply.missing));
    }
    Ok(())
}

fn some(submissions: &[Uuid]) -> String {
    submissions.iter().take(NAMED).map(Uuid::to_string).collect::<Vec<_>>().join(", ")
}
