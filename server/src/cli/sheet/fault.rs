//! What is wrong with a list, where, and how it is told.

use std::fmt;
use std::io::{self, Write as _};

use crate::cli::words::counted;

/// Faults that are shown one by one, at most.
const SHOWN: usize = 100;

/// Something wrong.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Fault {
    /// `None` if it is the list as a whole.
    pub(in crate::cli) row: Option<u64>,
    /// The title of its column, as a rule; `None` if it is no column's.
    pub(in crate::cli) place: Option<String>,
    pub(in crate::cli) words: String,
}

impl Fault {
    /// Of the list as a whole.
    pub(in crate::cli) fn of_list(words: impl Into<String>) -> Self {
        Self { row: None, place: None, words: words.into() }
    }

    /// Of a column as a whole.
    pub(in crate::cli) fn of_column(title: &str, words: impl Into<String>) -> Self {
        Self { place: Some(format!("column {title:?}")), ..Self::of_list(words) }
    }

    /// Without its row, for whoever sees the row already.
    pub(in crate::cli) fn in_row(&self) -> String {
        self.place.as_ref().map_or_else(|| self.words.clone(), |place| format!("{place}: {}", self.words))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            write!(out, "row {row}, ")?;
        }
        out.write_str(&self.in_row())
    }
}

/// Takes down what is wrong with one row.
pub(in crate::cli) struct RowFaults<'a> {
    row: u64,
    found: &'a mut Vec<Fault>,
    before: usize,
}

impl<'a> RowFaults<'a> {
    pub(in crate::cli) fn new(row: u64, found: &'a mut Vec<Fault>) -> Self {
        let before = found.len();
        Self { row, found, before }
    }

    /// Something wrong at a place in the row.
    pub(in crate::cli) fn at(&mut self, place: &str, words: impl Into<String>) {
        self.found.push(Fault { row: Some(self.row), place: Some(place.to_owned()), words: words.into() });
    }

    /// True as long as nothing is wrong with the row.
    pub(in crate::cli) fn is_empty(&self) -> bool {
        self.found.len() == self.before
    }
}

/// Shows the first faults on standard error, and how many there are besides.
pub(super) fn show(faults: &[Fault]) -> io::Result<()> {
    if faults.is_empty() { Ok(()) } else { writeln!(io::stderr().lock(), "{}", first(faults)) }
}

fn first(faults: &[Fault]) -> String {
    let mut lines: Vec<String> = faults.iter().take(SHOWN).map(ToString::to_string).collect();
    if let Some(more) = faults.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        lines.push(format!("and {}", counted(more, "more fault")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_is_all_faults_does_not_fill_the_terminal() {
        let mut faults = Vec::new();
        for row in 2..=103 {
            RowFaults::new(row, &mut faults).at("email", "it is empty");
        }
        assert!(first(&faults[..SHOWN]).ends_with("row 101, email: it is empty"));
        let lines = first(&faults);
        assert_eq!((lines.lines().count(), lines.lines().last()), (SHOWN + 1, Some("and 2 more faults")));
    }
}
