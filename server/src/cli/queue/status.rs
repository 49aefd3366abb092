//! `afterword queue status`.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use comfy_table::CellAlignment;
use jiff::Timestamp;

use super::Format;
use super::access::Access;
use super::words::{ago, say, span, table};
use crate::cli::ConfigFile;
use crate::clock::Clock;
use crate::operator::{LaneStatus, Status};

#[derive(Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    file: ConfigFile,
    /// How it is printed
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(super) async fn status(arguments: &StatusArgs) -> anyhow::Result<()> {
    let config = crate::cli::load_without_secrets(&arguments.file.config)?;
    let access = Access::open(&config).await?;
    let status = access.status(&config).await?;
    let text = match arguments.format {
        Format::Json => serde_json::to_string_pretty(&status)?,
        Format::Table => page(&status, access.serves(), Clock::wall()),
    };
    Ok(say(&text)?)
}

fn page(status: &Status, serves: bool, now: Timestamp) -> String {
    let mut lanes =
        table(["Lane", "Waiting", "Delayed", "Sending", "Unknown", "Parked", "Dead", "Oldest", "Through in"]);
    for column in lanes.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for lane in &status.lanes {
        lanes.add_row([
            lane.lane.clone(),
            lane.waiting.to_string(),
            lane.delayed.to_string(),
            lane.sending.to_string(),
            lane.unknown.to_string(),
            lane.parked.to_string(),
            lane.dead.to_string(),
            lane.oldest_accepted_at.map_or("–".into(), |oldest| ago(oldest, now)),
            through(lane),
        ]);
    }
    let mut page: String = lanes.lines().map(|line| format!("{}\n", line.trim())).collect();
    for remark in remarks(status, serves) {
        write!(page, "\n{remark}").ok();
    }
    page
}

fn through(lane: &LaneStatus) -> String {
    match lane.through_in_ms {
        None => "never".into(),
        Some(0) => "–".into(),
        Some(millis) => span(Duration::from_millis(millis)),
    }
}

/// What to know beside the numbers, and what to do.
fn remarks(status: &Status, serves: bool) -> Vec<String> {
    let mut remarks = Vec::new();
    if !serves {
        remarks.push("No server runs on this store: nothing is sent until one is started.".into());
    }
    for lane in status.lanes.iter().filter(|lane| lane.interval_ms.is_none()) {
        remarks.push(format!(
            "Nobody forwards the lane {0}: the configuration has no [platform.{0}]. Add it again.",
            lane.lane
        ));
    }
    let sum = |count: fn(&LaneStatus) -> u64| status.lanes.iter().map(count).sum::<u64>();
    if sum(|lane| lane.dead + lane.parked) > 0 {
        remarks.push(
            "Dead letters and what is parked wait for you: afterword queue list --state dead,parked".into(),
        );
    }
    remarks
}
