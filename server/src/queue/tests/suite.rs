//! One suite for every store.

use std::future::Future as _;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::Bench;
use crate::config::{PlatformName, TokenMark};
use crate::queue::*;
use crate::waiting::DEADLINE;

pub(super) fn lane() -> PlatformName {
    PlatformName::new("main")
}

pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

/// What the lane is worked with.
pub(super) const TOKEN: TokenMark = TokenMark(1);

pub(super) fn new(number: u8, accepted_at: Timestamp) -> NewEntry {
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

pub(super) fn attempt(at: Timestamp, error: Option<&str>) -> Attempt {
    Attempt { at, verdict: "later".into(), status: Some(503), error: error.map(Into::into) }
}

/// Waits until this process may work on the lane.
pub(super) async fn own(queue: &(impl Lanes + ?Sized)) {
    own_lane(queue, &lane()).await;
}

pub(super) async fn own_lane(queue: &(impl Lanes + ?Sized), lane: &PlatformName) {
    let mut lease = queue.lease(lane, TOKEN, Duration::from_mins(1));
    tokio::time::timeout(DEADLINE, lease.wait_for(Option::is_some)).await.unwrap().unwrap();
}

pub(super) async fn take(queue: &(impl Lanes + ?Sized), now: Timestamp) -> Option<Entry> {
    own(queue).await;
    queue.reserve(&lane(), now, &[]).await.unwrap()
}

pub(super) async fn reserve(queue: &(impl Lanes + ?Sized), now: Timestamp) -> Option<u8> {
    take(queue, now).await.map(|entry| entry.body[0])
}

async fn settle(queue: &(impl Lanes + ?Sized), id: EntryId, to: Settlement, attempt: Attempt) {
    queue.settle(&lane(), id, to, attempt).await.unwrap();
}

/// Takes the next entry and settles it.
pub(super) async fn pass(queue: &(impl Lanes + ?Sized), to: Settlement, attempt: Attempt) -> EntryId {
    let entry = take(queue, attempt.at).await.unwrap();
    settle(queue, entry.id, to, attempt).await;
    entry.id
}

pub(super) async fn deliver(queue: &(impl Lanes + ?Sized), at: Timestamp) -> EntryId {
    pass(queue, Settlement::Delivered, attempt(at, None)).await
}

async fn page(queue: &SharedQueue, filter: Filter) -> Vec<u8> {
    let page = queue.page(&filter, None, 100).await.unwrap();
    page.iter().map(|record| record.submission.as_bytes()[0]).collect()
}

pub(super) async fn only(queue: &SharedQueue) -> Record {
    queue.page(&Filter::default(), None, 2).await.unwrap().pop().unwrap()
}

pub(super) async fn a_submission_is_stored_once_whatever_is_sent_again(bench: &dyn Bench) {
    let queue = bench.open().await;
    assert_eq!(queue.enqueue(new(1, at(0))).await.unwrap(), Enqueued::Stored);
    assert_eq!(queue.enqueue(new(1, at(9))).await.unwrap(), Enqueued::Repeated);
    let other = NewEntry { fingerprint: [9; 32], ..new(1, at(0)) };
    assert_eq!(queue.enqueue(other).await.unwrap(), Enqueued::Conflict);
    let elsewhere = NewEntry { survey: "other".parse().unwrap(), ..new(1, at(0)) };
    assert_eq!(queue.enqueue(elsewhere).await.unwrap(), Enqueued::Conflict);
    let known = new(1, at(0));
    let has = async |survey: &str, submission, fingerprint| {
        queue.has(&survey.parse().unwrap(), submission, fingerprint).await.unwrap()
    };
    assert!(has("checkout", known.submission, known.fingerprint).await);
    assert!(!has("other", known.submission, known.fingerprint).await);
    assert!(!has("checkout", known.submission, [9; 32]).await);
    assert!(!has("checkout", new(9, at(0)).submission, known.fingerprint).await);
    assert_eq!(reserve(&*queue, at(0)).await, Some(1));
    assert_eq!(reserve(&*queue, at(0)).await, None);
}

pub(super) async fn what_is_due_goes_first_in_first_out_and_visitors_before_operators(bench: &dyn Bench) {
    let queue = bench.open().await;
    queue.enqueue(NewEntry { priority: Priority::Operator, ..new(1, at(0)) }).await.unwrap();
    for number in 2..5 {
        queue.enqueue(new(number, at(0))).await.unwrap();
    }
    pass(&*queue, Settlement::Later(at(5)), attempt(at(1), Some("busy"))).await;
    assert_eq!(reserve(&*queue, at(4)).await, Some(3), "the delayed one is not due");
    assert_eq!(reserve(&*queue, at(5)).await, Some(2), "it is due, and older than the rest");
    assert_eq!(reserve(&*queue, at(5)).await, Some(4));
    assert_eq!(reserve(&*queue, at(5)).await, Some(1));
}

pub(super) async fn order_holds_across_surveys_and_a_skipped_survey_is_passed_by(bench: &dyn Bench) {
    let queue = bench.open().await;
    own(&*queue).await;
    for (number, survey) in [(1, "zebra"), (2, "ant"), (3, "mule"), (4, "zebra"), (5, "ant")] {
        let entry = NewEntry { survey: survey.parse().unwrap(), ..new(number, at(0)) };
        queue.enqueue(entry).await.unwrap();
    }
    let next = async |skip: &[&str]| {
        let skip: Vec<SurveyId> = skip.iter().map(|survey| survey.parse().unwrap()).collect();
        let due = queue.due(&lane(), at(0), &skip).await.unwrap();
        let entry = queue.reserve(&lane(), at(0), &skip).await.unwrap();
        assert_eq!(due == Due::Now, entry.is_some());
        entry.map(|entry| entry.body[0])
    };
    assert_eq!(next(&["zebra"]).await, Some(2));
    assert_eq!(next(&["zebra", "ant"]).await, Some(3));
    assert_eq!(next(&["zebra", "ant", "mule"]).await, None);
    assert_eq!(next(&[]).await, Some(1));
    assert_eq!(next(&[]).await, Some(4));
    assert_eq!(next(&[]).await, Some(5));
}

pub(super) async fn a_lane_knows_when_it_has_something_to_do(bench: &dyn Bench) {
    let queue = bench.open().await;
    let due = async |now| queue.due(&lane(), now, &[]).await.unwrap();
    assert_eq!(due(at(0)).await, Due::Never);
    queue.enqueue(new(1, at(0))).await.unwrap();
    assert_eq!(due(at(0)).await, Due::Now);
    let skipped = ["checkout".parse().unwrap()];
    assert_eq!(queue.due(&lane(), at(0), &skipped).await.unwrap(), Due::Never);
    let entry = take(&*queue, at(0)).await.unwrap();
    assert_eq!(due(at(0)).await, Due::Never);
    settle(&*queue, entry.id, Settlement::Later(at(60)), attempt(at(1), None)).await;
    assert_eq!(due(at(59)).await, Due::At(at(60)));
    assert_eq!(due(at(60)).await, Due::Now);
    queue.bring_forward(&lane(), at(10)).await.unwrap();
    assert_eq!(due(at(0)).await, Due::At(at(10)), "a wall clock that was set back delays nothing");
}

pub(super) async fn an_entry_found_sending_after_a_restart_is_interrupted(bench: &dyn Bench) {
    let queue = bench.open().await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    queue.enqueue(new(2, at(0))).await.unwrap();
    reserve(&*queue, at(0)).await;
    // Else the lease would be waited for.
    queue.release(&lane()).await.unwrap();
    drop(queue);

    let queue = bench.open().await;
    own(&*queue).await;
    let interrupted = queue.interrupted(&lane()).await.unwrap();
    assert_eq!(interrupted.len(), 1);
    assert_eq!((interrupted[0].body[0], interrupted[0].attempts), (1, 1));
    assert_eq!(reserve(&*queue, at(0)).await, Some(2), "it is not handed out by itself");
    settle(&*queue, interrupted[0].id, Settlement::Later(at(1)), attempt(at(1), Some("cut off"))).await;
    assert_eq!(reserve(&*queue, at(1)).await, Some(1));
}

pub(super) async fn only_an_entry_that_is_being_sent_can_be_settled_and_only_once(bench: &dyn Bench) {
    let queue = bench.open().await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    let id = deliver(&*queue, at(1)).await;
    let again = queue.settle(&lane(), id, Settlement::Dead, attempt(at(1), None)).await;
    assert!(matches!(again, Err(QueueError::NotSending(found)) if found == id));
}

pub(super) async fn a_delivered_submission_is_forgotten_but_for_its_key(bench: &dyn Bench) {
    let queue = bench.open().await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    deliver(&*queue, at(1)).await;
    let kept = only(&queue).await;
    assert_eq!((kept.state, kept.body), (State::Delivered, None));
    assert_eq!(queue.enqueue(new(1, at(2))).await.unwrap(), Enqueued::Repeated);
    assert_eq!(queue.forget_settled(at(1)).await.unwrap(), 0);
    assert_eq!(queue.forget_settled(at(2)).await.unwrap(), 1);
    assert_eq!(queue.enqueue(new(1, at(3))).await.unwrap(), Enqueued::Stored);
}

pub(super) async fn a_delivered_body_is_kept_for_as_long_as_is_asked(bench: &dyn Bench) {
    let keep = Options { keep_delivered: Duration::from_secs(1), ..Options::default() };
    let queue = bench.open_with(keep).await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    deliver(&*queue, at(5)).await;
    assert_eq!(only(&queue).await.body.as_deref(), Some(&[1; 8][..]));
    assert_eq!(queue.forget_bodies(at(5)).await.unwrap(), 0);
    assert_eq!(queue.forget_bodies(at(6)).await.unwrap(), 1);
    assert_eq!(only(&queue).await.body, None);
    assert_eq!(queue.enqueue(new(1, at(7))).await.unwrap(), Enqueued::Repeated);
}

pub(super) async fn a_lane_hears_of_an_entry_whose_visitor_hung_up(bench: &dyn Bench) {
    let queue = bench.open().await;
    let mut stirred = queue.stirred(&lane());
    stirred.mark_unchanged();
    let mut hasty = Box::pin(queue.enqueue(new(1, at(0))));
    // The write is on its way after the first poll, if it is not done; then nobody waits for it any more.
    std::future::poll_fn(|context| Poll::Ready(hasty.as_mut().poll(context).is_ready())).await;
    drop(hasty);
    stirred.changed().await.unwrap();
    assert_eq!(reserve(&*queue, at(0)).await, Some(1));
}

pub(super) async fn only_the_lane_that_got_an_entry_is_woken(bench: &dyn Bench) {
    let queue = bench.open().await;
    let (ours, other) = (queue.stirred(&lane()), queue.stirred(&PlatformName::new("other")));
    queue.enqueue(new(1, at(0))).await.unwrap();
    assert!(ours.has_changed().unwrap());
    assert!(!other.has_changed().unwrap());
}

pub(super) async fn counts_and_failures_say_what_is_where(bench: &dyn Bench) {
    let queue = bench.open().await;
    assert_eq!(queue.counts().await.unwrap(), []);
    for number in 1..=7 {
        queue.enqueue(new(number, at(i64::from(number)))).await.unwrap();
    }
    let settlements = [
        Settlement::Delivered,
        Settlement::Later(at(99)),
        Settlement::Parked,
        Settlement::Dead,
        Settlement::Unknown(at(99)),
    ];
    for (settlement, second) in settlements.into_iter().zip(10..) {
        let error = (settlement != Settlement::Delivered).then_some("its reason");
        pass(&*queue, settlement, attempt(at(second), error)).await;
    }
    reserve(&*queue, at(20)).await;
    let counts = queue.counts().await.unwrap();
    let expected = LaneCount {
        lane: lane(),
        waiting: 1,
        delayed: 1,
        sending: 1,
        unknown: 1,
        parked: 1,
        dead: 1,
        oldest: Some(at(2)),
    };
    assert_eq!(counts, [expected], "parked and dead ones do not age a lane");
    let failures = queue.failures(10).await.unwrap();
    let states: Vec<_> = failures.iter().map(|failure| failure.state).collect();
    assert_eq!(states, [State::Unknown, State::Dead, State::Parked, State::Delayed], "newest first");
    assert_eq!(failures[0].last_error.as_deref(), Some("its reason"));
    assert_eq!(failures[0].body, None, "a report holds no visitor's words");
}

pub(super) async fn many_writers_at_once_lose_nothing(bench: &dyn Bench) {
    let queue = bench.open().await;
    let writers = (0..200u8).map(|number| {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { queue.enqueue(new(number, at(0))).await })
    });
    for writer in writers.collect::<Vec<_>>() {
        assert_eq!(writer.await.unwrap().unwrap(), Enqueued::Stored);
    }
    assert_eq!(queue.counts().await.unwrap()[0].waiting, 200);
}

pub(super) async fn an_unknown_entry_is_looked_up_and_not_sent(bench: &dyn Bench) {
    let queue = bench.open().await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    let entry = take(&*queue, at(10)).await.unwrap();
    settle(&*queue, entry.id, Settlement::Unknown(at(30)), attempt(at(20), Some("lost"))).await;
    assert_eq!(reserve(&*queue, at(99)).await, None);
    assert_eq!(queue.due(&lane(), at(99), &[]).await.unwrap(), Due::Never);

    let checkout: SurveyId = "checkout".parse().unwrap();
    assert_eq!(queue.look_ups(&lane()).await.unwrap(), [(checkout.clone(), at(30))]);
    let other = "other".parse().unwrap();
    assert!(queue.unknown(&lane(), &[other], 9).await.unwrap().is_empty());
    let unknown = queue.unknown(&lane(), std::slice::from_ref(&checkout), 9).await.unwrap();
    assert_eq!((unknown[0].since, unknown[0].until), (at(10), at(20)), "from its reservation to its end");
    assert_eq!(unknown[0].entry.body, [1; 8]);
    queue.postpone(&lane(), &[entry.id], at(50)).await.unwrap();
    assert_eq!(queue.look_ups(&lane()).await.unwrap(), [(checkout.clone(), at(50))]);

    // Sent again, and lost again: it may have arrived ever since the first call.
    settle(&*queue, entry.id, Settlement::Later(at(60)), attempt(at(60), Some("absent"))).await;
    let entry = take(&*queue, at(60)).await.unwrap();
    settle(&*queue, entry.id, Settlement::Unknown(at(80)), attempt(at(70), Some("lost"))).await;
    let unknown = queue.unknown(&lane(), &[checkout], 9).await.unwrap();
    assert_eq!((unknown[0].since, unknown[0].until), (at(10), at(70)));
    queue.change(&[entry.id], Change::Retry, at(75)).await.unwrap();
    let absent = queue.settle(&lane(), entry.id, Settlement::Parked, attempt(at(80), None)).await;
    assert!(matches!(absent, Err(QueueError::NotSending(_))), "an operator was faster");
    settle(&*queue, entry.id, Settlement::Delivered, attempt(at(80), None)).await;
    assert_eq!(only(&queue).await.state, State::Delivered, "but what was found need not be sent");
}

pub(super) async fn what_was_delivered_last_can_be_asked_for(bench: &dyn Bench) {
    let queue = bench.open().await;
    for number in 1..=4 {
        let survey = if number == 3 { "other" } else { "checkout" };
        queue.enqueue(NewEntry { survey: survey.parse().unwrap(), ..new(number, at(0)) }).await.unwrap();
        deliver(&*queue, at(i64::from(number))).await;
    }
    let delivered = async |before, limit| {
        let surveys = ["checkout".parse().unwrap()];
        let found = queue.delivered(&lane(), &surveys, before, limit).await.unwrap();
        found
            .iter()
            .map(|(id, when)| (id.as_bytes()[0], when.as_second() - 1_700_000_000))
            .collect::<Vec<_>>()
    };
    assert_eq!(delivered(at(4), 9).await, [(2, 2), (1, 1)]);
    assert_eq!(delivered(at(9), 1).await, [(4, 4)]);
}

pub(super) async fn what_is_remembered_of_a_lane_outlives_a_restart(bench: &dyn Bench) {
    let queue = bench.open().await;
    assert_eq!(queue.recall(&lane(), "proof").await.unwrap(), None);
    let other = PlatformName::new("other");
    own(&*queue).await;
    own_lane(&*queue, &other).await;
    queue.remember(&lane(), "proof", "no").await.unwrap();
    queue.remember(&lane(), "proof", "yes").await.unwrap();
    queue.remember(&other, "proof", "perhaps").await.unwrap();
    drop(queue);
    let queue = bench.open().await;
    assert_eq!(queue.recall(&lane(), "proof").await.unwrap().as_deref(), Some("yes"));
}

pub(super) async fn every_attempt_is_kept_until_the_entry_is_delivered(bench: &dyn Bench) {
    let queue = bench.open().await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    let first = attempt(at(1), Some("busy"));
    let id = pass(&*queue, Settlement::Later(at(2)), first.clone()).await;
    let second = Attempt { verdict: "unknown".into(), status: None, ..attempt(at(2), Some("lost")) };
    pass(&*queue, Settlement::Later(at(3)), second.clone()).await;
    assert_eq!(queue.attempts(id).await.unwrap(), [first, second]);
    deliver(&*queue, at(3)).await;
    assert_eq!(queue.attempts(id).await.unwrap(), []);
}

pub(super) async fn a_page_shows_what_passes_the_filter(bench: &dyn Bench) {
    let queue = bench.open().await;
    for number in 1..=5 {
        let survey = if number == 4 { "other" } else { "checkout" };
        let entry = NewEntry { survey: survey.parse().unwrap(), ..new(number, at(i64::from(number))) };
        queue.enqueue(entry).await.unwrap();
    }
    pass(&*queue, Settlement::Dead, attempt(at(10), Some("HTTP 400: Not In Production"))).await;
    pass(&*queue, Settlement::Parked, attempt(at(10), Some("the reply was lost"))).await;
    assert_eq!(page(&queue, Filter::default()).await, [1, 2, 3, 4, 5]);
    let dead = Filter { states: vec![State::Dead], ..Filter::default() };
    assert_eq!(page(&queue, dead).await, [1]);
    let stuck = Filter { states: vec![State::Dead, State::Parked], ..Filter::default() };
    assert_eq!(page(&queue, stuck).await, [1, 2]);
    let other = Filter { survey: Some("other".parse().unwrap()), ..Filter::default() };
    assert_eq!(page(&queue, other).await, [4]);
    let lost = Filter { lane: Some(PlatformName::new("lost")), ..Filter::default() };
    assert!(page(&queue, lost).await.is_empty());
    let ids = Filter { submissions: vec![Uuid::from_bytes([5; 16]), Uuid::nil()], ..Filter::default() };
    assert_eq!(page(&queue, ids).await, [5]);
    let old = Filter { accepted_since: Some(at(2)), accepted_before: Some(at(4)), ..Filter::default() };
    assert_eq!(page(&queue, old).await, [2, 3]);
    let words = Filter { error_contains: Some("in production".into()), ..Filter::default() };
    assert_eq!(page(&queue, words).await, [1]);
    let odd = Filter { error_contains: Some("100%_'\"".into()), ..Filter::default() };
    assert!(page(&queue, odd).await.is_empty());

    let first = queue.page(&Filter::default(), None, 2).await.unwrap();
    let rest = queue.page(&Filter::default(), Some(first[1].id), 9).await.unwrap();
    assert_eq!((first.len(), rest.len()), (2, 3));
    assert_eq!((rest[0].accepted_at, rest[0].body.as_deref()), (at(3), Some(&[3; 8][..])));
}

pub(super) async fn a_retried_entry_goes_back_to_its_place_and_counts_anew(bench: &dyn Bench) {
    let queue = bench.open().await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    queue.enqueue(new(2, at(0))).await.unwrap();
    let id = pass(&*queue, Settlement::Dead, attempt(at(1), Some("no such GUID"))).await;
    let mut stirred = queue.stirred(&lane());
    stirred.mark_unchanged();
    assert_eq!(queue.change(&[id], Change::Retry, at(5)).await.unwrap(), [id]);
    assert!(stirred.has_changed().unwrap(), "the owner hears of it");
    assert_eq!(queue.change(&[id], Change::Retry, at(5)).await.unwrap(), [], "it waits already");
    let entry = take(&*queue, at(5)).await.unwrap();
    assert_eq!((entry.id, entry.attempts), (id, 1));
    assert_eq!(queue.attempts(id).await.unwrap().len(), 1, "what was tried before is still known");
}

pub(super) async fn a_discarded_entry_is_gone_and_its_key_is_not_taken_again(bench: &dyn Bench) {
    let queue = bench.open().await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    let id = pass(&*queue, Settlement::Dead, attempt(at(1), Some("its words"))).await;
    assert_eq!(queue.change(&[id], Change::Discard, at(5)).await.unwrap(), [id]);
    let kept = only(&queue).await;
    assert_eq!((kept.state, kept.body, kept.last_error), (State::Discarded, None, None));
    assert_eq!(queue.attempts(id).await.unwrap(), []);
    assert_eq!(reserve(&*queue, at(9)).await, None);
    assert_eq!(queue.enqueue(new(1, at(9))).await.unwrap(), Enqueued::Repeated);
    assert_eq!(queue.forget_settled(at(6)).await.unwrap(), 1);
}

pub(super) async fn an_erased_entry_keeps_nothing_of_the_person(bench: &dyn Bench) {
    let keep = Options { keep_delivered: Duration::from_mins(1), ..Options::default() };
    let queue = bench.open_with(keep).await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    queue.enqueue(new(2, at(0))).await.unwrap();
    let delivered = deliver(&*queue, at(1)).await;
    let waiting = queue.page(&Filter::default(), Some(delivered), 1).await.unwrap()[0].id;
    let erased = queue.change(&[delivered, waiting], Change::Erase, at(2)).await.unwrap();
    assert_eq!(erased, [delivered, waiting]);
    for record in queue.page(&Filter::default(), None, 9).await.unwrap() {
        assert_eq!((record.state, record.body, record.fingerprint), (State::Discarded, None, [0; 32]));
    }
    assert_eq!(queue.counts().await.unwrap(), []);
    assert_eq!(queue.enqueue(new(2, at(3))).await.unwrap(), Enqueued::Conflict, "it does not come back");
}

pub(super) async fn no_change_touches_an_entry_that_is_being_sent(bench: &dyn Bench) {
    let queue = bench.open().await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    let entry = take(&*queue, at(0)).await.unwrap();
    for change in [Change::Retry, Change::Discard, Change::Erase] {
        assert_eq!(queue.change(&[entry.id], change, at(1)).await.unwrap(), []);
    }
    settle(&*queue, entry.id, Settlement::Delivered, attempt(at(1), None)).await;
}

pub(super) async fn a_full_queue_takes_nothing_new_and_still_knows_what_it_has(bench: &dyn Bench) {
    let two = Options { max_entries: 2, ..Options::default() };
    let queue = bench.open_with(two).await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    queue.enqueue(new(2, at(0))).await.unwrap();
    let refused = queue.enqueue(new(3, at(0))).await;
    assert!(matches!(&refused, Err(QueueError::Full(words)) if words.contains('2')), "{refused:?}");
    assert_eq!(queue.enqueue(new(1, at(0))).await.unwrap(), Enqueued::Repeated);
    drop(queue);
    let queue = bench.open_with(two).await;
    assert!(matches!(queue.enqueue(new(3, at(0))).await, Err(QueueError::Full(_))));
    deliver(&*queue, at(1)).await;
    assert_eq!(queue.enqueue(new(3, at(1))).await.unwrap(), Enqueued::Stored, "there is room again");
    drop(queue);
    let queue = bench.open_with(Options { max_bytes: 1, ..Options::default() }).await;
    let refused = queue.enqueue(new(4, at(0))).await;
    assert!(matches!(&refused, Err(QueueError::Full(words)) if words.contains("bytes")), "{refused:?}");
}

pub(super) async fn another_store_takes_everything_in_once(bench: &dyn Bench) {
    let queue = bench.open().await;
    queue.enqueue(new(1, at(0))).await.unwrap();
    let template = only(&queue).await;
    let foreign = |number: u8, state| Record {
        submission: Uuid::from_bytes([number; 16]),
        state,
        body: (state != State::Delivered).then(|| vec![number; 8]),
        last_error: Some("busy".into()),
        attempts: 3,
        sent_at: Some(at(1)),
        unsure_since: Some(at(1)),
        settled_at: Some(at(2)),
        ..template.clone()
    };
    let all = || {
        vec![
            (foreign(9, State::Waiting), vec![attempt(at(2), Some("busy"))]),
            (foreign(8, State::Sending), Vec::new()),
            (foreign(7, State::Delivered), Vec::new()),
            (foreign(1, State::Dead), Vec::new()),
        ]
    };
    assert_eq!(queue.adopt(all()).await.unwrap(), 3, "what is there stays as it is");
    assert_eq!(queue.adopt(all()).await.unwrap(), 0);
    let page = queue.page(&Filter::default(), None, 9).await.unwrap();
    let states: Vec<_> = page.iter().map(|record| (record.submission.as_bytes()[0], record.state)).collect();
    let expected = [(1, State::Waiting), (9, State::Waiting), (8, State::Sending), (7, State::Delivered)];
    assert_eq!(states, expected);
    assert!(page[1] == Record { id: page[1].id, ..foreign(9, State::Waiting) });
    assert_eq!(queue.attempts(page[1].id).await.unwrap(), [attempt(at(2), Some("busy"))]);
    own(&*queue).await;
    assert_eq!(queue.interrupted(&lane()).await.unwrap().len(), 1);
    let later = at(0).checked_add(SignedDuration::from_hours(1)).unwrap();
    assert_eq!(reserve(&*queue, later).await, Some(1));
    assert_eq!(reserve(&*queue, later).await, Some(9));
    assert_eq!(
        queue.enqueue(NewEntry { fingerprint: [1; 32], ..new(7, later) }).await.unwrap(),
        Enqueued::Repeated
    );
}

pub(super) async fn what_waits_follows_its_survey_into_another_lane(bench: &dyn Bench) {
    let queue = bench.open().await;
    let (checkout, other): (SurveyId, SurveyId) = ("checkout".parse().unwrap(), "other".parse().unwrap());
    queue.enqueue(new(1, at(0))).await.unwrap();
    pass(&*queue, Settlement::Dead, attempt(at(1), Some("the survey is not configured"))).await;
    queue.enqueue(new(2, at(0))).await.unwrap();
    deliver(&*queue, at(1)).await;
    queue.enqueue(new(3, at(0))).await.unwrap();
    queue.enqueue(NewEntry { survey: other.clone(), ..new(4, at(0)) }).await.unwrap();
    let there = PlatformName::new("there");
    let lanes = [(checkout, there.clone()), (other, lane())];
    assert_eq!(queue.assign(&lanes).await.unwrap(), 2, "what waits and what is dead, not what is settled");
    assert_eq!(queue.assign(&lanes).await.unwrap(), 0);
    let moved = Filter { lane: Some(there.clone()), ..Filter::default() };
    assert_eq!(page(&queue, moved).await, [1, 3]);
    assert_eq!(reserve(&*queue, at(2)).await, Some(4));
    let again = NewEntry { lane: there, ..new(2, at(9)) };
    assert_eq!(queue.enqueue(again).await.unwrap(), Enqueued::Repeated, "its lane is not what was sent");
}

pub(super) async fn the_store_proves_that_it_takes_writes(bench: &dyn Bench) {
    bench.open().await.check().await.unwrap();
}

pub(super) async fn counts_add_up_and_are_forgotten_in_time(bench: &dyn Bench) {
    let queue = bench.open().await;
    let kind = |series, subject: &str, seconds, value: &str| Kind {
        series,
        subject: subject.into(),
        at: at(seconds),
        language: "nl".into(),
        item: "recommend".into(),
        value: value.into(),
    };
    let (nine, ten) = (kind(Series::Answer, "a", 0, "9"), kind(Series::Answer, "a", 60, "10"));
    let other = kind(Series::Answer, "b", 0, "9");
    queue.record(vec![(nine.clone(), 2), (ten.clone(), 1), (other.clone(), 5)]).await.unwrap();
    queue
        .record(vec![(ten.clone(), 1), (nine.clone(), 1), (kind(Series::Call, "a", 0, "9"), 7)])
        .await
        .unwrap();
    // Many servers add at a time, each in an order of its own.
    let adding = (0..8).map(|turn| {
        let (queue, mut counts) =
            (queue.clone(), vec![(nine.clone(), 1), (ten.clone(), 1), (other.clone(), 1)]);
        counts.rotate_left(turn % 3);
        tokio::spawn(async move { queue.record(counts).await })
    });
    for added in adding.collect::<Vec<_>>() {
        added.await.unwrap().unwrap();
    }
    let wanted = |since| Wanted::of(Series::Answer, at(since));
    let counted = async |subject: Option<&str>, since| {
        let wanted = subject.map_or(wanted(since), |subject| wanted(since).about(subject));
        queue.counted(&wanted).await.unwrap()
    };
    assert_eq!(counted(Some("a"), 0).await, [(nine.clone(), 11), (ten.clone(), 10)]);
    assert_eq!(counted(Some("a"), 1).await, [(ten.clone(), 10)]);
    let mut all = counted(None, 0).await;
    all.sort();
    assert_eq!(all, [(nine, 11), (ten.clone(), 10), (other, 13)]);
    // Both lie in the hour that began at 22:00.
    let hour = Duration::from_hours(1);
    let whole = Wanted { span: hour, item: Some("recommend".into()), ..wanted(0).about("a") };
    let added = queue.counted(&whole).await.unwrap();
    let mut added: Vec<_> = added.iter().map(|(kind, count)| (kind.at, *count)).collect();
    added.sort();
    assert_eq!(added, [(at(-800), 10), (at(-800), 11)]);
    assert!(queue.counted(&Wanted { item: Some(String::new()), ..whole }).await.unwrap().is_empty());
    queue.forget_counts(Series::Answer, at(60)).await.unwrap();
    drop(queue);
    let queue = bench.open().await;
    assert_eq!(queue.counted(&Wanted::of(Series::Answer, Timestamp::UNIX_EPOCH)).await.unwrap(), [(ten, 10)]);
    assert_eq!(queue.counted(&Wanted::of(Series::Call, Timestamp::UNIX_EPOCH)).await.unwrap().len(), 1);
}
