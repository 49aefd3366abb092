//! What comes from PyPI, with exact versions, into a virtual environment of its own.

use anyhow::{Context, Result};

use super::{Missing, Remedy};
use crate::tools::{Layout, SCHEMATHESIS};
use crate::{cache, workspace};

pub(super) fn missing(layout: &Layout) -> Option<Missing> {
    if layout.schemathesis().is_some() {
        return None;
    }
    Some(Missing {
        what: format!("schemathesis {}", version()),
        why: "makes requests up from the API's description, and checks every response".to_owned(),
        takes: "under a minute",
        remedy: Remedy::Install(Box::new(install)),
    })
}

fn install(layout: &Layout) -> Result<()> {
    cache::install_into(&layout.cache, &Layout::schemathesis_folder(), |folder| {
        let mut environment = workspace::command("python3");
        environment.args(["-m", "venv"]).arg(folder);
        cache::run_logged(&layout.cache, "venv", &mut environment)?;
        let constraints = folder.join("constraints.txt");
        std::fs::write(&constraints, SCHEMATHESIS)
            .with_context(|| format!("cannot write {}", constraints.display()))?;
        let mut pip = workspace::command(folder.join("bin/python"));
        pip.args([
            "-m",
            "pip",
            "install",
            "--no-input",
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
        ]);
        pip.arg("--constraint").arg(&constraints).arg("schemathesis");
        cache::run_logged(&layout.cache, "pip", &mut pip)
    })
}

fn version() -> &'static str {
    SCHEMATHESIS.lines().find_map(|line| line.strip_prefix("schemathesis==")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_is_exact() {
        assert!(!version().is_empty());
        for line in SCHEMATHESIS.lines().filter(|line| !line.starts_with('#')) {
            assert!(
                line.split_once("==").is_some_and(|(name, version)| !name.is_empty() && !version.is_empty()),
                "{line}"
            );
        }
    }
}
