//! The whole server: listeners, queue and lanes put together, and taken apart in order.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::config::Config;
use crate::dashboard::{Dashboard, LaneView};
use crate::forwarder::Lane;
use crate::http::{self, Places};
use crate::intake::Intake;
use crate::platform::{Client, ClientError, Connections};
use crate::preview::Source;
use crate::queue::{self, Inbox, QueueError, Records, SharedQueue};
use crate::sampling::Shares;

/// How long a delivered submission's UUID is remembered: longer than any outbox lives.
const REMEMBER: Duration = Duration::from_hours(30 * 24);
/// How often what is too old is forgotten.
const FORGET_EVERY: Duration = Duration::from_hours(1);

/// A wall clock that differs this much from the one at the start has been set, and not just corrected.
const DRIFT: Duration = Duration::from_mins(2);

/// The sockets that a server listens on, bound by the caller.
pub struct Listeners {
    /// For browsers.
    pub public: TcpListener,
    /// For operators.
    pub admin: TcpListener,
}

/// Why a server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be used.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// A platform cannot be called.
    #[error("platform {name}: {error}")]
    Client {
        /// The platform.
        name: String,
        /// What is wrong.
        error: ClientError,
    },
}

/// A server that is ready to run: its store is open.
pub struct Server {
    config: Arc<Config>,
    queue: SharedQueue,
    clock: Clock,
    lanes: Vec<Lane>,
    file: Option<PathBuf>,
}

impl Server {
    /// Opens the store and prepares the lanes.
    pub async fn new(config: Arc<Config>) -> Result<Self, StartError> {
        let queue = queue::open(&config.store, config.queue.into()).await?;
        let clock = Clock::start();
        let mut connections = Connections::default();
        let lane = |platform: &Arc<crate::config::Platform>| {
            let client = Client::new(platform, &mut connections)
                .map_err(|error| StartError::Client { name: platform.name.to_string(), error })?;
            let surveys = config.surveys.clone();
            Ok(Lane::new(Arc::clone(platform), surveys, client, Arc::clone(&queue), clock))
        };
        let lanes = config.platforms.iter().map(lane).collect::<Result<_, StartError>>()?;
        Ok(Self { config, queue, clock, lanes, file: None })
    }

    /// Says which file the configuration was read from, for previews to follow it.
    #[must_use]
    pub fn of_file(self, file: PathBuf) -> Self {
        Self { file: Some(file), ..self }
    }

    /// Serves until `stop` is there. Then visitors' requests end, then the calls in flight; what waits
    /// stays in the store.
    pub async fn run(self, listeners: Listeners, stop: impl Future<Output = ()>) -> Result<(), TaskEnded> {
        let (stopping, stopped) = watch::channel(false);
        let until = |mut stopped: watch::Receiver<bool>| async move {
            stopped.wait_for(|stopped| *stopped).await.ok();
        };
        let views = self.config.platforms.iter().zip(&self.lanes);
        let views = views.map(|(platform, lane)| LaneView {
            platform: Arc::clone(platform),
            report: lane.report(),
            desk: lane.desk(),
        });
        let preview = Source::new(Arc::clone(&self.config), self.file, self.clock);
        let shares = Shares::new(&self.config);
        let inbox = Arc::clone(&self.queue) as Arc<dyn Inbox>;
        let intake = Intake::new(Arc::clone(&self.config), shares.clone(), inbox, self.clock);
        let (config, queue) = (Arc::clone(&self.config), Arc::clone(&self.queue));
        let dashboard = Dashboard::new(config, queue, self.clock, views.collect(), preview, intake.clone());
        assign(&self.config, &*self.queue).await;
        warn_of_orphans(&self.config, &*self.queue).await;

        let mut tasks = JoinSet::new();
        for lane in self.lanes {
            tasks.spawn(lane.run(stopped.clone()));
        }
        let keep = self.config.queue.keep_delivered;
        tasks.spawn(forget(Arc::clone(&self.queue), self.clock, keep, until(stopped.clone())));
        // The operators' listener stays open while the rest stops.
        let (admin_stopping, admin_stopped) = watch::channel(false);
        let admin = tokio::spawn(http::serve(listeners.admin, dashboard.router(), until(admin_stopped)));
        let places = Places::new(&self.config);
        let follow = shares.follow(Arc::clone(&self.config), Arc::clone(&self.queue) as Arc<dyn Records>);
        let upkeep =
            [tokio::spawn(Dashboard::keep_up()), tokio::spawn(intake.keep_up()), tokio::spawn(follow)];
        let router = intake.router();
        let mut public = tokio::spawn(http::serve_public(listeners.public, router, places, until(stopped)));

        // None of the tasks ends by itself: one that does has panicked, and a server that only seems to
        // forward is worse than one that is started again.
        let outcome = tokio::select! {
            () = stop => Ok(()),
            Some(ended) = tasks.join_next() => {
                tracing::error!(error = ?ended.err(), "a task of the server has ended; the server stops");
                Err(TaskEnded)
            }
            ended = &mut public => {
                tracing::error!(error = ?ended.err(), "the public listener has ended; the server stops");
                Err(TaskEnded)
            }
        };
        tracing::info!("stopping: calls in flight end, what waits stays");
        stopping.send_replace(true);
        if !public.is_finished() {
            public.await.ok();
        }
        while tasks.join_next().await.is_some() {}
        admin_stopping.send_replace(true);
        admin.await.ok();
        upkeep.iter().for_each(tokio::task::JoinHandle::abort);
        tracing::info!("stopped");
        outcome
    }
}

/// A part of the server ended that has to run for as long as the server does.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a part of the server has failed; see the log")]
pub struct TaskEnded;

/// Lets what waits follow its survey, where that has another platform than when it was accepted.
async fn assign(config: &Config, queue: &dyn Records) {
    let lanes: Vec<_> =
        config.surveys.iter().map(|survey| (survey.id.clone(), survey.platform.clone())).collect();
    match queue.assign(&lanes).await {
        Ok(0) => {}
        Ok(moved) => {
            tracing::info!(moved, "submissions went over to the platforms that their surveys have now");
        }
        Err(error) => {
            tracing::error!(%error, "submissions could not follow their surveys to other platforms");
        }
    }
}

/// Says what waits for a platform that the configuration has lost.
async fn warn_of_orphans(config: &Config, queue: &dyn Records) {
    let counts = match queue.counts().await {
        Ok(counts) => counts,
        Err(error) => return tracing::error!(%error, "the queue cannot be counted"),
    };
    for count in counts.iter().filter(|count| config.platforms.iter().all(|p| p.name != count.lane)) {
        let waiting = count.waiting + count.delayed + count.sending + count.unknown;
        tracing::warn!(lane = %count.lane, waiting, "nobody forwards this lane: no [platform] has its name");
    }
}

/// Forgets in time what was delivered: bodies that are kept for a while, and UUIDs.
async fn forget(queue: SharedQueue, clock: Clock, keep: Duration, stopped: impl Future<Output = ()>) {
    tokio::pin!(stopped);
    loop {
        warn_of_drift(&clock);
        let ago = |span| clock.now().checked_sub(span).unwrap_or(jiff::Timestamp::MIN);
        match queue.forget_bodies(ago(keep)).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "forgot delivered submissions that were kept"),
            Err(error) => tracing::warn!(%error, "delivered submissions could not be forgotten"),
        }
        let before = ago(REMEMBER);
        match queue.forget_settled(before).await {
            Ok(0) => {}
            Ok(forgotten) => tracing::info!(forgotten, "forgot the UUIDs of old submissions"),
            Err(error) => tracing::warn!(%error, "old submissions could not be forgotten"),
        }
        tokio::select! {
            () = tokio::time::sleep(FORGET_EVERY) => {}
            () = &mut stopped => return,
        }
    }
}

/// Says when the wall clock has been set since the start: nothing waits longer or shorter for it, but
/// times in the store and in look-ups are the old clock's until the next start.
fn warn_of_drift(clock: &Clock) {
    let drift = Clock::wall().duration_since(clock.now());
    if drift.unsigned_abs() > DRIFT {
        let seconds = drift.as_secs();
        tracing::warn!(seconds, "the wall clock was set while the server ran; restart it at your leisure");
    }
}

/// Waits for SIGTERM or SIGINT.
pub async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::error!(%error, "SIGTERM cannot be heard");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

const _: () = assert!(REMEMBER.as_secs() > 7 * 86_400, "an outbox holds answers for 7 days");
