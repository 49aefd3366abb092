//! What is wrong with a configuration, where, and what to do: all at once.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::ops::Range;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in the line in characters, from 1.
    pub column: usize,
    /// The key, as a dotted path: `survey[0].question[1].guid.nl`. Empty for the whole file.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    excerpt: String,
    width: usize,
}

#[derive(Debug)]
struct Found {
    span: Range<usize>,
    key: String,
    message: String,
    hint: String,
    /// True if nobody knows what kind of value stands there: a token behind a mistyped name, perhaps.
    veiled: bool,
}

/// Collects problems while a file is read, so that one reading shows them all.
#[derive(Debug)]
pub(super) struct Problems<'a> {
    text: &'a str,
    found: RefCell<Vec<Found>>,
}

impl<'a> Problems<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, found: RefCell::default() }
    }

    pub(super) fn add(
        &self,
        span: Range<usize>,
        key: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let (key, message, hint) = (key.to_owned(), message.into(), hint.into());
        self.found.borrow_mut().push(Found { span, key, message, hint, veiled: false });
    }

    /// Adds that nobody asks for a key. Its value is not shown.
    pub(super) fn add_unknown(&self, span: Range<usize>, key: &str, hint: String) {
        let (key, message) = (key.to_owned(), "unknown key".to_owned());
        self.found.borrow_mut().push(Found { span, key, message, hint, veiled: true });
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|found| found.span.start);
        let text = self.text;
        let build = |Found { span, key, message, hint, veiled }: Found| {
            let start = floor(text, span.start);
            let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
            let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
            let end = floor(text, span.end).clamp(start, line_end);
            Problem {
                line: text[..start].matches('\n').count() + 1,
                column: text[line_start..start].chars().count() + 1,
                key,
                message,
                hint,
                excerpt: without_secret(text[line_start..line_end].trim_end(), veiled),
                width: text[start..end].chars().count().max(1),
            }
        };
        found.into_iter().map(build).collect()
    }
}

/// A line as it may be shown: the values of keys that sound like a secret, addresses with a password, and what is
/// `veiled` stay in the file.
fn without_secret(line: &str, veiled: bool) -> String {
    let credentials = line.contains("://") && line.contains('@');
    // What stands before each `=`; within a text, this is no key, and nothing is lost by taking it for one.
    let mut names = line.split('=').rev().skip(1).map(|before| {
        let name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '"' | '\'' | '.');
        before.trim_end().rsplit(|c| !name(c)).next().unwrap_or_default().to_ascii_lowercase()
    });
    let secret = names.any(|mut name| {
        for harmless in ["token_env", "token_file", "password_env", "password_file"] {
            name = name.replace(harmless, "");
        }
        ["token", "secret", "password"].iter().any(|word| name.contains(word))
    });
    match line.split_once('=') {
        Some((key, _)) if secret || credentials || veiled => format!("{key}= …"),
        _ => line.to_owned(),
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Longest line of the file that is shown with a problem, in characters.
const EXCERPT: usize = 100;

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}, column {}", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(out, ": {}", self.key)?;
        }
        writeln!(out, ": {}", self.message)?;
        if self.column <= EXCERPT && !self.excerpt.is_empty() {
            let shown: String = self.excerpt.chars().take(EXCERPT).collect();
            let carets = self.width.min(EXCERPT + 1 - self.column);
            writeln!(out, "{:>5} | {shown}", self.line)?;
            writeln!(out, "{:>5} | {:indent$}{}", "", "", "^".repeat(carets), indent = self.column - 1)?;
        }
        if !self.hint.is_empty() {
            writeln!(out, "      = {}", self.hint)?;
        }
        Ok(())
    }
}

/// A file that has problems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faulty {
    /// The file.
    pub path: String,
    /// What is wrong with it, in its order; never empty.
    pub problems: Vec<Problem>,
}

/// A configuration that cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {reason}")]
    Read {
        /// The file.
        path: String,
        /// The system's words.
        reason: String,
    },
    /// Files have problems; never empty.
    #[error("{}", report(.0))]
    Invalid(Vec<Faulty>),
}

fn report(faulty: &[Faulty]) -> String {
    let mut report = String::new();
    for Faulty { path, problems } in faulty {
        let count = problems.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        // Writing into a String cannot fail.
        writeln!(report, "{path}: {count} {noun}").ok();
        for problem in problems {
            write!(report, "\n{problem}").ok();
        }
        report.push('\n');
    }
    report.trim_end().to_owned()
}
