//! `afterword queue status`.

use std::fmt::Write as _;
use std::time::Duration;

use clap::Args;
use comfy_table::CellAlignment;
use jiff::Timestamp;

use super::Format;
use super::access::Found;
use crate::cli::ConfigFile;
use crate::cli::words::{ago, fold, plain, say, span, table, width};
use crate::clock::Clock;
use crate::operator::{self, LaneStatus, Status};

#[derive(Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    file: ConfigFile,
    /// How it is printed
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(super) async fn status(arguments: &StatusArgs) -> anyhow::Result<()> {
    let found = Found::to_look_at(&arguments.file).await?;
    let status = found.status().await?;
    let text = match arguments.format {
        Format::Json => serde_json::to_string_pretty(&status)?,
        Format::Table => page(&status, found.access.serves(), width(), Clock::wall()),
    };
    Ok(say(&text)?)
}

const COLUMNS: [&str; 9] =
    ["Lane", "Waiting", "Delayed", "Sending", "Unknown", "Parked", "Dead", "Oldest", "Through in"];

fn page(status: &Status, serves: bool, width: Option<u16>, now: Timestamp) -> String {
    let rows: Vec<[String; 9]> = status.lanes.iter().map(|lane| cells(lane, now)).collect();
    let mut columns = table(COLUMNS);
    for column in columns.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    columns.add_rows(rows.clone());
    let lines: Vec<String> = columns.lines().map(|line| line.trim().to_owned()).collect();
    let fits = |width: u16| lines.first().is_none_or(|header| header.chars().count() <= usize::from(width));
    let mut page = String::new();
    if width.is_none_or(fits) {
        for line in lines {
            writeln!(page, "{line}").ok();
        }
    } else {
        for row in rows {
            for (name, value) in COLUMNS.iter().zip(row) {
                writeln!(page, "{name:<12}{value}").ok();
            }
        }
    }
    for remark in remarks(status, serves) {
        write!(page, "\n{}", fold(&remark, width, 0, None)).ok();
    }
    page
}

fn cells(lane: &LaneStatus, now: Timestamp) -> [String; 9] {
    [
        plain(&lane.lane),
        lane.waiting.to_string(),
        lane.delayed.to_string(),
        lane.sending.to_string(),
        lane.unknown.to_string(),
        lane.parked.to_string(),
        lane.dead.to_string(),
        lane.oldest_accepted_at.map_or("–".into(), |oldest| ago(oldest, now)),
        through(lane),
    ]
}

fn through(lane: &LaneStatus) -> String {
    match lane.through_in_ms {
        None if lane.interval_ms.is_none() => "never".into(),
        None => "unknown".into(),
        Some(0) => "–".into(),
        Some(millis) => span(Duration::from_millis(millis)),
    }
}

/// What to know beside the numbers, and what to do.
fn remarks(status: &Status, serves: bool) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(reason) = &status.refuses {
        let (what, why) = operator::refused(&plain(reason));
        remarks.push(format!("{what} {why}"));
    }
    if !serves {
        remarks.push("No server runs on this store: nothing is sent until one is started.".into());
    }
    for lane in &status.lanes {
        remarks.extend(lane.advice.iter().map(|advice| format!("{}: {}", plain(&lane.lane), plain(advice))));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_fits_the_terminal_and_names_what_nobody_forwards() {
        let lane = LaneStatus {
            lane: "lost".into(),
            interval_ms: None,
            waiting: 1_234_567,
            delayed: 0,
            sending: 0,
            unknown: 0,
            parked: 1,
            dead: 2,
            oldest_accepted_at: Some(Timestamp::UNIX_EPOCH),
            through_in_ms: None,
            state: None,
            advice: Vec::new(),
        };
        let main = LaneStatus {
            lane: "main".into(),
            interval_ms: Some(1_000),
            through_in_ms: Some(90_000),
            ..lane.clone()
        };
        let paused = LaneStatus {
            lane: "paused".into(),
            through_in_ms: None,
            state: Some("paused".into()),
            advice: vec!["The platform refuses the token (401) for: checkout.".into()],
            ..main.clone()
        };
        let refuses = Some("the store failed: disk is full".into());
        let status = Status { lanes: vec![main, paused, lane], refuses };
        let now = Timestamp::from_second(7_260).unwrap();
        for width in [40, 60, 80, 120] {
            let page = page(&status, false, Some(width), now);
            assert!(page.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}:\n{page}");
            for word in [
                "1234567",
                "2 h 1 min",
                "1 min 30 s",
                "never",
                "unknown",
                "paused: The",
                "are refused: the store",
                "No server runs",
                "[platform.lost]",
            ] {
                assert!(page.contains(word), "{word}: {page}");
            }
        }
    }
}
