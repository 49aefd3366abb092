//! The pinned compiler's targets and components, through rustup.

use std::path::PathBuf;

use anyhow::Result;

use super::{Missing, Remedy};
use crate::tools::Layout;
use crate::{cache, workspace};

const TARGETS: [(&str, &str); 2] = [
    ("wasm32-unknown-unknown", "compiles the widget"),
    ("x86_64-unknown-linux-musl", "compiles the server for its container image"),
];
/// Each component with a file that tells that it is there.
const COMPONENTS: [(&str, &str, &str); 2] =
    [("clippy", "bin/cargo-clippy", "checks the lints"), ("rustfmt", "bin/rustfmt", "checks the format")];

/// What the toolchain's own folder lacks. Asking the folder takes one call of `rustc`; asking rustup, more.
pub(super) fn missing() -> Result<Vec<Missing>> {
    let sysroot = sysroot()?;
    let targets = TARGETS
        .into_iter()
        .filter(|(target, _)| !sysroot.join("lib/rustlib").join(target).join("lib").is_dir())
        .map(|(target, why)| piece("target", target, why));
    let components = COMPONENTS
        .into_iter()
        .filter(|(_, file, _)| !sysroot.join(file).is_file())
        .map(|(component, _, why)| piece("component", component, why));
    Ok(targets.chain(components).collect())
}

fn sysroot() -> Result<PathBuf> {
    let printed = workspace::output(workspace::command("rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(String::from_utf8(printed)?.trim_end()))
}

fn piece(kind: &'static str, name: &'static str, why: &'static str) -> Missing {
    let what = format!("the Rust {kind} {name}");
    let remedy = if workspace::on_path(&["rustup"]).is_some() {
        Remedy::Install(Box::new(move |layout| add(kind, name, layout)))
    } else {
        Remedy::ByHand(format!("rustup, or your distribution's package of the {kind} {name}"))
    };
    Missing { what, why: why.to_owned(), takes: "seconds", remedy }
}

fn add(kind: &str, name: &str, layout: &Layout) -> Result<()> {
    // Run in the checkout, so that rustup takes the toolchain of its rust-toolchain.toml.
    let mut command = workspace::command("rustup");
    command.args([kind, "add", name]);
    cache::run_logged(&layout.cache, &format!("rustup-{name}"), &mut command)
}
