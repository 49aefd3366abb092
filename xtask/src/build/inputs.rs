//! What the widget is made from, as one digest, so that an unchanged widget is not built again.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Files and folders, relative to the root, that shape what browsers load.
const INPUTS: [&str; 8] = [
    "Cargo.lock",
    "Cargo.toml",
    "Trunk.toml",
    "index.html",
    "rust-toolchain.toml",
    "shared",
    "widget",
    "xtask/src/build",
];

/// A digest over names and contents of all inputs and the versions of the tools.
pub(super) fn fingerprint(root: &Path, versions: &str) -> Result<String> {
    let mut digest = Sha256::new();
    digest.update(versions);
    for input in INPUTS {
        for file in files(&root.join(input))? {
            let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
            // Lengths keep two files apart whose border moves.
            digest.update(format!("\n{name} {}\n", content.len()));
            digest.update(content);
        }
    }
    Ok(super::embed::hex(&digest.finalize()))
}

/// A file itself, or all files below a folder, in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut entries = fs::read_dir(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read {}", path.display()))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut found = Vec::new();
    for entry in entries {
        found.extend(files(&entry.path())?);
    }
    Ok(found)
}
