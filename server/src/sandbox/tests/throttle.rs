//! The throttle through the whole sandbox, on a clock that stands still.

use tokio::time::advance;

use super::*;

const MILLISECOND: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_call_a_millisecond_too_early_gets_429_and_counts_for_the_next() {
    let (sandbox, address) = start_with(settings()).await;
    let mut statuses = Vec::new();
    for wait in [0, 1_000, 999, 999, 1_000] {
        advance(wait * MILLISECOND).await;
        statuses.push(add(address, &right()).await.status().unwrap());
    }
    assert_eq!(statuses, [200, 200, 429, 429, 200]);
    let arrivals = sandbox.arrivals();
    let gaps: Vec<_> = arrivals.iter().map(|arrival| arrival.gap.map(|gap| gap.as_micros())).collect();
    assert_eq!(gaps, [None, Some(1_000_000), Some(999_000), Some(999_000), Some(1_000_000)]);
    assert_eq!(arrivals.iter().map(|arrival| arrival.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    let counts = sandbox.counts();
    assert_eq!((counts.arrived, counts.stored, counts.early), (5, 3, 2));
    assert_eq!(counts.smallest_gap, Some(999 * MILLISECOND));
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_call_counts_also_one_that_is_refused() {
    let (_, address) = start_with(settings()).await;
    assert_eq!(get_all(address, "x", "y").await.status(), Some(400));
    assert_eq!(add(address, &right()).await.status(), Some(429));
    advance(1_000 * MILLISECOND).await;
    assert_eq!(add(address, &json!({})).await.status(), Some(400));
    assert_eq!(get_all(address, "20260101000000", "20260102000000").await.status(), Some(429));
}

#[tokio::test(start_paused = true)]
async fn the_interval_can_be_set_while_it_runs() {
    let (sandbox, address) = start_with(settings()).await;
    sandbox.set_interval(20 * MILLISECOND);
    for (wait, status) in [(0, 200), (20, 200), (19, 429)] {
        advance(wait * MILLISECOND).await;
        assert_eq!(add(address, &right()).await.status(), Some(status));
    }
    sandbox.set_interval(Duration::ZERO);
    assert_eq!(add(address, &right()).await.status(), Some(200));
}

#[tokio::test]
async fn jitter_delays_a_request_before_it_counts_as_arrived() {
    let jitter = 20 * MILLISECOND;
    let settings = Settings { interval: Duration::ZERO, jitter, ..settings() };
    let twin = Sandbox::new(settings.clone());
    let (sandbox, address) = start_with(settings).await;
    for _ in 0..5 {
        let sent = tokio::time::Instant::now();
        add(address, &right()).await;
        assert!(sandbox.arrivals().last().unwrap().at - sent >= twin.way());
    }
    let ways: Vec<_> = (0..1_000).map(|_| twin.way()).collect();
    assert!(ways.iter().all(|way| *way < jitter));
    let short = ways.iter().filter(|way| **way < jitter / 2).count();
    assert!((450..550).contains(&short), "{short}");
}
