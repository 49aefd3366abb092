//! Entries with all that is stored of them, one JSON object a line: personal data.

use std::sync::Arc;

use futures::stream::{Stream, try_unfold};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::SurveyId;
use uuid::Uuid;

use super::pages::Pages;
use super::show::{content, history};
use super::{Call, OperatorError, Selection, StateName};
use crate::queue::{Record, Records, SharedQueue, State};

/// One line.
#[derive(Serialize, Deserialize)]
pub struct Exported {
    /// The submission.
    pub submission: Uuid,
    /// The survey that was answered.
    pub survey: SurveyId,
    /// Whose line it waits in.
    pub lane: String,
    /// Where it stands.
    pub state: StateName,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Calls made since it was accepted or retried.
    pub attempts: u32,
    /// What went wrong last; the platform's words.
    pub last_error: Option<String>,
    /// The calls that failed, oldest first.
    pub history: Vec<Call>,
    /// What the visitor sent, as it is stored; `None` once it is forgotten.
    pub stored: Option<Value>,
}

/// The entries that pass a selection, in the order in which they were stored; without states, the open
/// ones. Each item holds the lines of a page, so the queue is never in memory as a whole. An entry that
/// is there all the while is there once.
pub fn export(
    queue: SharedQueue,
    selection: &Selection,
) -> Result<impl Stream<Item = Result<Vec<u8>, OperatorError>> + Send + use<>, OperatorError> {
    let filter = selection.filter(selection.states_or(&State::OPEN))?;
    let pages = Pages::new(Arc::clone(&queue), filter, None);
    Ok(try_unfold((queue, pages), async |(queue, mut pages)| {
        let Some(records) = pages.next().await? else { return Ok(None) };
        let mut lines = Vec::new();
        for record in records {
            let line = line(&*queue, record).await?;
            // It is made of texts, numbers and JSON, which can be written.
            serde_json::to_writer(&mut lines, &line).ok();
            lines.push(b'\n');
        }
        Ok(Some((lines, (queue, pages))))
    }))
}

async fn line(queue: &dyn Records, record: Record) -> Result<Exported, OperatorError> {
    Ok(Exported {
        history: history(queue, &record).await?,
        submission: record.submission,
        survey: record.survey,
        lane: record.lane.to_string(),
        state: StateName(record.state),
        accepted_at: record.accepted_at,
        attempts: record.attempts,
        last_error: record.last_error,
        stored: record.body.as_deref().map(content),
    })
}
