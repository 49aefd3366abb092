//! Fills a store with waiting submissions, faster than visitors could.

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::json;
use server::config::PlatformName;
use server::queue::{Filter, NewEntry, Priority, Queue, Record};
use uuid::Uuid;

/// Submissions stored at a time.
const PAGE: usize = 10_000;

/// Puts so many answers into a lane, for a survey with the questions of the demo's checkout survey.
pub async fn fill(queue: &dyn Queue, lane: &str, survey: &str, entries: usize) -> Result<()> {
    let submission = Uuid::new_v4();
    let new = NewEntry {
        lane: PlatformName::new(lane),
        priority: Priority::Visitor,
        survey: survey.parse()?,
        submission,
        fingerprint: [0; 32],
        body: body(submission),
        accepted_at: Timestamp::UNIX_EPOCH,
    };
    queue.enqueue(new).await?;
    let filter = Filter { submissions: vec![submission], ..Filter::default() };
    let template = queue.page(&filter, None, 1).await?.pop().context("what was stored is not there")?;
    let mut left = entries.saturating_sub(1);
    while left > 0 {
        let page = left.min(PAGE);
        let record = |_| {
            let submission = Uuid::new_v4();
            (Record { submission, body: Some(body(submission)), ..template.clone() }, Vec::new())
        };
        queue.adopt((0..page).map(record).collect()).await?;
        left -= page;
    }
    Ok(())
}

/// A stored submission of the usual size.
fn body(submission: Uuid) -> Vec<u8> {
    let stored = json!({
        "language": "nl",
        "answers": [
            { "question": "recommend", "value": { "score": 9 } },
            { "question": "why", "value": { "text": "Alles kwam snel aan, en de doos was heel.".repeat(3) } },
            { "question": "again", "value": { "boolean": true } },
        ],
        "metadata": {
            "shop": "1", "number of pieces": "3", "page": "https://shop.example/bedankt", "device": "phone",
            "submission": submission,
        },
        "answered_at": "2026-11-23T12:00:00Z",
    });
    stored.to_string().into_bytes()
}
