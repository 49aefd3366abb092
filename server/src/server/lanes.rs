//! The lanes of a configuration: started, given new surveys, replaced where their platform has changed, stopped.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::StartError;
use crate::clock::Clock;
use crate::config::{Config, Platform, PlatformName, Survey};
use crate::dashboard::LaneView;
use crate::forwarder::{Lane, Unsettled};
use crate::history::Recorder;
use crate::platform::{Client, Connections};
use crate::queue::SharedQueue;

/// All lanes of a server.
pub(super) struct Lanes {
    queue: SharedQueue,
    clock: Clock,
    recorder: Recorder,
    connections: Connections,
    running: Vec<Running>,
    /// What lanes that have ended could not store, for those that come after them.
    left: Vec<(PlatformName, Unsettled)>,
    ended: mpsc::UnboundedSender<()>,
}

/// A lane that is at work.
struct Running {
    platform: Arc<Platform>,
    surveys: watch::Sender<Vec<Arc<Survey>>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Option<Unsettled>>,
    view: LaneView,
}

/// What a configuration's new lanes call their platforms with.
pub(super) struct Prepared(Vec<(Arc<Platform>, Client)>);

impl Lanes {
    /// No lane yet; the other end hears of lanes that end by themselves, which none ought to do.
    pub(super) fn new(
        queue: SharedQueue,
        clock: Clock,
        recorder: Recorder,
    ) -> (Self, mpsc::UnboundedReceiver<()>) {
        let (ended, ends) = mpsc::unbounded_channel();
        let (connections, running, left) = (Connections::default(), Vec::new(), Vec::new());
        (Self { queue, clock, recorder, connections, running, left, ended }, ends)
    }

    /// Makes what lanes need that are not at work yet. Nothing changes.
    pub(super) fn prepare(&mut self, config: &Config) -> Result<Prepared, StartError> {
        let is_new =
            |platform: &&Arc<Platform>| !self.running.iter().any(|lane| lane.platform.is_called_as(platform));
        let client = |platform: &Arc<Platform>| {
            let client = Client::new(platform, &mut self.connections)
                .map_err(|error| StartError::Client { name: platform.name.to_string(), error })?;
            Ok((Arc::clone(platform), client))
        };
        config.platforms.iter().filter(is_new).map(client).collect::<Result<_, _>>().map(Prepared)
    }

    /// Tells the lanes that go on of the surveys of a configuration.
    pub(super) fn tell(&self, config: &Config) {
        for lane in self.running.iter().filter(|lane| lane.goes_on(config)) {
            lane.surveys.send_replace(config.surveys.clone());
        }
    }

    /// Ends the lanes whose platform a configuration calls in another way, or not at all, with their calls in flight: a
    /// successor may have the same token.
    pub(super) async fn end(&mut self, config: &Config) {
        let running = std::mem::take(&mut self.running);
        let (stay, go): (Vec<_>, Vec<_>) = running.into_iter().partition(|lane| lane.goes_on(config));
        self.running = stay;
        self.left = end(go).await;
    }

    /// Starts the lanes that a configuration has beside those that went on. Each waits for a whole interval first, and has
    /// what its predecessor could not store.
    pub(super) fn start(&mut self, config: &Config, Prepared(new): Prepared) {
        for (platform, client) in new {
            let lane = self.begin(platform, client, config.surveys.clone());
            self.running.push(lane);
        }
        self.left.clear();
        let place = |lane: &Running| config.platforms.iter().position(|it| it.name == lane.platform.name);
        self.running.sort_by_key(place);
    }

    fn begin(&self, platform: Arc<Platform>, client: Client, surveys: Vec<Arc<Survey>>) -> Running {
        let (surveys, news) = watch::channel(surveys);
        let (stop, stopped) = watch::channel(false);
        let (queue, recorder) = (Arc::clone(&self.queue), self.recorder.clone());
        let mut lane = Lane::new(Arc::clone(&platform), news, client, queue, self.clock, recorder);
        if let Some((_, unsettled)) = self.left.iter().find(|(name, _)| *name == platform.name) {
            lane.inherit(unsettled.clone());
        }
        let view = LaneView { platform: Arc::clone(&platform), report: lane.report(), desk: lane.desk() };
        let watched = Watched { told: stopped.clone(), ended: self.ended.clone() };
        let task = tokio::spawn(async move {
            let _watched = watched;
            lane.run(stopped).await
        });
        Running { platform, surveys, stop, task, view }
    }

    /// How they stand, in the order of the configuration.
    pub(super) fn views(&self) -> Vec<LaneView> {
        self.running.iter().map(|lane| lane.view.clone()).collect()
    }

    /// Ends them all, with their calls in flight.
    pub(super) async fn stop(self) {
        end(self.running).await;
    }
}

impl Running {
    /// True if a configuration calls its platform in the same way.
    fn goes_on(&self, config: &Config) -> bool {
        config.platforms.iter().any(|platform| platform.is_called_as(&self.platform))
    }
}

/// Ends lanes side by side; gives back what they could not store.
async fn end(lanes: Vec<Running>) -> Vec<(PlatformName, Unsettled)> {
    for lane in &lanes {
        lane.stop.send_replace(true);
    }
    let mut left = Vec::new();
    for Running { task, platform, .. } in lanes {
        match task.await {
            Ok(unsettled) => left.extend(unsettled.map(|unsettled| (platform.name.clone(), unsettled))),
            Err(error) => tracing::error!(lane = %platform.name, %error, "a lane has failed"),
        }
    }
    left
}

/// Tells of a lane that ends though nobody has told it to.
struct Watched {
    told: watch::Receiver<bool>,
    ended: mpsc::UnboundedSender<()>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !*self.told.borrow() {
            // Nobody hears it where the server has ended as well.
            self.ended.send(()).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;
    use crate::config::tests::good;
    use crate::platform::tests::{accepted, sandbox};
    use crate::queue::tests::Full;
    use crate::queue::{Filter, NewEntry, Options, Priority, SqliteQueue, State};
    use crate::waiting::{DEADLINE, seen};

    async fn state(queue: &SharedQueue) -> State {
        queue.page(&Filter::default(), None, 1).await.unwrap()[0].state
    }

    #[tokio::test]
    async fn what_a_lane_could_not_store_the_next_of_its_name_stores() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queue.db");
        let queue: SharedQueue = Arc::new(SqliteQueue::open(&path, Options::default()).unwrap());
        let full = Full::of(&path);
        let (sandbox, platform, survey) = sandbox().await;
        let paced = |milliseconds| {
            let interval = Duration::from_millis(milliseconds);
            let platforms = vec![Arc::new(Platform { interval, ..platform.clone() })];
            Config { platforms, surveys: vec![Arc::new(survey.clone())], ..good() }
        };
        let clock = Clock::start();
        let (mut lanes, _ends) = Lanes::new(Arc::clone(&queue), clock, Recorder::default());
        let (before, after) = (paced(10), paced(20));
        let prepared = lanes.prepare(&before).unwrap();
        lanes.start(&before, prepared);
        let entry = NewEntry {
            lane: platform.name.clone(),
            priority: Priority::Visitor,
            survey: survey.id.clone(),
            submission: Uuid::new_v4(),
            fingerprint: [0; 32],
            body: serde_json::to_vec(&accepted()).unwrap(),
            accepted_at: clock.now(),
        };
        queue.enqueue(entry).await.unwrap();
        assert!(sandbox.until(DEADLINE, |now| now.done == 1).await);

        let prepared = lanes.prepare(&after).unwrap();
        lanes.end(&after).await;
        assert_eq!(state(&queue).await, State::Sending);
        drop(full);
        lanes.start(&after, prepared);
        seen(async || (state(&queue).await == State::Delivered).then_some(())).await.unwrap();
        assert_eq!(sandbox.counts().arrived, 1, "it is neither sent again nor looked up");
        lanes.stop().await;
    }
}
