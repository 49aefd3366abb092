//! What comes from npm, with exact versions and without running any package's install script.

use std::fs;

use anyhow::{Context, Result};

use super::{Missing, Remedy};
use crate::tools::{Layout, NPM};
use crate::{cache, workspace};

pub(super) fn missing(layout: &Layout) -> Option<Missing> {
    if layout.wasm_opt().is_some()
        && layout.esbuild().is_some()
        && layout.axe_core().is_some()
        && layout.tsc().is_some()
    {
        return None;
    }
    Some(Missing {
        what: specifications().join(", "),
        why: "wasm-opt, the minifier of the loader, and the accessibility rules of the tests".to_owned(),
        takes: "under a minute",
        remedy: Remedy::Install(Box::new(install)),
    })
}

fn install(layout: &Layout) -> Result<()> {
    cache::install_into(&layout.cache, &Layout::npm_folder(), |folder| {
        // With a package.json of its own npm does not look for one further up.
        fs::write(folder.join("package.json"), "{ \"private\": true }\n")
            .with_context(|| format!("cannot write into {}", folder.display()))?;
        let mut command = workspace::command("npm");
        command.current_dir(folder);
        command.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]);
        command.args(specifications());
        cache::run_logged(&layout.cache, "npm", &mut command)
    })
}

fn specifications() -> Vec<String> {
    NPM.iter().map(|(name, version)| format!("{name}@{version}")).collect()
}
