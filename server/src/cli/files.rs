//! Files that commands keep and write: beside another one, for their owner alone, one program at a time.

use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// A file of the same folder, with more behind its name: `list.csv.progress`.
pub(super) fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{what}"));
    path.with_file_name(name)
}

/// A new file, in the place of any other, that its owner alone can read.
pub(super) fn private(path: &Path) -> io::Result<File> {
    let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    owned(file)
}

/// A file that its owner alone can read, as it is, or an empty one.
pub(super) fn kept(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    owned(file)
}

/// Takes others' rights to a file that was there before.
pub(super) fn owned(file: File) -> io::Result<File> {
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Keeps others out of a file until it is closed; `doing` is what they would be at.
pub(super) fn alone(file: &File, path: &Path, doing: &str) -> anyhow::Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => bail!("{} is in use: {doing} already", path.display()),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot use {}", path.display()))
        }
    }
}
