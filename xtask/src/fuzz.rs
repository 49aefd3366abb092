//! `cargo xtask fuzz`: runs the fuzz targets, one after the other, on one core.
//!
//! Not a step of `cargo xtask test`: it never ends by itself, wants a nightly compiler, and its tool is
//! built when it is first needed. What it finds stays in `fuzz/artifacts`, what it learns in `fuzz/corpus`.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::tools::Layout;
use crate::{setup, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run only this target, one of those in fuzz/targets.
    target: Option<String>,
    /// How long each target runs.
    #[arg(long, default_value_t = 10, value_name = "MINUTES")]
    minutes: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let folder = workspace::root().join("fuzz");
    let mut targets = targets(&folder)?;
    if let Some(wanted) = &arguments.target {
        ensure!(targets.contains(wanted), "no target `{wanted}`; there are: {}", targets.join(", "));
        targets.retain(|target| target == wanted);
    }
    let nightly =
        workspace::output(workspace::command("rustup").args(["run", "nightly", "rustc", "--version"]));
    nightly.context("fuzzing wants a nightly compiler: `rustup toolchain install nightly`")?;
    let layout = Layout::of_this_checkout()?;
    let tool = setup::cargo_fuzz(&layout)?;
    let mut failed = Vec::new();
    for target in targets {
        println!("\n== {target}, {} minutes", arguments.minutes);
        if let Err(error) = fuzz(&folder, &tool, &target, arguments.minutes) {
            println!("{error:#}");
            failed.push(target);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("found something: {}; the inputs are in fuzz/artifacts", failed.join(", "));
}

/// The targets, by their files.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let folder = folder.join("targets");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut targets = Vec::new();
    for entry in entries {
        let path = entry?.path();
        targets.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    targets.sort();
    Ok(targets)
}

fn fuzz(folder: &Path, tool: &Path, target: &str, minutes: u64) -> Result<()> {
    // What is learned goes into the first folder; the seeds are only read.
    let corpus = folder.join("corpus").join(target);
    std::fs::create_dir_all(&corpus).with_context(|| format!("cannot create {}", corpus.display()))?;
    let mut run = workspace::command("rustup");
    run.current_dir(folder).args(["run", "nightly"]).arg(tool).args(["fuzz", "run", target]);
    run.arg(&corpus).arg(folder.join("seeds").join(target)).arg("--");
    run.arg(format!("-max_total_time={}", minutes * 60)).args(["-timeout=10", "-rss_limit_mb=2048"]);
    let dictionary = folder.join("dictionaries").join(format!("{target}.dict"));
    if dictionary.is_file() {
        run.arg(format!("-dict={}", dictionary.display()));
    }
    workspace::run(&mut run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_built_and_has_seeds() -> Result<()> {
        let folder = workspace::root().join("fuzz");
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml"))?;
        let targets = targets(&folder)?;
        assert!(!targets.is_empty());
        for target in targets {
            assert!(manifest.contains(&format!("path = \"targets/{target}.rs\"")), "{target}");
            assert!(std::fs::read_dir(folder.join("seeds").join(&target))?.next().is_some(), "{target}");
        }
        Ok(())
    }
}
