//! The stores that a stage's server may be started on.

use std::path::Path;

use anyhow::{Result, anyhow};
use scratch_postgres::Cluster;
use server::config::{self, Database};
use server::queue::{self, Options, SharedQueue};

use crate::{Edit as _, Stage};

/// A kind of store, empty at first.
#[derive(Clone, Debug)]
pub enum Store {
    /// A file in the stage's folder.
    Sqlite,
    /// A database of its own in this process's cluster; its address.
    Postgres(String),
}

impl Store {
    /// A database in the cluster that this process starts for itself.
    pub async fn postgres() -> Result<Self> {
        Ok(Self::Postgres(Cluster::shared().database().await?))
    }

    /// What a configuration calls it.
    pub fn address(&self) -> String {
        match self {
            Self::Sqlite => "sqlite:queue.db".to_owned(),
            Self::Postgres(address) => format!("{address}?sslmode=disable"),
        }
    }

    /// A configuration that names this store, and not the file of a stage.
    pub fn put_into(&self, config: &str) -> String {
        config.edit("sqlite:queue.db", &self.address())
    }

    /// Opens the store of a stage's server, which must not run if the store is a file.
    pub async fn open(&self, stage: &Stage) -> Result<SharedQueue> {
        self.open_in(stage.process.folder()).await
    }

    /// Opens a database, beside the servers that share it.
    pub async fn open_beside(&self) -> Result<SharedQueue> {
        self.open_in(Path::new("")).await
    }

    async fn open_in(&self, folder: &Path) -> Result<SharedQueue> {
        let store = match self {
            Self::Sqlite => config::Store::Sqlite(folder.join("queue.db")),
            Self::Postgres(_) => {
                let database = Database::parse(&self.address());
                let database = database.map_err(|(reason, hint)| anyhow!("{reason}; {hint}"))?;
                config::Store::Postgres(Box::new(database))
            }
        };
        Ok(queue::open(&store, Options::default()).await?)
    }
}
