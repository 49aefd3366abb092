//! An entry, its states, and what is reported of it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use shared::SurveyId;
use uuid::Uuid;

use crate::config::PlatformName;

/// Names an entry; grows with each entry of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(pub(super) i64);

impl EntryId {
    #[cfg(test)]
    pub(crate) fn new(id: i64) -> Self {
        Self(id)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Which entries of a lane go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// What visitors answered.
    Visitor = 0,
    /// What operators hand in: answers that were collected elsewhere.
    Operator = 1,
}

impl Priority {
    pub(super) fn from_code(code: i64) -> Self {
        if code == Self::Visitor as i64 { Self::Visitor } else { Self::Operator }
    }
}

/// Where an entry stands. The numbers are stored: they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Due.
    Waiting = 0,
    /// To be tried again later.
    Delayed = 1,
    /// Its call is being made.
    Sending = 2,
    /// It may have arrived, and waits for an operator.
    Parked = 3,
    /// It was refused, and waits for an operator.
    Dead = 4,
    /// It arrived.
    Delivered = 5,
    /// It may have arrived, and is looked up at the platform.
    Unknown = 6,
    /// An operator gave it up.
    Discarded = 7,
}

impl State {
    /// Every state, in the order in which people read them.
    pub const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Delayed,
        Self::Sending,
        Self::Unknown,
        Self::Parked,
        Self::Dead,
        Self::Delivered,
        Self::Discarded,
    ];

    /// The states of what is not settled for good.
    pub const OPEN: [Self; 6] =
        [Self::Waiting, Self::Delayed, Self::Sending, Self::Unknown, Self::Parked, Self::Dead];

    /// The state's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delayed => "delayed",
            Self::Sending => "sending",
            Self::Parked => "parked",
            Self::Dead => "dead",
            Self::Delivered => "delivered",
            Self::Unknown => "unknown",
            Self::Discarded => "discarded",
        }
    }

    pub(super) fn code(self) -> i64 {
        self as i64
    }

    /// A stored number's state; one that nobody knows is left alone as if it were discarded.
    pub(super) fn from_code(code: i64) -> Self {
        Self::ALL.into_iter().find(|state| state.code() == code).unwrap_or(Self::Discarded)
    }
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|state| state.name() == text);
        found.ok_or_else(|| format!("no state; there are: {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// A submission that is to be kept.
#[derive(Clone)]
pub struct NewEntry {
    /// Whose line it waits in.
    pub lane: PlatformName,
    /// What goes first.
    pub priority: Priority,
    /// The survey that was answered.
    pub survey: SurveyId,
    /// The idempotency key.
    pub submission: Uuid,
    /// Tells a repetition from another submission with the same key.
    pub fingerprint: [u8; 32],
    /// What the forwarder will read; opaque here.
    pub body: Vec<u8>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// What became of a new entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It is stored.
    Stored,
    /// The same submission was stored before; nothing changed.
    Repeated,
    /// Another submission was stored under this UUID; nothing changed.
    Conflict,
}

/// An entry that its lane's owner has in hand.
#[derive(Clone)]
pub struct Entry {
    /// Its name in the store.
    pub id: EntryId,
    /// The survey that was answered.
    pub survey: SurveyId,
    /// The idempotency key.
    pub submission: Uuid,
    /// What intake stored.
    pub body: Vec<u8>,
    /// How many calls were made for it since it was accepted or retried, the one at hand included.
    pub attempts: u32,
    /// When it was accepted.
    pub accepted_at: Timestamp,
}

/// An entry that may have arrived.
#[derive(Clone)]
pub struct Unknown {
    /// The entry.
    pub entry: Entry,
    /// From when on it may have arrived: the first call that nobody knows the outcome of was reserved.
    pub since: Timestamp,
    /// Until when it may have arrived: the last such call was given up.
    pub until: Timestamp,
}

/// Where an entry goes after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It arrived: its body is forgotten, its UUID remembered.
    Delivered,
    /// It is tried again from this time on.
    Later(Timestamp),
    /// It may have arrived: it is looked up from this time on.
    Unknown(Timestamp),
    /// It waits for an operator, since it may have arrived.
    Parked,
    /// It waits for an operator, since the platform refused it.
    Dead,
}

impl Settlement {
    /// Its name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Later(_) => "later",
            Self::Unknown(_) => "unknown",
            Self::Parked => "parked",
            Self::Dead => "dead",
        }
    }
}

/// One call made for an entry, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When the call ended.
    pub at: Timestamp,
    /// The verdict's name.
    pub verdict: Cow<'static, str>,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// The platform's words or the connection's error; never the visitor's words.
    pub error: Option<String>,
}

impl Attempt {
    /// One whose server stopped before it had ended: nobody knows what came of it.
    pub(crate) fn interrupted(at: Timestamp) -> Self {
        let error = Some("the server stopped while the call was in flight".to_owned());
        Self { at, verdict: "unknown".into(), status: None, error }
    }
}

/// When a lane has something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// An entry is due.
    Now,
    /// The next entry is due then.
    At(Timestamp),
    /// Nothing waits.
    Never,
}

/// How a lane stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneCount {
    /// The lane.
    pub lane: PlatformName,
    /// Entries that are due.
    pub waiting: u64,
    /// Entries to be tried again later.
    pub delayed: u64,
    /// Entries whose call is being made.
    pub sending: u64,
    /// Entries that may have arrived and are looked up.
    pub unknown: u64,
    /// Entries that may have arrived and wait for an operator.
    pub parked: u64,
    /// Entries that were refused and wait for an operator.
    pub dead: u64,
    /// When the oldest entry that is still to be sent was accepted.
    pub oldest: Option<Timestamp>,
}

impl LaneCount {
    /// A lane without an entry.
    pub fn empty(lane: PlatformName) -> Self {
        Self { lane, waiting: 0, delayed: 0, sending: 0, unknown: 0, parked: 0, dead: 0, oldest: None }
    }

    /// The entries in a state; none in those that are settled for good.
    pub fn of(&self, state: State) -> u64 {
        match state {
            State::Waiting => self.waiting,
            State::Delayed => self.delayed,
            State::Sending => self.sending,
            State::Unknown => self.unknown,
            State::Parked => self.parked,
            State::Dead => self.dead,
            State::Delivered | State::Discarded => 0,
        }
    }

    /// The entries that will be sent, or looked up first, unless somebody intervenes.
    pub fn to_send(&self) -> u64 {
        self.waiting + self.delayed + self.sending + self.unknown
    }

    /// The entries that wait for an operator.
    pub fn stuck(&self) -> u64 {
        self.parked + self.dead
    }

    /// Notes the entries of a state, the oldest of which was accepted then. Each state once.
    pub(super) fn note(&mut self, state: State, entries: u64, oldest: Option<Timestamp>) {
        match state {
            State::Waiting => self.waiting = entries,
            State::Delayed => self.delayed = entries,
            State::Sending => self.sending = entries,
            State::Unknown => self.unknown = entries,
            State::Parked => self.parked = entries,
            State::Dead => self.dead = entries,
            State::Delivered | State::Discarded => return,
        }
        if !matches!(state, State::Parked | State::Dead) {
            self.oldest = self.oldest.into_iter().chain(oldest).min();
        }
    }
}

/// All that a store knows of an entry, but for its attempts.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name in the store.
    pub id: EntryId,
    /// Whose line it waits in.
    pub lane: PlatformName,
    /// What goes first.
    pub priority: Priority,
    /// The survey that was answered.
    pub survey: SurveyId,
    /// The idempotency key.
    pub submission: Uuid,
    /// Tells a repetition from another submission with the same key.
    pub fingerprint: [u8; 32],
    /// Where it stands.
    pub state: State,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// From when on it is tried, or looked up.
    pub due_at: Timestamp,
    /// When its last call was reserved.
    pub sent_at: Option<Timestamp>,
    /// From when on it may have arrived.
    pub unsure_since: Option<Timestamp>,
    /// When its state was last settled.
    pub settled_at: Option<Timestamp>,
    /// Calls made since it was accepted or retried.
    pub attempts: u32,
    /// What went wrong last; the platform's words, never the visitor's.
    pub last_error: Option<String>,
    /// What intake stored, until it is forgotten.
    pub body: Option<Vec<u8>>,
}
