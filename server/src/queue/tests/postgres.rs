//! What only the PostgreSQL store has: other servers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use scratch_postgres::Cluster;

use super::{Bench, on_each};
use crate::config::Database;
use crate::queue::{Options, PostgresQueue, SharedQueue};

/// An empty database of the cluster that all tests share.
struct Shared(Database);

impl Shared {
    async fn new() -> Self {
        Self(database(&Cluster::shared().database().await.unwrap()))
    }
}

fn database(url: &str) -> Database {
    Database::parse(url).unwrap()
}

#[async_trait]
impl Bench for Shared {
    async fn open_with(&self, options: Options) -> SharedQueue {
        Arc::new(PostgresQueue::open(&self.0, options).await.unwrap())
    }
}

on_each!(Shared::new());
