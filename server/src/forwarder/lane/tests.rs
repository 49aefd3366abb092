//! A lane between a store and the sandbox: what may have arrived, and who may send.

mod late;
mod leased;
mod serve;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::*;
use crate::config::PlatformName;
use crate::history::LOOK_UP;
use crate::platform::tests::{accepted, sandbox};
use crate::platform::{Connections, Outcome, Reply};
use crate::queue::{
    Enqueued, Filter, LaneCount, NewEntry, Options, Priority, Record, SqliteQueue, State, Unknown,
};
use crate::sandbox::{Call, Fault, Misbehaviour, Reports, Sandbox};
use crate::waiting::{DEADLINE, seen};
use leased::Leased;

const INTERVAL: Duration = Duration::from_millis(10);
const SETTLE: Duration = Duration::from_millis(600);

/// A lane that is running, its store and its platform.
struct Line {
    sandbox: Sandbox,
    queue: SharedQueue,
    clock: Clock,
    desk: Desk,
    report: watch::Receiver<LaneReport>,
    recorder: Recorder,
    sent: Mutex<Vec<Uuid>>,
    platform: Arc<Platform>,
    surveys: watch::Receiver<Vec<Arc<Survey>>>,
    rests: mpsc::UnboundedSender<Instant>,
    stop: watch::Sender<bool>,
    task: JoinHandle<Option<Unsettled>>,
    _folder: tempfile::TempDir,
}

impl Line {
    async fn new() -> Self {
        Self::with(|_| {}, |queue| queue).await
    }

    async fn parking() -> Self {
        Self::with(|survey| survey.on_unknown = OnUnknown::Park, |queue| queue).await
    }

    /// A lane of a platform that is none of the sandbox's.
    async fn of(change: impl FnOnce(&mut Platform)) -> Self {
        Self::built(change, |_| {}, |queue| queue).await
    }

    async fn with(change: impl FnOnce(&mut Survey), wrap: impl FnOnce(SharedQueue) -> SharedQueue) -> Self {
        Self::built(|_| {}, change, wrap).await
    }

    async fn built(
        change_platform: impl FnOnce(&mut Platform),
        change: impl FnOnce(&mut Survey),
        wrap: impl FnOnce(SharedQueue) -> SharedQueue,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(&folder.path().join("queue.db"), Options::default()).unwrap();
        let queue = wrap(Arc::new(queue));
        let (sandbox, mut platform, mut survey) = sandbox().await;
        (platform.interval, platform.settle) = (INTERVAL, SETTLE);
        change_platform(&mut platform);
        change(&mut survey);
        let (clock, platform) = (Clock::start(), Arc::new(platform));
        let (stop, stopped) = watch::channel(false);
        let surveys = watch::channel(vec![Arc::new(survey)]).1;
        let recorder = Recorder::default();
        let (queue_of_lane, counts) = (Arc::clone(&queue), recorder.clone());
        let client = client(&platform);
        let lane = Lane::new(Arc::clone(&platform), surveys.clone(), client, queue_of_lane, clock, counts);
        let (desk, report, rests) = (lane.desk(), lane.report(), lane.rests.0.clone());
        let task = tokio::spawn(lane.run(stopped));
        let sent = Mutex::default();
        Self {
            sandbox,
            queue,
            clock,
            desk,
            report,
            recorder,
            sent,
            platform,
            surveys,
            rests,
            stop,
            task,
            _folder: folder,
        }
    }

    /// A lane that comes after this one.
    fn successor(&self) -> Lane {
        let (platform, surveys) = (Arc::clone(&self.platform), self.surveys.clone());
        let queue = Arc::clone(&self.queue);
        Lane::new(platform, surveys, client(&self.platform), queue, self.clock, self.recorder.clone())
    }

    /// Looks some submissions up, when nobody listens for the beginning of the reply any more.
    async fn look_up(&self, ids: &[Uuid]) -> (look_up::Seen, Option<Outcome>) {
        let survey = Arc::clone(&self.surveys.borrow()[0]);
        let touchpoint = survey.touchpoint.clone();
        let window = look_up::Window::of(&[unknown(self.clock.now())], None, &[]).unwrap();
        let (answering, _) = tokio::sync::oneshot::channel();
        let (key, sought) = ("submission".into(), ids.iter().copied().collect());
        let asking = ask::ask(client(&self.platform), touchpoint, window, key, sought, answering);
        tokio::time::timeout(DEADLINE, asking).await.unwrap()
    }

    /// Ends the lane; gives back what it could not store.
    async fn end(&mut self) -> Option<Unsettled> {
        self.stop.send_replace(true);
        tokio::time::timeout(DEADLINE, &mut self.task).await.unwrap().unwrap()
    }

    /// Hands in an answer that carries its UUID.
    async fn send(&self) -> Uuid {
        self.send_with(|accepted, id| {
            accepted.metadata.insert("submission".into(), id.to_string());
        })
        .await
    }

    async fn send_with(&self, change: impl FnOnce(&mut Accepted, Uuid)) -> Uuid {
        let submission = Uuid::new_v4();
        let mut accepted = accepted();
        change(&mut accepted, submission);
        self.hand_in("checkout", submission, &accepted).await;
        self.sent.lock().await.push(submission);
        submission
    }

    /// Hands in an answer to a survey that is not configured.
    async fn send_to_a_survey_that_is_gone(&self) -> Uuid {
        self.hand_in("gone", Uuid::new_v4(), &accepted()).await
    }

    async fn hand_in(&self, survey: &str, submission: Uuid, accepted: &Accepted) -> Uuid {
        let entry = NewEntry {
            lane: PlatformName::new("main"),
            priority: Priority::Visitor,
            survey: survey.parse().unwrap(),
            submission,
            fingerprint: [0; 32],
            body: serde_json::to_vec(accepted).unwrap(),
            accepted_at: self.clock.now(),
        };
        assert_eq!(self.queue.enqueue(entry).await.unwrap(), Enqueued::Stored);
        submission
    }

    /// The next answer meets a fault.
    fn strike(&self, fault: Fault) {
        self.strike_call(Call::AddAnswer, fault);
    }

    /// The next call of a kind meets a fault.
    fn strike_call(&self, call: Call, fault: Fault) {
        self.sandbox.misbehave(Misbehaviour::from(fault).calls(1).only(call));
    }

    /// Waits until so many calls have met a fault. What is set from then on is there before any call that follows.
    async fn struck(&self, calls: u64) {
        assert!(self.sandbox.until(DEADLINE, |now| now.struck == calls).await);
    }

    /// The calls that were counted: what for, what came of them, and how many.
    async fn counted(&self) -> Vec<(String, String, u64)> {
        self.recorder.flush(&*self.queue).await;
        let wanted = crate::queue::Wanted {
            span: Duration::from_hours(1 << 20),
            ..crate::queue::Wanted::of(crate::queue::Series::Call, Timestamp::UNIX_EPOCH)
        };
        let counts = self.queue.counted(&wanted).await.unwrap();
        let mut counts: Vec<_> =
            counts.into_iter().map(|(kind, count)| (kind.item, kind.value, count)).collect();
        counts.sort();
        counts
    }

    async fn record(&self, id: Uuid) -> Record {
        let filter = Filter { submissions: vec![id], ..Filter::default() };
        self.queue.page(&filter, None, 1).await.unwrap().remove(0)
    }

    /// Waits until an entry is in a state.
    async fn until(&self, id: Uuid, state: State) -> Record {
        let reached = async || Some(self.record(id).await).filter(|record| record.state == state);
        let Some(record) = seen(reached).await else {
            panic!("it is {}, not {state}", self.record(id).await.state);
        };
        record
    }

    /// Sends one that arrives, and waits until a look-up may show it: the platform has a witness.
    async fn prove(&self) {
        let witness = self.send().await;
        self.until(witness, State::Delivered).await;
        let surveys = ["checkout".parse().unwrap()];
        let settled = async || {
            let before = self.clock.now().checked_sub(SETTLE).unwrap();
            self.queue.delivered(&PlatformName::new("main"), &surveys, before, 1).await.unwrap().pop()
        };
        seen(settled).await.unwrap();
    }

    /// How often the platform stored an answer.
    fn stored(&self, id: Uuid) -> usize {
        let answers = self.sandbox.answers();
        answers.iter().filter(|answer| answer.metadata("submission") == Some(&id.to_string())).count()
    }

    /// The verdicts of an entry that is not delivered.
    async fn verdicts(&self, record: &Record) -> Vec<String> {
        let attempts = self.queue.attempts(record.id).await.unwrap();
        attempts.into_iter().map(|attempt| attempt.verdict.into_owned()).collect()
    }
}

/// An entry that may have arrived at a moment.
fn unknown(at: Timestamp) -> Unknown {
    let entry = Entry {
        id: EntryId::new(1),
        survey: "checkout".parse().unwrap(),
        submission: Uuid::nil(),
        body: Vec::new(),
        attempts: 1,
        accepted_at: at,
    };
    Unknown { entry, since: at, until: at }
}

fn client(platform: &Platform) -> Client {
    Client::new(platform, &mut Connections::default()).unwrap()
}

#[tokio::test]
async fn an_answer_whose_reply_was_lost_is_found_and_not_sent_again() {
    for fault in [Fault::LostReply, Fault::LateReply(Duration::from_secs(2))] {
        let line = Line::of(|platform| platform.timeout = Duration::from_millis(500)).await;
        line.strike(fault.clone());
        let id = line.send().await;
        line.until(id, State::Delivered).await;
        assert_eq!(line.stored(id), 1, "{fault:?}");
        let arrivals = line.sandbox.arrivals();
        assert!(
            arrivals.iter().any(|arrival| arrival.call == Call::GetAnswers),
            "it was looked up: {fault:?}"
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_absent_where_read_back_is_proven_is_sent_again_once_and_after_settle() {
    for fault in [Fault::CutAfterBody, Fault::CutAtHead] {
        let line = Line::parking().await;
        line.prove().await;
        line.strike(fault.clone());
        let id = line.send().await;
        let unknown = line.until(id, State::Unknown).await;
        line.until(id, State::Delivered).await;
        assert_eq!(line.stored(id), 1, "{fault:?}");
        let arrivals = line.sandbox.arrivals();
        let calls: Vec<_> = arrivals
            .iter()
            .filter(|arrival| arrival.call == Call::AddAnswer)
            .skip(1)
            .map(|arrival| arrival.time)
            .collect();
        assert_eq!(calls.len(), 2);
        let settled = clock::later(unknown.settled_at.unwrap(), SETTLE);
        assert!(calls[1] >= settled, "absence counted too early");
    }
}

#[tokio::test]
async fn without_a_witness_absence_proves_nothing_and_the_survey_decides() {
    let line = Line::parking().await;
    line.strike(Fault::CutAfterBody);
    let id = line.send().await;
    let parked = line.until(id, State::Parked).await;
    assert_eq!(line.verdicts(&parked).await, ["unknown", "undecidable"]);
    assert_eq!(line.stored(id), 0);

    let line = Line::new().await;
    line.strike(Fault::CutAfterBody);
    let id = line.send().await;
    line.until(id, State::Delivered).await;
    assert_eq!(line.stored(id), 1);
}

#[tokio::test]
async fn a_platform_that_lags_shows_the_answer_before_its_absence_counts() {
    let line = Line::parking().await;
    line.sandbox.set_reports(Reports { lag: SETTLE / 2, ..Reports::default() });
    line.prove().await;
    line.strike(Fault::LostReply);
    let id = line.send().await;
    line.until(id, State::Delivered).await;
    assert_eq!(line.stored(id), 1);
}

#[tokio::test]
async fn where_look_ups_show_nothing_that_is_there_absence_never_counts() {
    let blind = [
        Reports { ahead: 2 * 3_600, ..Reports::default() },
        Reports { ahead: -5 * 3_600, ..Reports::default() },
        Reports { without_metadata: true, ..Reports::default() },
        Reports { refused: true, ..Reports::default() },
        Reports { lag: Duration::from_hours(1), ..Reports::default() },
    ];
    for reports in blind {
        // A refusal decides while answers are taken: that has to be true for longer than a disk may stand still.
        let interval = if reports.refused { Duration::from_millis(200) } else { INTERVAL };
        let parks = |survey: &mut Survey| survey.on_unknown = OnUnknown::Park;
        let line = Line::built(|platform| platform.interval = interval, parks, |queue| queue).await;
        line.sandbox.set_reports(reports.clone());
        line.prove().await;
        line.strike(Fault::LostReply);
        let id = line.send().await;
        line.until(id, State::Parked).await;
        assert_eq!(line.stored(id), 1, "{reports:?}");
    }
}

#[tokio::test]
async fn read_back_that_was_proven_once_is_not_trusted_when_it_stops_showing_what_is_there() {
    let line = Line::parking().await;
    line.prove().await;
    line.strike(Fault::CutAfterBody);
    let id = line.send().await;
    line.until(id, State::Delivered).await;
    line.sandbox.set_reports(Reports { without_metadata: true, ..Reports::default() });
    line.strike(Fault::LostReply);
    let id = line.send().await;
    line.until(id, State::Parked).await;
    assert_eq!(line.stored(id), 1);
}

#[tokio::test]
async fn an_answer_without_its_uuid_cannot_be_looked_up_and_the_survey_decides_at_once() {
    let line = Line::parking().await;
    line.strike(Fault::LostReply);
    let id = line.send_with(|_, _| {}).await;
    let parked = line.until(id, State::Parked).await;
    assert_eq!(line.verdicts(&parked).await, ["unknown"]);
    let foreign = line.send_with(|accepted, _| {
        accepted.metadata.insert("submission".into(), Uuid::new_v4().to_string());
    });
    line.strike(Fault::LostReply);
    line.until(foreign.await, State::Parked).await;
    assert!(line.sandbox.arrivals().iter().all(|arrival| arrival.call == Call::AddAnswer));
}

#[tokio::test]
async fn one_look_up_serves_every_unknown_answer() {
    let line = Line::parking().await;
    line.prove().await;
    // Each call fails, and the lane slows down: look-ups wait until the platform answers again.
    line.sandbox.misbehave(Misbehaviour::from(Fault::LostReply).calls(4).only(Call::AddAnswer));
    let lost = [line.send().await, line.send().await, line.send().await, line.send().await];
    for id in lost {
        line.until(id, State::Delivered).await;
        assert_eq!(line.stored(id), 1);
    }
    let arrivals = line.sandbox.arrivals();
    let look_ups = arrivals.iter().filter(|arrival| arrival.call == Call::GetAnswers).count();
    assert!(look_ups < 4, "{look_ups} look-ups for four answers");
}

#[tokio::test]
async fn a_look_up_whose_reply_takes_its_time_blocks_nobody_and_is_heard() {
    for late in [Duration::from_mins(5), Duration::from_millis(200)] {
        let line = Line::of(|platform| platform.timeout = Duration::from_mins(10)).await;
        line.strike(Fault::LostReply);
        let id = line.send().await;
        line.struck(1).await;
        line.strike_call(Call::GetAnswers, Fault::LateReply(late));
        line.struck(2).await;
        let meanwhile = line.send().await;
        line.until(meanwhile, State::Delivered).await;
        if late > DEADLINE {
            assert_eq!(line.record(id).await.state, State::Unknown, "its look-up is still being answered");
        } else {
            line.until(id, State::Delivered).await;
            assert_eq!(line.stored(id), 1);
        }
    }
}

#[tokio::test]
async fn a_garbled_or_failing_look_up_decides_nothing_by_itself() {
    for fault in [
        Fault::CutReply,
        Fault::Status { status: 500, retry_after: None, body: None },
        Fault::Status { status: 429, retry_after: Some(0), body: None },
        Fault::LostReply,
    ] {
        let line = Line::parking().await;
        line.prove().await;
        line.strike(Fault::LostReply);
        let id = line.send().await;
        line.struck(1).await;
        line.strike_call(Call::GetAnswers, fault.clone());
        line.until(id, State::Delivered).await;
        assert_eq!(line.stored(id), 1, "{fault:?}");
        let counted = line.counted().await;
        let of = |failed: bool| {
            let look_ups = counted.iter().filter(|(purpose, ..)| purpose == LOOK_UP);
            look_ups
                .filter(|(_, verdict, _)| (verdict != "delivered") == failed)
                .map(|(.., count)| count)
                .sum::<u64>()
        };
        assert!(of(true) == 1 && of(false) >= 1, "{fault:?}: {counted:?}");
    }
}

#[tokio::test]
async fn what_a_look_up_showed_before_it_broke_off_is_believed() {
    let line = Line::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = line.send().await;
        line.until(id, State::Delivered).await;
        ids.push(id);
    }
    line.strike_call(Call::GetAnswers, Fault::CutReply);
    let (seen, _) = line.look_up(&ids).await;
    assert_eq!(seen.ending, look_up::Ending::Failed);
    assert!(seen.found.contains(&ids[0]) && !seen.found.contains(&ids[2]), "{:?}", seen.found);
}

#[tokio::test]
async fn a_platform_that_asks_to_be_left_alone_when_nobody_listens_any_more_is() {
    let line = Line::new().await;
    let busy = Fault::Status { status: 503, retry_after: Some(7), body: None };
    line.strike_call(Call::GetAnswers, busy);
    let (_, unheard) = line.look_up(&[]).await;
    assert!(matches!(unheard, Some(Outcome::Reply(Reply { retry_after: Some(_), .. }))), "{unheard:?}");
    let idle = |report: &LaneReport| report.state == LaneState::Idle;
    tokio::time::timeout(DEADLINE, line.report.clone().wait_for(idle)).await.unwrap().unwrap();
    line.rests.send(Instant::now() + Duration::from_secs(1)).unwrap();
    let before = Instant::now();
    let id = line.send().await;
    line.until(id, State::Delivered).await;
    assert!(before.elapsed() >= Duration::from_millis(900), "{:?}", before.elapsed());
}

#[tokio::test]
async fn what_went_to_another_touchpoint_is_not_absent_from_the_present_one() {
    let mut line = Line::new().await;
    line.end().await;
    let mut first = line.successor();
    first.note_moves().await.unwrap();
    // As the store has it.
    let before = Timestamp::from_millisecond(line.clock.now().as_millisecond()).unwrap();
    assert!(!first.has_moved_since(&unknown(before)), "it was always there");
    let there = Survey {
        touchpoint: "0B6FDD7A-46A4-4A3B-8BE6-6E9E1C2E2A7F".parse().unwrap(),
        ..Survey::clone(&line.surveys.borrow()[0])
    };
    let here = Arc::clone(&line.surveys.borrow()[0]);
    let (configured, surveys) = watch::channel(vec![Arc::new(there)]);
    line.surveys = surveys;
    for _ in 0..2 {
        let mut next = line.successor();
        next.note_moves().await.unwrap();
        assert!(next.has_moved_since(&unknown(before)));
        let after = line.clock.now().checked_add(SignedDuration::from_millis(5)).unwrap();
        assert!(!next.has_moved_since(&unknown(after)), "also after a start, since it is noted");
    }
    // It leaves the lane, and comes back.
    let mut lane_of_two = line.successor();
    let other = Survey { id: "other".parse().unwrap(), ..Survey::clone(&here) };
    let mut at = line.clock.now();
    let mine = Arc::clone(&configured.borrow()[0]);
    for surveys in [vec![Arc::new(other.clone())], vec![Arc::new(other), mine]] {
        lane_of_two.note_moves().await.unwrap();
        at = Timestamp::from_millisecond(line.clock.now().as_millisecond()).unwrap();
        configured.send_replace(surveys);
        lane_of_two.adopt_surveys();
    }
    lane_of_two.note_moves().await.unwrap();
    assert!(lane_of_two.has_moved_since(&unknown(at)), "nobody knows where it was meanwhile");
}

#[tokio::test]
async fn an_answer_that_went_to_another_touchpoint_is_not_sent_again_for_its_absence() {
    let mut line = Line::parking().await;
    line.prove().await;
    line.end().await;
    // As if the survey had come to its touchpoint after the answer was sent.
    let touchpoint = line.surveys.borrow()[0].touchpoint.as_str().to_ascii_lowercase();
    let moved = line.clock.now().checked_add(SignedDuration::from_hours(1)).unwrap().as_millisecond();
    let (main, note) = (PlatformName::new("main"), format!("{touchpoint} {moved}"));
    line.queue.remember(&main, "touchpoint of checkout", &note).await.unwrap();
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(line.successor().run(stopped));
    line.strike(Fault::CutAfterBody);
    let id = line.send().await;
    let parked = line.until(id, State::Parked).await;
    assert_eq!(line.verdicts(&parked).await, ["unknown", "undecidable"]);
    assert_eq!(line.stored(id), 0);
}

#[tokio::test]
async fn answers_to_a_survey_that_is_gone_let_others_pass() {
    let (line, dealt) = leased().await;
    let mut gone = Vec::new();
    for _ in 0..30 {
        gone.push(line.send_to_a_survey_that_is_gone().await);
    }
    let id = line.send().await;
    dealt.send_replace(Some(lease(1, Duration::from_mins(10))));
    let sent_at = line.until(id, State::Delivered).await.sent_at.unwrap();
    let mut looked_at = 0;
    for id in gone {
        let attempts = line.queue.attempts(line.record(id).await.id).await.unwrap();
        looked_at += u32::from(attempts.first().is_some_and(|first| first.at <= sent_at));
    }
    assert!((1..10).contains(&looked_at), "{looked_at}");
    assert_eq!(line.report.borrow().unfit, ["gone".parse().unwrap()]);
}

#[tokio::test]
async fn an_operator_may_retry_what_is_being_looked_up() {
    let line = Line::parking().await;
    line.sandbox.set_reports(Reports { refused: true, ..Reports::default() });
    line.strike(Fault::CutAfterBody);
    let id = line.send().await;
    let unknown = line.until(id, State::Unknown).await;
    line.queue.change(&[unknown.id], crate::queue::Change::Retry, line.clock.now()).await.unwrap();
    line.until(id, State::Delivered).await;
    assert_eq!(line.stored(id), 1);
}

/// A lane whose lease the test deals out.
async fn leased() -> (Line, watch::Sender<Option<Lease>>) {
    let (line, dealt, _) = watched().await;
    (line, dealt)
}

/// The same, and how often it has looked for what is due.
async fn watched() -> (Line, watch::Sender<Option<Lease>>, watch::Receiver<u64>) {
    let (lease, looks) = (watch::Sender::new(None), watch::Sender::new(0));
    let (dealt, looked) = (lease.clone(), looks.subscribe());
    let (loses, refuses) = (Arc::default(), Arc::default());
    let line = Line::with(|_| {}, |queue| Arc::new(Leased { queue, lease, loses, refuses, looks })).await;
    (line, dealt, looked)
}

/// A lane that is ours, on a store that loses the answer to a reservation, or stores no verdict, while it is told so.
async fn failing() -> (Line, Arc<AtomicBool>, Arc<AtomicBool>) {
    let (lease, looks) = (watch::Sender::new(Some(Lease { term: 1, until: None })), watch::Sender::new(0));
    let (loses, refuses): (Arc<AtomicBool>, Arc<AtomicBool>) = Default::default();
    let told = (Arc::clone(&loses), Arc::clone(&refuses));
    let line = Line::with(|_| {}, |queue| Arc::new(Leased { queue, lease, loses, refuses, looks })).await;
    (line, told.0, told.1)
}

fn lease(term: u64, lasting: Duration) -> Lease {
    Lease { term, until: Some(Instant::now() + lasting) }
}

/// Waits until the lane has taken a turn from now on, in which it was not its owner.
async fn stands_by(line: &Line) {
    let asked = tokio::time::timeout(DEADLINE, line.desk.ask(serve::wanted())).await.unwrap();
    assert_eq!(asked.unwrap_err(), crate::forwarder::NotMade::Standby);
}

/// Waits until the lane has looked for what is due, looked again at the time that it had set for it, done what it wanted to,
/// and come back.
async fn comes_back(looked: &mut watch::Receiver<u64>) {
    let before = *looked.borrow();
    let back = looked.wait_for(|looks| *looks >= before + 3);
    tokio::time::timeout(DEADLINE, back).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_lane_without_a_lease_sends_nothing_until_it_has_one() {
    let (line, dealt) = leased().await;
    let id = line.send().await;
    stands_by(&line).await;
    assert_eq!(line.sandbox.counts().arrived, 0);
    dealt.send_replace(Some(lease(1, Duration::from_mins(1))));
    line.until(id, State::Delivered).await;
}

#[tokio::test]
async fn a_lease_that_ends_before_a_call_would_is_not_used() {
    let (line, dealt, mut looked) = watched().await;
    // The call may take 5 s.
    dealt.send_replace(Some(lease(1, Duration::from_secs(4))));
    let id = line.send().await;
    comes_back(&mut looked).await;
    assert_eq!(line.sandbox.counts().arrived, 0);
    assert_eq!(line.record(id).await.state, State::Waiting);
    dealt.send_replace(Some(lease(1, Duration::from_mins(1))));
    line.until(id, State::Delivered).await;
}

#[tokio::test]
async fn an_owner_that_is_frozen_past_its_lease_and_revived_sends_nothing() {
    let (line, dealt, mut looked) = watched().await;
    dealt.send_replace(Some(lease(1, Duration::from_mins(1))));
    let first = line.send().await;
    line.until(first, State::Delivered).await;
    // What a process sees that was stopped for longer than its lease: a deadline that has passed.
    dealt.send_if_modified(|held| {
        *held = Some(Lease { term: 1, until: Some(Instant::now()) });
        false
    });
    let second = line.send().await;
    comes_back(&mut looked).await;
    assert_eq!(line.stored(second), 0);
    dealt.send_replace(None);
    stands_by(&line).await;
    assert_eq!(line.stored(second), 0);
    dealt.send_replace(Some(lease(2, Duration::from_mins(1))));
    line.until(second, State::Delivered).await;
    assert_eq!(line.stored(second), 1);
}

#[tokio::test]
async fn a_new_term_waits_a_full_interval_and_settles_what_was_in_flight() {
    let (line, dealt) = leased().await;
    let id = line.send().await;
    // A former owner was in the middle of a call, and had reached the platform.
    line.queue.reserve(&PlatformName::new("main"), line.clock.now(), &[]).await.unwrap().unwrap();
    let before = Instant::now();
    dealt.send_replace(Some(lease(1, Duration::from_mins(1))));
    line.until(id, State::Delivered).await;
    assert_eq!(line.stored(id), 1);
    let first = line.sandbox.arrivals()[0].at;
    assert!(first - before >= INTERVAL);
}

#[tokio::test]
async fn an_answer_that_arrived_while_the_lease_was_lost_is_delivered_once_the_lane_is_ours_again() {
    let (line, dealt) = leased().await;
    dealt.send_replace(Some(lease(1, Duration::from_mins(1))));
    line.strike(Fault::LateReply(Duration::from_millis(200)));
    let id = line.send().await;
    assert!(line.sandbox.until(DEADLINE, |now| now.stored == 1).await);
    dealt.send_replace(None);
    // Once the call has ended.
    stands_by(&line).await;
    assert_eq!(line.record(id).await.state, State::Sending);
    dealt.send_replace(Some(lease(2, Duration::from_mins(1))));
    line.until(id, State::Delivered).await;
    assert_eq!(line.sandbox.counts().arrived, 1, "what is known need not be looked up");
}

#[tokio::test]
async fn an_entry_whose_reservation_got_no_answer_is_sent_and_not_left_behind() {
    let (line, lost, _) = failing().await;
    lost.store(true, Ordering::Relaxed);
    let id = line.send().await;
    line.until(id, State::Delivered).await;
    assert!(!lost.load(Ordering::Relaxed), "the answer was lost");
    assert_eq!(line.sandbox.counts().arrived, 1, "no call was made before: there is nothing to look up");
}

#[tokio::test]
async fn a_lane_that_is_stopped_puts_back_what_it_has_reserved_for_no_call() {
    let (mut line, lost, refused) = failing().await;
    // It can be put back once the lane is told to stop, and not before.
    lost.store(true, Ordering::Relaxed);
    refused.store(true, Ordering::Relaxed);
    let id = line.send().await;
    line.until(id, State::Sending).await;
    line.stop.send_replace(true);
    refused.store(false, Ordering::Relaxed);
    assert!(line.end().await.is_none());
    assert_eq!(line.record(id).await.state, State::Delayed, "no call was made: there is nothing to look up");
}

#[tokio::test]
async fn what_a_lane_could_not_store_its_successor_stores() {
    let (mut line, _, refused) = failing().await;
    refused.store(true, Ordering::Relaxed);
    let id = line.send().await;
    assert!(line.sandbox.until(DEADLINE, |now| now.done == 1).await);
    let unsettled = line.end().await.unwrap();
    assert_eq!(line.record(id).await.state, State::Sending);
    refused.store(false, Ordering::Relaxed);
    let mut successor = line.successor();
    successor.inherit(unsettled);
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(successor.run(stopped));
    line.until(id, State::Delivered).await;
    assert_eq!(line.sandbox.counts().arrived, 1, "it is neither sent again nor looked up");
}

#[tokio::test]
async fn a_lane_that_is_stopped_leaves_the_rest_in_the_queue() {
    let line = Line::new().await;
    let sent: BTreeSet<Uuid> = [line.send().await, line.send().await].into();
    line.stop.send_replace(true);
    let sending = |count: &LaneCount| count.sending > 0;
    seen(async || (!line.queue.counts().await.unwrap().iter().any(sending)).then_some(())).await.unwrap();
    let kept = line.queue.page(&Filter::default(), None, 9).await.unwrap();
    assert_eq!(kept.iter().map(|record| record.submission).collect::<BTreeSet<_>>(), sent);
}
