//! What only the SQLite store has: a file.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Connection;

use super::suite::{new, reserve};
use super::{Bench, on_each, open_again};
use crate::queue::tests::suite::at;
use crate::queue::{Inbox as _, Options, QueueError, Records as _, SharedQueue, SqliteQueue};

struct File(tempfile::TempDir);

impl File {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

#[async_trait]
impl Bench for File {
    async fn open_with(&self, options: Options) -> SharedQueue {
        Arc::new(open_again(&self.0.path().join("queue.db"), options).unwrap())
    }
}

on_each!(async { File::new() });

fn open(folder: &Path) -> SqliteQueue {
    open_again(&folder.join("queue.db"), Options::default()).unwrap()
}

#[tokio::test]
async fn the_words_of_a_delivered_submission_leave_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    let body = b"some words of a visitor that must go".repeat(40);
    queue.enqueue(crate::queue::NewEntry { body: body.clone(), ..new(1, at(0)) }).await.unwrap();
    super::suite::deliver(&queue, at(1)).await;
    // The last connection to close empties the log of changes.
    drop(queue);
    let file = std::fs::read(folder.path().join("queue.db")).unwrap();
    assert!(!file.windows(20).any(|part| part == &body[..20]), "the words are still in the file");
}

#[tokio::test]
async fn nobody_but_the_owner_can_read_the_store() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    queue.enqueue(new(1, at(0))).await.unwrap();
    for name in ["queue.db", "queue.db-wal", "queue.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = open(folder.path());
    let second = SqliteQueue::open(&folder.path().join("queue.db"), Options::default());
    assert!(
        second
            .is_err_and(|error| matches!(&error, QueueError::InUse { store } if store.ends_with("queue.db")))
    );
}

#[tokio::test]
async fn a_store_that_cannot_be_used_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let reason =
        |path: &Path| SqliteQueue::open(path, Options::default()).map(|_| ()).unwrap_err().to_string();
    let missing = folder.path().join("nowhere/queue.db");
    assert!(reason(&missing).contains("is missing"), "{}", reason(&missing));

    let foreign = folder.path().join("foreign.db");
    std::fs::write(&foreign, "this is no database, however long one looks at it".repeat(100)).unwrap();
    assert!(reason(&foreign).contains("not a database"), "{}", reason(&foreign));

    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(reason(&other).contains("another program"), "{}", reason(&other));

    let newer = folder.path().join("newer.db");
    Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(reason(&newer).contains("newer Afterword"), "{}", reason(&newer));
}

fn store_error<T: std::fmt::Debug>(result: Result<T, QueueError>) -> String {
    match result {
        Err(QueueError::Store(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nothing_is_taken_while_the_file_is_gone_and_everything_is_there_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    queue.enqueue(new(1, at(0))).await.unwrap();
    let (file, away) = (folder.path().join("queue.db"), folder.path().join("away.db"));
    std::fs::rename(&file, &away).unwrap();
    assert!(store_error(queue.enqueue(new(2, at(0))).await).contains("is gone"));
    assert!(store_error(queue.check().await).contains("is gone"));
    assert!(store_error(queue.counts().await).contains("is gone"));
    std::fs::rename(&away, &file).unwrap();
    queue.check().await.unwrap();
    queue.enqueue(new(3, at(0))).await.unwrap();
    assert_eq!(reserve(&queue, at(0)).await, Some(1));
    assert_eq!(reserve(&queue, at(0)).await, Some(3));
}

#[tokio::test]
async fn a_file_that_was_replaced_is_taken_up_and_is_the_one_that_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let other = open(elsewhere.path());
    other.enqueue(new(7, at(0))).await.unwrap();
    drop(other);
    let queue = open(folder.path());
    queue.enqueue(new(1, at(0))).await.unwrap();
    std::fs::rename(elsewhere.path().join("queue.db"), folder.path().join("queue.db")).unwrap();
    for companion in ["queue.db-wal", "queue.db-shm"] {
        std::fs::remove_file(folder.path().join(companion)).unwrap();
    }
    queue.enqueue(new(8, at(0))).await.unwrap();
    assert_eq!(queue.counts().await.unwrap()[0].waiting, 2);
    drop(queue);
    let queue = open(folder.path());
    assert_eq!(reserve(&queue, at(0)).await, Some(7));
    assert_eq!(reserve(&queue, at(0)).await, Some(8), "it was durable where the name leads");
}

#[tokio::test]
async fn nothing_is_taken_while_another_program_holds_the_file_and_service_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    let other = Connection::open(folder.path().join("queue.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(store_error(queue.enqueue(new(1, at(0))).await).contains("locked"));
    other.execute_batch("ROLLBACK").unwrap();
    queue.enqueue(new(1, at(0))).await.unwrap();
    assert_eq!(reserve(&queue, at(0)).await, Some(1));
}

#[tokio::test]
async fn a_corrupt_file_is_named_and_nothing_is_thanked_for() {
    use std::os::unix::fs::FileExt as _;
    let folder = tempfile::tempdir().unwrap();
    let queue = open(folder.path());
    for number in 1..50 {
        queue.enqueue(new(number, at(0))).await.unwrap();
    }
    drop(queue);
    let path = folder.path().join("queue.db");
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    let length = file.metadata().unwrap().len();
    // Everything but the header and the schema's page.
    file.write_all_at(&vec![0xA5; usize::try_from(length - 4_096).unwrap()], 4_096).unwrap();
    match open_again(&path, Options::default()) {
        Err(error) => assert!(error.to_string().contains("malformed"), "{error}"),
        Ok(queue) => assert!(store_error(queue.enqueue(new(99, at(0))).await).contains("malformed")),
    }
}
