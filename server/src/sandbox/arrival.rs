//! What is remembered of a call, and of an answer that was taken.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use shared::Language;
use tokio::time::Instant;

use super::{Call, Fault};

/// A call as it arrived and what became of it.
#[derive(Clone)]
pub struct Arrival {
    /// Counts from 1, in the order of arrival.
    pub number: u64,
    /// When the request's head was there, by the monotonic clock.
    pub at: Instant,
    /// The same moment by the wall clock.
    pub time: Timestamp,
    /// Since the arrival before it with the same token; `None` for the first, or without a token.
    pub gap: Option<Duration>,
    /// Whether the gap was less than the interval.
    pub early: bool,
    /// The token's place in the settings; `None` for no or an unknown token.
    pub token: Option<usize>,
    /// The scheme of the `Authorization` header, never the token.
    pub scheme: Option<String>,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The kind of call.
    pub call: Call,
    /// The method.
    pub method: String,
    /// The path and query, cut where they are long.
    pub path: String,
    /// The touchpoint's GUID as the path has it, in lower case.
    pub touchpoint: Option<String>,
    /// The body as it came; `None` where it was not read, or is not text.
    pub body: Option<Arc<str>>,
    /// The body parsed.
    pub json: Option<Arc<Value>>,
    /// The misbehaviour it met.
    pub fault: Option<Fault>,
    /// Whether it is done with; a reply may still be on its way.
    pub done: bool,
    /// The status that was answered; `None` while it is worked on, or where no answer is given.
    pub status: Option<u16>,
    /// The messages that were answered.
    pub messages: Vec<String>,
    /// What exactly was wrong: for people, not answered.
    pub reasons: Vec<String>,
    /// Whether its answer, or its respondents, were stored.
    pub stored: bool,
}

/// Bodies hold personal data: `Debug` shows their length.
impl fmt::Debug for Arrival {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Arrival")
            .field("number", &self.number)
            .field("time", &self.time)
            .field("gap", &self.gap)
            .field("early", &self.early)
            .field("token", &self.token)
            .field("scheme", &self.scheme)
            .field("call", &self.call)
            .field("touchpoint", &self.touchpoint)
            .field("bytes", &self.body.as_ref().map(|body| body.len()))
            .field("fault", &self.fault)
            .field("done", &self.done)
            .field("status", &self.status)
            .field("messages", &self.messages)
            .field("reasons", &self.reasons)
            .field("stored", &self.stored)
            .finish_non_exhaustive()
    }
}

/// An answer that was taken.
#[derive(Clone)]
pub struct Answer {
    /// The number of the arrival that brought it.
    pub arrival: u64,
    /// When it was stored, by the monotonic clock.
    pub at: Instant,
    /// When it was stored, by the wall clock.
    pub time: Timestamp,
    /// The touchpoint's GUID as the settings have it.
    pub touchpoint: String,
    /// Its language.
    pub language: Language,
    /// The whole body, which has passed every check.
    pub json: Arc<Value>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Answer")
            .field("arrival", &self.arrival)
            .field("time", &self.time)
            .field("touchpoint", &self.touchpoint)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

impl Answer {
    /// The value of a metadata key.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.json.get("metadata")?.get(key)?.as_str()
    }
}

/// A respondent who was taken.
#[derive(Clone)]
pub struct Respondent {
    /// The number of the arrival that brought it.
    pub arrival: u64,
    /// The touchpoint's GUID as the settings have it.
    pub touchpoint: String,
    /// The language.
    pub language: Language,
    /// The respondent as the body had it, which has passed every check.
    pub json: Value,
}

/// Personal data stays out.
impl fmt::Debug for Respondent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Respondent")
            .field("arrival", &self.arrival)
            .field("touchpoint", &self.touchpoint)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

/// What a call brought that is kept.
#[derive(Debug, Default)]
pub(super) struct Brought {
    pub(super) answer: Option<Answer>,
    pub(super) respondents: Vec<Respondent>,
}

impl Brought {
    /// Whether there is anything.
    pub(super) fn is_some(&self) -> bool {
        self.answer.is_some() || !self.respondents.is_empty()
    }
}

/// Counts since the start; they go on when arrivals are forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls.
    pub arrived: u64,
    /// Calls that are done with.
    pub done: u64,
    /// Answers that were stored.
    pub stored: u64,
    /// Respondents who were stored.
    pub respondents: u64,
    /// Calls that came sooner than the interval after the one before.
    pub early: u64,
    /// Calls that met a misbehaviour.
    pub struck: u64,
    /// The smallest gap between two calls of one token.
    pub smallest_gap: Option<Duration>,
}
