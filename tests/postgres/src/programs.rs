//! Where PostgreSQL's programs are, and as whom they run.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// Who takes root's place: PostgreSQL's own user, else the one that owns nothing.
const USERS: [&str; 2] = ["postgres", "nobody"];

/// In memory, where it is to be had: no disk stands still there for longer than a lease lasts.
const MEMORY: &str = "/dev/shm";
/// Bytes that have to be free in it.
const ROOM: u64 = 2 << 30;

/// The programs of one installation, newest first.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    folder: PathBuf,
    /// User and group, if we are root.
    user: Option<(u32, u32)>,
}

impl Programs {
    pub(super) fn find() -> Result<Self> {
        let root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        let user = if root { Some(other_user().context("there is no user but root")?) } else { None };
        let folder = candidates().into_iter().find(|folder| has_all(folder));
        let folder = folder.context(
            "PostgreSQL's programs are missing; on Debian: apt-get install --no-install-recommends postgresql",
        )?;
        Ok(Self { folder, user })
    }

    pub(super) fn named(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A command that runs as the cluster's user, out of reach of the terminal's Ctrl-C.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/").env("LC_ALL", "C").process_group(0);
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// A new folder of the cluster's user: in memory, unless there is no room or `TMPDIR` says where.
    pub(super) fn folder(&self) -> Result<PathBuf> {
        let mut new = tempfile::Builder::new();
        new.prefix("scratch-postgres-").permissions(std::fs::Permissions::from_mode(0o711));
        let in_memory = std::env::var_os("TMPDIR").is_none() && has_room(Path::new(MEMORY));
        let in_memory = if in_memory { new.tempdir_in(MEMORY).ok() } else { None };
        let folder = match in_memory {
            Some(folder) => folder,
            None => new.tempdir().context("cannot make a temporary folder")?,
        };
        let folder = folder.keep();
        if let Some((user, group)) = self.user {
            std::os::unix::fs::chown(&folder, Some(user), Some(group))
                .with_context(|| format!("cannot give {} away", folder.display()))?;
        }
        Ok(folder)
    }
}

/// True if so much is free in a folder; a container has 64 MiB there unless it is told otherwise.
fn has_room(folder: &Path) -> bool {
    let asked = Command::new("df").args(["--output=avail", "--block-size=1"]).arg(folder).output();
    let said = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let free = said.lines().nth(1).and_then(|line| line.trim().parse::<u64>().ok());
    free.is_some_and(|free| free >= ROOM)
}

fn has_all(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).is_file())
}

/// Debian's folders, the newest version first, then the search path.
fn candidates() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    let search = std::env::var_os("PATH").unwrap_or_default();
    let newest_first = versions.into_iter().rev().map(|(_, folder)| folder);
    newest_first.chain(std::env::split_paths(&search)).collect()
}

fn other_user() -> Option<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    USERS.iter().find_map(|name| ids(name))
}
