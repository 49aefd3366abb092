//! All that is known of one submission.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{OperatorError, Row};
use crate::queue::{Attempt, Filter, Record, Records, State};

/// One submission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The entry.
    pub entry: Row,
    /// When its last call was reserved.
    pub sent_at: Option<Timestamp>,
    /// From when on it may have arrived.
    pub unsure_since: Option<Timestamp>,
    /// The calls that failed, oldest first; forgotten once it is delivered or discarded.
    pub history: Vec<Call>,
    /// True while what the visitor sent is stored.
    pub kept: bool,
    /// What the visitor sent, if it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<Value>,
}

/// One call made for an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// When it ended.
    pub at: Timestamp,
    /// The verdict's name.
    pub verdict: String,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// The platform's words or the connection's error.
    pub error: Option<String>,
}

impl From<Attempt> for Call {
    fn from(attempt: Attempt) -> Self {
        let Attempt { at, verdict, status, error } = attempt;
        Self { at, verdict: verdict.into_owned(), status, error }
    }
}

/// One submission; with what the visitor sent only if `stored` says so. `None` if the queue has none.
pub async fn show(
    queue: &dyn Records,
    submission: Uuid,
    stored: bool,
) -> Result<Option<Shown>, OperatorError> {
    let filter = Filter { submissions: vec![submission], ..Filter::default() };
    let Some(record) = queue.page(&filter, None, 1).await?.pop() else { return Ok(None) };
    Ok(Some(Shown {
        entry: Row::new(&record),
        sent_at: record.sent_at,
        unsure_since: record.unsure_since,
        history: history(queue, &record).await?,
        kept: record.body.is_some(),
        stored: record.body.as_deref().filter(|_| stored).map(content),
    }))
}

/// The calls made for an entry; the store is asked only where there can be any.
pub(super) async fn history(queue: &dyn Records, record: &Record) -> Result<Vec<Call>, OperatorError> {
    let untouched = record.state == State::Waiting && record.attempts == 0 && record.sent_at.is_none();
    if untouched {
        return Ok(Vec::new());
    }
    Ok(queue.attempts(record.id).await?.into_iter().map(Call::from).collect())
}

/// A stored submission as JSON; one that is none, as text.
pub(super) fn content(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}
