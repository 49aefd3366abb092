//! `cargo xtask tidy`: the walls between the modules, and what every file has in common.
//!
//! Each rule is a function from a file's path and text to the problems in it, so that a test can show it a
//! violation. The rules read text, not types: they catch what a hurried change brings, not a deliberate trick.

mod crates;
mod files;
mod guarantees;
mod links;
mod rust;
mod walls;

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::{setup, workspace};

/// One file of the checkout.
struct File {
    /// Relative to the root, with `/` on every system.
    path: String,
    text: String,
}

/// `file:line: what is wrong, and why`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Problem {
    file: String,
    line: usize,
    message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl File {
    fn problem(&self, line: usize, message: impl Into<String>) -> Problem {
        Problem { file: self.path.clone(), line, message: message.into() }
    }

    fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    fn has_extension(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }

    /// Whether it is one of these modules or folders, or lies below one: `server/src/queue` means
    /// `server/src/queue.rs` as well.
    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| {
            let rest = self.path.strip_prefix(place);
            rest.is_some_and(|rest| rest.is_empty() || rest == ".rs" || rest.starts_with('/'))
        })
    }

    /// Lines with their numbers, counted from one.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

pub(crate) fn run() -> Result<()> {
    setup::run()?;
    check_checkout()
}

/// Checks every file that git knows or would add.
pub(crate) fn check_checkout() -> Result<()> {
    let names = listed()?;
    let (mut problems, mut functions, mut guides) = (Vec::new(), BTreeSet::new(), Vec::new());
    for name in &names {
        match read(name)? {
            Read::Text(file) => {
                problems.extend(check_text(&file, &names));
                if file.is_rust() {
                    functions.extend(guarantees::functions(&file));
                } else if file.has_extension("md") {
                    guides.push(file);
                }
            }
            Read::Nothing => {}
            Read::Wrong(problem) => problems.push(problem),
        }
    }
    problems.extend(guides.iter().flat_map(|guide| guarantees::check(guide, &functions)));
    problems.sort();
    if problems.is_empty() {
        println!("Tidy: {} files, no problem.", names.len());
        return Ok(());
    }
    for problem in &problems {
        println!("{problem}");
    }
    bail!("problems in the checkout: {}, see above", problems.len());
}

/// A file as it was found.
enum Read {
    Text(File),
    /// It is none of ours to read.
    Nothing,
    Wrong(Problem),
}

fn read(name: &str) -> Result<Read> {
    if files::is_binary(name) {
        return Ok(Read::Nothing);
    }
    let bytes = match std::fs::read(workspace::root().join(name)) {
        Ok(bytes) => bytes,
        // Removed, and git not yet told.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Read::Nothing),
        Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
    };
    let Ok(text) = String::from_utf8(bytes) else {
        let message = "is not UTF-8, which every text here is".to_owned();
        return Ok(Read::Wrong(Problem { file: name.to_owned(), line: 1, message }));
    };
    Ok(Read::Text(File { path: name.to_owned(), text }))
}

/// Applies every rule that looks at one file alone.
fn check_text(file: &File, names: &BTreeSet<String>) -> Vec<Problem> {
    let mut problems = files::check(file);
    problems.extend(crates::check(file));
    problems.extend(links::check(file, names));
    if file.is_rust() {
        problems.extend(walls::check(file));
    }
    problems
}

/// The files that git tracks or would add.
fn listed() -> Result<BTreeSet<String>> {
    let mut git = workspace::command("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let printed = String::from_utf8(workspace::output(&mut git)?).context("a file's name is not UTF-8")?;
    Ok(printed.split_terminator('\0').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_its_file_and_its_folder_and_nothing_with_a_longer_name() {
        let file = |path: &str| File { path: path.to_owned(), text: String::new() };
        let queue = ["server/src/queue"];
        assert!(file("server/src/queue.rs").is_in(&queue));
        assert!(file("server/src/queue/sqlite.rs").is_in(&queue));
        assert!(!file("server/src/queue_metrics.rs").is_in(&queue));
    }

    #[test]
    fn a_problem_is_told_with_file_and_line() {
        let file = File { path: "a/b.rs".to_owned(), text: String::new() };
        assert_eq!(file.problem(7, "is wrong").to_string(), "a/b.rs:7: is wrong");
    }
}
