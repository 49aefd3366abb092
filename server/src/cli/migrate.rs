//! `afterword migrate`: moves a SQLite queue into the store of a configuration.
//!
//! What is in the new store already stays as it is, so a run that was interrupted is run again. The old
//! file is set aside only after everything was found in the new store.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use clap::Args;

use crate::config::Store;
use crate::queue::{
    self, EntryId, Filter, History, Options, QueueError, Records, Series, SqliteQueue, State, Wanted,
};

/// Entries that are moved in one transaction.
const PAGE: u32 = 1_000;

#[derive(Args)]
pub(super) struct Migrate {
    /// The configuration file that names the new store
    #[arg(long, short, env = "AFTERWORD_CONFIG", value_name = "FILE")]
    config: PathBuf,
    /// The old store: sqlite: and the path of its file
    #[arg(long, value_name = "sqlite:FILE")]
    from: String,
}

pub(super) async fn migrate(arguments: Migrate) -> anyhow::Result<()> {
    let config = super::load(&arguments.config)?;
    let old = arguments.from.strip_prefix("sqlite:").filter(|path| !path.is_empty());
    let old = Path::new(old.context("--from has to be sqlite: and the path of a file")?);
    let (moved, aside) = run(old, &config.store).await?;
    println!("{}: all {} entries are in {}.", old.display(), moved.of, config.store);
    println!("  moved now     {}", moved.new);
    println!("  there before  {}", moved.of - moved.new);
    if moved.sending > 0 {
        println!("  {} were being sent: their lane's owner sees to them when it starts.", moved.sending);
    }
    println!(
        "The old file is now {}; it holds answers: delete it when you need it no more.",
        aside.display()
    );
    Ok(())
}

/// Moves everything; gives where the old file is then.
async fn run(old: &Path, new: &Store) -> anyhow::Result<(Moved, PathBuf)> {
    let mut aside = old.as_os_str().to_owned();
    aside.push(".moved");
    let aside = PathBuf::from(aside);
    ensure!(!aside.exists(), "{} is there already: it was moved before; put that file away", aside.display());
    ensure!(old.is_file(), "there is no file {}", old.display());
    if let Store::Sqlite(new) = new
        && new.canonicalize().is_ok_and(|new| old.canonicalize().is_ok_and(|old| old == new))
    {
        bail!("the configuration's store is the file that is to be moved: name the new store in it");
    }
    let from = SqliteQueue::open(old, Options::default())?;
    let to = queue::open(new, Options::default()).await?;
    let moved = copy(&from, &*to).await?;
    copy_counts(&from, &*to).await.context("what was counted could not be moved")?;
    from.set_aside(&aside)?;
    Ok((moved, aside))
}

/// What was moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Moved {
    /// Entries of the old store.
    of: u64,
    /// Those that were not in the new one.
    new: u64,
    /// Those whose call was being made when the old server ended.
    sending: u64,
}

async fn copy(from: &dyn Records, to: &dyn Records) -> anyhow::Result<Moved> {
    let (mut moved, mut after) = (Moved::default(), None::<EntryId>);
    loop {
        let page = from.page(&Filter::default(), after, PAGE).await.context("cannot read the old store")?;
        let Some(last) = page.last() else { return Ok(moved) };
        after = Some(last.id);
        let submissions: Vec<_> = page.iter().map(|record| record.submission).collect();
        let mut records = Vec::with_capacity(page.len());
        for record in page {
            let attempts = from.attempts(record.id).await.context("cannot read the old store")?;
            moved.sending += u64::from(record.state == State::Sending);
            records.push((record, attempts));
        }
        moved.new += to.adopt(records).await.context("cannot write the new store")?;
        let count = submissions.len();
        let there = to.page(&Filter { submissions, ..Filter::default() }, None, PAGE).await?.len();
        ensure!(there == count, "of {count} entries only {there} are in the new store; nothing is given up");
        moved.of += count as u64;
    }
}

/// What was counted goes last and at once, right before the old file is set aside: it is added, so a second time would
/// count it twice.
async fn copy_counts(from: &dyn History, to: &dyn History) -> Result<(), QueueError> {
    let mut counts = Vec::new();
    for series in Series::ALL {
        counts.extend(from.counted(&Wanted::of(series, jiff::Timestamp::UNIX_EPOCH)).await?);
    }
    to.record(counts).await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use scratch_postgres::Cluster;
    use uuid::Uuid;

    use super::*;
    use crate::config::{Database, PlatformName};
    use crate::queue::tests::open_again;
    use crate::queue::{Attempt, Inbox as _, NewEntry, Priority, Record, SharedQueue};
    use crate::waiting::seen;

    const ROWS: u128 = 2_500;

    fn attempt(number: u128) -> Attempt {
        let at = Timestamp::from_millisecond(i64::try_from(number).unwrap()).unwrap();
        Attempt { at, verdict: "later".into(), status: Some(503), error: Some("busy".into()) }
    }

    /// A store with entries in all states.
    async fn fill(path: &Path) {
        let queue = SqliteQueue::open(path, Options::default()).unwrap();
        let first = NewEntry {
            lane: PlatformName::new("main"),
            priority: Priority::Visitor,
            survey: "checkout".parse().unwrap(),
            submission: Uuid::from_u128(1 << 64),
            fingerprint: [7; 32],
            body: vec![1, 2, 3],
            accepted_at: Timestamp::from_second(1_700_000_000).unwrap(),
        };
        queue.enqueue(first).await.unwrap();
        let template = queue.page(&Filter::default(), None, 1).await.unwrap().remove(0);
        let record = |number: u128| {
            let state = State::ALL[usize::try_from(number % 8).unwrap()];
            let kept = !matches!(state, State::Delivered | State::Discarded);
            let record = Record {
                submission: Uuid::from_u128((ROWS - number) << 64),
                state,
                attempts: u32::try_from(number % 5).unwrap(),
                sent_at: (!number.is_multiple_of(3)).then_some(template.accepted_at),
                body: kept.then(|| number.to_be_bytes().to_vec()),
                last_error: kept.then(|| format!("error {number}")),
                ..template.clone()
            };
            let attempts = if kept { (0..number % 3).map(attempt).collect() } else { Vec::new() };
            (record, attempts)
        };
        queue.adopt((0..ROWS - 1).map(record).collect()).await.unwrap();
    }

    /// Everything in a store, but for ids.
    async fn content(queue: &dyn Records) -> Vec<(Record, Vec<Attempt>)> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = queue.page(&Filter::default(), after, 700).await.unwrap();
            let Some(last) = page.last() else { return all };
            after = Some(last.id);
            for record in page {
                let attempts = queue.attempts(record.id).await.unwrap();
                all.push((record, attempts));
            }
        }
    }

    /// Runs it on files that a store of ours may have had a moment ago.
    async fn run_again(old: &Path, new: &Store) -> anyhow::Result<(Moved, PathBuf)> {
        let tried = async || match run(old, new).await {
            Err(error) if matches!(error.downcast_ref(), Some(QueueError::InUse { .. })) => None,
            done => Some(done),
        };
        seen(tried).await.unwrap()
    }

    /// Opens one that is not used any more.
    async fn opened(store: &Store) -> SharedQueue {
        match store {
            Store::Sqlite(path) => Arc::new(open_again(path, Options::default()).unwrap()),
            Store::Postgres(_) => queue::open(store, Options::default()).await.unwrap(),
        }
    }

    async fn is_moved_whole(new: &Store) {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("queue.db");
        fill(&old).await;
        let before = content(&open_again(&old, Options::default()).unwrap()).await;
        assert_eq!(before.len() as u128, ROWS);

        // A first run that was cut off after 1,200 of them.
        let to = opened(new).await;
        to.adopt(before[..1_200].to_vec()).await.unwrap();
        drop(to);

        let (moved, aside) = run_again(&old, new).await.unwrap();
        let sending = before.iter().filter(|(record, _)| record.state == State::Sending).count() as u64;
        assert_eq!(moved, Moved { of: 2_500, new: 1_300, sending });
        assert!(aside.ends_with("queue.db.moved") && aside.is_file() && !old.exists());
        let after = content(&*opened(new).await).await;
        assert_eq!(after.len(), before.len());
        for ((one, ones), (other, others)) in before.iter().zip(&after) {
            assert!(Record { id: other.id, ..one.clone() } == *other, "{} differs", one.submission);
            assert_eq!(ones, others);
        }
        let again = run(&old, new).await.unwrap_err().to_string();
        assert!(again.contains("moved before"), "{again}");
    }

    #[tokio::test]
    async fn a_queue_is_moved_whole_into_a_database_also_after_an_interruption() {
        let url = Cluster::shared().database().await.unwrap();
        is_moved_whole(&Store::Postgres(Box::new(Database::parse(&url).unwrap()))).await;
    }

    #[tokio::test]
    async fn a_queue_is_moved_whole_into_another_file() {
        let folder = tempfile::tempdir().unwrap();
        is_moved_whole(&Store::Sqlite(folder.path().join("new.db"))).await;
    }

    #[tokio::test]
    async fn a_queue_is_not_moved_while_a_server_uses_it_nor_onto_itself_nor_out_of_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (folder.path().join("queue.db"), Store::Sqlite(folder.path().join("new.db")));
        assert!(run(&old, &new).await.unwrap_err().to_string().contains("there is no file"));
        let server = SqliteQueue::open(&old, Options::default()).unwrap();
        assert!(run(&old, &new).await.unwrap_err().to_string().contains("another server uses it"));
        drop(server);
        let itself = run(&old, &Store::Sqlite(old.clone())).await.unwrap_err().to_string();
        assert!(itself.contains("is to be moved"), "{itself}");
        assert!(old.is_file());
    }
}
