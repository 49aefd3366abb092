//! A list as it was written: CSV (RFC 4180) or JSON, as columns and rows of text (`read`), and what is wrong with it
//! (`fault`), for every command that takes one.

mod fault;
mod read;

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use sha2::{Digest, Sha256};
use shared::{Language, SurveyId, limits};

use super::Usage;
use super::words::counted;
pub(super) use fault::{Fault, RowFaults};
#[cfg(test)]
pub(super) use read::read;

/// A list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sheet {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// A row of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// As a spreadsheet counts it, the titles among them; in JSON from 1.
    pub(super) number: u64,
    /// As many as there are columns, without blanks around them; or how many others there are.
    pub(super) cells: Result<Vec<String>, usize>,
}

impl Sheet {
    /// Makes something of every row by its cells; a row with a fault is left without.
    pub(super) fn each<T>(
        &self,
        faults: &mut Vec<Fault>,
        mut make: impl FnMut(&[String], &mut RowFaults<'_>) -> T,
    ) -> Vec<(u64, Option<T>)> {
        if self.rows.is_empty() {
            faults.push(Fault::of_list("the list: there are no rows below the titles"));
        }
        let each = self.rows.iter().map(|row| {
            let mut wrong = RowFaults::new(row.number, faults);
            let one = match &row.cells {
                Ok(cells) => Some(make(cells, &mut wrong)),
                Err(count) => {
                    wrong.at("cells", format!("there are {count}, and {} titles", self.columns.len()));
                    None
                }
            };
            (row.number, one.filter(|_| wrong.is_empty()))
        });
        each.collect()
    }

    /// Tells each of the `columns` that is there already, whatever its title; without one it is nothing yet.
    pub(super) fn twice<T: PartialEq>(&self, columns: &[T]) -> impl Iterator<Item = Fault> {
        let titled = self.columns.iter().enumerate().filter(|(_, title)| !title.is_empty());
        let again = titled.filter(|(place, _)| columns[..*place].contains(&columns[*place]));
        again.map(|(_, title)| Fault::of_column(title, "it is there twice"))
    }

    /// Says that another sign is between the columns, if that is likely.
    pub(super) fn undivided(&self) -> Option<String> {
        let [only] = self.columns.as_slice() else { return None };
        let words = || format!("one column {only:?}: say which sign is between them, with --delimiter");
        only.contains([',', ';', '\t', '|']).then(words)
    }
}

/// What every command is told that reads a list.
#[derive(Args)]
pub(super) struct ListArgs {
    /// The list; - reads it from standard input
    #[arg(value_name = "FILE")]
    pub(super) list: PathBuf,
    /// The survey, if there are several
    #[arg(long, value_name = "ID")]
    pub(super) survey: Option<SurveyId>,
    /// The language of rows that have none
    #[arg(long, value_name = "CODE")]
    language: Option<Language>,
    /// What is between the columns, if it is not found out
    #[arg(long, value_name = "SIGN", value_parser = sign)]
    delimiter: Option<u8>,
    /// Check the list, and do nothing else
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Leave out rows with faults, and take the others
    #[arg(long)]
    skip_faulty: bool,
}

impl ListArgs {
    /// Reads the list.
    pub(super) fn read(&self) -> anyhow::Result<Sheet> {
        let sheet = read::read(&contents(&self.list)?, self.delimiter);
        Ok(sheet.map_err(|error| Usage(format!("{} cannot be read: {error}", self.list.display())))?)
    }

    /// The language of rows that have none: what is said, or the only one that is offered.
    pub(super) fn language(&self, offered: &[Language]) -> Option<Language> {
        let only = if let [only] = offered { Some(*only) } else { None };
        self.language.or(only)
    }

    /// Shows what is wrong. An error if anything is, unless the good rows are to be taken without the others; it says
    /// that nothing was `done`, and what the command `does` with rows.
    pub(super) fn accept(&self, faults: &[Fault], good: usize, done: &str, does: &str) -> anyhow::Result<()> {
        fault::show(faults)?;
        self.refusal(faults, good, done, does).map_or(Ok(()), |words| bail!(words))
    }

    fn refusal(&self, faults: &[Fault], good: usize, done: &str, does: &str) -> Option<String> {
        let divided = good > 0 && faults.iter().all(|fault| fault.row.is_some());
        if faults.is_empty() || self.skip_faulty && divided {
            return None;
        }
        let found = counted(faults.len(), "fault");
        let hint = if divided { format!("; --skip-faulty {does} the other rows") } else { String::new() };
        Some(format!("{found} in {}, and nothing was {done}{hint}", self.list.display()))
    }
}

/// The bytes of a list; `-` stands for standard input.
fn contents(list: &Path) -> anyhow::Result<Vec<u8>> {
    if list == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(list).with_context(|| format!("cannot read {}", list.display()))
}

/// A delimiter as it is said on the command line.
fn sign(text: &str) -> Result<u8, String> {
    match (text, text.as_bytes()) {
        ("\\t" | "tab", _) => Ok(b'\t'),
        (_, [sign]) if sign.is_ascii_graphic() && *sign != b'"' => Ok(*sign),
        _ => Err("write one sign, or tab".into()),
    }
}

/// What is to be said where rows have no language, from no column and for none of them.
pub(super) fn no_language(title: &str) -> Fault {
    Fault::of_column(title, "there is none: add it, or say --language for all rows")
}

/// What is wrong with `--language`, if the survey has others. Without any, nobody knows which it has.
pub(super) fn not_offered(language: Option<Language>, offered: &[Language]) -> Option<String> {
    let language = language.filter(|language| !offered.is_empty() && !offered.contains(language))?;
    Some(format!("--language {language} is not among those of the survey"))
}

/// What is wrong with a value of several lines where one is meant: a quote at a wrong place makes one cell of several
/// rows.
pub(super) const SEVERAL_LINES: &str = "it holds a line end or another control sign";

/// What is wrong with a value that is to be one line, if anything.
pub(super) fn several_lines(value: &str) -> Option<&'static str> {
    let control = |sign: char| limits::is_forbidden(sign) || matches!(sign, '\n' | '\t');
    value.contains(control).then_some(SEVERAL_LINES)
}

/// SHA-256 of a list's bytes, in hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    let mut digest = String::new();
    Sha256::digest(bytes).iter().for_each(|byte| _ = write!(digest, "{byte:02x}"));
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_taken_without_its_faulty_rows_only_where_that_was_said() {
        let asked = |skip_faulty| ListArgs {
            list: "list.csv".into(),
            survey: None,
            language: None,
            delimiter: None,
            dry_run: false,
            skip_faulty,
        };
        let said = |skip, faults: &[Fault], good| asked(skip).refusal(faults, good, "stored", "stores");
        let row = [Fault { row: Some(2), ..Fault::of_list("no") }];
        let words = "1 fault in list.csv, and nothing was stored";
        let hint = format!("{words}; --skip-faulty stores the other rows");
        assert_eq!((said(false, &[], 1), said(true, &row, 1)), (None, None));
        assert_eq!(said(false, &row, 1), Some(hint));
        // Without it there would be nothing left, or nobody knows what the rows are.
        for (faults, good) in [(row, 0), ([Fault::of_column("email", "there is none")], 1)] {
            for skip in [false, true] {
                assert_eq!(said(skip, &faults, good).as_deref(), Some(words), "{faults:?}");
            }
        }
    }
}
