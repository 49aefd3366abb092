//! The operations, on a SQLite queue in a folder of its own.

use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::config::PlatformName;
use crate::queue::{
    Attempt, Filter, NewEntry, Options, Priority, Settlement, SharedQueue, SqliteQueue, State,
};

const EMAIL: &str = "Jef.Tester@example.com";
const WORDS: &str = "the zebra was late";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).unwrap()
}

fn id(number: u16) -> Uuid {
    Uuid::from_u128(u128::from(number))
}

fn lane() -> PlatformName {
    PlatformName::new("main")
}

/// A queue, and the folder that it lives in.
struct Bench {
    queue: SharedQueue,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(&folder.path().join("queue.db"), Options::default()).unwrap();
        Self { queue: Arc::new(queue), _folder: folder }
    }

    async fn store(&self, number: u16, email: Option<&str>, words: &str) {
        let body = json!({
            "language": "nl",
            "answers": [{"question": "why", "value": {"text": words}}],
            "metadata": {"shop": "1"},
            "respondent": {"email": email},
            "answered_at": at(0),
        });
        let entry = NewEntry {
            lane: lane(),
            priority: Priority::Visitor,
            survey: "checkout".parse().unwrap(),
            submission: id(number),
            fingerprint: [7; 32],
            body: body.to_string().into_bytes(),
            accepted_at: at(i64::from(number)),
        };
        self.queue.enqueue(entry).await.unwrap();
    }

    /// Takes what is due, and settles it if that is asked for.
    async fn pass(&self, to: Option<Settlement>, error: Option<&str>) {
        let entry = self.queue.reserve(&lane(), at(900), &[]).await.unwrap().unwrap();
        if let Some(to) = to {
            let error = error.map(str::to_owned);
            let attempt = Attempt { at: at(901), verdict: "rejected".into(), status: Some(400), error };
            self.queue.settle(&lane(), entry.id, to, attempt).await.unwrap();
        }
    }

    /// One entry in each state, numbered in the order of `State::ALL`; the person is each one's respondent.
    async fn with_every_state() -> Self {
        let bench = Self::new();
        let store = async |number| bench.store(number, Some(EMAIL), WORDS).await;
        let (later, words) = (at(9_000), Some("HTTP 400: Not set to production"));
        store(2).await;
        bench.pass(Some(Settlement::Later(later)), Some("HTTP 503")).await;
        store(4).await;
        bench.pass(Some(Settlement::Unknown(later)), Some("the connection failed")).await;
        store(5).await;
        bench.pass(Some(Settlement::Parked), Some("the connection failed")).await;
        store(6).await;
        bench.pass(Some(Settlement::Dead), words).await;
        store(7).await;
        bench.pass(Some(Settlement::Delivered), None).await;
        store(8).await;
        bench.pass(Some(Settlement::Dead), words).await;
        change(&*bench.queue, Order::Discard, &named(&[8]), at(902)).await.unwrap();
        store(3).await;
        bench.pass(None, None).await;
        store(1).await;
        bench
    }

    async fn states(&self) -> Vec<(u16, State)> {
        let page = self.queue.page(&Filter::default(), None, 5_000).await.unwrap();
        let number = |uuid: Uuid| u16::try_from(uuid.as_u128()).unwrap();
        let mut states: Vec<_> =
            page.iter().map(|record| (number(record.submission), record.state)).collect();
        states.sort_unstable_by_key(|(number, _)| *number);
        states
    }

    async fn state(&self, number: u16) -> State {
        self.states().await.into_iter().find(|(other, _)| *other == number).unwrap().1
    }
}

fn named(numbers: &[u16]) -> ChangeRequest {
    let submissions = numbers.iter().map(|number| id(*number)).collect();
    ChangeRequest { selection: Selection { submissions, ..Selection::default() }, ..ChangeRequest::default() }
}

fn all(states: &[State]) -> ChangeRequest {
    let states = states.iter().copied().map(StateName).collect();
    ChangeRequest {
        selection: Selection { states, ..Selection::default() },
        all: true,
        ..ChangeRequest::default()
    }
}

fn some(selection: Selection) -> ListRequest {
    ListRequest { selection, limit: 100, after: None, newest: false }
}

async fn numbers(bench: &Bench, request: &ListRequest) -> Vec<u128> {
    let listing = list(&*bench.queue, request).await.unwrap();
    listing.entries.iter().map(|row| row.submission.as_u128()).collect()
}

#[tokio::test]
async fn a_list_shows_what_is_open_or_what_was_asked_for() {
    let bench = Bench::with_every_state().await;
    assert_eq!(numbers(&bench, &some(Selection::default())).await, [2, 4, 5, 6, 3, 1]);
    let dead = Selection {
        states: vec![StateName(State::Dead)],
        survey: "checkout".parse().ok(),
        lane: Some("main".into()),
        error_contains: Some("SET TO".into()),
        accepted_before: Some(at(7)),
        accepted_since: Some(at(6)),
        ..Selection::default()
    };
    assert_eq!(numbers(&bench, &some(dead.clone())).await, [6]);
    let none = Selection { accepted_since: Some(at(7)), accepted_before: None, ..dead };
    assert!(numbers(&bench, &some(none)).await.is_empty());
    let row = list(&*bench.queue, &some(Selection::default())).await.unwrap().entries.swap_remove(3);
    assert_eq!((row.attempts, row.accepted_at, row.settled_at), (1, at(6), Some(at(901))));
    assert_eq!(row.last_error.as_deref(), Some("HTTP 400: Not set to production"));
}

#[tokio::test]
async fn a_list_ends_at_its_limit_and_goes_on_after_a_submission() {
    let bench = Bench::new();
    for number in 1..=1_100 {
        bench.store(number, None, "").await;
    }
    let request = ListRequest { limit: 600, ..some(Selection::default()) };
    let first = list(&*bench.queue, &request).await.unwrap();
    assert!(first.more && first.entries.len() == 600 && first.entries[0].submission == id(1));
    let request = ListRequest { after: Some(id(600)), ..request };
    let rest = list(&*bench.queue, &request).await.unwrap();
    assert!(!rest.more && rest.entries.len() == 500 && rest.entries[0].submission == id(601));
    let newest = ListRequest { limit: 2, newest: true, ..some(Selection::default()) };
    let newest = list(&*bench.queue, &newest).await.unwrap();
    assert!(newest.more);
    assert_eq!(newest.entries.iter().map(|row| row.submission).collect::<Vec<_>>(), [id(1_099), id(1_100)]);
    let lost = ListRequest { after: Some(id(9_999)), ..some(Selection::default()) };
    assert!(list(&*bench.queue, &lost).await.is_err_and(|error| error.to_string().contains("no submission")));
}

#[tokio::test]
async fn one_submission_is_shown_with_its_calls_and_its_content_only_when_asked_for() {
    let bench = Bench::with_every_state().await;
    let shown = show(&*bench.queue, id(6), false).await.unwrap().unwrap();
    assert!(shown.kept && shown.stored.is_none() && shown.sent_at == Some(at(900)));
    let call = &shown.history[0];
    assert_eq!((call.at, call.verdict.as_str(), call.status), (at(901), "rejected", Some(400)));
    assert!(call.error.as_deref().is_some_and(|words| words.contains("production")));
    let shown = show(&*bench.queue, id(6), true).await.unwrap().unwrap();
    assert_eq!(shown.stored.unwrap()["answers"][0]["value"]["text"], WORDS);
    let delivered = show(&*bench.queue, id(7), true).await.unwrap().unwrap();
    assert!(!delivered.kept && delivered.stored.is_none());
    assert!(show(&*bench.queue, id(99), true).await.unwrap().is_none());
}

#[tokio::test]
async fn status_counts_every_lane_and_says_when_it_will_be_through() {
    let bench = Bench::with_every_state().await;
    let text = crate::demo::CONFIG
        .replace("@STORE@", "queue.db")
        .replace("@PLATFORM@", "http://127.0.0.1:1")
        .replace("@SHOP@", "http://127.0.0.1:2");
    let environment = |_: &str| Some("token".to_owned());
    let config = crate::config::Config::parse(&text, "demo", std::path::Path::new(""), &environment).unwrap();
    let status = status(&*bench.queue, &config.platforms, |_| None).await.unwrap();
    let [configured, lost] = status.lanes.as_slice() else { panic!("{status:?}") };
    assert_eq!((configured.lane.as_str(), configured.waiting), ("sandbox", 0));
    assert_eq!((configured.interval_ms, configured.through_in_ms), (Some(1_000), Some(0)));
    assert_eq!((lost.lane.as_str(), lost.interval_ms, lost.through_in_ms), ("main", None, None));
    let counts = [lost.waiting, lost.delayed, lost.sending, lost.unknown, lost.parked, lost.dead];
    assert_eq!((counts, lost.oldest_accepted_at), ([1; 6], Some(at(1))));
    let platform = crate::config::Platform { name: lane(), ..(*config.platforms[0]).clone() };
    let status = super::status(&*bench.queue, &[Arc::new(platform)], |_| None).await.unwrap();
    assert_eq!(status.lanes[0].through_in_ms, Some(4_000));
    assert!(status.lanes[0].state.is_none() && status.lanes[0].advice.is_empty());
}

#[tokio::test]
async fn a_retry_takes_what_waits_for_an_operator_and_wakes_its_lane() {
    let bench = Bench::with_every_state().await;
    let mut stirred = bench.queue.stirred(&lane());
    stirred.mark_unchanged();
    let asked = ChangeRequest { dry_run: true, ..all(&[]) };
    let foreseen = change(&*bench.queue, Order::Retry, &asked, at(1_000)).await.unwrap();
    assert_eq!(foreseen.changed.to_string(), "1 parked, 1 dead");
    assert!(!stirred.has_changed().unwrap() && bench.state(6).await == State::Dead, "nothing has changed");
    let done = change(&*bench.queue, Order::Retry, &all(&[]), at(1_000)).await.unwrap();
    assert_eq!(done, foreseen);
    assert!(stirred.has_changed().unwrap(), "the lane is woken");
    let waiting: Vec<u16> = bench
        .states()
        .await
        .into_iter()
        .filter(|(_, state)| *state == State::Waiting)
        .map(|it| it.0)
        .collect();
    assert_eq!(waiting, [1, 5, 6]);
    let record = show(&*bench.queue, id(6), false).await.unwrap().unwrap();
    assert_eq!((record.entry.attempts, record.history.len()), (0, 1), "the calls stay to be seen");
}

#[tokio::test]
async fn a_retry_takes_other_states_only_if_they_are_named_and_may_be_retried() {
    let bench = Bench::with_every_state().await;
    let done = change(&*bench.queue, Order::Retry, &all(&[State::Delayed, State::Unknown]), at(1_000))
        .await
        .unwrap();
    assert_eq!(done.changed.to_string(), "1 delayed, 1 unknown");
    for state in [State::Sending, State::Waiting, State::Delivered, State::Discarded] {
        let refused = change(&*bench.queue, Order::Retry, &all(&[state]), at(1_000)).await.unwrap_err();
        assert!(matches!(refused, OperatorError::Asked { parameter: "states", .. }), "{refused}");
    }
    let nobody = change(&*bench.queue, Order::Retry, &ChangeRequest::default(), at(1_000)).await.unwrap_err();
    assert!(matches!(nobody, OperatorError::Asked { parameter: "all", .. }), "{nobody}");
}

#[tokio::test]
async fn a_named_submission_that_is_left_alone_is_reported_with_its_state() {
    let bench = Bench::with_every_state().await;
    let before = bench.states().await;
    let done = change(&*bench.queue, Order::Retry, &named(&[3, 7, 99]), at(1_000)).await.unwrap();
    assert_eq!((done.changed.total(), done.missing.as_slice()), (0, [id(99)].as_slice()));
    let mut left: Vec<_> = done.left.iter().map(|left| (left.submission, left.state.0)).collect();
    left.sort_unstable();
    assert_eq!(left, [(id(3), State::Sending), (id(7), State::Delivered)]);
    assert_eq!(bench.states().await, before);
}

#[tokio::test]
async fn what_came_in_after_the_operator_looked_is_left_alone() {
    let bench = Bench::with_every_state().await;
    let earlier = ChangeRequest { as_of: Some(at(900)), ..all(&[]) };
    assert_eq!(change(&*bench.queue, Order::Discard, &earlier, at(1_000)).await.unwrap().changed.total(), 0);
    let now = ChangeRequest { as_of: Some(at(901)), ..earlier };
    assert_eq!(change(&*bench.queue, Order::Discard, &now, at(1_000)).await.unwrap().changed.total(), 2);
}

#[tokio::test]
async fn a_discard_takes_every_page_and_forgets_the_content() {
    let bench = Bench::new();
    for number in 1..=1_100 {
        bench.store(number, Some(EMAIL), WORDS).await;
    }
    bench.pass(None, None).await;
    let done = change(&*bench.queue, Order::Discard, &all(&[State::Waiting]), at(1_000)).await.unwrap();
    assert_eq!((done.changed.total(), done.left.len()), (1_099, 0));
    assert_eq!(bench.state(1).await, State::Sending);
    assert!(!show(&*bench.queue, id(2), true).await.unwrap().unwrap().kept);
}

fn count(lines: &[u8]) -> usize {
    lines.split(|byte| *byte == b'\n').skip(1).count()
}

async fn lines(bench: &Bench, selection: &Selection) -> Vec<Value> {
    let export = export(Arc::clone(&bench.queue), selection).unwrap();
    let pages: Vec<Vec<u8>> = export.try_collect().await.unwrap();
    assert!(pages.iter().all(|page| count(page) <= 500));
    let text = String::from_utf8(pages.concat()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn an_export_has_everything_once_and_in_order_over_several_pages() {
    let bench = Bench::new();
    for number in 1..=1_234 {
        bench.store(number, None, &number.to_string()).await;
    }
    let exported = lines(&bench, &Selection::default()).await;
    let words: Vec<&str> =
        exported.iter().map(|line| line["stored"]["answers"][0]["value"]["text"].as_str().unwrap()).collect();
    assert_eq!(words, (1..=1_234).map(|number: u16| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_export_loses_nothing_while_the_queue_is_at_work() {
    let bench = Bench::new();
    for number in 1..=1_100 {
        bench.store(number, None, "").await;
    }
    let mut export = Box::pin(export(Arc::clone(&bench.queue), &Selection::default()).unwrap());
    let first = export.next().await.unwrap().unwrap();
    bench.pass(Some(Settlement::Delivered), None).await;
    bench.pass(Some(Settlement::Dead), Some("no")).await;
    bench.store(2_000, None, "").await;
    let rest: Vec<Vec<u8>> = export.try_collect().await.unwrap();
    let all = [first, rest.concat()].concat();
    assert_eq!(count(&all), 1_101);
}

#[tokio::test]
async fn an_exported_entry_says_what_became_of_it() {
    let bench = Bench::with_every_state().await;
    let every = Selection { states: State::ALL.map(StateName).to_vec(), ..Selection::default() };
    let exported = lines(&bench, &every).await;
    assert_eq!(exported.len(), 8);
    let dead = exported.iter().find(|line| line["state"] == "dead").unwrap();
    assert_eq!(dead["history"][0]["status"], 400);
    assert_eq!(dead["stored"]["respondent"]["email"], EMAIL);
    assert_eq!((&dead["lane"], &dead["attempts"]), (&json!("main"), &json!(1)));
    let delivered = exported.iter().find(|line| line["state"] == "delivered").unwrap();
    assert!(delivered["stored"].is_null());
    assert_eq!(lines(&bench, &Selection::default()).await.len(), 6, "what is open, if no state is named");
}

#[tokio::test]
async fn a_person_is_erased_from_every_state_but_what_is_being_sent() {
    let bench = Bench::with_every_state().await;
    bench.store(20, Some("an@example.com"), "ask jef.tester@EXAMPLE.com about it").await;
    let request = ForgetRequest { email: Some("JEF.tester@example.com".into()), ..ForgetRequest::default() };
    let foreseen = ForgetRequest { dry_run: true, ..request.clone() };
    let foreseen = forget(&*bench.queue, &foreseen, at(1_000)).await.unwrap();
    assert_eq!(bench.state(6).await, State::Dead);
    let done = forget(&*bench.queue, &request, at(1_000)).await.unwrap();
    assert_eq!(done, foreseen);
    assert_eq!(done.erased.to_string(), "1 waiting, 1 delayed, 1 unknown, 1 parked, 1 dead");
    assert_eq!(done.busy, [id(3)]);
    assert_eq!(done.mentions, [Left { submission: id(20), state: StateName(State::Waiting) }]);
    let again = ForgetRequest { also_mentions: true, ..request };
    let again = forget(&*bench.queue, &again, at(1_000)).await.unwrap();
    assert_eq!((again.erased.to_string().as_str(), again.mentions.len()), ("1 waiting", 0));
    assert_eq!(bench.state(20).await, State::Discarded);
}

#[tokio::test]
async fn named_submissions_are_erased_in_whatever_state_they_are() {
    let bench = Bench::with_every_state().await;
    let request =
        ForgetRequest { submissions: vec![id(6), id(7), id(3), id(99)], ..ForgetRequest::default() };
    let done = forget(&*bench.queue, &request, at(1_000)).await.unwrap();
    assert_eq!(done.erased.to_string(), "1 dead, 1 delivered");
    assert_eq!((done.busy, done.missing), (vec![id(3)], vec![id(99)]));
    for wrong in [
        ForgetRequest::default(),
        ForgetRequest { email: Some("nobody".into()), ..ForgetRequest::default() },
        ForgetRequest { email: Some(EMAIL.into()), ..request },
    ] {
        assert!(forget(&*bench.queue, &wrong, at(1_000)).await.is_err());
    }
}

/// Everything that is logged while it lives, at any level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn every_operation() {
    let bench = Bench::with_every_state().await;
    list(&*bench.queue, &some(Selection::default())).await.unwrap();
    show(&*bench.queue, id(6), true).await.unwrap();
    lines(&bench, &Selection::default()).await;
    change(&*bench.queue, Order::Retry, &named(&[5]), at(1_000)).await.unwrap();
    change(&*bench.queue, Order::Discard, &named(&[6]), at(1_000)).await.unwrap();
    let request = ForgetRequest { email: Some(EMAIL.into()), ..ForgetRequest::default() };
    forget(&*bench.queue, &request, at(1_000)).await.unwrap();
}

#[tokio::test]
async fn nothing_personal_gets_into_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    // Another test may have met a log statement first, and found nobody who listens: the first round makes
    // all of them known, the second is heard.
    every_operation().await;
    tracing::callsite::rebuild_interest_cache();
    every_operation().await;
    drop(guard);
    let said = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for expected in ["retried by an operator", "discarded by an operator", "erased by an operator"] {
        assert!(said.contains(expected), "{said}");
    }
    assert!(said.contains(&id(6).to_string()), "ids are there: {said}");
    for private in ["jef", "tester@", "zebra"] {
        assert!(!said.to_lowercase().contains(private), "{said}");
    }
}
