//! `afterword queue list`.

use std::fmt::Write as _;

use clap::Args;
use comfy_table::{CellAlignment, ColumnConstraint};
use jiff::Timestamp;

use super::Format;
use super::access::Found;
use super::filter::FilterArgs;
use crate::cli::ConfigFile;
use crate::cli::words::{age, entries, fold, plain, say, table, width};
use crate::clock::Clock;
use crate::operator::{ListRequest, Listing, Row};

/// The least room for the platform's words beside the other columns; with less they go below.
const BESIDE: usize = 28;

/// With less only submission, state and age are shown, and the words about the failure.
const WHOLE: u16 = 80;

#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    filter: FilterArgs,
    /// How many, at most
    #[arg(long, default_value_t = 50, value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(crate::operator::MOST_LISTED)))]
    limit: u32,
    /// The newest instead of the oldest; reads everything that matches
    #[arg(long)]
    newest: bool,
    /// How it is printed
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(super) async fn list(arguments: &ListArgs) -> anyhow::Result<()> {
    let now = Clock::wall();
    let selection = arguments.filter.selection(now);
    let request = ListRequest { selection, limit: arguments.limit, after: None, newest: arguments.newest };
    let found = Found::to_look_at(&arguments.file).await?;
    found.know(&request.selection).await?;
    let listing = found.access.list(&request).await?;
    if arguments.format == Format::Json {
        return Ok(say(&serde_json::to_string_pretty(&listing)?)?);
    }
    if listing.entries.is_empty() {
        return Ok(say(&format!("Nothing matches: {}.", arguments.filter.in_words("open entries")))?);
    }
    let mut text = page(&listing.entries, found.names_lanes(), width(), now);
    writeln!(text, "\n{}", summary(&listing, arguments)).ok();
    Ok(say(&text)?)
}

fn summary(listing: &Listing, arguments: &ListArgs) -> String {
    let shown = entries(listing.entries.len() as u64);
    match (listing.more, arguments.newest) {
        (false, _) => format!("{shown}."),
        (true, false) => {
            format!("The oldest {shown}; there are more. See --newest, --limit and the filters in --help.")
        }
        (true, true) => format!("The newest {shown}; there are more. See --limit and the filters in --help."),
    }
}

/// One line for each entry, and the words about its last failure beside or below it.
fn page(rows: &[Row], with_lane: bool, width: Option<u16>, now: Timestamp) -> String {
    let mut columns = table(["Submission", "Survey", "Lane", "State", "Age", "Calls"]);
    if let Some(calls) = columns.column_mut(5) {
        calls.set_cell_alignment(CellAlignment::Right);
    }
    for row in rows {
        columns.add_row([
            row.submission.to_string(),
            row.survey.to_string(),
            plain(&row.lane),
            row.state.to_string(),
            age(row.accepted_at, now),
            row.attempts.to_string(),
        ]);
    }
    let mut hide = |column| {
        if let Some(column) = columns.column_mut(column) {
            column.set_constraint(ColumnConstraint::Hidden);
        }
    };
    if !with_lane {
        hide(2);
    }
    if width.is_some_and(|width| width < WHOLE) {
        for column in [1, 2, 5] {
            hide(column);
        }
    }
    let mut lines = columns.lines().map(|line| line.trim_start().to_owned());
    let header = lines.next().unwrap_or_default();
    let room = width.map(|width| usize::from(width).saturating_sub(header.chars().count() + 1));
    let beside = room.is_none_or(|room| room >= BESIDE);
    let mut page = String::new();
    writeln!(page, "{}", if beside { format!("{header} Last error") } else { header.trim_end().to_owned() })
        .ok();
    for (row, line) in rows.iter().zip(lines) {
        let words = row.last_error.as_deref().unwrap_or_default();
        if beside {
            let room = room.map(|room| u16::try_from(room).unwrap_or(u16::MAX));
            writeln!(page, "{}", format!("{line} {}", fold(words, room, 0, Some(1))).trim_end()).ok();
        } else {
            writeln!(page, "{}", line.trim_end()).ok();
            if !words.is_empty() {
                writeln!(page, "{}", fold(words, width, 4, Some(2))).ok();
            }
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::StateName;
    use crate::queue::State;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn row(number: u8, error: Option<&str>) -> Row {
        Row {
            submission: uuid::Uuid::from_bytes([number; 16]),
            survey: "checkout".parse().unwrap(),
            lane: "main".into(),
            state: StateName(if error.is_some() { State::Dead } else { State::Waiting }),
            accepted_at: at(0),
            settled_at: None,
            due_at: at(0),
            attempts: 1,
            last_error: error.map(str::to_owned),
        }
    }

    fn rows() -> [Row; 2] {
        let long = format!("HTTP 400: {} is not a GUID.\nSee the manual", "x".repeat(300));
        [row(1, None), row(2, Some(&long))]
    }

    #[test]
    fn a_list_fits_the_terminal_whatever_the_platform_said() {
        for width in [40, 60, 80, 100, 120, 200] {
            let page = page(&rows(), true, Some(width), at(7_260));
            // Submission, state and age are never cut.
            let bound = usize::from(width).max(60);
            assert!(page.lines().all(|line| line.chars().count() <= bound), "{width}:\n{page}");
            assert!(page.lines().count() <= 5, "{page}");
            assert!(page.contains("HTTP 400:") && page.contains("dead"), "{page}");
        }
    }

    #[test]
    fn a_pipe_gets_a_line_for_each_entry_with_all_its_words() {
        let page = page(&rows(), false, None, at(7_260));
        assert_eq!(page.lines().count(), 3, "{page}");
        assert!(page.contains("See the manual") && !page.contains("main"), "{page}");
        assert!(page.contains("2 h "), "{page}");
    }
}
