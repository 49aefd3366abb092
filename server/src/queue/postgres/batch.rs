//! Takes what visitors send to the database: whatever has queued up goes in one transaction (group
//! commit), and is answered after the commit.
//!
//! The rows of a batch are numbered in the order of arrival, but written in the order of their UUIDs: two
//! servers whose batches share UUIDs then wait for each other in one direction only.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;

use deadpool_postgres::Pool;
use shared::SurveyId;
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::bounds::Bounds;
use super::connection::{LIMIT, get, once};
use super::statements::{clean, millis};
use crate::queue::stir::Stir;
use crate::queue::{Enqueued, NewEntry, QueueError};

/// Entries that may wait for the next batch; beyond that intake says 503.
pub(super) const WAITING_ENTRIES: usize = 4_096;
/// Entries in one transaction, at most.
const BATCH: usize = 512;

const INSERT: &str = "
INSERT INTO afterword.entry (id, submission, fingerprint, lane, priority, survey, accepted_at, due_at, body)
SELECT id, submission, fingerprint, lane, priority, survey, accepted_at, accepted_at, body FROM (
    SELECT nextval('afterword.entry_id') AS id, new.*
    FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::smallint[], $5::text[], $6::bigint[], $7::bytea[])
        WITH ORDINALITY AS new (submission, fingerprint, lane, priority, survey, accepted_at, body, place)
    ORDER BY place) AS numbered
ORDER BY submission
ON CONFLICT (submission) DO NOTHING RETURNING submission";

const STORED: &str =
    "SELECT submission, survey, fingerprint FROM afterword.entry WHERE submission = ANY ($1)";

/// An entry that waits for its batch, and whoever waits for the answer.
pub(super) struct Waiting {
    pub(super) new: NewEntry,
    pub(super) reply: oneshot::Sender<Result<Enqueued, QueueError>>,
}

/// What tells a repetition from a conflict: survey and fingerprint. Not the lane: the survey may have had
/// another one.
pub(super) type Content = (String, Vec<u8>);

pub(super) fn content(survey: &SurveyId, fingerprint: [u8; 32]) -> Content {
    (survey.as_str().to_owned(), fingerprint.to_vec())
}

/// The one task that stores what comes in.
pub(super) struct Committer {
    pub(super) pool: Pool,
    pub(super) bounds: Arc<Bounds>,
    pub(super) stir: Arc<Stir>,
}

impl Committer {
    /// Runs until every sender is gone, and what they sent is answered.
    pub(super) async fn run(self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            let outcomes = self.store(&batch).await;
            // Before anybody is answered, and also for those who are gone.
            self.stir_lanes(&batch, &outcomes);
            for (waiting, outcome) in batch.drain(..).zip(outcomes) {
                waiting.reply.send(outcome).ok();
            }
        }
    }

    fn stir_lanes(&self, batch: &[Waiting], outcomes: &[Result<Enqueued, QueueError>]) {
        let stored =
            batch.iter().zip(outcomes).filter(|(_, outcome)| matches!(outcome, Ok(Enqueued::Stored)));
        let mut lanes: Vec<_> = stored.map(|(waiting, _)| &waiting.new.lane).collect();
        lanes.sort_unstable();
        lanes.dedup();
        for lane in lanes {
            self.stir.stir(lane);
        }
    }

    async fn store(&self, batch: &[Waiting]) -> Vec<Result<Enqueued, QueueError>> {
        match self.try_store(batch).await {
            Ok(outcomes) => outcomes,
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    async fn try_store(&self, batch: &[Waiting]) -> Result<Vec<Result<Enqueued, QueueError>>, QueueError> {
        let mut firsts: Vec<usize> = Vec::with_capacity(batch.len());
        let mut stored: HashMap<Uuid, Content> = HashMap::new();
        let mut first_of: HashMap<Uuid, usize> = HashMap::with_capacity(batch.len());
        for (at, waiting) in batch.iter().enumerate() {
            if let Slot::Vacant(slot) = first_of.entry(waiting.new.submission) {
                slot.insert(at);
                firsts.push(at);
            }
        }
        let (room, why) = self.bounds.room();
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        if room < firsts.len() {
            // What is stored already is stored, full or not, and takes no room.
            stored =
                self::stored(&self.pool, firsts.iter().map(|at| batch[*at].new.submission).collect()).await?;
            firsts.retain(|at| !stored.contains_key(&batch[*at].new.submission));
            firsts.truncate(room);
        }
        let inserted = self.insert(firsts.iter().map(|at| &batch[*at].new).collect()).await?;
        let lost = firsts.iter().map(|at| batch[*at].new.submission).filter(|id| !inserted.contains_key(id));
        let lost: Vec<Uuid> = lost.collect();
        if !lost.is_empty() {
            stored.extend(self::stored(&self.pool, lost).await?);
        }
        let outcome = |(at, waiting): (usize, &Waiting)| {
            let new = &waiting.new;
            let first = first_of.get(&new.submission) == Some(&at);
            if first && inserted.contains_key(&new.submission) {
                return Ok(Enqueued::Stored);
            }
            match inserted.get(&new.submission).or_else(|| stored.get(&new.submission)) {
                Some(there) if *there == content(&new.survey, new.fingerprint) => Ok(Enqueued::Repeated),
                Some(_) => Ok(Enqueued::Conflict),
                None => Err(QueueError::Full(why.clone())),
            }
        };
        Ok(batch.iter().enumerate().map(outcome).collect())
    }

    /// Inserts what is not there yet; gives what came in.
    async fn insert(&self, new: Vec<&NewEntry>) -> Result<HashMap<Uuid, Content>, QueueError> {
        if new.is_empty() {
            return Ok(HashMap::new());
        }
        let submissions: Vec<Uuid> = new.iter().map(|new| new.submission).collect();
        let fingerprints: Vec<&[u8]> = new.iter().map(|new| &new.fingerprint[..]).collect();
        let lanes: Vec<String> = new.iter().map(|new| clean(new.lane.as_str())).collect();
        let priorities: Vec<i16> = new.iter().map(|new| new.priority as i16).collect();
        let surveys: Vec<&str> = new.iter().map(|new| new.survey.as_str()).collect();
        let accepted: Vec<i64> = new.iter().map(|new| millis(new.accepted_at)).collect();
        let bodies: Vec<&[u8]> = new.iter().map(|new| &new.body[..]).collect();
        let rows = once(
            &self.pool,
            LIMIT,
            INSERT,
            &[
                (&submissions, Type::UUID_ARRAY),
                (&fingerprints, Type::BYTEA_ARRAY),
                (&lanes, Type::TEXT_ARRAY),
                (&priorities, Type::INT2_ARRAY),
                (&surveys, Type::TEXT_ARRAY),
                (&accepted, Type::INT8_ARRAY),
                (&bodies, Type::BYTEA_ARRAY),
            ],
        )
        .await?;
        let known: HashMap<Uuid, &NewEntry> = new.iter().map(|new| (new.submission, *new)).collect();
        let mut inserted = HashMap::with_capacity(rows.len());
        let mut bytes = 0;
        for row in &rows {
            let submission: Uuid = get(row, 0)?;
            if let Some(new) = known.get(&submission) {
                bytes += new.body.len();
                inserted.insert(submission, content(&new.survey, new.fingerprint));
            }
        }
        self.bounds.opened(inserted.len(), bytes);
        Ok(inserted)
    }
}

/// What is stored under some UUIDs.
pub(super) async fn stored(
    pool: &Pool,
    submissions: Vec<Uuid>,
) -> Result<HashMap<Uuid, Content>, QueueError> {
    let rows = once(pool, LIMIT, STORED, &[(&submissions, Type::UUID_ARRAY)]).await?;
    rows.iter().map(|row| Ok((get(row, 0)?, (get(row, 1)?, get(row, 2)?)))).collect()
}
