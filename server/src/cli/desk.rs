//! The way to a platform: through the server that runs, or in its lane's place.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use secrecy::ExposeSecret;
use tokio::time::Instant;

use super::UNSET;
use super::remote::Remote;
use crate::config::{Config, Platform, PlatformName, Store};
use crate::forwarder::{Call, Counter, Done, NotMade};
use crate::platform::{Client, Connections, Outcome, Reply, ReportError};
use crate::queue::{self, QueueError, SharedQueue, SqliteQueue};

/// How long a store may be held by somebody who does not answer: a server that starts or stops.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it is tried meanwhile.
const PAUSE: Duration = Duration::from_millis(100);

/// Where calls to a platform are asked for.
pub(super) enum Desk {
    /// No server runs: the lane is ours until this is closed.
    Here(Box<Counter>),
    /// A server owns the lane.
    There(Remote, PlatformName),
}

impl Desk {
    /// Finds the server that runs with a configuration, or takes the lane.
    pub(super) async fn open(config: &Config, platform: &Arc<Platform>) -> anyhow::Result<Self> {
        let end = Instant::now() + PATIENCE;
        loop {
            let remote = Remote::new(config)?;
            // Of a database nobody knows who uses it, and a file may be opened by one alone.
            let served = remote.reach().await;
            if served.is_ok() && matches!(config.store, Store::Postgres(_)) {
                return Ok(Self::There(remote, platform.name.clone()));
            }
            if let Some(queue) = open_store(config).await? {
                return Self::here(platform, queue).await;
            }
            match served {
                Ok(()) => return Ok(Self::There(remote, platform.name.clone())),
                Err(_) if Instant::now() < end => tokio::time::sleep(PAUSE).await,
                Err(reason) => bail!(
                    "the store is in use, and no server answers at {} (admin_listen): {reason}. Use the \
                     configuration that the server was started with, or stop whatever uses the store",
                    remote.address()
                ),
            }
        }
    }

    async fn here(platform: &Arc<Platform>, queue: SharedQueue) -> anyhow::Result<Self> {
        if let Some(variable) = platform.token.expose_secret().strip_prefix(UNSET) {
            bail!("no server runs, so the platform is called from here: set its token in {variable}");
        }
        let client = Client::new(platform, &mut Connections::default())?;
        let counter = Counter::open(Arc::clone(platform), client, queue).await;
        let counter = counter.with_context(|| format!("the lane {} cannot be had", platform.name))?;
        Ok(Self::Here(Box::new(counter)))
    }

    /// Has a call made, in the lane's order and at its pace.
    pub(super) async fn call(&mut self, call: Call) -> anyhow::Result<Done> {
        let adds = call.adds();
        let made = match self {
            Self::Here(counter) => counter.call(call).await,
            Self::There(remote, platform) => return remote.call(platform, &call).await,
        };
        match made {
            // As a server says it.
            Err(NotMade::Resting(rest)) => {
                let reply =
                    Reply { status: 503, retry_after: Some(rest), words: NotMade::Resting(rest).to_string() };
                let outcome = Outcome::Reply(reply);
                Ok(if adds { Done::Added(outcome) } else { Done::Failed(ReportError::Call(outcome)) })
            }
            made => Ok(made?),
        }
    }

    /// Gives the lane back.
    pub(super) async fn close(self) {
        if let Self::Here(counter) = self {
            counter.close().await;
        }
    }
}

/// The store, unless a server holds it. It is made where there is none: who has it owns the lane.
async fn open_store(config: &Config) -> anyhow::Result<Option<SharedQueue>> {
    let options = config.queue.into();
    match &config.store {
        Store::Sqlite(path) => match SqliteQueue::open(path, options) {
            Ok(queue) => Ok(Some(Arc::new(queue))),
            Err(QueueError::Open { reason, .. }) if reason.contains("another server uses it") => Ok(None),
            Err(error) => Err(error.into()),
        },
        store @ Store::Postgres(_) => Ok(Some(queue::open(store, options).await?)),
    }
}
