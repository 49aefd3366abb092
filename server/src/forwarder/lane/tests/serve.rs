//! Operators' calls at a lane's desk, and at a counter without a server.

use std::task::Poll;

use super::*;
use crate::forwarder::{Call as Wanted, Counter, Done, NotMade};
use crate::platform::{NewRespondent, Outcome, Reply};
use crate::sandbox::Arrival;

pub(super) fn wanted() -> Wanted {
    let touchpoint = crate::config::tests::good().surveys[0].touchpoint.clone();
    let respondent =
        NewRespondent { email: "jef@example.com".into(), language: "nl".into(), ..NewRespondent::default() };
    Wanted::AddRespondent { touchpoint, respondent }
}

fn status(done: &Result<Done, NotMade>) -> u16 {
    match done {
        Ok(Done::Added(Outcome::Reply(Reply { status, .. }))) => *status,
        other => panic!("{other:?}"),
    }
}

/// Where operators' calls are among those that arrived.
fn places(arrivals: &[Arrival]) -> Vec<usize> {
    let places = arrivals.iter().enumerate();
    places.filter(|(_, arrival)| arrival.call == Call::AddRespondent).map(|(place, _)| place).collect()
}

#[tokio::test]
async fn an_operators_call_is_made_when_nothing_waits() {
    let line = Line::new().await;
    assert_eq!(status(&line.desk.ask(wanted()).await), 201);
    assert_eq!(line.sandbox.respondents().len(), 1);
}

#[tokio::test]
async fn visitors_answers_go_first_and_operators_never_starve() {
    let (line, dealt) = leased().await;
    for _ in 0..45 {
        line.send().await;
    }
    dealt.send_replace(Some(lease(1, Duration::from_mins(1))));
    for done in futures::future::join_all((0..3).map(|_| line.desk.ask(wanted()))).await {
        assert_eq!(status(&done), 201);
    }
    let arrivals = line.sandbox.arrived(48, DEADLINE).await;
    let places = places(&arrivals);
    assert_eq!(places.len(), 3);
    assert!(places[0] <= 9, "{places:?}");
    for (before, after) in places.iter().zip(&places[1..]) {
        assert_eq!(after - before, 10, "one call in ten: {places:?}");
    }
}

#[tokio::test]
async fn a_call_that_nobody_waits_for_any_more_is_not_made() {
    let line = Line::new().await;
    for _ in 0..30 {
        line.send().await;
    }
    let mut gone = Box::pin(line.desk.ask(wanted()));
    // It is at the desk once it has been looked at, and the lane has not run since.
    std::future::poll_fn(|context| Poll::Ready(gone.as_mut().poll(context).is_ready())).await;
    drop(gone);
    assert_eq!(status(&line.desk.ask(wanted()).await), 201);
    line.sandbox.arrived(31, DEADLINE).await;
    assert_eq!((line.sandbox.respondents().len(), line.sandbox.counts().arrived), (1, 31));
}

#[tokio::test]
async fn a_lane_that_is_not_ours_turns_operators_away() {
    let (line, _dealt) = leased().await;
    assert_eq!(line.desk.ask(wanted()).await.unwrap_err(), NotMade::Standby);
    assert_eq!(line.sandbox.counts().arrived, 0);
}

#[tokio::test]
async fn a_lane_that_stops_says_so() {
    let line = Line::new().await;
    line.stop.send_replace(true);
    let stopped = async { while !matches!(line.desk.ask(wanted()).await, Err(NotMade::Stopped)) {} };
    tokio::time::timeout(DEADLINE, stopped).await.unwrap();
}

#[tokio::test]
async fn a_platform_that_asks_to_be_left_alone_is() {
    let line = Line::new().await;
    let busy = Fault::Status { status: 429, retry_after: Some(1), body: None };
    line.sandbox.misbehave(Misbehaviour::from(busy).calls(1));
    assert_eq!(status(&line.desk.ask(wanted()).await), 429);
    line.send().await;
    let arrivals = line.sandbox.arrived(2, DEADLINE).await;
    assert!(arrivals[1].gap.unwrap() >= Duration::from_secs(1), "{arrivals:?}");
}

#[tokio::test]
async fn every_way_of_failing_reaches_the_operator_and_nothing_is_made_twice() {
    let line = Line::new().await;
    line.strike_call(Call::AddRespondent, Fault::LostReply);
    let lost = line.desk.ask(wanted()).await.unwrap();
    assert!(matches!(lost, Done::Added(Outcome::Lost(_))), "{lost:?}");
    assert_eq!(line.sandbox.counts().arrived, 1);
    let mut klingon = wanted();
    if let Wanted::AddRespondent { respondent, .. } = &mut klingon {
        respondent.language = "tlh".into();
    }
    assert!(matches!(line.desk.ask(klingon).await, Err(NotMade::Language(_))));
    assert_eq!(line.sandbox.counts().arrived, 1);
}

#[tokio::test]
async fn an_operators_call_that_failed_is_counted_as_such_and_reported_until_one_succeeds() {
    let line = Line::new().await;
    let failed = || line.report.borrow().failed_call.clone();
    for code in [401, 400, 302, 403, 429, 500] {
        let words = Some("jef@example.com is unwelcome".to_owned());
        line.strike_call(Call::AddRespondent, Fault::Status { status: code, retry_after: None, body: words });
        assert_eq!(status(&line.desk.ask(wanted()).await), code);
        let failed = failed().unwrap();
        assert_eq!(failed.kind, "add respondent");
        assert!(failed.words.contains(&code.to_string()), "{failed:?}");
        assert!(!failed.words.contains("jef@example.com"), "{failed:?}");
    }
    assert_eq!(status(&line.desk.ask(wanted()).await), 201);
    assert_eq!(failed(), None);
    let of = |verdict: &str, count| ("operator".to_owned(), verdict.to_owned(), count);
    let counted = [of("delivered", 1), of("later", 1), of("paused", 1), of("rejected", 3), of("unknown", 1)];
    assert_eq!(line.counted().await, counted);
}

#[tokio::test]
async fn responses_are_read_beside_the_calls_that_follow() {
    let line = Line::new().await;
    let sent = line.send().await;
    line.until(sent, State::Delivered).await;
    let touchpoint = wanted().touchpoint().clone();
    let (from, to) = (line.clock.now() - SignedDuration::from_hours(1), line.clock.now());
    let to = to + SignedDuration::from_hours(1);
    let done = line.desk.ask(Wanted::GetAll { touchpoint: touchpoint.clone(), from, to }).await.unwrap();
    let Done::Responses(responses) = done else { panic!("{done:?}") };
    // It has begun, and nobody reads it yet.
    assert_eq!(status(&line.desk.ask(wanted()).await), 201);
    let (found, all) = std::sync::mpsc::channel();
    responses
        .each(move |response: crate::platform::Response| found.send(response.key_values).unwrap())
        .await
        .unwrap();
    let ids: Vec<_> = all.iter().map(|metadata| metadata["submission"].clone()).collect();
    assert_eq!(ids, [sent.to_string()]);
    let nps = line.desk.ask(Wanted::GetNps { touchpoint, from, to, filters: Vec::new() }).await.unwrap();
    assert!(matches!(&nps, Done::Nps(nps) if nps.detractors > 0.0), "{nps:?}");
}

#[tokio::test]
async fn a_counter_keeps_the_lanes_pace_and_needs_its_lease() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteQueue::open(&folder.path().join("queue.db"), Options::default()).unwrap();
    let store: SharedQueue = Arc::new(store);
    let (sandbox, mut platform, _) = sandbox().await;
    platform.interval = Duration::from_millis(50);
    sandbox.set_interval(platform.interval);
    let platform = Arc::new(platform);
    let client = Client::new(&platform, &mut Connections::default()).unwrap();
    let mut counter = Counter::open(Arc::clone(&platform), client.clone(), Arc::clone(&store)).await.unwrap();
    for _ in 0..5 {
        assert_eq!(status(&counter.call(wanted()).await), 201);
    }
    assert_eq!((sandbox.counts().early, sandbox.respondents().len()), (0, 5));
    counter.close().await;

    let lease = watch::Sender::new(None);
    let other: SharedQueue = Arc::new(Leased {
        queue: store,
        lease,
        loses: Arc::default(),
        refuses: Arc::default(),
        looks: watch::Sender::new(0),
    });
    let mut hasty = (*platform).clone();
    hasty.timeout = Duration::from_millis(100);
    let refused = Counter::open(Arc::new(hasty), client, other).await;
    assert!(matches!(refused, Err(NotMade::Standby)));
}

#[tokio::test(start_paused = true)]
async fn a_long_interval_is_no_wish_to_be_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteQueue::open(&folder.path().join("queue.db"), Options::default()).unwrap();
    let store: SharedQueue = Arc::new(store);
    let mut platform = (*crate::config::tests::good().platforms[0]).clone();
    platform.interval = Duration::from_mins(10);
    let platform = Arc::new(platform);
    let client = Client::new(&platform, &mut Connections::default()).unwrap();
    // It fails before it leaves, so the clock may jump.
    let klingon = || {
        let mut wanted = wanted();
        if let Wanted::AddRespondent { respondent, .. } = &mut wanted {
            respondent.language = "tlh".into();
        }
        wanted
    };
    let mut counter = Counter::open(Arc::clone(&platform), client.clone(), Arc::clone(&store)).await.unwrap();
    assert!(matches!(counter.call(klingon()).await, Err(NotMade::Language(_))));
    counter.close().await;
    let lane =
        Lane::new(platform, watch::channel(Vec::new()).1, client, store, Clock::start(), Recorder::default());
    let (desk, (_stop, stopped)) = (lane.desk(), watch::channel(false));
    tokio::spawn(lane.run(stopped));
    assert!(matches!(desk.ask(klingon()).await, Err(NotMade::Language(_))));
}

#[tokio::test]
async fn who_asks_while_the_platform_wants_rest_hears_of_it_even_where_a_look_up_is_next() {
    let (line, dealt) = leased().await;
    let (lost, refused) = (line.send().await, line.send().await);
    line.strike(Fault::LostReply);
    dealt.send_replace(Some(lease(1, Duration::from_mins(10))));
    line.struck(1).await;
    line.strike(Fault::Status { status: 503, retry_after: Some(3_600), body: None });
    line.until(refused, State::Delayed).await;
    line.until(lost, State::Unknown).await;
    // Until long after the look-up is due.
    let due = line.clock.now() + jiff::SignedDuration::from_millis(300);
    while line.clock.now() < due {
        let asked = tokio::time::timeout(DEADLINE, line.desk.ask(wanted())).await;
        assert!(matches!(asked, Ok(Err(NotMade::Resting(_)))), "{asked:?}");
    }
}
