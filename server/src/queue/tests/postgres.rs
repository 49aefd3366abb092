//! What only the PostgreSQL store has: a database that may be away. Other servers are in [`replicas`].

mod replicas;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use scratch_postgres::{Cluster, Stop};
use secrecy::SecretString;
use uuid::Uuid;

use super::suite::{at, attempt, deliver, lane, new, only, own, pass, reserve};
use super::{Bench, on_each};
use crate::config::Database;
use crate::queue::{
    Change, Enqueued, Filter, Inbox as _, Lanes as _, NewEntry, Options, PostgresQueue, QueueError,
    Records as _, Settlement, SharedQueue,
};
use crate::waiting::seen;

/// An empty database of the cluster that all tests share.
struct Shared(Database);

impl Shared {
    async fn new() -> Self {
        Self(database(&Cluster::shared().database().await.unwrap()))
    }

    async fn server(&self) -> PostgresQueue {
        server(&self.0).await
    }
}

fn database(url: &str) -> Database {
    Database::parse(url).unwrap()
}

async fn server(database: &Database) -> PostgresQueue {
    PostgresQueue::open(database, Options::default()).await.unwrap()
}

async fn refused(database: &Database) -> String {
    PostgresQueue::open(database, Options::default()).await.map(|_| ()).unwrap_err().to_string()
}

#[async_trait]
impl Bench for Shared {
    async fn open_with(&self, options: Options) -> SharedQueue {
        Arc::new(PostgresQueue::open(&self.0, options).await.unwrap())
    }
}

on_each!(Shared::new());

/// An entry with a UUID of its own.
fn fresh() -> NewEntry {
    NewEntry { submission: Uuid::new_v4(), ..new(1, at(0)) }
}

/// Tries until it works, as whoever calls a queue does.
async fn until_it_works<T>(mut attempt: impl AsyncFnMut() -> Result<T, QueueError>) -> T {
    let work = async {
        loop {
            match attempt().await {
                Ok(done) => return done,
                Err(QueueError::Store(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(other) => panic!("{other}"),
            }
        }
    };
    tokio::time::timeout(Duration::from_mins(1), work).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_crashes_under_load_loses_nothing_that_was_acknowledged() {
    // Its default would lose what was committed last; ours are told otherwise.
    let cluster = Cluster::start_with("synchronous_commit = off\nwal_writer_delay = '10s'").unwrap();
    let database = database(&cluster.database().await.unwrap());
    let queue = Arc::new(server(&database).await);
    own(&*queue).await;
    let (stored, crashes) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let writers = (0..16).map(|_| {
        let (queue, stored, crashes) = (Arc::clone(&queue), Arc::clone(&stored), Arc::clone(&crashes));
        tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            loop {
                let entry = fresh();
                let id = entry.submission;
                match queue.enqueue(entry).await {
                    Ok(outcome) => {
                        assert_eq!(outcome, Enqueued::Stored);
                        acknowledged.push(id);
                    }
                    Err(QueueError::Store(_)) if crashes.load(Ordering::Relaxed) => return acknowledged,
                    // The disk stood still.
                    Err(QueueError::Store(_)) => continue,
                    Err(other) => panic!("{other}"),
                }
                stored.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let enough = async || (stored.load(Ordering::Relaxed) >= 500).then_some(());
    assert!(seen(enough).await.is_some(), "{stored:?} are stored");
    crashes.store(true, Ordering::Relaxed);
    cluster.stop(Stop::Immediate).unwrap();
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    assert!(matches!(queue.check().await, Err(QueueError::Store(_))));
    assert!(matches!(queue.counts().await, Err(QueueError::Store(_))));

    cluster.start_again().unwrap();
    until_it_works(async || queue.check().await).await;
    assert_eq!(until_it_works(async || queue.enqueue(fresh()).await).await, Enqueued::Stored);
    assert!(acknowledged.len() >= 500);
    for ids in acknowledged.chunks(100) {
        let filter = Filter { submissions: ids.to_vec(), ..Filter::default() };
        assert_eq!(queue.page(&filter, None, 200).await.unwrap().len(), ids.len());
    }
    assert!(reserve(&*queue, at(0)).await.is_some(), "the lane is ours, again or still");
}

#[tokio::test]
async fn a_database_without_fsync_is_refused() {
    let cluster = Cluster::start_with("fsync = off").unwrap();
    let reason = refused(&database(&cluster.url())).await;
    assert!(reason.contains("`fsync` is off"), "{reason}");
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_letter_is_refused() {
    let cluster = Cluster::shared();
    let (client, connection) =
        database(&cluster.url()).settings.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let create = "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";
    client.batch_execute(create).await.unwrap();
    let url = cluster.url();
    let (server, _) = url.rsplit_once('/').unwrap();
    let reason = refused(&database(&format!("{server}/latin"))).await;
    assert!(reason.contains("its encoding is LATIN1") && reason.contains("ENCODING 'UTF8'"), "{reason}");
}

#[tokio::test]
async fn a_database_that_never_answers_is_given_up_and_no_error_holds_the_password() {
    // It takes connections and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    for (place, words) in [("DATABASE", "set its password in DATABASE"), ("./here", "be read at ./here")] {
        let password = Some(SecretString::from(format!("unset:{place}")));
        let missing = Database { password, ..database(&format!("postgres://me@127.0.0.1:{port}/queue")) };
        assert!(refused(&missing).await.contains(words), "{place}");
    }
    let password = Some(SecretString::from("c2VjcmV0"));
    let asked = Database { password, ..database(&format!("postgres://me@127.0.0.1:{port}/queue")) };
    let reason = tokio::time::timeout(Duration::from_secs(10), refused(&asked)).await.unwrap();
    assert!(reason.contains("did not answer") && !reason.contains("c2VjcmV0"), "{reason}");
    // It is nobody else's, and nobody listens.
    let deaf = tokio::net::TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = deaf.local_addr().unwrap().port();
    let asked =
        Database { password: asked.password, ..database(&format!("postgres://me@127.0.0.1:{port}/queue")) };
    let reason = refused(&asked).await;
    assert!(reason.contains("refused") && !reason.contains("c2VjcmV0"), "{reason}");
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_refused() {
    let bench = Shared::new().await;
    drop(bench.server().await);
    let (client, connection) = bench.0.settings.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("UPDATE afterword.version SET applied = 99").await.unwrap();
    let reason = refused(&bench.0).await;
    assert!(reason.contains("newer Afterword"), "{reason}");
}

#[tokio::test]
async fn words_that_the_database_cannot_hold_keep_no_entry_from_being_settled() {
    let queue = Shared::new().await.server().await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    let id = pass(&queue, Settlement::Dead, attempt(at(1), Some("a \0 in it"))).await;
    assert_eq!(queue.attempts(id).await.unwrap()[0].error.as_deref(), Some("a \u{FFFD} in it"));
    queue.remember(&lane(), "words", "\0").await.unwrap();
}

#[tokio::test]
async fn a_settlement_whose_answer_was_lost_can_be_made_again() {
    let bench = Shared::new().await;
    let queue: SharedQueue = bench.open().await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    let id = deliver(&*queue, at(1)).await;
    queue.settle(&lane(), id, Settlement::Delivered, attempt(at(1), None)).await.unwrap();
    let other = queue.settle(&lane(), id, Settlement::Delivered, attempt(at(2), None)).await;
    assert!(matches!(other, Err(QueueError::NotSending(_))));
    assert_eq!(only(&queue).await.settled_at, Some(at(1)));
}

#[tokio::test]
async fn the_room_of_entries_that_are_gone_is_used_again() {
    let bench = Shared::new().await;
    let narrow = Options { max_bytes: 600_000, ..Options::default() };
    let queue = bench.open_with(narrow).await;
    let mut ids = Vec::new();
    let refused = loop {
        // Bodies that do not compress.
        let body = (0..250).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
        match queue.enqueue(NewEntry { body, ..fresh() }).await {
            Ok(_) => assert!(ids.len() < 1_000),
            Err(error) => break error,
        }
        ids =
            queue.page(&Filter::default(), None, 1_000).await.unwrap().iter().map(|entry| entry.id).collect();
    };
    assert!(matches!(&refused, QueueError::Full(words) if words.contains("bytes")), "{refused:?}");
    assert_eq!(queue.change(&ids, Change::Discard, at(1)).await.unwrap().len(), ids.len());
    queue.forget_settled(at(2)).await.unwrap();
    drop(queue);
    let queue = bench.open_with(narrow).await;
    assert_eq!(queue.enqueue(fresh()).await.unwrap(), Enqueued::Stored);
}

#[tokio::test]
async fn what_a_commit_that_hangs_has_begun_is_waited_for() {
    let bench = Shared::new().await;
    let queue = bench.server().await;
    queue.enqueue(fresh()).await.unwrap();
    own(&queue).await;
    let (client, connection) = bench.0.settings.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    // As a reservation of ours whose commit is still on its way to the disk, and that nobody waits for any more.
    let begun = "BEGIN; SELECT FROM afterword.lease WHERE lane = 'main' FOR KEY SHARE;
                 UPDATE afterword.entry SET state = 2, attempts = 1, sent_at = 1";
    client.batch_execute(begun).await.unwrap();
    let lane = lane();
    let mut looked = Box::pin(queue.interrupted(&lane));
    assert!(tokio::time::timeout(Duration::from_millis(300), &mut looked).await.is_err());
    client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(looked.await.unwrap().len(), 1);
}
