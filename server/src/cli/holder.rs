//! Who holds the store: nobody, so that it is ours while it is open, or a server, which is asked then.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::Instant;

use super::remote::Remote;
use crate::config::{Config, Store};
use crate::queue::{self, QueueError, SharedQueue, SqliteQueue};

/// How long a store may be held by somebody who does not answer: a server that starts or stops, or
/// another of these commands.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it is tried meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// Who holds a store. A database may be used beside the servers that share it.
pub(super) enum Holder {
    Nobody(SharedQueue),
    Server(Remote),
}

/// What becomes of a file that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// It is made: who has it owns its lanes.
    Made,
    /// There is nothing to see.
    Told,
}

impl Holder {
    /// Opens the store of a configuration, or finds the server that holds it.
    pub(super) async fn find(config: &Config, missing: Missing) -> anyhow::Result<Self> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(queue) = open(config, missing).await? {
                return Ok(Self::Nobody(queue));
            }
            let remote = Remote::new(config)?;
            match remote.reach().await {
                Ok(()) => return Ok(Self::Server(remote)),
                Err(_) if Instant::now() < end => tokio::time::sleep(PAUSE).await,
                Err(reason) => bail!(
                    "the store is in use, and no server answers at {} (admin_listen): {reason}. Use the \
                     configuration that the server was started with, or stop whatever uses the store",
                    remote.address()
                ),
            }
        }
    }
}

/// The store, unless a server holds it.
async fn open(config: &Config, missing: Missing) -> anyhow::Result<Option<SharedQueue>> {
    let options = config.queue.into();
    let path = match &config.store {
        Store::Sqlite(path) => path,
        store @ Store::Postgres(_) => return Ok(Some(queue::open(store, options).await?)),
    };
    let there = path.try_exists().with_context(|| format!("cannot look at {}", path.display()))?;
    if missing == Missing::Told && !there {
        let mut reason = String::from("no server has run with this configuration, or its volume is missing");
        let remote = Remote::new(config)?;
        if remote.reach().await.is_ok() {
            let address = remote.address();
            reason = format!(
                "{reason}. A server answers at {address}: if it is this configuration's, its store was taken away from it, \
                 and {address}/readyz says so"
            );
        }
        bail!("there is no store {}: {reason}", path.display());
    }
    match SqliteQueue::open(path, options) {
        Ok(queue) => Ok(Some(Arc::new(queue))),
        Err(QueueError::InUse { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::good;
    use crate::waiting::seen;

    #[tokio::test]
    async fn a_store_that_a_server_holds_is_told_from_one_that_cannot_be_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        let config = Config { store: Store::Sqlite(path.clone()), ..good() };
        let server = SqliteQueue::open(&path, crate::queue::Options::default()).unwrap();
        assert!(open(&config, Missing::Told).await.unwrap().is_none());
        drop(server);
        // It may be held for a moment yet, by a child of another test that has a copy of our lock.
        let free = seen(async || open(&config, Missing::Told).await.unwrap()).await;
        assert!(free.is_some());
        let broken = Config { store: Store::Sqlite(folder.path().join("nowhere/queue.db")), ..good() };
        assert!(open(&broken, Missing::Made).await.is_err());
    }
}
