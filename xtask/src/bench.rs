//! `cargo xtask bench`: the widget's bytes, then how many answers a second the intake stores.

use anyhow::{Context, Result};

use crate::{build, setup, workspace};

/// The measuring program, in the package `tests`.
const INTAKE: &str = "bench-intake";

pub(crate) fn run() -> Result<()> {
    let tools = setup::run()?;
    build::widget(&tools)?;
    build::server(build::Profile::Release)?;
    load()
}

/// Runs the load test where the package has it.
fn load() -> Result<()> {
    let printed =
        workspace::output(&mut workspace::cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&printed).context("cannot read cargo metadata")?;
    if !has_binary(&metadata, INTAKE) {
        println!("The package `tests` has no binary `{INTAKE}`: no load is measured.");
        return Ok(());
    }
    workspace::run(&mut workspace::cargo(&["run", "--release", "--quiet", "-p", "tests", "--bin", INTAKE]))
}

fn has_binary(metadata: &serde_json::Value, name: &str) -> bool {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut targets = packages.flat_map(|package| package["targets"].as_array().into_iter().flatten());
    targets.any(|target| {
        target["name"] == name && target["kind"].as_array().is_some_and(|kinds| kinds.contains(&"bin".into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_is_found_among_the_targets_of_all_packages() {
        let metadata = serde_json::json!({ "packages": [
            { "targets": [{ "name": "e2e", "kind": ["test"] }] },
            { "targets": [{ "name": "bench-intake", "kind": ["bin"] }] },
        ] });
        assert!(has_binary(&metadata, "bench-intake"));
        assert!(!has_binary(&metadata, "e2e"));
    }
}
