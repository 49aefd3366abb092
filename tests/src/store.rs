//! The stores that a stage's server may be started on.

use anyhow::Result;
use server::queue::{Options, SharedQueue, SqliteQueue};

use crate::Stage;

/// A kind of store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// A file in the stage's folder.
    Sqlite,
}

impl Store {
    /// What a configuration calls it.
    pub fn address(&self) -> String {
        match self {
            Self::Sqlite => "sqlite:queue.db".to_owned(),
        }
    }

    /// Opens the store of a stage whose server does not run.
    pub async fn open(&self, stage: &Stage) -> Result<SharedQueue> {
        match self {
            Self::Sqlite => {
                let path = stage.process.folder().join("queue.db");
                Ok(std::sync::Arc::new(SqliteQueue::open(&path, Options::default())?))
            }
        }
    }
}
