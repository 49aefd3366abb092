//! The tools that are Rust crates, built by `cargo install`, each into a folder of its own version.

use std::path::Path;

use anyhow::Result;

use super::{Missing, Remedy};
use crate::tools::{CARGO_DENY, CARGO_FUZZ, GECKODRIVER, Layout, TRUNK};
use crate::{cache, workspace};

pub(super) fn missing(layout: &Layout) -> Vec<Missing> {
    let mut pieces = Vec::new();
    if layout.wasm_bindgen().is_none() {
        pieces.push(Missing {
            what: format!("wasm-bindgen {}", layout.wasm_bindgen_version),
            why: "joins the widget's WebAssembly to the browser; its version is the one in Cargo.lock"
                .to_owned(),
            takes: "about 2.5 minutes",
            remedy: Remedy::Install(Box::new(install_wasm_bindgen)),
        });
    }
    if layout.geckodriver().is_none() {
        pieces.push(Missing {
            what: format!("geckodriver {GECKODRIVER}"),
            why: "steers Firefox".to_owned(),
            takes: "about 3 minutes",
            remedy: built("geckodriver", GECKODRIVER, Layout::geckodriver_folder),
        });
    }
    if layout.cargo_deny().is_none() {
        pieces.push(Missing {
            what: format!("cargo-deny {CARGO_DENY}"),
            why: "checks the licences and sources of all dependencies".to_owned(),
            takes: "about 5 minutes",
            remedy: built("cargo-deny", CARGO_DENY, Layout::cargo_deny_folder),
        });
    }
    if layout.trunk().is_none() {
        pieces.push(Missing {
            what: format!("trunk {TRUNK}"),
            why: "builds the widget".to_owned(),
            takes: "about 8 minutes",
            remedy: built("trunk", TRUNK, Layout::trunk_folder),
        });
    }
    pieces
}

/// Not one of the above: most never fuzz.
pub(super) fn missing_fuzzer(layout: &Layout) -> Option<Missing> {
    if layout.cargo_fuzz().is_some() {
        return None;
    }
    Some(Missing {
        what: format!("cargo-fuzz {CARGO_FUZZ}"),
        why: "builds and runs the fuzz targets".to_owned(),
        takes: "about a minute",
        remedy: built("cargo-fuzz", CARGO_FUZZ, Layout::cargo_fuzz_folder),
    })
}

/// Builds a crate's program into the folder of its version.
fn built(name: &'static str, version: &'static str, folder: fn() -> String) -> Remedy {
    Remedy::Install(Box::new(move |layout| {
        cache::install_into(&layout.cache, &folder(), |folder| {
            cargo_install(layout, name, version, folder, true)
        })
    }))
}

fn install_wasm_bindgen(layout: &Layout) -> Result<()> {
    let version = &layout.wasm_bindgen_version;
    cache::install_into(&layout.cache, &layout.wasm_bindgen_folder(), |folder| {
        // Its lock file names crates of the day of its release, which a mirror may not have yet.
        cargo_install(layout, "wasm-bindgen-cli", version, folder, true)
            .or_else(|_| cargo_install(layout, "wasm-bindgen-cli", version, folder, false))
    })
}

fn cargo_install(layout: &Layout, name: &str, version: &str, folder: &Path, locked: bool) -> Result<()> {
    let mut command = workspace::cargo(&["install", name, "--version", version]);
    command.arg("--root").arg(folder);
    if locked {
        command.arg("--locked");
    }
    // Most of their build time would go into making them fast, which nobody would notice here.
    command.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    cache::run_logged(&layout.cache, name, &mut command)
}
