//! How well a lane uses its one call a second under jitter; printed by `cargo xtask bench pace`.
//!
//! 300 submissions wait; each request takes 0 to 50 ms on its way before the sandbox's throttle counts
//! it. Takes five minutes. Fails if a call came early or fewer than 97 % of those permitted were made.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::Stage;
use uuid::Uuid;

use crate::stats::{Sorted, millis};

const WAITING: u64 = 300;
const INTERVAL: Duration = Duration::from_secs(1);
const JITTER: Duration = Duration::from_millis(50);
/// The width of a row in the distribution.
const ROW_MS: u128 = 10;

pub(super) async fn run() -> Result<ExitCode> {
    let stage = Stage::logging("warn,server=info", INTERVAL, |config| config).await?;
    stage.sandbox.set_jitter(JITTER);
    for _ in 0..WAITING {
        let body = json!({
            "submission": Uuid::new_v4(), "language": "nl", "metadata": { "pieces": "3" },
            "answers": [{ "question": "recommend", "score": 9 }, { "question": "again", "boolean": true }],
        });
        ensure!(stage.submit("checkout", &body).await?.status() == 202);
    }
    let patience = INTERVAL * u32::try_from(WAITING)? * 2;
    ensure!(
        stage.sandbox.until(patience, |counts| counts.stored >= WAITING).await,
        "{}",
        stage.process.last_words()
    );

    let arrivals = stage.sandbox.arrivals();
    let mut gaps: Vec<Duration> = arrivals.iter().filter_map(|arrival| arrival.gap).collect();
    gaps.sort_unstable();
    let taken: Duration = gaps.iter().sum();
    let used = (INTERVAL * u32::try_from(gaps.len())?).as_secs_f64() / taken.as_secs_f64();
    let early = stage.sandbox.counts().early;
    println!(
        "{} calls at one a second, 0 to {} ms of jitter on the request:\n",
        arrivals.len(),
        JITTER.as_millis()
    );
    let (least, most) = (gaps.first().context("no gaps")?, gaps.last().context("no gaps")?);
    for row in least.as_millis() / ROW_MS..=most.as_millis() / ROW_MS {
        let within = gaps.iter().filter(|gap| gap.as_millis() / ROW_MS == row).count();
        println!("  {:>5} ms  {within:>4}  {}", row * ROW_MS, "#".repeat(within.div_ceil(2)));
    }
    println!("\n  smallest gap      {:>10.3} ms", millis(*least));
    println!(
        "  median            {:>10.3} ms",
        gaps.iter().copied().map(millis).collect::<Sorted>().median()
    );
    println!("  calls early, 429  {early:>10}");
    println!("  used              {:>9.2} % of one call a second", used * 100.0);
    Ok(if early == 0 && used >= 0.97 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
