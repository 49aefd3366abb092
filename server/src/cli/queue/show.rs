//! `afterword queue show`.

use std::fmt::Write as _;

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;
use uuid::Uuid;

use super::Format;
use super::access::Found;
use crate::cli::ConfigFile;
use crate::cli::words::{ago, fold, moment, plain, say, width};
use crate::clock::Clock;
use crate::operator::{Call, Shown};
use crate::queue::State;

#[derive(Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    file: ConfigFile,
    /// The submission
    #[arg(value_name = "UUID")]
    submission: Uuid,
    /// Also what the visitor sent: that is personal data
    #[arg(long)]
    answers: bool,
    /// How it is printed
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(super) async fn show(arguments: &ShowArgs) -> anyhow::Result<()> {
    let found = Found::to_look_at(&arguments.file).await?;
    let shown = found.access.show(arguments.submission, arguments.answers).await?;
    let Some(shown) = shown else {
        bail!(
            "the queue has no submission {}: it was never accepted here, or it was delivered more than 30 days ago",
            arguments.submission
        );
    };
    let text = match arguments.format {
        Format::Json => serde_json::to_string_pretty(&shown)?,
        Format::Table => page(&shown, arguments.answers, width(), Clock::wall()),
    };
    Ok(say(&text)?)
}

fn page(shown: &Shown, answers: bool, width: Option<u16>, now: Timestamp) -> String {
    let entry = &shown.entry;
    let state = entry.state.0;
    let when = |time: Timestamp| format!("{} ({} ago)", moment(time), ago(time, now));
    let mut page = String::new();
    let mut line = |name: &str, value: &str| {
        writeln!(page, "{name:<12}{value}").ok();
    };
    line("Submission", &entry.submission.to_string());
    line("Survey", &format!("{}, in the lane {}", entry.survey, plain(&entry.lane)));
    let since = entry.settled_at.filter(|_| state != State::Waiting && state != State::Sending);
    line("State", &since.map_or(state.to_string(), |since| format!("{state} since {}", when(since))));
    line("Accepted", &when(entry.accepted_at));
    if matches!(state, State::Delayed | State::Unknown) {
        let verb = if state == State::Delayed { "Sent again" } else { "Looked up" };
        let due = if entry.due_at <= now { "now".into() } else { format!("in {}", ago(now, entry.due_at)) };
        line(verb, &due);
    }
    if let Some(sent_at) = shown.sent_at {
        line("Last call", &when(sent_at));
    }
    if let Some(since) = shown.unsure_since.filter(|_| State::OPEN.contains(&state)) {
        line("Unsure", &format!("it may have arrived, since {}", when(since)));
    }
    line("Calls", &format!("{} since it was accepted or retried", entry.attempts));
    line("Content", content(shown, answers));
    page.push_str(&calls(&shown.history, width));
    if let Some(stored) = &shown.stored {
        let json = serde_json::to_string_pretty(stored).unwrap_or_default();
        let json: Vec<String> = json.lines().map(plain).collect();
        write!(page, "\nWhat the visitor sent:\n\n{}\n", json.join("\n")).ok();
    }
    page
}

fn content(shown: &Shown, answers: bool) -> &'static str {
    match (shown.kept, answers) {
        (true, true) => "stored, see below",
        (true, false) => "stored; --answers shows it",
        (false, _) => "forgotten",
    }
}

fn calls(history: &[Call], width: Option<u16>) -> String {
    if history.is_empty() {
        return "\nNo call for it has failed, or what failed is forgotten.\n".into();
    }
    let mut calls = "\nCalls that failed, oldest first:\n\n".to_owned();
    for call in history {
        writeln!(calls, "  {}  {}", moment(call.at), plain(&call.verdict)).ok();
        let status = || call.status.map(|status| format!("HTTP {status}"));
        if let Some(words) = call.error.clone().or_else(status) {
            writeln!(calls, "{}", fold(&words, width, 4, None)).ok();
        }
    }
    calls
}
