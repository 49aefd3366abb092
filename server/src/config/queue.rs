//! `[queue]`: how much may wait, and what is kept of what has arrived.

use std::time::Duration;

use super::reader::{Table, Value};

/// The queue's bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueBounds {
    /// Entries that are neither delivered nor discarded, at most.
    pub max_entries: u64,
    /// Bytes that the store may use, at most.
    pub max_bytes: u64,
    /// For how long a delivered submission is kept; zero forgets it on delivery.
    pub keep_delivered: Duration,
}

/// A million entries, 16 GiB, and nothing delivered is kept.
impl Default for QueueBounds {
    fn default() -> Self {
        Self { max_entries: 1_000_000, max_bytes: 16 << 30, keep_delivered: Duration::ZERO }
    }
}

/// The longest that anything delivered is kept: its UUID is forgotten then, too.
const LONGEST_KEPT: Duration = Duration::from_hours(30 * 24);

pub(super) fn read(root: &Table<'_>) -> Option<QueueBounds> {
    let default = QueueBounds::default();
    let Some(value) = root.get("queue") else { return Some(default) };
    let table = value.table()?;
    let max_entries = table.get("max_entries").map_or(Some(default.max_entries), |value| entries(&value));
    let max_bytes = table.get("max_bytes").map_or(Some(default.max_bytes), |value| bytes(&value));
    let keep_delivered = table
        .get("keep_delivered")
        .map_or(Some(default.keep_delivered), |value| value.duration(Duration::ZERO, LONGEST_KEPT));
    table.finish();
    Some(QueueBounds { max_entries: max_entries?, max_bytes: max_bytes?, keep_delivered: keep_delivered? })
}

fn entries(value: &Value<'_>) -> Option<u64> {
    let entries = value.integer()?;
    let positive = u64::try_from(entries).ok().filter(|entries| *entries > 0);
    if positive.is_none() {
        value.problem("a queue without room for an entry takes nothing", "write 1000000");
    }
    positive
}

/// A number of bytes like `"4GiB"`.
fn bytes(value: &Value<'_>) -> Option<u64> {
    const HINT: &str = "write a number and a unit, \"512MiB\" or \"4GiB\", of 1MiB at least";
    let text = value.string()?;
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unit: u64 = match text[digits..].trim_start() {
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => 0,
    };
    let bytes = text[..digits].parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    let bytes = bytes.filter(|bytes| *bytes > 0);
    if bytes.is_none() {
        value.problem(format!("{text:?} is no size"), HINT);
    }
    bytes
}
