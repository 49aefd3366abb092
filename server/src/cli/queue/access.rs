//! The way to the queue: the store itself, or the server that holds it.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use shared::SurveyId;
use uuid::Uuid;

use crate::cli::holder::{Holder, Missing};
use crate::cli::remote::Remote;
use crate::cli::{ConfigFile, Usage};
use crate::clock::Clock;
use crate::config::{Admin, Config, Store};
use crate::history::Recorder;
use crate::intake::{HandInRequest, HandedIn, Intake};
use crate::operator::{
    self, ChangeReply, ChangeRequest, ForgetReply, ForgetRequest, ListRequest, Listing, OperatorError, Order,
    Selection, Shown, StateName, Status,
};
use crate::queue::{Inbox, SharedQueue, State};
use crate::sampling::Shares;

/// The queue that a configuration file leads to.
pub(super) struct Found {
    pub(super) access: Access,
    /// What the file says; nothing, if it is wrong and the server that runs was found all the same.
    config: Option<Config>,
}

/// The way to the queue.
pub(in crate::cli) enum Access {
    /// A file that no server uses: it is ours until this is dropped.
    Here(SharedQueue, Clock),
    /// A database, beside the servers that share it.
    Beside(SharedQueue, Clock),
    /// A server holds the store.
    There(Remote),
}

/// Where submissions are handed in.
pub(in crate::cli) enum Door<'a> {
    Here(Box<Intake>),
    There(&'a Remote),
}

impl Door<'_> {
    /// Hands in submissions for a survey, or has them checked.
    pub(in crate::cli) async fn hand_in(
        &self,
        survey: &SurveyId,
        request: &HandInRequest,
    ) -> anyhow::Result<Vec<HandedIn>> {
        match self {
            Self::Here(intake) => {
                let handed_in = intake.hand_in(survey.as_str(), request).await;
                handed_in.with_context(|| format!("there is no survey {survey}"))
            }
            Self::There(remote) => remote.post(&format!("answers/{survey}"), request).await,
        }
    }
}

impl Found {
    /// Finds the queue, to change something in it.
    pub(super) async fn by(file: &ConfigFile) -> anyhow::Result<Self> {
        Self::of(crate::cli::load_without_secrets(&file.config)?).await
    }

    /// Finds the queue, to look at it. A file that is wrong leads to the server that runs, which goes on with what it has
    /// read before. Nobody has proven that it is this file's, so it is not asked to change anything.
    pub(super) async fn to_look_at(file: &ConfigFile) -> anyhow::Result<Self> {
        match crate::cli::load_without_secrets(&file.config) {
            Ok(config) => Self::of(config).await,
            Err(error) => {
                let Some(remote) = at_work(&file.config).await else { return Err(error.into()) };
                eprintln!(
                    "afterword: {} is wrong (`afterword check` says where); the server at {} is asked, which goes on with \
                     what it has read before",
                    file.config.display(),
                    remote.address()
                );
                Ok(Self { access: Access::There(remote), config: None })
            }
        }
    }

    async fn of(config: Config) -> anyhow::Result<Self> {
        Ok(Self { access: Access::open(&config).await?, config: Some(config) })
    }

    /// True if entries may be in one of several lanes.
    pub(super) fn names_lanes(&self) -> bool {
        self.config.as_ref().is_none_or(|config| config.platforms.len() > 1)
    }

    pub(super) async fn status(&self) -> anyhow::Result<Status> {
        let platforms = self.config.as_ref().map_or(&[][..], |config| &config.platforms);
        match &self.access {
            Access::Here(queue, _) | Access::Beside(queue, _) => {
                asked(operator::status(&**queue, platforms, |_| None).await)
            }
            Access::There(remote) => remote.get("queue/status", &[]).await,
        }
    }

    /// Refuses a selection of a survey or a lane that neither the configuration nor the queue knows: it is a slip of
    /// the hand, and not nothing.
    pub(super) async fn know(&self, selection: &Selection) -> anyhow::Result<()> {
        let Some(config) = &self.config else { return Ok(()) };
        if let Some(id) = &selection.survey
            && config.survey(id.as_str()).is_none()
            && !self.access.has(Selection { survey: Some(id.clone()), ..everything() }).await?
        {
            let known = config.surveys.iter().map(|survey| survey.id.as_str());
            return Err(unknown("survey", id.as_str(), known).into());
        }
        if let Some(name) = &selection.lane
            && config.platform(name).is_none()
            && !self.access.has(Selection { lane: Some(name.clone()), ..everything() }).await?
        {
            let known = config.platforms.iter().map(|platform| platform.name.as_str());
            return Err(unknown("lane", name, known).into());
        }
        Ok(())
    }
}

/// The server of a file that is wrong, if the file says for certain where it listens, and it listens there.
async fn at_work(path: &Path) -> Option<Remote> {
    let admin = Admin::of(path, &|name| std::env::var(name).ok()).filter(|admin| admin.certain)?;
    let remote = Remote::at(admin.listen, admin.token).ok()?;
    remote.reach().await.ok()?;
    Some(remote)
}

impl Access {
    /// Opens the store, or finds the server that holds it.
    pub(in crate::cli) async fn open(config: &Config) -> anyhow::Result<Self> {
        Ok(match Holder::find(config, Missing::Told).await? {
            Holder::Server(remote) => Self::There(remote),
            Holder::Nobody(queue) if matches!(config.store, Store::Postgres(_)) => {
                Self::Beside(queue, Clock::start())
            }
            Holder::Nobody(queue) => Self::Here(queue, Clock::start()),
        })
    }

    /// True if a server is at work, as far as can be told: of a database nobody knows who uses it.
    pub(in crate::cli) fn serves(&self) -> bool {
        matches!(self, Self::There(_) | Self::Beside(..))
    }

    async fn has(&self, selection: Selection) -> anyhow::Result<bool> {
        let request = ListRequest { selection, limit: 1, after: None, newest: false };
        Ok(!self.list(&request).await?.entries.is_empty())
    }

    pub(super) async fn list(&self, request: &ListRequest) -> anyhow::Result<Listing> {
        match self {
            Self::Here(queue, _) | Self::Beside(queue, _) => asked(operator::list(&**queue, request).await),
            Self::There(remote) => {
                let mut pairs = request.selection.pairs();
                pairs.push(("limit", request.limit.to_string()));
                pairs.push(("newest", request.newest.to_string()));
                pairs.extend(request.after.map(|after| ("after", after.to_string())));
                remote.get("queue/entries", &pairs).await
            }
        }
    }

    pub(super) async fn show(&self, submission: Uuid, stored: bool) -> anyhow::Result<Option<Shown>> {
        match self {
            Self::Here(queue, _) | Self::Beside(queue, _) => {
                asked(operator::show(&**queue, submission, stored).await)
            }
            Self::There(remote) => {
                let path = format!("queue/entries/{submission}");
                remote.find(&path, &[("stored", stored.to_string())]).await
            }
        }
    }

    pub(super) async fn change(&self, order: Order, request: &ChangeRequest) -> anyhow::Result<ChangeReply> {
        match self {
            Self::Here(queue, clock) | Self::Beside(queue, clock) => {
                asked(operator::change(&**queue, order, request, clock.now()).await)
            }
            Self::There(remote) => {
                let path = match order {
                    Order::Retry => "queue/retry",
                    Order::Discard => "queue/discard",
                };
                remote.post(path, request).await
            }
        }
    }

    /// Where submissions are handed in.
    pub(in crate::cli) fn door(&self, config: &Arc<Config>) -> Door<'_> {
        match self {
            Self::Here(queue, clock) | Self::Beside(queue, clock) => {
                let inbox = Arc::clone(queue) as Arc<dyn Inbox>;
                Door::Here(Box::new(Intake::new(
                    Arc::clone(config),
                    Shares::new(config),
                    inbox,
                    Recorder::default(),
                    *clock,
                )))
            }
            Self::There(remote) => Door::There(remote),
        }
    }

    pub(super) async fn forget(&self, request: &ForgetRequest) -> anyhow::Result<ForgetReply> {
        match self {
            Self::Here(queue, clock) | Self::Beside(queue, clock) => {
                asked(operator::forget(&**queue, request, clock.now()).await)
            }
            Self::There(remote) => remote.post("queue/forget", request).await,
        }
    }

    /// Hands an export's lines to `take`, some at a time, until there are no more.
    pub(super) async fn export(
        &self,
        selection: &Selection,
        mut take: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match self {
            Self::Here(queue, _) | Self::Beside(queue, _) => {
                use futures::StreamExt as _;
                let mut pages = Box::pin(asked(operator::export(Arc::clone(queue), selection))?);
                while let Some(page) = pages.next().await {
                    take(&asked(page)?)?;
                }
                Ok(())
            }
            Self::There(remote) => remote.stream("queue/export", &selection.pairs(), take).await,
        }
    }
}

/// Every entry that the queue still knows.
fn everything() -> Selection {
    Selection { states: State::ALL.map(StateName).into(), ..Selection::default() }
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Usage {
    let known = known.collect::<Vec<_>>().join(", ");
    Usage(format!("there is no {what} {name:?}, and the queue has nothing of one; there is {known}"))
}

/// What was asked in a way that cannot be done is wrong usage.
fn asked<T>(done: Result<T, OperatorError>) -> anyhow::Result<T> {
    done.map_err(|error| match error {
        OperatorError::Asked { .. } => Usage(error.to_string()).into(),
        OperatorError::Queue(error) => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PlatformName;
    use crate::config::tests::good;
    use crate::queue::{NewEntry, Options, Priority, SqliteQueue};

    #[tokio::test]
    async fn a_survey_and_a_lane_that_nobody_knows_are_wrong_usage() {
        let folder = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(&folder.path().join("queue.db"), Options::default()).unwrap();
        let entry = NewEntry {
            lane: PlatformName::new("former"),
            priority: Priority::Visitor,
            survey: "former".parse().unwrap(),
            submission: Uuid::from_bytes([7; 16]),
            fingerprint: [7; 32],
            body: b"{}".to_vec(),
            accepted_at: Clock::wall(),
        };
        queue.enqueue(entry).await.unwrap();
        let found = Found { access: Access::Here(Arc::new(queue), Clock::start()), config: Some(good()) };
        let know = async |survey: Option<&str>, lane: Option<&str>| {
            let (survey, lane) = (survey.map(|id| id.parse().unwrap()), lane.map(str::to_owned));
            found.know(&Selection { lane, survey, ..Selection::default() }).await
        };
        for (survey, lane) in
            [(None, None), (Some("checkout"), Some("main")), (Some("former"), Some("former"))]
        {
            assert!(know(survey, lane).await.is_ok(), "{survey:?} {lane:?}");
        }
        for (survey, lane, known) in [(Some("chekout"), None, "checkout"), (None, Some("mian"), "main")] {
            let error = know(survey, lane).await.unwrap_err();
            assert!(error.is::<Usage>() && error.to_string().ends_with(known), "{error}");
        }
    }
}
