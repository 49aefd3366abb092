//! How times, counts and the platform's words are written for people, and read from them.

use std::io::{self, Write as _};
use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;

use crate::queue::State;

/// Prints a text to standard output.
pub(super) fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// True if whoever read our output has gone.
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<io::Error>());
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Columns of the terminal; `None` if the output goes elsewhere.
pub(super) fn width() -> Option<u16> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0.max(40))
}

/// A text without what a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// What a spreadsheet takes for a formula.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell that no spreadsheet takes for a formula. Numbers stay numbers.
pub(super) fn tame(cell: &str) -> String {
    let formula = cell.starts_with(FORMULA) && cell.parse::<f64>().is_err();
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

/// A table without lines, that leaves its columns as wide as they are.
pub(super) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    table
}

/// A text in lines that fit a width and begin with blanks; at most so many lines, if that is asked for.
pub(super) fn fold(text: &str, width: Option<u16>, indent: u16, lines: Option<usize>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    let mut row = comfy_table::Row::from(vec![plain(text)]);
    match width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
            if let Some(lines) = lines {
                row.max_height(lines);
            }
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table.add_row(row);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((indent, 0));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// Seconds are enough for a person.
pub(super) fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The time from a moment until now, in words.
pub(super) fn ago(time: Timestamp, now: Timestamp) -> String {
    let age = Duration::try_from(now.duration_since(time)).unwrap_or_default();
    span(Duration::from_secs(age.as_secs()))
}

/// The time from a moment until now in one unit, for a column.
pub(super) fn age(time: Timestamp, now: Timestamp) -> String {
    ago(time, now).split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// A duration in at most two units.
pub(super) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let two = |whole: u64, unit: &str, rest: u64, lesser: &str| {
        if rest == 0 { format!("{whole} {unit}") } else { format!("{whole} {unit} {rest} {lesser}") }
    };
    match seconds {
        0 if span.subsec_millis() > 0 => format!("{} ms", span.subsec_millis()),
        0..60 => format!("{seconds} s"),
        60..3_600 => two(seconds / 60, "min", seconds % 60, "s"),
        3_600..86_400 => two(seconds / 3_600, "h", seconds % 3_600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// A span of time as the configuration writes it.
pub(super) fn parse_span(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unit = match &text[digits..] {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("write a number and a unit: 90s, 30m, 2h or 7d".into()),
    };
    let seconds = text[..digits].parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    seconds.map(Duration::from_secs).ok_or_else(|| "write a number and a unit: 90s, 30m, 2h or 7d".into())
}

/// `1 survey`, `3 surveys`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("{count} {noun}") } else { format!("{count} {noun}s") }
}

/// `1 entry`, `3 entries`.
pub(super) fn entries(count: u64) -> String {
    if count == 1 { "1 entry".into() } else { format!("{count} entries") }
}

/// Why an entry in a state is left alone.
pub(super) fn why_left(state: State) -> &'static str {
    match state {
        State::Waiting => "it waits for its turn",
        State::Delayed => "it is delayed, and tried again by itself; --state delayed takes it",
        State::Sending => "it is being sent at this moment",
        State::Unknown => "it is being looked up at the platform; --state unknown takes it",
        State::Parked | State::Dead => {
            "it came into its state after it was looked at, or the filter leaves it out"
        }
        State::Delivered => "it has arrived",
        State::Discarded => "it was given up before",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_as_the_configuration_writes_it() {
        for (text, seconds) in [("90s", 90), ("30m", 1_800), ("2h", 7_200), ("7d", 604_800)] {
            assert_eq!(parse_span(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "2", "h", "2 h", "-2h", "2w", "99999999999999999999d", "2H", "ä"] {
            assert!(parse_span(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_somebody_wrote_is_no_formula_in_a_spreadsheet() {
        assert_eq!(tame("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(tame("@SUM(1)"), "'@SUM(1)");
        assert_eq!((tame("-3"), tame("+32486"), tame("goed")), ("-3".into(), "+32486".into(), "goed".into()));
    }

    #[test]
    fn a_duration_is_said_in_at_most_two_units() {
        for (seconds, said) in
            [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7_200, "2 h"), (90_000, "1 d 1 h")]
        {
            assert_eq!(span(Duration::from_secs(seconds)), said);
        }
    }

    #[test]
    fn a_long_text_is_folded_to_the_terminal_and_never_tells_it_what_to_do() {
        let text = format!("HTTP 400: \u{1b}[31m{} is not a GUID", "x".repeat(100));
        let folded = fold(&text, Some(50), 4, None);
        assert!(
            folded.lines().all(|line| line.starts_with("    ") && line.chars().count() <= 50),
            "{folded}"
        );
        assert!(!folded.contains('\u{1b}'));
        assert_eq!(fold(&text, Some(50), 4, Some(2)).lines().count(), 2);
        assert_eq!(fold(&text, None, 4, Some(2)).lines().count(), 1, "a pipe gets it whole");
    }
}
