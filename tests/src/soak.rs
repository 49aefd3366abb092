//! Kills a server again and again, and counts: nothing accepted may be missing, nothing doubled.
//!
//! A cycle: visitors hand in answers while the platform loses replies, cuts calls or says it is busy;
//! at a random point of accepting, committing, calling or settling the server is killed. Then its store
//! is opened and every entry counted: `accepted = delivered + dead + parked + waiting`. At the end
//! everything is forwarded, and each answer has to be at the platform once: what may have arrived is
//! looked up there before it is sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use server::queue::{Filter, Record, Records, State};
use server::sandbox::{Call, Fault, Misbehaviour};
use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{DEADLINE, Door, Edit as _, Stage, Store};

/// Time between two calls.
const INTERVAL: Duration = Duration::from_millis(10);
/// Visitors who hand in answers at the same time.
const VISITORS: usize = 4;
/// Answers of each of them in a cycle.
const ANSWERS: usize = 5;
/// Entries read at a time.
const PAGE: u32 = 500;

/// How it went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Times the server was killed.
    pub kills: usize,
    /// Submissions that got their thanks.
    pub accepted: usize,
    /// Kills by the moment that was chosen.
    pub moments: BTreeMap<&'static str, usize>,
    /// Entries found in each state after a kill, all kills together.
    pub found: BTreeMap<&'static str, usize>,
    /// Answers that the platform has more than once.
    pub doubled: usize,
    /// Calls that struck a fault of the platform.
    pub struck: u64,
    /// Calls that came sooner than the interval after the one before.
    pub early: u64,
    /// Look-ups made.
    pub look_ups: usize,
}

/// When a server is killed: after so many of these, counted from the start of the cycle.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// A visitor is thanked: other submissions are being checked or written.
    Thanks(usize),
    /// A call arrives at the platform: its reply is not there yet.
    Arrival(u64),
    /// A call is answered: its verdict is being read or stored.
    Verdict(u64),
    /// The server has just started.
    Start,
}

impl Moment {
    fn random(random: &mut StdRng) -> Self {
        // Each new submission is worth a call at least, however little is left from before.
        let calls = (VISITORS * ANSWERS) as u64;
        match random.random_range(0..10) {
            0..4 => Self::Thanks(random.random_range(1..VISITORS * ANSWERS)),
            4..7 => Self::Arrival(random.random_range(1..=calls)),
            7..9 => Self::Verdict(random.random_range(1..=calls)),
            _ => Self::Start,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Thanks(_) => "accept and commit",
            Self::Arrival(_) => "call",
            Self::Verdict(_) => "verdict",
            Self::Start => "start",
        }
    }
}

/// A soak that is under way.
pub struct Soak {
    stage: Stage,
    store: Store,
    random: StdRng,
    thanked: Arc<Mutex<BTreeSet<Uuid>>>,
    /// Handed in, and not thanked for yet: as in an outbox.
    outbox: Vec<Uuid>,
    tally: Tally,
}

impl Soak {
    /// Starts a server on a store, and shows it that the platform can be asked.
    pub async fn new(store: Store, seed: u64) -> Result<Self> {
        let change = |config: String| {
            let config = config.edit("settle = \"500ms\"", "settle = \"300ms\"\ntimeout = \"400ms\"");
            store.put_into(&config)
        };
        let stage = Stage::logging("info", INTERVAL, change).await?;
        let soak = Self {
            stage,
            store,
            random: StdRng::seed_from_u64(seed),
            thanked: Arc::default(),
            outbox: Vec::new(),
            tally: Tally::default(),
        };
        // A look-up proves nothing before it has shown what is known to be there.
        let first = Uuid::new_v4();
        hand_in(soak.stage.door(), vec![first], Arc::clone(&soak.thanked), watch::Sender::new(0)).await?;
        soak.stage.delivered(1).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok(soak)
    }

    /// One cycle: answers, faults, a kill, a count, a new start.
    pub async fn cycle(&mut self) -> Result<()> {
        self.trouble();
        let moment = Moment::random(&mut self.random);
        let before = self.stage.sandbox.counts();
        let (thanks, mut thanked) = watch::channel(0);
        let mut visitors = JoinSet::new();
        self.outbox.extend((0..VISITORS * ANSWERS).map(|_| Uuid::new_v4()));
        let share = self.outbox.len().div_ceil(VISITORS);
        for answers in self.outbox.chunks(share) {
            let visitor =
                hand_in(self.stage.door(), answers.to_vec(), Arc::clone(&self.thanked), thanks.clone());
            visitors.spawn(visitor);
        }
        match moment {
            Moment::Thanks(number) => {
                tokio::time::timeout(DEADLINE, thanked.wait_for(|thanks| *thanks >= number)).await??;
            }
            Moment::Arrival(number) => {
                let reached =
                    self.stage.sandbox.until(DEADLINE, |now| now.arrived >= before.arrived + number).await;
                ensure!(reached, "no calls arrive:\n{}", self.stage.process.last_words());
            }
            Moment::Verdict(number) => {
                let reached =
                    self.stage.sandbox.until(DEADLINE, |now| now.done >= before.done + number).await;
                ensure!(reached, "no calls are answered:\n{}", self.stage.process.last_words());
            }
            Moment::Start => {}
        }
        self.stage.kill().await?;
        while let Some(visitor) = visitors.join_next().await {
            visitor??;
        }
        self.tally.kills += 1;
        *self.tally.moments.entry(moment.name()).or_default() += 1;
        {
            let thanked = self.thanked.lock().unwrap_or_else(PoisonError::into_inner);
            self.outbox.retain(|id| !thanked.contains(id));
        }
        self.count().await?;
        self.stage.start().await
    }

    /// The platform's fault in this cycle, if any.
    fn trouble(&mut self) {
        let busy = Fault::Status { status: 503, retry_after: None, body: None };
        let fault = match self.random.random_range(0..6) {
            0 | 1 => Fault::LostReply,
            2 => Fault::CutAfterBody,
            3 => Fault::CutReply,
            4 => busy,
            _ => return self.stage.sandbox.behave(),
        };
        self.stage.sandbox.misbehave(Misbehaviour::from(fault).share(0.2).only(Call::AddAnswer));
    }

    /// Counts what is in the store of a server that is dead, and holds it against what was thanked for
    /// and what the platform has.
    async fn count(&mut self) -> Result<()> {
        let records = records(&*self.store.open(&self.stage).await?).await?;
        let mut states: BTreeMap<Uuid, State> = BTreeMap::new();
        for record in &records {
            ensure!(
                states.insert(record.submission, record.state).is_none(),
                "{} is there twice",
                record.submission
            );
            *self.tally.found.entry(record.state.name()).or_default() += 1;
        }
        let thanked = self.thanked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let lost: Vec<&Uuid> = thanked.iter().filter(|id| !states.contains_key(id)).collect();
        ensure!(lost.is_empty(), "thanked for and not in the store: {lost:?}");
        let arrived = self.arrived();
        let missing = |id: &Uuid| states[id] == State::Delivered && !arrived.contains_key(id);
        let missing: Vec<&Uuid> = states.keys().filter(|id| missing(id)).collect();
        ensure!(missing.is_empty(), "delivered and not at the platform: {missing:?}");
        let foreign: Vec<&Uuid> = arrived.keys().filter(|id| !states.contains_key(id)).collect();
        ensure!(foreign.is_empty(), "at the platform and not in the store: {foreign:?}");
        Ok(())
    }

    /// How often each submission is at the platform.
    fn arrived(&self) -> BTreeMap<Uuid, usize> {
        let mut arrived = BTreeMap::new();
        for answer in self.stage.sandbox.answers() {
            if let Some(id) = answer.metadata("submission").and_then(|id| id.parse().ok()) {
                *arrived.entry(id).or_default() += 1;
            }
        }
        arrived
    }

    /// Lets everything through, and gives the account.
    pub async fn finish(mut self) -> Result<Tally> {
        self.stage.sandbox.behave();
        let rest = std::mem::take(&mut self.outbox);
        hand_in(self.stage.door(), rest, Arc::clone(&self.thanked), watch::Sender::new(0)).await?;
        let accepted = self.thanked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let deadline = DEADLINE * 2;
        let through =
            self.stage.sandbox.until(deadline, |counts| counts.stored >= accepted.len() as u64).await;
        let arrived = self.arrived();
        let missing: Vec<&Uuid> = accepted.iter().filter(|id| !arrived.contains_key(id)).collect();
        ensure!(
            through && missing.is_empty(),
            "{} did not arrive:\n{}",
            missing.len(),
            self.stage.process.last_words()
        );
        // What is on its way is settled before the server ends.
        self.stage.stop().await?;
        self.count().await?;
        let counts = self.stage.sandbox.counts();
        let arrivals = self.stage.sandbox.arrivals();
        Ok(Tally {
            accepted: accepted.len(),
            doubled: arrived.values().filter(|times| **times > 1).count(),
            struck: counts.struck,
            early: counts.early,
            look_ups: arrivals.iter().filter(|arrival| arrival.call == Call::GetAnswers).count(),
            ..self.tally
        })
    }
}

/// A visitor's browser: sends each answer until it is thanked for or the server is gone.
async fn hand_in(
    door: Door,
    ids: Vec<Uuid>,
    thanked: Arc<Mutex<BTreeSet<Uuid>>>,
    thanks: watch::Sender<usize>,
) -> Result<()> {
    for id in ids {
        let body = json!({
            "submission": id, "language": "nl", "metadata": { "pieces": "3" },
            "answers": [{ "question": "recommend", "score": 9 }, { "question": "again", "boolean": true }],
        });
        loop {
            match door.submit("checkout", &body).await {
                Ok(reply) if reply.status() == 202 => {
                    thanked.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
                    thanks.send_modify(|thanks| *thanks += 1);
                    break;
                }
                Ok(reply) => ensure!(reply.status() == 503, "{}", reply.text().await?),
                // The server is away; the outbox keeps it.
                Err(_) => return Ok(()),
            }
            crate::a_moment().await;
        }
    }
    Ok(())
}

/// Every entry of a store.
async fn records(queue: &dyn Records) -> Result<Vec<Record>> {
    let mut all: Vec<Record> = Vec::new();
    loop {
        let after = all.last().map(|record| record.id);
        let page = queue.page(&Filter::default(), after, PAGE).await.context("the store cannot be read")?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
