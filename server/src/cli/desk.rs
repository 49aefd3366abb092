//! The way to a platform: through the server that runs, or in its lane's place.

use std::sync::Arc;

use anyhow::{Context, bail};
use jiff::Timestamp;

use super::holder::{Holder, Missing};
use super::remote::Remote;
use crate::config::{Config, Guid, Platform, PlatformName, Store, missing};
use crate::forwarder::{Call, Counter, Done, NotMade};
use crate::platform::{
    AskedQuestion, Client, Connections, NewRespondent, Nps, NpsFilter, Outcome, Reply, ReportError, Responses,
};
use crate::queue::SharedQueue;

/// What is said of a reply to another call than the one that was made.
const OTHERWISE: &str = "the platform answered with something else";

/// What was asked for; or why the platform did not give it.
pub(super) type Reported<T> = Result<T, ReportError>;

/// Where calls to a platform are asked for. Whoever asks gets what that call is for, and nothing else.
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
        if let Some(advice) = missing(&platform.token, "token") {
            bail!("no server runs, so the platform is called from here: {advice}");
        }
        let client = Client::new(platform, &mut Connections::default())?;
        let counter = Counter::open(Arc::clone(platform), client, queue).await;
        let counter = counter.with_context(|| format!("the lane {} cannot be had", platform.name))?;
        Ok(Self::Here(Box::new(counter)))
    }

    /// Adds respondents to a touchpoint. An error if no call was made for them.
    pub(super) async fn add(
        &mut self,
        touchpoint: &Guid,
        respondents: &[NewRespondent],
    ) -> anyhow::Result<Outcome> {
        let touchpoint = touchpoint.clone();
        let call = match respondents {
            [one] => Call::AddRespondent { touchpoint, respondent: one.clone() },
            several => Call::AddRespondents { touchpoint, respondents: several.to_vec() },
        };
        match self.call(call).await? {
            Done::Added(outcome) => Ok(outcome),
            // A call was made all the same.
            _ => Ok(Outcome::Lost(OTHERWISE.into())),
        }
    }

    /// What was answered at a touchpoint from one moment to another, at most 31 days later.
    pub(super) async fn responses(
        &mut self,
        touchpoint: &Guid,
        from: Timestamp,
        to: Timestamp,
    ) -> anyhow::Result<Reported<Responses>> {
        let call = Call::GetAll { touchpoint: touchpoint.clone(), from, to };
        self.report(call, |done| if let Done::Responses(responses) = done { Some(responses) } else { None })
            .await
    }

    /// The score of a touchpoint from one moment to another.
    pub(super) async fn nps(
        &mut self,
        touchpoint: &Guid,
        from: Timestamp,
        to: Timestamp,
        filters: &[NpsFilter],
    ) -> anyhow::Result<Reported<Nps>> {
        let call = Call::GetNps { touchpoint: touchpoint.clone(), from, to, filters: filters.to_vec() };
        self.report(call, |done| if let Done::Nps(nps) = done { Some(nps) } else { None }).await
    }

    /// What a touchpoint asks.
    pub(super) async fn questions(
        &mut self,
        company: &Guid,
        touchpoint: &Guid,
    ) -> anyhow::Result<Reported<Vec<AskedQuestion>>> {
        let call = Call::GetQuestions { company: company.clone(), touchpoint: touchpoint.clone() };
        self.report(call, |done| if let Done::Questions(asked) = done { Some(asked) } else { None }).await
    }

    /// Gives the lane back.
    pub(super) async fn close(self) {
        if let Self::Here(counter) = self {
            counter.close().await;
        }
    }

    async fn report<T>(
        &mut self,
        call: Call,
        asked_for: fn(Done) -> Option<T>,
    ) -> anyhow::Result<Reported<T>> {
        match self.call(call).await? {
            Done::Failed(error) => Ok(Err(error)),
            done => asked_for(done).map(Ok).context(OTHERWISE),
        }
    }

    /// Has a call made, in the lane's order and at its pace.
    async fn call(&mut self, call: Call) -> anyhow::Result<Done> {
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
}
