//! The widget's linker: rustc's own, given objects whose panics are silent.
//!
//! rustc starts `cargo xtask`'s program in the linker's place, with a linker's arguments.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use super::panics;

/// How rustc's call of a linker of this family begins.
const FIRST: &str = "-flavor";
/// rustc's own linker, on the path that it gives to the linker it calls.
const LINKER: &str = "rust-lld";

/// Lets cargo, started by `command`, link WebAssembly with this program.
pub(super) fn by_this_program(command: &mut Command) -> Result<()> {
    let program = env::current_exe().context("cannot find this program")?;
    command.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", program);
    // The widget's build script watches it: cargo does not see that a linker has changed.
    let version = super::embed::hex(&Sha256::digest(include_bytes!("panics.rs")));
    command.env("AFTERWORD_WIDGET_LINKER", version);
    Ok(())
}

/// The arguments of a linker, if this program was started as one.
pub(crate) fn arguments() -> Option<Vec<OsString>> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    (arguments.first()? == FIRST).then_some(arguments)
}

/// Links with the objects among the arguments made silent.
pub(crate) fn run(arguments: Vec<OsString>) -> Result<()> {
    let mut silenced = Vec::new();
    let mut linker = Command::new(LINKER);
    for argument in arguments {
        let path = Path::new(&argument);
        ensure!(
            !argument.as_encoded_bytes().starts_with(b"@"),
            "the linker's arguments lie in {}: this program reads them from its command line only",
            path.display()
        );
        if path.extension().is_some_and(|extension| extension == "o") {
            let silent = silence(path)?;
            linker.arg(&silent);
            silenced.push(silent);
        } else {
            linker.arg(argument);
        }
    }
    let status = linker.status().with_context(|| format!("cannot start {LINKER}"))?;
    for file in silenced {
        fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    // The arguments would fill screens, and rustc shows them itself.
    ensure!(status.success(), "{LINKER} failed ({status})");
    Ok(())
}

/// Writes the silent form of an object beside it.
fn silence(path: &Path) -> Result<PathBuf> {
    let object = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let object = panics::silence(&object).with_context(|| format!("cannot silence {}", path.display()))?;
    let silent = path.with_extension("silent.o");
    fs::write(&silent, object).with_context(|| format!("cannot write {}", silent.display()))?;
    Ok(silent)
}
