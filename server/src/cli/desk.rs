//! The way to a platform: through the server that runs, or in its lane's place.

use std::sync::Arc;

use anyhow::{Context, bail};
use secrecy::ExposeSecret;

use super::holder::{Holder, Missing};
use super::remote::Remote;
use crate::config::UNSET;
use crate::config::{Config, Platform, PlatformName, Store};
use crate::forwarder::{Call, Counter, Done, NotMade};
use crate::platform::{Client, Connections, Outcome, Reply};
use crate::queue::SharedQueue;

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
        // Of a database nobody knows who uses it: a server that answers comes first.
        let remote = Remote::new(config)?;
        if matches!(config.store, Store::Postgres(_)) && remote.reach().await.is_ok() {
            return Ok(Self::There(remote, platform.name.clone()));
        }
        match Holder::find(config, Missing::Made).await? {
            Holder::Nobody(queue) => Self::here(platform, queue).await,
            Holder::Server(remote) => Ok(Self::There(remote, platform.name.clone())),
        }
    }

    /// Takes the lane.
    pub(super) async fn here(platform: &Arc<Platform>, queue: SharedQueue) -> anyhow::Result<Self> {
        if let Some(place) = platform.token.expose_secret().strip_prefix(UNSET) {
            let what = if place.contains('/') { "let its token be read at" } else { "set its token in" };
            bail!("no server runs, so the platform is called from here: {what} {place}");
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
                Ok(Done::of(adds, Outcome::Reply(reply)))
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
