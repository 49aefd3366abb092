//! Asking the operator before something is changed.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::cli::Usage;

/// True if it is to be done. Without a terminal nobody can be asked, and `--yes` has to say so.
pub(super) fn confirm(question: &str, yes: bool) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        return Err(Usage("nothing was changed: nobody can be asked here, so say --yes".into()).into());
    }
    Ok(matches!(answer(&format!("{question} [y/N] "))?.to_lowercase().as_str(), "y" | "yes"))
}

/// A line from standard input, without blanks around it.
pub(super) fn answer(question: &str) -> io::Result<String> {
    if io::stdin().is_terminal() {
        let mut out = io::stderr().lock();
        out.write_all(question.as_bytes())?;
        out.flush()?;
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}
