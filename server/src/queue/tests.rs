//! One suite for every store: each test gets an empty queue from [`store`].

use std::future::Future as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::*;

fn store(folder: &Path) -> SqliteQueue {
    SqliteQueue::open(&folder.join("queue.db")).unwrap()
}

fn lane() -> PlatformName {
    PlatformName::new("main")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn new(number: u8, accepted_at: Timestamp) -> NewEntry {
    NewEntry {
        lane: lane(),
        priority: Priority::Visitor,
        survey: "checkout".parse().unwrap(),
        submission: Uuid::from_bytes([number; 16]),
        fingerprint: [number; 32],
        body: vec![number; 8],
        accepted_at,
    }
}

fn attempt(at: Timestamp, error: Option<&str>) -> Attempt {
    Attempt { at, verdict: "later", status: Some(503), error: error.map(Into::into) }
}

async fn reserve(queue: &dyn Queue, now: Timestamp) -> Option<u8> {
    queue.reserve(&lane(), now, &[]).await.unwrap().map(|entry| entry.body[0])
}

#[tokio::test]
async fn a_submission_is_stored_once_whatever_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let queue = store(folder.path());
    assert_eq!(queue.enqueue(new(1, at(0))).await.unwrap(), Enqueued::Stored);
    assert_eq!(queue.enqueue(new(1, at(9))).await.unwrap(), Enqueued::Repeated);
    let other = NewEntry { fingerprint: [9; 32], ..new(1, at(0)) };
    assert_eq!(queue.enqueue(other).await.unwrap(), Enqueued::Conflict);
    let elsewhere = NewEntry { survey: "other".parse().unwrap(), ..new(1, at(0)) };
    assert_eq!(queue.enqueue(elsewhere).await.unwrap(), Enqueued::Conflict);
    assert_eq!(reserve(&queue, at(0)).await, Some(1));
    assert_eq!(reserve(&queue, at(0)).await, None);
}

#[tokio::test]
async fn what_is_due_goes_first_in_first_out_and_visitors_before_operators() {
    let folder = tempfile::tempdir().unwrap();
    let queue = store(folder.path());
    queue.enqueue(NewEntry { priority: Priority::Operator, ..new(1, at(0)) }).await.unwrap();
    for number in 2..5 {
        queue.enqueue(new(number, at(0))).await.unwrap();
    }
    let second = queue.reserve(&lane(), at(0), &[]).await.unwrap().unwrap();
    queue.settle(second.id, Settlement::Later(at(5)), attempt(at(1), Some("busy"))).await.unwrap();
    assert_eq!(reserve(&queue, at(4)).await, Some(3), "the delayed one is not due");
    assert_eq!(reserve(&queue, at(5)).await, Some(2), "it is due, and older than the rest");
    assert_eq!(reserve(&queue, at(5)).await, Some(4));
    assert_eq!(reserve(&queue, at(5)).await, Some(1));
}

#[tokio::test]
async fn a_lane_knows_when_it_has_something_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let queue = store(folder.path());
    let due = async |now| queue.due(&lane(), now, &[]).await.unwrap();
    assert_eq!(due(at(0)).await, Due::Never);
    queue.enqueue(new(1, at(0))).await.unwrap();
    assert_eq!(due(at(0)).await, Due::Now);
    let skipped = ["checkout".parse().unwrap()];
    assert_eq!(queue.due(&lane(), at(0), &skipped).await.unwrap(), Due::Never);
    assert!(queue.reserve(&lane(), at(0), &skipped).await.unwrap().is_none());
    let entry = queue.reserve(&lane(), at(0), &[]).await.unwrap().unwrap();
    assert_eq!(due(at(0)).await, Due::Never);
    queue.settle(entry.id, Settlement::Later(at(60)), attempt(at(1), None)).await.unwrap();
    assert_eq!(due(at(59)).await, Due::At(at(60)));
    assert_eq!(due(at(60)).await, Due::Now);
    queue.bring_forward(&lane(), at(10)).await.unwrap();
    assert_eq!(due(at(0)).await, Due::At(at(10)), "a wall clock that was set back delays nothing");
}

#[tokio::test]
async fn an_entry_found_sending_after_a_restart_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let queue = store(folder.path());
    queue.enqueue(new(1, at(0))).await.unwrap();
    queue.enqueue(new(2, at(0))).await.unwrap();
    reserve(&queue, at(0)).await;
    drop(queue);

    let queue = store(folder.path());
    let interrupted = queue.interrupted(&lane()).await.unwrap();
    assert_eq!(interrupted.len(), 1);
    assert_eq!((interrupted[0].body[0], interrupted[0].attempts), (1, 1));
    assert_eq!(reserve(&queue, at(0)).await, Some(2), "it is not handed out by itself");
    queue.settle(interrupted[0].id, Settlement::Later(at(1)), attempt(at(1), Some("cut off"))).await.unwrap();
    assert_eq!(reserve(&queue, at(1)).await, Some(1));
}

#[tokio::test]
async fn only_an_entry_that_is_being_sent_can_be_settled_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let queue = store(folder.path());
    queue.enqueue(new(1, at(0))).await.unwrap();
    let entry = queue.reserve(&lane(), at(0), &[]).await.unwrap().unwrap();
    queue.settle(entry.id, Settlement::Delivered, attempt(at(1), None)).await.unwrap();
    let again = queue.settle(entry.id, Settlement::Dead, attempt(at(1), None)).await;
    assert!(matches!(again, Err(QueueError::NotSending(id)) if id == entry.id));
}

#[tokio::test]
async fn a_delivered_submission_is_forgotten_but_for_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let queue = store(folder.path());
    let body = b"some words of a visitor that must go".repeat(40);
    queue.enqueue(NewEntry { body: body.clone(), ..new(1, at(0)) }).await.unwrap();
    let entry = queue.reserve(&lane(), at(0), &[]).await.unwrap().unwrap();
    assert!(entry.body == body);
    queue.settle(entry.id, Settlement::Delivered, attempt(at(1), None)).await.unwrap();
    assert_eq!(queue.enqueue(new(1, at(2))).await.unwrap(), Enqueued::Repeated);
    assert_eq!(queue.forget_delivered(at(1)).await.unwrap(), 0);
    assert_eq!(queue.forget_delivered(at(2)).await.unwrap(), 1);
    assert_eq!(queue.enqueue(new(1, at(3))).await.unwrap(), Enqueued::Stored);
    // The last connection to close empties the log of changes.
    drop(queue);
    let file = std::fs::read(folder.path().join("queue.db")).unwrap();
    assert!(!file.windows(20).any(|part| part == &body[..20]), "the words are still in the file");
}

#[tokio::test]
async fn a_lane_hears_of_an_entry_whose_visitor_hung_up() {
    let folder = tempfile::tempdir().unwrap();
    let queue = store(folder.path());
    let mut stored = queue.stored();
    let mut hasty = Box::pin(queue.enqueue(new(1, at(0))));
    // The write is on its way after the first poll; then nobody waits for it any more.
    std::future::poll_fn(|context| {
        assert!(hasty.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    drop(hasty);
    stored.changed().await.unwrap();
    assert_eq!(reserve(&queue, at(0)).await, Some(1));
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_but_the_owner_can_read_the_store() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let queue = store(folder.path());
    queue.enqueue(new(1, at(0))).await.unwrap();
    for name in ["queue.db", "queue.db-wal", "queue.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

#[tokio::test]
async fn counts_and_failures_say_what_is_where() {
    let folder = tempfile::tempdir().unwrap();
    let queue = store(folder.path());
    assert_eq!(queue.counts().await.unwrap(), []);
    for number in 1..=6 {
        queue.enqueue(new(number, at(i64::from(number)))).await.unwrap();
    }
    for settlement in [Settlement::Delivered, Settlement::Later(at(99)), Settlement::Parked, Settlement::Dead]
    {
        let entry = queue.reserve(&lane(), at(10), &[]).await.unwrap().unwrap();
        let error = (settlement != Settlement::Delivered).then_some("its reason");
        let ended = at(10).checked_add(SignedDuration::from_secs(entry.id.0)).unwrap();
        queue.settle(entry.id, settlement, attempt(ended, error)).await.unwrap();
    }
    reserve(&queue, at(10)).await;
    let counts = queue.counts().await.unwrap();
    assert_eq!(counts.len(), 1);
    let lane = &counts[0];
    assert_eq!((lane.waiting, lane.delayed, lane.sending, lane.parked, lane.dead), (1, 1, 1, 1, 1));
    assert_eq!(lane.oldest, Some(at(2)), "parked and dead ones do not age a lane");
    let failures = queue.failures(10).await.unwrap();
    let states: Vec<_> = failures.iter().map(|failure| failure.state).collect();
    assert_eq!(states, ["dead", "parked", "delayed"], "newest first");
    assert_eq!(failures[0].error, "its reason");
}

#[tokio::test]
async fn many_writers_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let queue = std::sync::Arc::new(store(folder.path()));
    let mut stored = queue.stored();
    let writers = (0..200u8).map(|number| {
        let queue = std::sync::Arc::clone(&queue);
        tokio::spawn(async move { queue.enqueue(new(number, at(0))).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        assert_eq!(writer.await.unwrap().unwrap(), Enqueued::Stored);
    }
    assert_eq!(*stored.borrow_and_update(), 200);
    assert_eq!(queue.counts().await.unwrap()[0].waiting, 200);
}

#[tokio::test]
async fn a_second_server_on_the_same_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = store(folder.path());
    let second = SqliteQueue::open(&folder.path().join("queue.db"));
    assert!(second.is_err_and(|error| error.to_string().contains("another server uses it")));
}

#[tokio::test]
async fn a_store_that_cannot_be_used_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let reason = |path: &Path| SqliteQueue::open(path).map(|_| ()).unwrap_err().to_string();
    let missing = folder.path().join("nowhere/queue.db");
    assert!(reason(&missing).contains("is missing"), "{}", reason(&missing));

    let foreign = folder.path().join("foreign.db");
    std::fs::write(&foreign, "this is no database, however long one looks at it".repeat(100)).unwrap();
    assert!(reason(&foreign).contains("not a database"), "{}", reason(&foreign));

    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(reason(&other).contains("another program"), "{}", reason(&other));

    let newer = folder.path().join("newer.db");
    rusqlite::Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(reason(&newer).contains("newer Afterword"), "{}", reason(&newer));
}

#[tokio::test]
async fn the_store_proves_that_it_takes_writes() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path()).check().await.unwrap();
}
