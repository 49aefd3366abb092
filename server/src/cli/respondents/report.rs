//! What became of a list: row by row in a file, and in a few lines at the end.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::Path;

use anyhow::bail;

use super::journal::State;
use super::send::Stop;
use crate::cli::files;
use crate::cli::sheet::Fault;
use crate::cli::words::{counted, say, tame};
use crate::platform::NewRespondent;

/// Ranges of rows that are named in a summary, at most.
const NAMED: usize = 20;

/// Writes what became of each row; personal data, as the list itself.
pub(super) fn write_report(
    path: &Path,
    all: &[u64],
    faults: &[Fault],
    rows: &[u64],
    respondents: &[NewRespondent],
    states: &[State],
) -> anyhow::Result<()> {
    let mut wrong: HashMap<u64, Vec<String>> = HashMap::new();
    for fault in faults {
        wrong.entry(fault.row.unwrap_or_default()).or_default().push(fault.in_row());
    }
    let mut csv = csv::Writer::from_writer(io::BufWriter::new(files::private(path)?));
    csv.write_record(["row", "email", "state", "reason"])?;
    let mut sent = rows.iter().zip(respondents).zip(states).peekable();
    for row in all {
        let Some(((_, new), state)) = sent.next_if(|((sent, _), _)| *sent == row) else {
            let words = wrong.remove(row).unwrap_or_default().join("; ");
            csv.write_record([&row.to_string(), "", "left out", &tame(&words)])?;
            continue;
        };
        let (state, reason) = match state {
            State::Waiting | State::Within(_) => ("not sent", ""),
            State::Sending => ("unknown", ""),
            State::Added => ("added", ""),
            State::Refused(words) => ("refused", words.as_str()),
            State::Unknown(words) => ("unknown", words.as_str()),
        };
        csv.write_record([&row.to_string(), &tame(&new.email), state, &tame(reason)])?;
    }
    Ok(csv.flush()?)
}

/// Says what became of the list; an error unless all of it was added.
pub(super) fn summary(
    rows: &[u64],
    states: &[State],
    report: &Path,
    faulty: usize,
    stopped: Option<Stop>,
) -> anyhow::Result<()> {
    let count = |is: fn(&State) -> bool| states.iter().filter(|state| is(state)).count();
    let added = count(|state| *state == State::Added);
    say(&format!("{} added. What became of each row: {}", counted(added, "respondent"), report.display()))?;
    let named = |is: fn(&State) -> bool| {
        let runs = runs(states, is);
        let name = |run: &Range<usize>| match (rows[run.start], rows[run.end - 1]) {
            (first, last) if first == last => format!("row {first}"),
            (first, last) => format!("rows {first} to {last}"),
        };
        let mut names: Vec<String> = runs.iter().take(NAMED).map(name).collect();
        if runs.len() > NAMED {
            names.push("others".into());
        }
        names.join(", ")
    };
    let mut left = Vec::new();
    let refused = count(|state| matches!(state, State::Refused(_)));
    if refused > 0 {
        let rows = named(|state| matches!(state, State::Refused(_)));
        left.push(format!(
            "{} refused by the platform ({rows}): the report has its words",
            counted(refused, "respondent")
        ));
    }
    let unknown = count(|state| matches!(state, State::Unknown(_)));
    if unknown > 0 {
        let rows = named(|state| matches!(state, State::Unknown(_)));
        left.push(format!(
            "{} may have arrived or not ({rows}): look for some of them at the platform; --resume --resend-unknown sends \
             them again",
            counted(unknown, "respondent")
        ));
    }
    let open = count(|state| matches!(state, State::Waiting | State::Within(_)));
    if open > 0 {
        left.push(format!("{} not sent: --resume goes on", counted(open, "respondent")));
    }
    if faulty > 0 {
        left.push(format!("{} left out for their faults", counted(faulty, "respondent")));
    }
    if let Some(Stop::Trouble(words)) = stopped {
        left.insert(0, words);
    }
    if left.is_empty() {
        return Ok(());
    }
    bail!("{}", left.join("\n"))
}

/// Rows one after the other that stand in a certain way.
pub(super) fn runs(states: &[State], is: impl Fn(&State) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (place, _) in states.iter().enumerate().filter(|(_, state)| is(state)) {
        match runs.last_mut() {
            Some(run) if run.end == place => run.end += 1,
            _ => runs.push(place..place + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sheet::RowFaults;

    fn report(all: &[u64], faults: &[Fault], rows: &[u64], emails: &[&str], states: &[State]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.csv.report.csv");
        let respondent = |email: &&str| NewRespondent { email: (*email).into(), ..NewRespondent::default() };
        let respondents: Vec<NewRespondent> = emails.iter().map(respondent).collect();
        write_report(&path, all, faults, rows, &respondents, states).unwrap();
        std::fs::read_to_string(path).unwrap()
    }

    #[test]
    fn nothing_in_a_report_is_a_formula_in_a_spreadsheet() {
        let refused = State::Refused("=1+1".into());
        let text = report(
            &[2, 3],
            &[],
            &[2, 3],
            &["=cmd|x@example.com", "jef@example.com"],
            &[State::Added, refused],
        );
        let expected =
            "row,email,state,reason\n2,'=cmd|x@example.com,added,\n3,jef@example.com,refused,'=1+1\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_row_that_was_left_out_has_its_faults_in_the_report() {
        let mut faults = Vec::new();
        for (row, column) in [(2, "email"), (2, "store"), (4, "email")] {
            RowFaults::new(row, &mut faults).at(column, "it is empty");
        }
        let text = report(&[2, 3, 4], &faults, &[3], &["jef@example.com"], &[State::Added]);
        let expected = "row,email,state,reason\n2,,left out,email: it is empty; store: it is empty\n\
                        3,jef@example.com,added,\n4,,left out,email: it is empty\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn rows_that_stand_alike_are_named_together() {
        let unknown = State::Unknown(String::new());
        let states = [State::Added, unknown.clone(), unknown.clone(), State::Added, unknown];
        assert_eq!(runs(&states, |state| matches!(state, State::Unknown(_))), [1..3, 4..5]);
        let error = summary(&[2, 3, 4, 6, 7], &states, Path::new("r.csv"), 1, None).unwrap_err().to_string();
        assert!(error.contains("3 respondents may have arrived or not (rows 3 to 4, row 7)"), "{error}");
        assert!(error.contains("1 respondent left out"), "{error}");
        assert!(summary(&[2], &[State::Added], Path::new("r.csv"), 0, None).is_ok());
    }
}
