//! Keeps a configuration in force: puts the parts of the server together from it, and from the next one.
//!
//! Requests that have begun end with the parts they began with; the lanes' calls end before their successors start.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::lanes::{Lanes, Prepared};
use super::reload::{Follower, Reading};
use super::upkeep::{assign, rescue, warn_of_orphans};
use crate::clock::Clock;
use crate::config::{Config, Files};
use crate::dashboard::Parts;
use crate::history::Recorder;
use crate::http::Places;
use crate::intake::Intake;
use crate::live::{InForce, Live, ReloadError};
use crate::queue::{Inbox, Records, SharedQueue};
use crate::sampling::Shares;

/// What keeps a configuration in force.
pub(super) struct Keeper {
    queue: SharedQueue,
    clock: Clock,
    recorder: Recorder,
    lanes: Lanes,
    places: Places,
    /// What the server started with: some keys of a later file wait for the next start.
    first: Arc<Config>,
    live: watch::Sender<Arc<InForce>>,
    public: watch::Sender<Router>,
    parts: watch::Sender<Parts>,
    tasks: Vec<AbortHandle>,
    /// When a configuration came into force last.
    changed_at: Instant,
    /// True until all that waits was looked at after the last change: the store may fail for longer than a change is fresh.
    behind: bool,
}

/// For so long after a change what waits is looked at again: a request that began before it may be stored after it, and the
/// store may have failed.
const ASSIGN_FOR: Duration = Duration::from_mins(10);
const ASSIGN_EVERY: Duration = Duration::from_secs(30);

/// What a server serves at the moment.
pub(super) struct Served {
    pub(super) live: Live,
    pub(super) places: Places,
    pub(super) public: watch::Receiver<Router>,
    pub(super) parts: watch::Receiver<Parts>,
}

impl Keeper {
    /// Puts the first configuration in force.
    pub(super) async fn start(
        config: Arc<Config>,
        files: Files,
        queue: SharedQueue,
        clock: Clock,
        recorder: Recorder,
        (lanes, prepared): (Lanes, Prepared),
    ) -> (Self, Served) {
        let (intake, shares) = made_of(&config, &queue, &recorder, clock).await;
        let places = Places::new(&config);
        let (live, in_force) =
            watch::channel(Arc::new(InForce::new(Arc::clone(&config), files, clock.now())));
        let (public, router) = watch::channel(intake.clone().router());
        let (parts, served) = watch::channel(Parts { lanes: Vec::new(), intake: intake.clone() });
        let served =
            Served { live: Live::new(in_force), places: places.clone(), public: router, parts: served };
        let first = Arc::clone(&config);
        let mut keeper = Self {
            queue,
            clock,
            recorder,
            lanes,
            places,
            first,
            live,
            public,
            parts,
            tasks: Vec::new(),
            changed_at: Instant::now(),
            behind: true,
        };
        keeper.adopt(&config, intake, shares, prepared).await;
        (keeper, served)
    }

    /// Follows the configuration's file, if there is one, until told to stop; then ends the lanes.
    pub(super) async fn run(mut self, follower: Option<Follower>, mut stop: watch::Receiver<bool>) {
        // It is not begun anew where something else happens meanwhile: a signal is heard once.
        let mut next = Box::pin(next(follower));
        let mut looks = interval(ASSIGN_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                (reading, follower) = &mut next => {
                    self.reload(reading).await;
                    next = Box::pin(self::next(Some(follower)));
                }
                _ = looks.tick(), if self.behind || Instant::now() < self.changed_at + ASSIGN_FOR => {
                    tokio::select! {
                        behind = self.look() => self.behind = behind,
                        // A backlog moves in slices, and goes on moving at the next start.
                        () = told(&mut stop) => break,
                    }
                }
                () = told(&mut stop) => break,
            }
        }
        self.tasks.iter().for_each(AbortHandle::abort);
        self.lanes.stop().await;
    }

    /// Lets what waits follow its survey; true if that has to be done again.
    async fn look(&self) -> bool {
        let rescued = rescue(&self.config(), &self.queue, self.clock).await;
        !assign(&self.config(), &*self.queue).await || !rescued
    }

    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.live.borrow().config)
    }

    /// Goes over to what was read, or stays with what is in force and says why.
    async fn reload(&mut self, (config, files): Reading) {
        let taken = match config {
            Ok(config) => self.take(Arc::new(config), files).await,
            Err(error) => Err(error.into()),
        };
        let label = if taken.is_ok() { "taken" } else { "refused" };
        metrics::counter!("afterword_config_reloads_total", "outcome" => label).increment(1);
        metrics::gauge!("afterword_config_refused").set(if taken.is_ok() { 0.0 } else { 1.0 });
        if let Err(error) = taken {
            tracing::error!("the configuration stays as it was, since the new one is wrong:\n{error}");
            let before = InForce::clone(&self.live.borrow());
            self.live.send_replace(Arc::new(InForce { trouble: Some(Arc::new(error)), ..before }));
        }
    }

    async fn take(&mut self, config: Arc<Config>, files: Files) -> Result<(), ReloadError> {
        // The listener stays where it is until the next start.
        if config.admin_token.is_none() && !self.first.admin_listen.ip().is_loopback() {
            return Err(ReloadError::Unusable(format!(
                "operators are listened to on {}, which is not loopback, until the next start: keep their token until then",
                self.first.admin_listen
            )));
        }
        let prepared = self.lanes.prepare(&config);
        let prepared = prepared.map_err(|error| ReloadError::Unusable(error.to_string()))?;
        for advice in config.advice() {
            tracing::warn!("{advice}");
        }
        let at_next_start = self.first.fixed_at_start(&config);
        if !at_next_start.is_empty() {
            let keys = at_next_start.join(", ");
            tracing::warn!(keys, "these keys come into force at the next start only");
        }
        let (intake, shares) = made_of(&config, &self.queue, &self.recorder, self.clock).await;
        self.places.adopt(&config);
        drop(self.public.send_replace(intake.clone().router()));
        let now = InForce { at_next_start, ..InForce::new(Arc::clone(&config), files, self.clock.now()) };
        self.live.send_replace(Arc::new(now));
        self.adopt(&config, intake, shares, prepared).await;
        let (surveys, platforms) = (config.surveys.len(), config.platforms.len());
        tracing::info!(surveys, platforms, "the new configuration is in force");
        Ok(())
    }

    async fn adopt(&mut self, config: &Arc<Config>, intake: Intake, shares: Shares, prepared: Prepared) {
        // A lane knows its surveys before their entries come to it.
        self.lanes.tell(config);
        assign(config, &*self.queue).await;
        self.lanes.end(config).await;
        // What was in flight there may have gone back into the queue.
        assign(config, &*self.queue).await;
        self.lanes.start(config, prepared);
        (self.changed_at, self.behind) = (Instant::now(), true);
        warn_of_orphans(config, &*self.queue).await;
        self.tasks.iter().for_each(AbortHandle::abort);
        let follow = shares.follow(Arc::clone(config), Arc::clone(&self.queue) as Arc<dyn Records>);
        self.tasks = vec![tokio::spawn(intake.keep_up()).abort_handle(), tokio::spawn(follow).abort_handle()];
        self.parts.send_replace(Parts { lanes: self.lanes.views(), intake });
    }
}

/// Waits until told to stop.
async fn told(stop: &mut watch::Receiver<bool>) {
    stop.wait_for(|stop| *stop).await.ok();
}

/// The next reading of the file; never, where there is none.
async fn next(follower: Option<Follower>) -> (Reading, Follower) {
    match follower {
        Some(mut follower) => (follower.next().await, follower),
        None => std::future::pending().await,
    }
}

/// What browsers reach with a configuration, and how many of them are asked.
async fn made_of(
    config: &Arc<Config>,
    queue: &SharedQueue,
    recorder: &Recorder,
    clock: Clock,
) -> (Intake, Shares) {
    let shares = Shares::new(config);
    shares.look(config, &**queue).await;
    let inbox = Arc::clone(queue) as Arc<dyn Inbox>;
    (Intake::new(Arc::clone(config), shares.clone(), inbox, recorder.clone(), clock), shares)
}
