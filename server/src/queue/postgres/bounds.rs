//! How full the store is.
//!
//! Other servers add to it as well, and counting takes long when a million entries wait: so it is counted
//! when the store is opened and every few seconds after, and what this server adds and settles in between
//! is added to that. The bound is exact to within what others do between two counts.
//!
//! The bytes are those of the tables' files, which never shrink: once they are beyond the bound, it is what
//! the rows take in them that counts, since the room of rows that are gone is used again.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::time::Instant;

use super::connection::{REPORT_LIMIT, get, once};
use crate::queue::{Options, QueueError, State};

/// The time between two counts, at least.
const PAUSE: Duration = Duration::from_secs(3);
/// A count may take this part of the time, at most.
const SHARE: u32 = 20;
/// What an entry takes besides its body: columns, indexes, the versions of its row.
const ROW: i64 = 600;

#[derive(Clone, Copy, Default)]
struct Counted {
    entries: i64,
    bytes: i64,
}

/// The bounds and what is known of the store.
pub(super) struct Bounds {
    options: Options,
    /// The last count, less what this server had added by itself before it began.
    counted: Mutex<Counted>,
    added_entries: AtomicI64,
    added_bytes: AtomicI64,
}

impl Bounds {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            counted: Mutex::default(),
            added_entries: AtomicI64::new(0),
            added_bytes: AtomicI64::new(0),
        }
    }

    /// True if delivered entries keep their bodies for a while.
    pub(super) fn keeps_delivered(&self) -> bool {
        !self.options.keep_delivered.is_zero()
    }

    fn added(&self) -> Counted {
        let (entries, bytes) =
            (self.added_entries.load(Ordering::Relaxed), self.added_bytes.load(Ordering::Relaxed));
        Counted { entries, bytes }
    }

    fn present(&self) -> Counted {
        let added = self.added();
        let counted = *self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        Counted {
            entries: (counted.entries + added.entries).max(0),
            bytes: (counted.bytes + added.bytes).max(0),
        }
    }

    /// How many entries may come in, and why no more.
    pub(super) fn room(&self) -> (u64, String) {
        let present = self.present();
        if present.bytes.unsigned_abs() >= self.options.max_bytes {
            return (0, format!("{} bytes, the bound is {}", present.bytes, self.options.max_bytes));
        }
        let entries = present.entries.unsigned_abs();
        let most = self.options.max_entries;
        (most.saturating_sub(entries), format!("{} entries, the bound is {most}", entries.max(most)))
    }

    /// Notes entries that came in, with the bytes of their bodies.
    pub(super) fn opened(&self, entries: usize, bytes: usize) {
        let entries = i64::try_from(entries).unwrap_or(i64::MAX);
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX).saturating_add(entries.saturating_mul(ROW));
        self.added_entries.fetch_add(entries, Ordering::Relaxed);
        self.added_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Notes entries that are settled for good.
    pub(super) fn closed(&self, entries: usize) {
        self.added_entries.fetch_sub(i64::try_from(entries).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// Counts. What commits meanwhile may be counted twice until the next time.
    pub(super) async fn count(&self, pool: &Pool) -> Result<(), QueueError> {
        let before = self.added();
        let parts: Vec<String> = State::OPEN
            .iter()
            .map(|state| format!("(SELECT count(*) FROM afterword.entry WHERE state = {})", state.code()))
            .collect();
        let query = format!(
            "SELECT {}, pg_total_relation_size('afterword.entry') + pg_total_relation_size('afterword.attempt')",
            parts.join(" + ")
        );
        let rows = once(pool, REPORT_LIMIT, &query, &[]).await?;
        let Some(row) = rows.first() else { return Ok(()) };
        let mut counted = Counted { entries: get(row, 0)?, bytes: get(row, 1)? };
        if counted.bytes.unsigned_abs() >= self.options.max_bytes {
            counted.bytes = rows_bytes(pool).await.map_or(counted.bytes, |rows| rows.min(counted.bytes));
        }
        *self.counted.lock().unwrap_or_else(PoisonError::into_inner) =
            Counted { entries: counted.entries - before.entries, bytes: counted.bytes - before.bytes };
        Ok(())
    }

    /// Counts again and again. While the database is away the last count holds; nothing is stored then.
    pub(super) async fn keep_counting(&self, pool: &Pool) {
        let mut pause = PAUSE;
        loop {
            // It was counted when the store was opened.
            tokio::time::sleep(pause).await;
            let begun = Instant::now();
            if let Err(error) = self.count(pool).await {
                tracing::debug!(%error, "the store's entries could not be counted");
            }
            pause = PAUSE.max(begun.elapsed() * SHARE);
        }
    }
}

/// About what the rows take that are there: reads the table, but no body.
async fn rows_bytes(pool: &Pool) -> Result<i64, QueueError> {
    let query = format!(
        "SELECT coalesce(sum({ROW} + coalesce(pg_column_size(body), 0)), 0)::bigint FROM afterword.entry"
    );
    let rows = once(pool, REPORT_LIMIT, &query, &[]).await?;
    rows.first().map_or(Ok(0), |row| get(row, 0))
}
