//! A lane's owner: the loop that works through one token's entries.
//!
//! It makes one call at a time: to add an answer (`send`), to look up what may have arrived
//! (`ask`), whose reply is read beside the calls that follow, or for an operator (`serve`). Nothing is sent unless the lane's lease
//! outlasts the call: by then nobody else can have taken over.

mod ask;
mod misfits;
mod moves;
mod send;
mod serve;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use serde_json::from_slice;
use shared::SurveyId;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::calls::{Asked, Desk, NotMade};
use super::decision::{Suspects, longest_delay};
use super::look_up;
use super::outage::Outage;
use super::pacer::Pacer;
use super::pause::Pauses;
use super::report::{LaneReport, LaneState};
use crate::accepted::Accepted;
use crate::clock::{self, Clock};
use crate::config::{OnUnknown, Platform, Survey};
use crate::history::Recorder;
use crate::platform::{Client, REPORT_CONNECT};
use crate::queue::{Attempt, Due, Entry, EntryId, Lease, QueueError, Settlement, SharedQueue};
use crate::seldom::Seldom;
use ask::LookUps;
use misfits::Misfits;
use moves::Moves;

/// How long an entry may be marked `sending` before its call leaves, so that the commit does not
/// cost the lane time. A quarter of the interval, if that is less.
const LEAD: Duration = Duration::from_millis(20);
/// How long the lane leaves a store alone that has failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// The longest that anything is delayed: a `Retry-After` counts up to a day.
const LONGEST_WAIT: Duration = Duration::from_hours(24);
/// Intervals for which an entry waits for a configuration that it fits: a quarter of an hour at a call a second.
const GRACE: u32 = 900;
/// Intervals after which it is held against the configuration again.
const FITS_AGAIN: u32 = 60;
/// How often a verdict in hand is offered to a failing store when the lane stops.
const LAST_TRIES: u32 = 5;

/// A lane's owner, or one who waits to be.
pub struct Lane {
    platform: Arc<Platform>,
    /// Those that send here.
    surveys: Vec<Arc<Survey>>,
    /// All that are configured, as they change.
    configured: watch::Receiver<Vec<Arc<Survey>>>,
    /// When they changed last, or the lane became ours.
    configured_at: Instant,
    client: Client,
    queue: SharedQueue,
    clock: Clock,
    recorder: Recorder,
    pacer: Pacer,
    outage: Outage,
    pauses: Pauses,
    look_ups: LookUps,
    moves: Moves,
    /// Where operators ask for calls, and where they are found.
    desk: (Desk, mpsc::Receiver<Asked>),
    /// Until when the platform wants to be left alone, by replies that came when the lane had gone on.
    rests: (mpsc::UnboundedSender<Instant>, mpsc::UnboundedReceiver<Instant>),
    /// The operator whose turn is next.
    asked: Option<Asked>,
    /// Visitors' answers sent since the last operator's call.
    visitors_in_a_row: u32,
    lease: Option<watch::Receiver<Option<Lease>>>,
    /// The lease's term in which the lane works at present.
    term: Option<u64>,
    /// True once what a former owner had in flight is settled.
    recovered: bool,
    /// True when the store failed to say whether it has marked an entry `sending`.
    mislaid: bool,
    /// The last call's verdict, until it is stored.
    unsettled: Option<Unsettled>,
    /// Entries that may be poisons.
    suspects: Suspects,
    misfits: Misfits,
    last_success: Option<Instant>,
    /// There while the store fails: when it was said last.
    store_fails: Option<Seldom>,
    last_call: Option<Instant>,
    /// True if that was a look-up: where answers wait, one of them is next.
    looked_up_last: bool,
    /// Spreads retries; nothing depends on its being unpredictable.
    random: StdRng,
    report: watch::Sender<LaneReport>,
}

/// A verdict that is not stored yet.
#[derive(Clone, Debug)]
pub struct Unsettled {
    entry: EntryId,
    settlement: Settlement,
    attempt: Attempt,
}

impl Lane {
    /// An owner for a platform's lane; `configured` are all surveys, also as they change later.
    pub fn new(
        platform: Arc<Platform>,
        mut configured: watch::Receiver<Vec<Arc<Survey>>>,
        client: Client,
        queue: SharedQueue,
        clock: Clock,
        recorder: Recorder,
    ) -> Self {
        let surveys = sending_to(&platform, &configured.borrow_and_update());
        Self {
            pacer: Pacer::new(platform.interval, Instant::now()),
            platform,
            surveys,
            configured,
            configured_at: Instant::now(),
            client,
            queue,
            clock,
            recorder,
            outage: Outage::default(),
            pauses: Pauses::default(),
            look_ups: LookUps::default(),
            moves: Moves::default(),
            desk: Desk::new(),
            rests: mpsc::unbounded_channel(),
            asked: None,
            visitors_in_a_row: 0,
            lease: None,
            term: None,
            recovered: false,
            mislaid: false,
            unsettled: None,
            suspects: Suspects::default(),
            misfits: Misfits::default(),
            last_success: None,
            store_fails: None,
            last_call: None,
            looked_up_last: false,
            random: rand::make_rng(),
            report: watch::Sender::new(LaneReport::new()),
        }
    }

    /// How the lane stands, as it changes.
    pub fn report(&self) -> watch::Receiver<LaneReport> {
        self.report.subscribe()
    }

    /// Where operators ask for calls.
    pub fn desk(&self) -> Desk {
        self.desk.0.clone()
    }

    /// Takes over what a lane of the same name could not store.
    pub fn inherit(&mut self, unsettled: Unsettled) {
        self.unsettled = Some(unsettled);
    }

    /// Works until told to stop; the call in flight ends first, the rest stays in the queue. Gives back a verdict that
    /// could not be stored, for a successor: that an answer arrived will not be known in any other way.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> Option<Unsettled> {
        let mut stirred = self.queue.stirred(&self.platform.name);
        let mut lease =
            self.queue.lease(&self.platform.name, self.platform.token_mark(), span(&self.platform));
        self.lease = Some(lease.clone());
        let mut configured = self.configured.clone();
        self.report_pauses();
        while !*stop.borrow() {
            let held = *lease.borrow_and_update();
            let wake = self.turn(held).await;
            // A signal that came during the step is seen here, since it marks the channel changed.
            tokio::select! {
                () = wake.at() => {}
                _ = stirred.changed(), if wake.on_entry() => self.look_ups.read_again(),
                () = changed(&mut lease) => {}
                // The next turn looks at them.
                () = changed(&mut configured) => {}
                () = self.look_ups.landed() => {}
                Some(until) = self.rests.1.recv() => self.outage.rest(until),
                Some(asked) = self.desk.1.recv(), if self.asked.is_none() => self.asked = Some(asked),
                _ = stop.wait_for(|stop| *stop) => {}
            }
        }
        self.desk.1.close();
        self.turn_away(&NotMade::Stopped);
        self.settle_last().await;
        if let Err(error) = self.queue.release(&self.platform.name).await {
            tracing::warn!(lane = %self.platform.name, %error, "the lane could not be given up");
        }
        for survey in &self.surveys {
            self.measure_pause(&survey.id, false);
        }
        self.set(|report| report.state = LaneState::Stopped);
        self.unsettled
    }

    /// Goes over to the surveys that are configured now. What waits may have come here together with its survey, and must
    /// not be held against those of before.
    fn adopt_surveys(&mut self) {
        // Nobody changes them any more where the server is stopping.
        if !self.configured.has_changed().unwrap_or_default() {
            return;
        }
        self.configured_at = Instant::now();
        let now = sending_to(&self.platform, &self.configured.borrow_and_update());
        let gone = std::mem::replace(&mut self.surveys, now);
        self.set(|report| report.unfit.clear());
        self.misfits = Misfits::default();
        self.moves.note_again();
        for survey in gone.iter().filter(|survey| self.survey(&survey.id).is_none()) {
            self.measure_pause(&survey.id, false);
        }
        // What was held back for a survey may have somewhere to go.
        self.look_ups.read_again();
        self.report_pauses();
    }

    /// One step, if the lane is ours.
    async fn turn(&mut self, held: Option<Lease>) -> Wake {
        self.adopt_surveys();
        while let Ok(until) = self.rests.1.try_recv() {
            self.outage.rest(until);
        }
        let Some(lease) = held else {
            self.stand_by();
            return Wake::Never;
        };
        if self.term != Some(lease.term) {
            self.take_over(lease.term);
        }
        match self.step().await {
            Ok(wake) => {
                if self.store_fails.take().is_some() {
                    tracing::warn!(lane = %self.platform.name, "the queue's store works again");
                }
                wake
            }
            Err(error) => {
                if matches!(error, QueueError::NotOwner(_)) {
                    tracing::warn!(lane = %self.platform.name, "another server has taken the lane over");
                } else {
                    if self.store_fails.get_or_insert(Seldom::by_the_minute()).is_due() {
                        tracing::error!(lane = %self.platform.name, %error,
                            "the queue's store fails (said once a minute until it works)");
                    }
                    self.set(|report| {
                        report.state = LaneState::StoreFailing;
                        report.trouble = Some(error.to_string());
                    });
                }
                Wake::At(Instant::now() + STORE_PAUSE)
            }
        }
    }

    /// Forgets what an owner knows: somebody else is at work.
    fn stand_by(&mut self) {
        if self.term.take().is_some() {
            tracing::warn!(lane = %self.platform.name, "the lane's lease has ended; another server may forward it");
            self.look_ups = LookUps::default();
            // What was reserved for no call is its next owner's to find.
            self.mislaid = false;
        }
        self.turn_away(&NotMade::Standby);
        self.set(|report| (report.state, report.next_call) = (LaneState::Standby, None));
    }

    /// Begins as an owner that knows nothing: the last call may have been made this very moment.
    fn take_over(&mut self, term: u64) {
        tracing::debug!(lane = %self.platform.name, term, "the lane is ours");
        self.term = Some(term);
        self.configured_at = Instant::now();
        (self.recovered, self.mislaid) = (false, false);
        self.moves = Moves::default();
        self.pacer = Pacer::new(self.platform.interval, Instant::now());
        self.outage = Outage::default();
        self.pauses = Pauses::default();
        self.look_ups = LookUps::default();
        self.suspects = Suspects::default();
        // That an answer arrived stays true, if nobody else has found its entry meanwhile. Whatever else the
        // platform said is not: another owner may have called since.
        self.unsettled.take_if(|unsettled| unsettled.settlement != Settlement::Delivered);
    }

    /// True while the lane is ours as it was when it was taken over.
    fn is_in_term(&self) -> bool {
        let lease = self.lease.as_ref().and_then(|lease| *lease.borrow());
        lease.is_some_and(|lease| self.term == Some(lease.term))
    }

    /// True while nobody else can own the lane before a call that leaves now has ended.
    fn holds(&self) -> bool {
        let Some(lease) = self.lease.as_ref().and_then(|lease| *lease.borrow()) else { return false };
        let enough = |until: Instant| until >= Instant::now() + self.platform.timeout;
        self.term == Some(lease.term) && lease.until.is_none_or(enough)
    }

    /// Stores a verdict that is still in hand when the lane stops: without it the entry would be sent again. What was
    /// reserved for no call goes back as well: else it would be looked for.
    async fn settle_last(&mut self) {
        for _ in 0..LAST_TRIES {
            let settled = match self.settle().await {
                Ok(()) if self.is_in_term() => self.put_back_mislaid().await,
                settled => settled,
            };
            match settled {
                Ok(()) | Err(QueueError::NotOwner(_)) => return,
                Err(error) => tracing::error!(lane = %self.platform.name, %error, "the queue's store fails"),
            }
            tokio::time::sleep(STORE_PAUSE).await;
        }
        if let Some(Unsettled { entry, settlement, .. }) = &self.unsettled {
            tracing::error!(lane = %self.platform.name, %entry, settlement = settlement.name(), "a verdict could not be stored");
        }
    }

    /// Makes at most one call; says when to step again.
    async fn step(&mut self) -> Result<Wake, QueueError> {
        self.settle().await?;
        if !self.recovered {
            self.recover().await?;
            self.recovered = true;
        }
        self.note_moves().await?;
        self.put_back_mislaid().await?;
        self.conclude().await?;
        let now = Instant::now();
        let paused = self.skipped(now);
        let mut skip: Vec<SurveyId> = paused.iter().chain(self.misfits.resting(now)).cloned().collect();
        let mut due = self.queue.due(&self.platform.name, self.clock.at(now), &skip).await?;
        if due != Due::Now && skip.len() > paused.len() {
            // Nobody else wants the turn that misfits leave to others.
            skip = paused;
            due = self.queue.due(&self.platform.name, self.clock.at(now), &skip).await?;
        }
        let wanted = self.wanted(now).await?;
        // Look-ups are rare, so they do not wait for the queue to run dry; but a platform that fails
        // is probed with answers.
        let gives_way = due == Due::Now && (self.fails() || self.looked_up_last);
        let asks = wanted.as_ref().filter(|(_, at)| *at <= now && !gives_way);
        // Whoever waits in vain hears of it, whatever goes next.
        let serves = self.serves_next(&due, now);
        let working = if self.fails() { LaneState::Probing } else { LaneState::Working };
        if let Some((touchpoint, _)) = asks {
            let leave = self.next_call();
            if leave > now {
                let next_call = self.clock.at(leave);
                self.set(|report| (report.state, report.next_call) = (working, Some(next_call)));
                return Ok(Wake::At(leave));
            }
            let touchpoint = touchpoint.clone();
            match self.look_up(&touchpoint).await {
                Err(error @ QueueError::Store(_)) => self.not_asked(&touchpoint, &error),
                asked => asked?,
            }
            return Ok(Wake::At(Instant::now()));
        }
        if serves {
            let leave = self.next_call();
            if leave > now {
                return Ok(Wake::At(leave));
            }
            self.serve().await?;
            return Ok(Wake::At(Instant::now()));
        }
        let probe = self.pauses.next_probe(now);
        let orphans = Some(self.may_fit_until()).filter(|until| *until > now && self.look_ups.has_orphans());
        let look_up = wanted.map(|(_, at)| at).filter(|at| *at > now);
        let earliest = |own: Option<Instant>| [own, probe, look_up, orphans].into_iter().flatten().min();
        match due {
            Due::Never => {
                let state = if skip.is_empty() { LaneState::Idle } else { LaneState::Paused };
                self.set(|report| (report.state, report.next_call) = (state, None));
                Ok(earliest(None).map_or(Wake::OnEntry, Wake::OnEntryOrAt))
            }
            Due::At(due) => {
                let wait = due.duration_since(self.clock.at(now)).unsigned_abs();
                self.set(|report| (report.state, report.next_call) = (working, Some(due)));
                Ok(Wake::OnEntryOrAt(earliest(Some(now + wait)).unwrap_or(now)))
            }
            Due::Now => {
                let leave = self.next_call();
                let next_call = self.clock.at(leave);
                self.set(|report| (report.state, report.next_call) = (working, Some(next_call)));
                let reserve_at = leave - LEAD.min(self.platform.interval / 4);
                if reserve_at > now {
                    return Ok(Wake::At(earliest(None).map_or(reserve_at, |at| at.min(reserve_at))));
                }
                self.send_next(leave, &skip).await?;
                Ok(Wake::At(Instant::now()))
            }
        }
    }

    /// Settles what a process that ended had in flight: nobody knows whether it arrived.
    async fn recover(&mut self) -> Result<(), QueueError> {
        let latest = clock::later(self.clock.now(), LONGEST_WAIT.max(longest_delay(self.platform.interval)));
        self.queue.bring_forward(&self.platform.name, latest).await?;
        for entry in self.queue.interrupted(&self.platform.name).await? {
            let now = self.clock.now();
            let settlement = self.in_doubt(&entry, now);
            tracing::warn!(lane = %self.platform.name, submission = %entry.submission,
                settlement = settlement.name(),
                "found in flight after an unclean stop: it may have arrived");
            let attempt = Attempt::interrupted(now);
            self.queue.settle(&self.platform.name, entry.id, settlement, attempt).await?;
        }
        Ok(())
    }

    /// Where an entry goes that was found in flight.
    fn in_doubt(&self, entry: &Entry, now: jiff::Timestamp) -> Settlement {
        let accepted: Option<Accepted> = from_slice(&entry.body).ok();
        let can_look_up =
            accepted.is_some_and(|accepted| accepted.keys_of(entry.submission).next().is_some());
        match self.survey(&entry.survey).map(|survey| survey.on_unknown) {
            Some(OnUnknown::Park) if !can_look_up => Settlement::Parked,
            Some(OnUnknown::Resend) if !can_look_up => Settlement::Later(now),
            // A survey that is not here now may come, and says then what becomes of it.
            _ => Settlement::Unknown(look_up::first(now, self.platform.interval, self.platform.settle)),
        }
    }

    /// Puts back what the store may have marked `sending` without telling: no call was made for it.
    async fn put_back_mislaid(&mut self) -> Result<(), QueueError> {
        if !self.mislaid {
            return Ok(());
        }
        for entry in self.queue.interrupted(&self.platform.name).await? {
            let now = self.clock.now();
            let error = Some("not sent: the store failed".to_owned());
            let attempt = Attempt { at: now, verdict: "withheld".into(), status: None, error };
            self.queue.settle(&self.platform.name, entry.id, Settlement::Later(now), attempt).await?;
        }
        self.mislaid = false;
        Ok(())
    }

    /// Until when what does not fit the configuration may come to fit it: a file was taken away for a moment, or another
    /// server has read a newer one than this.
    fn may_fit_until(&self) -> Instant {
        self.configured_at + self.platform.interval * GRACE
    }

    fn survey(&self, id: &SurveyId) -> Option<&Arc<Survey>> {
        self.surveys.iter().find(|survey| survey.id == *id)
    }

    /// The surveys to leave alone, since their touchpoint refuses the token.
    fn skipped(&self, now: Instant) -> Vec<SurveyId> {
        let held = self.surveys.iter().filter(|survey| self.pauses.holds(&survey.touchpoint, now));
        held.map(|survey| survey.id.clone()).collect()
    }

    /// How long the lane waits for a call that asks for something. It has left, or has failed, within fewer intervals than
    /// these. If the platform takes its time with an answer, the arrival is long over.
    fn report_patience(&self) -> Duration {
        (self.platform.interval * (REPORT_CONNECT + 1)).min(self.platform.timeout)
    }

    fn fails(&self) -> bool {
        self.outage.failures() > 0
    }

    fn next_call(&self) -> Instant {
        let paced = self.pacer.next();
        self.outage.not_before().map_or(paced, |probe| probe.max(paced))
    }

    /// Stores the last call's verdict. While the store fails it stays in hand, and no other call is
    /// made: what the platform said must not be forgotten.
    async fn settle(&mut self) -> Result<(), QueueError> {
        let Some(Unsettled { entry, settlement, attempt }) = self.unsettled.clone() else { return Ok(()) };
        match self.queue.settle(&self.platform.name, entry, settlement, attempt).await {
            Err(error @ QueueError::NotSending(_)) => {
                tracing::error!(lane = %self.platform.name, %error, "somebody else moved it; its verdict is dropped");
            }
            settled => settled?,
        }
        self.unsettled = None;
        if matches!(settlement, Settlement::Unknown(_)) {
            self.look_ups.read_again();
        }
        Ok(())
    }

    fn set(&self, change: impl FnOnce(&mut LaneReport)) {
        self.report.send_modify(change);
    }
}

/// For how long a lane's lease is taken. It outlasts a call by so much that a few renewals may fail.
pub(super) fn span(platform: &Platform) -> Duration {
    let timeout = platform.timeout;
    timeout + (timeout / 2).clamp(Duration::from_secs(1), Duration::from_secs(15))
}

/// Those of the surveys that send to a platform.
fn sending_to(platform: &Platform, surveys: &[Arc<Survey>]) -> Vec<Arc<Survey>> {
    surveys.iter().filter(|survey| survey.platform == platform.name).cloned().collect()
}

/// Waits for something to change; for ever, if nobody will ever change it.
async fn changed<T>(news: &mut watch::Receiver<T>) {
    if news.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// What wakes the lane.
enum Wake {
    Never,
    At(Instant),
    OnEntry,
    OnEntryOrAt(Instant),
}

impl Wake {
    async fn at(&self) {
        match self {
            Self::At(at) | Self::OnEntryOrAt(at) => tokio::time::sleep_until(*at).await,
            Self::Never | Self::OnEntry => std::future::pending().await,
        }
    }

    fn on_entry(&self) -> bool {
        matches!(self, Self::OnEntry | Self::OnEntryOrAt(_))
    }
}
