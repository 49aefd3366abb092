//! Several servers on one store.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::super::suite::{TOKEN, at, attempt, lane, new, own, pass, take};
use super::{Shared, fresh};
use crate::config::{PlatformName, TokenMark};
use crate::queue::{
    Change, Due, Enqueued, Inbox as _, Lanes, Lease, NewEntry, PostgresQueue, QueueError, Records as _,
    Settlement, State,
};
use crate::waiting::DEADLINE;

async fn held(lease: &mut watch::Receiver<Option<Lease>>) -> Lease {
    let held = tokio::time::timeout(DEADLINE, lease.wait_for(Option::is_some)).await.unwrap().unwrap();
    held.unwrap()
}

async fn stirred(stirred: &mut watch::Receiver<u64>) {
    tokio::time::timeout(DEADLINE, stirred.changed()).await.unwrap().unwrap();
}

/// A time for which a server was surely at work: it had a lease of the term.
#[derive(Debug)]
struct Work {
    from: Instant,
    to: Instant,
    term: u64,
}

/// Takes a lane a few times; holds it for a while, and gives it up in one way or the other.
async fn come_and_go(bench: Arc<Shared>, name: PlatformName, number: usize, log: Arc<Mutex<Vec<Work>>>) {
    let span = Duration::from_millis(600);
    let mut queue = bench.server().await;
    for turn in 0..6_usize {
        let mut lease = queue.lease(&name, TOKEN, span);
        let Lease { term, until } = held(&mut lease).await;
        let from = Instant::now();
        let pause = Duration::from_millis((number as u64 * 31 + turn as u64 * 97) % 400);
        tokio::time::sleep(pause).await;
        // Where the lease was lost meanwhile, nobody knows how often it was renewed before.
        let last = (*lease.borrow()).filter(|lease| lease.term == term);
        let until = last.map_or(until, |lease| lease.until).unwrap();
        if turn % 2 == 0 {
            log.lock().unwrap().push(Work { from, to: until.min(Instant::now()), term });
            queue.release(&name).await.unwrap();
        } else {
            // It dies, and its work ends when its lease does, at the latest.
            queue.freeze(&name, None);
            log.lock().unwrap().push(Work { from, to: until, term });
            queue = bench.server().await;
        }
    }
}

/// Lets three servers come and go, each with a lane that it has a name for, and sees that no two were at work together;
/// returns the terms in their order.
async fn at_work_one_by_one(name: impl Fn(usize) -> PlatformName) -> Vec<u64> {
    let bench = Arc::new(Shared::new().await);
    let log = Arc::new(Mutex::new(Vec::new()));
    let servers = (0..3)
        .map(|number| tokio::spawn(come_and_go(Arc::clone(&bench), name(number), number, Arc::clone(&log))));
    for server in servers.collect::<Vec<_>>() {
        server.await.unwrap();
    }
    let mut log = std::mem::take(&mut *log.lock().unwrap());
    assert_eq!(log.len(), 18);
    // On a slow machine some leases are over when they are seen.
    log.retain(|work| work.from < work.to);
    assert!(log.len() > 9, "{log:?}");
    log.sort_by_key(|work| work.from);
    for pair in log.windows(2) {
        assert!(pair[0].to <= pair[1].from, "two servers at work: {pair:?}");
    }
    log.iter().map(|work| work.term).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_never_hold_a_lane_together() {
    let terms = at_work_one_by_one(|_| lane()).await;
    assert!(terms.is_sorted_by(|one, next| one < next), "{terms:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_never_hold_a_token_together_whatever_they_call_its_lane() {
    at_work_one_by_one(|number| PlatformName::new(&format!("lane {number}"))).await;
}

#[tokio::test]
async fn a_lane_is_taken_over_after_its_owner_died_but_not_before_its_lease_has_ended() {
    let bench = Shared::new().await;
    let (mut first, second) = (bench.server().await, bench.server().await);
    let span = Duration::from_secs(3);
    let mut lease = first.lease(&lane(), TOKEN, span);
    let before = held(&mut lease).await;
    let mut wanted = second.lease(&lane(), TOKEN, span);
    first.freeze(&lane(), None);
    let last = lease.borrow().unwrap();
    drop(first);
    let after = held(&mut wanted).await;
    assert!(Instant::now() >= last.until.unwrap());
    assert!(after.term > before.term);
}

#[tokio::test]
async fn a_lane_that_was_released_need_not_be_waited_for() {
    let bench = Shared::new().await;
    let (first, second) = (bench.server().await, bench.server().await);
    let hour = Duration::from_hours(1);
    let mut lease = first.lease(&lane(), TOKEN, hour);
    held(&mut lease).await;
    let mut wanted = second.lease(&lane(), TOKEN, hour);
    first.release(&lane()).await.unwrap();
    assert_eq!(*lease.borrow(), None);
    held(&mut wanted).await;
    assert!(matches!(first.reserve(&lane(), at(0), &[]).await, Err(QueueError::NotOwner(_))));
    // It may come back.
    let mut again = first.lease(&lane(), TOKEN, hour);
    second.release(&lane()).await.unwrap();
    held(&mut again).await;
}

#[tokio::test]
async fn a_token_that_is_in_use_under_another_name_is_waited_for() {
    let bench = Shared::new().await;
    let (first, second) = (bench.server().await, bench.server().await);
    let (hour, renamed) = (Duration::from_hours(1), PlatformName::new("renamed"));
    let mut lease = first.lease(&lane(), TOKEN, hour);
    held(&mut lease).await;
    let mut wanted = second.lease(&renamed, TOKEN, hour);
    // What is free is had meanwhile, by the same request.
    held(&mut second.lease(&PlatformName::new("free"), TokenMark(2), hour)).await;
    held(&mut second.lease(&PlatformName::new("free too"), TokenMark(3), hour)).await;
    assert_eq!(*wanted.borrow(), None);
    // A lane whose name is ours, but whose token is not.
    let mut swapped = first.lease(&PlatformName::new("swapped"), TokenMark(2), hour);
    first.release(&lane()).await.unwrap();
    held(&mut wanted).await;
    assert_eq!(*swapped.borrow_and_update(), None);
    second.release(&PlatformName::new("free")).await.unwrap();
    held(&mut swapped).await;
}

#[tokio::test]
async fn a_lane_that_gets_another_token_is_held_anew() {
    let queue = Shared::new().await.server().await;
    let mut lease = queue.lease(&lane(), TOKEN, Duration::from_hours(1));
    let before = held(&mut lease).await;
    let mut lease = queue.lease(&lane(), TokenMark(2), Duration::from_hours(1));
    assert!(held(&mut lease).await.term > before.term);
}

#[tokio::test]
async fn a_lease_is_renewed_for_as_long_as_it_is_wanted() {
    let queue = Shared::new().await.server().await;
    let mut lease = queue.lease(&lane(), TOKEN, Duration::from_secs(6));
    let first = held(&mut lease).await;
    let renewed = |lease: &Option<Lease>| {
        let lease = lease.expect("it was lost");
        lease.until.unwrap() > first.until.unwrap() + Duration::from_secs(2) && lease.term == first.term
    };
    tokio::time::timeout(DEADLINE, lease.wait_for(renewed)).await.unwrap().unwrap();
}

/// A server that was frozen with an entry in hand, the server that took its lane over and dealt with the
/// entry, and the entry.
async fn overtaken(
    bench: &Shared,
    believes: Option<Instant>,
) -> (PostgresQueue, PostgresQueue, crate::queue::Entry) {
    let (mut frozen, other) = (bench.server().await, bench.server().await);
    frozen.enqueue(new(1, at(0))).await.unwrap();
    let mut lease = frozen.lease(&lane(), TOKEN, Duration::from_secs(3));
    held(&mut lease).await;
    let entry = frozen.reserve(&lane(), at(0), &[]).await.unwrap().unwrap();
    frozen.freeze(&lane(), believes);
    own(&other).await;
    let interrupted = other.interrupted(&lane()).await.unwrap();
    assert_eq!(interrupted[0].id, entry.id);
    let words = attempt(at(5), Some("found in flight"));
    other.settle(&lane(), entry.id, Settlement::Unknown(at(60)), words).await.unwrap();
    (frozen, other, entry)
}

async fn is_shut_out(frozen: &PostgresQueue, entry: &crate::queue::Entry) {
    let lane = lane();
    let settled = frozen.settle(&lane, entry.id, Settlement::Delivered, attempt(at(9), None)).await;
    for refused in [
        settled,
        frozen.reserve(&lane, at(9), &[]).await.map(|_| ()),
        frozen.postpone(&lane, &[entry.id], at(99)).await,
        frozen.bring_forward(&lane, at(1)).await,
        frozen.remember(&lane, "proof", "no").await,
    ] {
        assert!(matches!(&refused, Err(QueueError::NotOwner(name)) if *name == lane), "{refused:?}");
    }
}

#[tokio::test]
async fn a_server_that_was_frozen_finds_its_time_over_and_changes_nothing() {
    let bench = Shared::new().await;
    let (frozen, _other, entry) = overtaken(&bench, None).await;
    is_shut_out(&frozen, &entry).await;
}

#[tokio::test]
async fn a_server_whose_clock_stood_still_is_stopped_by_the_database() {
    let bench = Shared::new().await;
    let believes = Some(Instant::now() + Duration::from_hours(1));
    let (frozen, other, entry) = overtaken(&bench, believes).await;
    is_shut_out(&frozen, &entry).await;
    let kept = other.page(&crate::queue::Filter::default(), None, 9).await.unwrap();
    assert_eq!((kept[0].state, kept[0].due_at), (State::Unknown, at(60)));
    assert_eq!(other.recall(&lane(), "proof").await.unwrap(), None);
}

/// A dead letter, stored through one server.
async fn dead(owner: &PostgresQueue) -> crate::queue::EntryId {
    owner.enqueue(new(1, at(0))).await.unwrap();
    pass(owner, Settlement::Dead, attempt(at(1), Some("refused"))).await
}

#[tokio::test]
async fn an_owner_hears_of_what_other_servers_store_and_retry() {
    let bench = Shared::new().await;
    let (owner, other) = (bench.server().await, bench.server().await);
    let id = dead(&owner).await;
    let mut signal = owner.stirred(&lane());
    signal.mark_unchanged();
    assert_eq!(owner.due(&lane(), at(2), &[]).await.unwrap(), Due::Never);
    assert_eq!(other.change(&[id], Change::Retry, at(2)).await.unwrap(), [id]);
    stirred(&mut signal).await;
    assert!(take(&owner, at(2)).await.is_some());
    // Nothing but what is found when asked counts: also without a `due` in between.
    assert!(owner.reserve(&lane(), at(2), &[]).await.unwrap().is_none());
    other.enqueue(fresh()).await.unwrap();
    stirred(&mut signal).await;
}

#[tokio::test]
async fn a_survey_that_is_passed_by_hides_no_other_and_nobody_is_told_twice() {
    let bench = Shared::new().await;
    let (owner, other) = (bench.server().await, bench.server().await);
    let elsewhere = PlatformName::new("other");
    own(&owner).await;
    super::super::suite::own_lane(&owner, &elsewhere).await;
    let paused = ["checkout".parse().unwrap()];
    other.enqueue(fresh()).await.unwrap();
    assert_eq!(owner.due(&lane(), at(2), &paused).await.unwrap(), Due::Never);
    assert_eq!(owner.due(&elsewhere, at(2), &[]).await.unwrap(), Due::Never);
    let (mut ours, mut theirs) = (owner.stirred(&lane()), owner.stirred(&elsewhere));
    other.enqueue(NewEntry { survey: "returns".parse().unwrap(), ..fresh() }).await.unwrap();
    stirred(&mut ours).await;
    other.enqueue(NewEntry { lane: elsewhere, ..fresh() }).await.unwrap();
    stirred(&mut theirs).await;
    assert!(!ours.has_changed().unwrap(), "the lane has not looked since it was told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_get_the_same_submissions_at_once_store_each_of_them_once() {
    let bench = Shared::new().await;
    let servers = [Arc::new(bench.server().await), Arc::new(bench.server().await)];
    let mut senders = Vec::new();
    for number in 0..200_u8 {
        for (at_server, server) in servers.iter().enumerate() {
            let server = Arc::clone(server);
            // The other way round at the second one.
            let number = if at_server == 0 { number } else { 199 - number };
            let task = async move { (number, server.enqueue(new(number, at(0))).await.unwrap()) };
            senders.push(tokio::spawn(task));
        }
    }
    let (mut stored, mut repeated) = (BTreeSet::new(), 0);
    for sender in senders {
        match sender.await.unwrap() {
            (number, Enqueued::Stored) => assert!(stored.insert(number), "{number} was stored twice"),
            (_, Enqueued::Repeated) => repeated += 1,
            (number, Enqueued::Conflict) => panic!("{number} is in conflict with itself"),
        }
    }
    assert_eq!((stored.len(), repeated), (200, 200));
    assert_eq!(servers[0].counts().await.unwrap()[0].waiting, 200);
}

#[tokio::test]
async fn servers_that_start_together_make_one_schema() {
    let bench = Shared::new().await;
    let (one, two, three) = tokio::join!(bench.server(), bench.server(), bench.server());
    for queue in [one, two, three] {
        queue.check().await.unwrap();
    }
}

#[tokio::test]
async fn what_goes_to_another_lane_while_its_lock_is_waited_for_is_not_taken() {
    let bench = Shared::new().await;
    let queue = bench.server().await;
    own(&queue).await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    let (client, connection) = bench.0.settings.connect(tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute("BEGIN; UPDATE afterword.entry SET lane = 'other'").await.unwrap();
    let ((), taken) = tokio::join!(
        async {
            waits(&client).await;
            client.batch_execute("COMMIT").await.unwrap();
        },
        take(&queue, at(1))
    );
    assert!(taken.is_none(), "it would be called for in a lane that it has left, and that call forgotten");
    let counts = queue.counts().await.unwrap();
    assert_eq!(
        counts.iter().map(|count| (count.lane.as_str(), count.waiting)).collect::<Vec<_>>(),
        [("other", 1)]
    );
    drop(client);
    connection.await.unwrap().unwrap();
}

/// Waits until another session waits for a lock of this one's.
async fn waits(client: &tokio_postgres::Client) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND pg_backend_pid() = ANY (pg_blocking_pids(pid))";
    let blocked = async {
        while client.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, blocked).await.unwrap();
}
