//! The whole server: listeners, queue and lanes put together, and taken apart in order.

mod keeper;
mod lanes;
mod reload;
mod upkeep;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::clock::Clock;
use crate::config::{Config, Files};
use crate::dashboard::Dashboard;
use crate::history::Recorder;
use crate::http::{self, Switch};
use crate::platform::ClientError;
use crate::preview::Source;
use crate::queue::{self, History, QueueError, SharedQueue};
use keeper::Keeper;
use lanes::{Lanes, Prepared};
pub use reload::{Follower, Hangups, Reading};

/// How long a delivered submission's UUID is remembered: outboxes send it again until then (`widget/sending.js`).
const REMEMBER: Duration = Duration::from_hours(30 * 24);

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
    recorder: Recorder,
    lanes: Lanes,
    ended: mpsc::UnboundedReceiver<()>,
    prepared: Prepared,
    /// Follows the configuration's file, and what was read with it.
    follower: Option<(Follower, Files)>,
}

impl Server {
    /// Opens the store and prepares the lanes.
    pub async fn new(config: Arc<Config>) -> Result<Self, StartError> {
        let queue = queue::open(&config.store, config.queue.into()).await?;
        let (clock, recorder) = (Clock::start(), Recorder::default());
        let (mut lanes, ended) = Lanes::new(Arc::clone(&queue), clock, recorder.clone());
        let prepared = lanes.prepare(&config)?;
        Ok(Self { config, queue, clock, recorder, lanes, ended, prepared, follower: None })
    }

    /// Follows the file that the configuration was read from: what changes there comes into force.
    #[must_use]
    pub fn of_file(self, file: PathBuf, read: Files, hangups: Hangups) -> Self {
        let follower = Follower::new(file, read.clone(), hangups);
        Self { follower: Some((follower, read)), ..self }
    }

    /// Serves until `stop` is there. Then visitors' requests end, then the calls in flight; what waits
    /// stays in the store.
    pub async fn run(self, listeners: Listeners, stop: impl Future<Output = ()>) -> Result<(), TaskEnded> {
        let Self { config, queue, clock, recorder, lanes, mut ended, prepared, follower } = self;
        let (stopping, stopped) = watch::channel(false);
        let until = |mut stopped: watch::Receiver<bool>| async move {
            stopped.wait_for(|stopped| *stopped).await.ok();
        };
        Dashboard::prepare();
        let (follower, files) = follower.unzip();
        let files = files.unwrap_or_default();
        let (keeper, served) =
            Keeper::start(config, files, Arc::clone(&queue), clock, recorder.clone(), (lanes, prepared))
                .await;
        let preview = Source::new(served.live.clone(), clock);
        let dashboard = Dashboard::new(served.live.clone(), Arc::clone(&queue), clock, served.parts, preview);

        let mut keeper = tokio::spawn(keeper.run(follower, stopped.clone()));
        let mut keep_up = tokio::spawn(upkeep::keep_up(Arc::clone(&queue), clock, served.live));
        // The operators' listener stays open while the rest stops.
        let (admin_stopping, admin_stopped) = watch::channel(false);
        let history = Arc::clone(&queue) as Arc<dyn History>;
        let mut counting = tokio::spawn(recorder.keep_up(history, until(admin_stopped.clone())));
        let admin = tokio::spawn(http::serve(listeners.admin, dashboard.router(), until(admin_stopped)));
        let metrics = tokio::spawn(Dashboard::keep_up());
        let router = Switch::new(served.public);
        let public = http::serve_public(listeners.public, router, served.places, until(stopped));
        let mut public = tokio::spawn(public);

        // None of the tasks ends by itself: one that does has panicked, and a server that only seems to
        // forward is worse than one that is started again.
        let failed = tokio::select! {
            () = stop => None,
            _ = ended.recv() => Some("a lane"),
            _ = &mut keeper => Some("what keeps the lanes"),
            _ = &mut keep_up => Some("the upkeep of the store"),
            _ = &mut counting => Some("what counts"),
            _ = &mut public => Some("the public listener"),
        };
        if let Some(part) = failed {
            tracing::error!(part, "a part of the server has ended; the server stops");
        }
        tracing::info!("stopping: calls in flight end, what waits stays");
        stopping.send_replace(true);
        if !public.is_finished() {
            public.await.ok();
        }
        if !keeper.is_finished() {
            keeper.await.ok();
        }
        admin_stopping.send_replace(true);
        admin.await.ok();
        keep_up.abort();
        if !counting.is_finished() {
            counting.await.ok();
        }
        metrics.abort();
        tracing::info!("stopped");
        failed.map_or(Ok(()), |_| Err(TaskEnded))
    }
}

/// A part of the server ended that has to run for as long as the server does.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a part of the server has failed; see the log")]
pub struct TaskEnded;

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

const _: () = assert!(REMEMBER.as_secs() >= 30 * 86_400, "an outbox may send an answer again for 30 days");
