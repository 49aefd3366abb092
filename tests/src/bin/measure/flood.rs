//! What others notice of a flood from one address; printed by `cargo xtask bench`.
//!
//! A real server process with the default limits. One address sends well-formed submissions at a fixed
//! rate, whether they are answered or not, while ten others submit now and then, each less often than
//! it may. Fails if one of theirs does not get a 202. Server and load share the machine's cores.
//! `AFTERWORD_BIN` names the server's binary.

use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};
use tests::{Door, Edit as _, NO_LIMITS, Stage};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};
use uuid::Uuid;

use crate::stats::{Sorted, millis};

/// How long the flood lasts.
const FLOOD: Duration = Duration::from_secs(20);
/// Requests of the flood in each [`TICK`]: 2,000 a second.
const EACH_TICK: usize = 20;
const TICK: Duration = Duration::from_millis(10);
/// Requests of the flood that may be under way at a time; what comes on top is not sent.
const UNDER_WAY: usize = 1_000;
/// The other addresses.
const OTHERS: u8 = 10;
/// How often each of them submits: 50 times, where a visitor may 60 times at once.
const PAUSE: Duration = Duration::from_millis(400);

/// What became of the flood.
#[derive(Default)]
struct Flood {
    sent: AtomicU64,
    held_back: AtomicU64,
    taken: AtomicU64,
    refused: AtomicU64,
    other: AtomicU64,
    cut: AtomicU64,
}

pub(super) async fn run() -> Result<ExitCode> {
    let default_limits = |config: String| config.edit(NO_LIMITS, "");
    let stage = Stage::logging("warn,server=info", Duration::from_secs(1), default_limits).await?;
    let address = |last| IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));

    let until = Instant::now() + FLOOD;
    let flooder = tokio::spawn(flood(stage.door_from(address(2))?, until));
    let mut others = JoinSet::new();
    for n in 0..OTHERS {
        // Not all at the same moment.
        let first = PAUSE / u32::from(OTHERS) * u32::from(n);
        others.spawn(visit(stage.door_from(address(10 + n))?, first, until));
    }
    let others = others.join_all().await;
    let flood = flooder.await?;
    let metrics = stage.get(&format!("{}/metrics", stage.admin)).await?;

    println!("A flood of 2,000 submissions a second from one address for {} s,", FLOOD.as_secs());
    println!("beside {OTHERS} addresses that submit every {} ms; default limits.\n", PAUSE.as_millis());
    println!("  flood     sent      202      429    other   no reply   held back   connections refused");
    let refused: u64 = metrics.lines().filter_map(connections_refused).sum();
    println!(
        "       {:>9} {:>8} {:>8} {:>8} {:>10} {:>11} {refused:>21}\n",
        flood.sent.load(Relaxed),
        flood.taken.load(Relaxed),
        flood.refused.load(Relaxed),
        flood.other.load(Relaxed),
        flood.cut.load(Relaxed),
        flood.held_back.load(Relaxed),
    );
    let sent: usize = others.iter().map(Vec::len).sum();
    let taken: Sorted = others.into_iter().flatten().flatten().collect();
    println!("  others    sent      202     p50 ms   p99 ms   max ms");
    println!(
        "       {sent:>9} {:>8} {:>10.1} {:>8.1} {:>8.1}",
        taken.len(),
        taken.median(),
        taken.percentile(0.99),
        taken.largest(),
    );
    if taken.len() == sent {
        return Ok(ExitCode::SUCCESS);
    }
    println!("\n{} submissions of others did not get a 202.", sent - taken.len());
    Ok(ExitCode::FAILURE)
}

/// Sends at its rate until the time is over, then waits for the replies.
async fn flood(door: Door, until: Instant) -> Arc<Flood> {
    let flood = Arc::new(Flood::default());
    let under_way = Arc::new(Semaphore::new(UNDER_WAY));
    let mut requests = JoinSet::new();
    let mut ticks = interval(TICK);
    // A tick that comes late is made up for: the rate is the flood's own, not the server's.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    while ticks.tick().await < until {
        for _ in 0..EACH_TICK {
            let Ok(permit) = Arc::clone(&under_way).try_acquire_owned() else {
                flood.held_back.fetch_add(1, Relaxed);
                continue;
            };
            flood.sent.fetch_add(1, Relaxed);
            let (door, flood) = (door.clone(), Arc::clone(&flood));
            requests.spawn(async move {
                let reply = door.submit("checkout", &submission()).await;
                let counter = match reply.map(|reply| reply.status().as_u16()) {
                    Ok(202) => &flood.taken,
                    Ok(429) => &flood.refused,
                    Ok(_) => &flood.other,
                    Err(_) => &flood.cut,
                };
                counter.fetch_add(1, Relaxed);
                drop(permit);
            });
        }
        while requests.try_join_next().is_some() {}
    }
    requests.join_all().await;
    flood
}

/// Submits now and then; the milliseconds until each 202, and `None` for any other outcome.
async fn visit(door: Door, first: Duration, until: Instant) -> Vec<Option<f64>> {
    let mut visits = Vec::new();
    let mut ticks = tokio::time::interval_at(Instant::now() + first, PAUSE);
    while ticks.tick().await < until {
        let sent = Instant::now();
        let reply = door.submit("checkout", &submission()).await;
        let taken = reply.is_ok_and(|reply| reply.status() == 202);
        visits.push(taken.then(|| millis(sent.elapsed())));
    }
    visits
}

fn submission() -> Value {
    json!({
        "submission": Uuid::new_v4(),
        "language": "nl",
        "answers": [{"question": "recommend", "score": 9}, {"question": "again", "boolean": true}],
        "metadata": {"pieces": "3"},
    })
}

/// The value of a line of the metric.
fn connections_refused(line: &str) -> Option<u64> {
    line.strip_prefix("afterword_connections_refused_total{")?.rsplit_once(' ')?.1.parse().ok()
}
