//! What comes from npm, with exact versions and without running any package's install script.

use std::fs;

use anyhow::{Context, Result};

use super::{Missing, Remedy};
use crate::tools::{FRAMEWORKS, Layout, NPM, PEERS};
use crate::{cache, workspace};

/// Packages with their versions.
type Packages = &'static [(&'static str, &'static str)];

pub(super) fn missing(layout: &Layout) -> Vec<Missing> {
    let mut pieces = Vec::new();
    if layout.wasm_opt().is_none()
        || layout.esbuild().is_none()
        || layout.axe_core().is_none()
        || layout.tsc().is_none()
    {
        let why = "wasm-opt, the minifier of the loader, and the accessibility rules of the tests";
        pieces.push(piece(&NPM, why));
    }
    if layout.frameworks().is_none() {
        pieces.push(piece(&FRAMEWORKS, "the frameworks of pages in the browser tests"));
    }
    pieces
}

/// Not one of the above: only a benchmark wants them.
pub(super) fn missing_peers(layout: &Layout) -> Option<Missing> {
    layout.peers().is_none().then(|| piece(&PEERS, "what surveys are measured beside"))
}

fn piece(packages: Packages, why: &str) -> Missing {
    Missing {
        what: specifications(packages).join(", "),
        why: why.to_owned(),
        takes: "under a minute",
        remedy: Remedy::Install(Box::new(move |layout| install(packages, layout))),
    }
}

fn install(packages: Packages, layout: &Layout) -> Result<()> {
    cache::install_into(&layout.cache, &Layout::npm_folder(packages), |folder| {
        // With a package.json of its own npm does not look for one further up.
        fs::write(folder.join("package.json"), "{ \"private\": true }\n")
            .with_context(|| format!("cannot write into {}", folder.display()))?;
        let mut command = workspace::command("npm");
        command.current_dir(folder);
        command.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]);
        command.args(specifications(packages));
        cache::run_logged(&layout.cache, "npm", &mut command)
    })
}

fn specifications(packages: Packages) -> Vec<String> {
    packages.iter().map(|(name, version)| format!("{name}@{version}")).collect()
}
