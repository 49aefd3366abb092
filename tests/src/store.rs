//! The stores that a stage's server may be started on.

use anyhow::{Result, anyhow};
use scratch_postgres::Cluster;
use server::config::{self, Database};
use server::queue::{self, Options, SharedQueue};

use crate::Stage;

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
        config.replace("sqlite:queue.db", &self.address())
    }

    /// Opens the store beside a stage's server, which must not run if the store is a file.
    pub async fn open(&self, stage: &Stage) -> Result<SharedQueue> {
        let store = match self {
            Self::Sqlite => config::Store::Sqlite(stage.process.folder().join("queue.db")),
            Self::Postgres(_) => {
                let database = Database::parse(&self.address());
                config::Store::Postgres(database.map_err(|(reason, hint)| anyhow!("{reason}; {hint}"))?)
            }
        };
        Ok(queue::open(&store, Options::default()).await?)
    }
}
