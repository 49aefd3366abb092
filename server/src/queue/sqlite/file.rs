//! The store's file: locked against other servers, private to its owner, and watched.
//!
//! A file that is removed or replaced under a running server goes on taking writes that nobody will
//! ever read: an open file outlives its name. So every use begins with a look at the name.

use std::fs::{File, TryLockError};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::schema;
use crate::queue::QueueError;

/// How long a write waits for another program that has locked the file.
const BUSY: Duration = Duration::from_secs(5);

/// Tells a file from another one of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

/// Why a store could not be locked.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotLocked {
    #[error("another server uses it; stop that one first")]
    InUse,
    #[error("{0}")]
    Failed(String),
}

impl NotLocked {
    /// The same, of a store that was to be opened.
    pub(super) fn at(self, path: &Path) -> QueueError {
        let store = path.display().to_string();
        match self {
            Self::InUse => QueueError::InUse { store },
            Self::Failed(reason) => QueueError::Open { store, reason },
        }
    }
}

/// A lock that keeps other servers away for as long as it lives.
pub(super) struct Lock {
    file: File,
    name: PathBuf,
}

impl Lock {
    /// Locks the store at a path, or says who has it.
    pub(super) fn take(path: &Path) -> Result<Self, NotLocked> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty())
            && !folder.is_dir()
        {
            let missing = format!("the folder {} is missing; make it, or mount the volume", folder.display());
            return Err(NotLocked::Failed(missing));
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let name = PathBuf::from(name);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&name)
            .map_err(|error| NotLocked::Failed(format!("cannot write {}: {error}", name.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, name }),
            Err(TryLockError::WouldBlock) => Err(NotLocked::InUse),
            Err(TryLockError::Error(error)) => {
                Err(NotLocked::Failed(format!("cannot lock {}: {error}", name.display())))
            }
        }
    }

    /// True while the locked file is the one that others would lock.
    pub(super) fn holds(&self) -> bool {
        let ours = self.file.metadata().map(|found| Identity { device: found.dev(), inode: found.ino() });
        ours.is_ok_and(|ours| identify(&self.name) == Ok(ours))
    }
}

/// Makes the file readable by its owner only, before anything is in it; its companions follow suit.
pub(super) fn make_private(path: &Path) -> std::io::Result<()> {
    File::options().create(true).truncate(false).write(true).mode(0o600).open(path).map(|_| ())
}

/// A connection to the file that has the store's name at the time of each use.
pub(super) struct Watched {
    path: PathBuf,
    identity: Identity,
    /// Gone only while it is exchanged.
    connection: Option<Connection>,
}

impl Watched {
    /// Connects to a store that exists.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let identity = identify(path)?;
        let connection = connect(path).map_err(|error| error.to_string())?;
        Ok(Self { path: path.to_owned(), identity, connection: Some(connection) })
    }

    /// Brings the schema up to date.
    pub(super) fn migrate(&mut self) -> Result<(), String> {
        self.connection.as_mut().map_or(Ok(()), schema::migrate)
    }

    /// The connection, to the file that is there now; true if it is another file than before.
    pub(super) fn check(&mut self) -> Result<(&Connection, bool), QueueError> {
        let there = identify(&self.path).map_err(QueueError::Store)?;
        let another = there != self.identity;
        if another {
            let mut next = Self::open(&self.path).map_err(QueueError::Store)?;
            next.migrate().map_err(QueueError::Store)?;
            std::mem::swap(self, &mut next);
        }
        let connection = self.connection.as_ref();
        connection.map(|connection| (connection, another)).ok_or(QueueError::Stopped)
    }
}

impl Drop for Watched {
    /// Closing the last connection to a file removes the log of its name, which belongs to another
    /// file by now if ours was replaced: then it is better not closed.
    fn drop(&mut self) {
        if identify(&self.path) != Ok(self.identity) {
            std::mem::forget(self.connection.take());
        }
    }
}

fn identify(path: &Path) -> Result<Identity, String> {
    match std::fs::metadata(path) {
        Ok(found) => Ok(Identity { device: found.dev(), inode: found.ino() }),
        Err(error) => Err(format!("{} is gone ({error}); put it back, or mount its volume", path.display())),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // It exists: it is made by `make_private`, and never again while a server runs.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // What is delivered is forgotten in the file too, and not only in the table.
    connection.pragma_update(None, "secure_delete", true)?;
    // A statement's plan does not hang on what is bound to it: else it would be planned at each call.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
