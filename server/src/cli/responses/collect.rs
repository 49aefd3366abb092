//! Asking for one part after the other.
//!
//! Two parts that follow each other have a moment in common: the page does not say to which of both it belongs. What
//! comes twice is kept once.

use std::collections::HashSet;
use std::io::{BufWriter, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::bail;
use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;

use super::spool::Spool;
use crate::cli::desk::Desk;
use crate::cli::patience::{Patience, Progress, again, ahead, in_full, report};
use crate::config::{Platform, Survey};
use crate::platform::{Answered, LONGEST_WINDOW};

/// The parts that are still to come.
fn parts(mut from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let longest = SignedDuration::try_from(LONGEST_WINDOW).unwrap_or(SignedDuration::from_hours(24));
    let mut parts = Vec::new();
    while from < to {
        let end = from.checked_add(longest).map_or(to, |end| end.min(to));
        parts.push((from, end));
        from = end;
    }
    parts
}

/// Collects everything that is not there yet, up to `now` at most.
pub(super) async fn collect(
    desk: &mut Desk,
    platform: &Platform,
    survey: &Survey,
    spool: &mut Spool,
    now: Timestamp,
) -> anyhow::Result<()> {
    let end = spool.task().to.min(now);
    let parts = parts(spool.until(), end);
    let mut known = known(spool)?;
    let mut patience = Patience::new(platform);
    if let Some(words) = ahead(parts.len(), platform) {
        eprintln!("{words}");
    }
    let mut progress = Progress::of(parts.len(), "calls");
    for ((from, to), count) in parts.into_iter().zip(1..) {
        progress.at(format!("{} to {}", day(from), day(to)));
        let came = loop {
            let call = async || desk.responses(&survey.touchpoint, from, to).await;
            let responses = report(&mut patience, |words| progress.tell(words), call).await?;
            // What an attempt before has left is dropped.
            let lines = BufWriter::new(spool.lines_to_come()?);
            let part = Arc::new(Mutex::new(Part { lines, known, came: 0, end, failed: None }));
            let taking = Arc::clone(&part);
            let read = responses.each(move |raw: Box<RawValue>| {
                taking.lock().unwrap_or_else(PoisonError::into_inner).take(&raw);
            });
            let read = read.await;
            let part =
                Arc::into_inner(part).map(|part| part.into_inner().unwrap_or_else(PoisonError::into_inner));
            let Some(mut part) = part else { bail!("a part is still being read") };
            part.lines.flush()?;
            known = part.known;
            if let Some(failed) = part.failed {
                return Err(failed);
            }
            match read {
                Ok(()) => {
                    patience.answered();
                    break part.came;
                }
                Err(error) => {
                    // What came of it is not known of any more: it comes again.
                    known = self::known(spool)?;
                    let Some(pause) = patience.failed(None) else { bail!(in_full(&error)) };
                    progress.tell(&again(&error, pause));
                    tokio::time::sleep(pause).await;
                }
            }
        };
        spool.came(to, came)?;
        progress.done(count);
    }
    progress.clear();
    Ok(())
}

/// A part that is being read.
struct Part {
    lines: BufWriter<std::fs::File>,
    known: HashSet<String>,
    came: u64,
    end: Timestamp,
    failed: Option<anyhow::Error>,
}

impl Part {
    fn take(&mut self, raw: &RawValue) {
        if self.failed.is_some() {
            return;
        }
        // What cannot be understood is kept as it is: nobody knows when it was, or whether it is there.
        if let Ok(answered) = Answered::read(raw.get()) {
            // The end is no part of the time any more.
            if answered.at.parse::<Timestamp>().is_ok_and(|at| at >= self.end) {
                return;
            }
            if !answered.id.is_empty() && !self.known.insert(answered.id) {
                return;
            }
        }
        // An object may be written over several lines.
        let line = raw.get().replace(['\n', '\r'], " ");
        if let Err(error) = writeln!(self.lines, "{line}") {
            self.failed = Some(error.into());
        }
        self.came += 1;
    }
}

/// The platform's names of what is there.
fn known(spool: &Spool) -> anyhow::Result<HashSet<String>> {
    let mut known = HashSet::new();
    for line in spool.each()? {
        known.extend(Answered::read(&line?).ok().map(|answered| answered.id));
    }
    Ok(known)
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_31_days_at_most_without_gap() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (from, to) = (at("2025-01-01T00:00:00Z"), at("2026-03-01T00:00:01Z"));
        let parts = parts(from, to);
        assert_eq!((parts[0].0, parts.last().unwrap().1, parts.len()), (from, to, 14));
        assert!(parts.windows(2).all(|pair| pair[0].1 == pair[1].0));
        let longest = SignedDuration::try_from(LONGEST_WINDOW).unwrap();
        assert!(parts.iter().all(|(from, to)| from < to && to.duration_since(*from) <= longest));
        assert!(super::parts(to, to).is_empty());
    }
}
