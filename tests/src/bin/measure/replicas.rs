//! Four servers on one PostgreSQL store, the owner killed, frozen or stopped again and again: how close
//! together calls arrive; printed by `cargo xtask bench replicas`.
//!
//! Fails if two calls came less than an interval apart, or an answer is missing or doubled.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tests::{Edit as _, Process, Stage, Store, fill};
use tokio::time::Instant;

const SERVERS: usize = 4;
const INTERVAL: Duration = Duration::from_secs(1);
const JITTER: Duration = Duration::from_millis(50);
const WAITING: usize = 120;
/// The time-out decides how long a lease lasts.
const TIMEOUT: &str = "timeout = \"1s\"";
/// A frozen server is revived after this long: its lease has ended.
const FREEZE: Duration = Duration::from_secs(4);

pub(super) async fn run() -> Result<ExitCode> {
    let store = Store::postgres().await?;
    let change = |config: String| {
        store.put_into(&config).edit("settle = \"500ms\"", &format!("settle = \"5s\"\n{TIMEOUT}"))
    };
    let mut stage = Stage::prepared(INTERVAL, change).await?;
    stage.sandbox.set_jitter(JITTER);
    stage.process.log_level = "info";
    let mut servers = vec![stage.process];
    for _ in 1..SERVERS {
        servers.push(servers[0].beside()?);
    }
    for server in &mut servers {
        server.start().await?;
    }
    let queue = store.open_beside().await?;
    fill(&*queue, "sandbox", "checkout", WAITING).await?;

    let mut random = StdRng::seed_from_u64(1);
    let (mut killed, mut frozen, mut stopped) = (0, 0, 0);
    let patience = Instant::now() + INTERVAL * u32::try_from(WAITING)? * 5;
    while stage.sandbox.counts().stored < WAITING as u64 {
        ensure!(Instant::now() < patience, "it takes too long");
        tokio::time::sleep(Duration::from_millis(random.random_range(2_000..9_000))).await;
        let Some(owner) = owner(&servers).await else { continue };
        match random.random_range(0..3) {
            0 => {
                servers[owner].kill().await?;
                servers[owner].start().await?;
                killed += 1;
            }
            1 => {
                servers[owner].signal("STOP")?;
                tokio::time::sleep(FREEZE).await;
                servers[owner].signal("CONT")?;
                frozen += 1;
            }
            _ => {
                servers[owner].stop().await?;
                servers[owner].start().await?;
                stopped += 1;
            }
        }
    }
    let mut gaps: Vec<Duration> = stage.sandbox.arrivals().iter().filter_map(|arrival| arrival.gap).collect();
    gaps.sort_unstable();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for answer in stage.sandbox.answers() {
        *times.entry(answer.metadata("submission").unwrap_or_default().to_owned()).or_default() += 1;
    }
    let counts = stage.sandbox.counts();
    let smallest = gaps.first().context("no gaps")?;
    println!("{SERVERS} servers on one PostgreSQL store, one call a second, {WAITING} waiting:\n");
    println!("  owners killed, frozen, stopped   {killed}, {frozen}, {stopped}");
    println!("  calls                            {:>10}", counts.arrived);
    println!("  smallest gap                     {:>10.3} ms", smallest.as_secs_f64() * 1_000.0);
    println!("  median gap                       {:>10.3} ms", gaps[gaps.len() / 2].as_secs_f64() * 1_000.0);
    println!("  calls early, 429                 {:>10}", counts.early);
    let doubled = times.values().filter(|times| **times > 1).count();
    println!("  answers missing, doubled         {:>10}", format!("{}, {doubled}", WAITING - times.len()));
    let kept = counts.early == 0 && *smallest >= INTERVAL && doubled == 0 && times.len() == WAITING;
    Ok(if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The server that forwards, as its log tells: the one that made a call since the last look.
async fn owner(servers: &[Process]) -> Option<usize> {
    let calls = |server: &Process| server.log().rmatch_indices("\"message\":\"call\"").count();
    let before: Vec<usize> = servers.iter().map(calls).collect();
    let until = Instant::now() + INTERVAL * 3;
    while Instant::now() < until {
        let found = servers.iter().zip(&before).position(|(server, before)| calls(server) > *before);
        if found.is_some() {
            return found;
        }
        tokio::time::sleep(INTERVAL / 20).await;
    }
    None
}
