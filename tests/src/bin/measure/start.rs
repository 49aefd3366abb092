//! How soon the image's server can store an answer, and what it holds then; printed by `cargo xtask bench image`.
//!
//! The same static binary as in the image, with the memory settings of the image, but without a container around it:
//! that is the engine's time. Each time with an empty store, and on a store that is there already.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use tests::{QUICK, Stage, http_client};
use tokio::time::Instant;

use crate::stats::{Sorted, millis};

const TIMES: usize = 15;
/// How long after it is ready its memory is looked at.
const IDLE: Duration = Duration::from_secs(1);

pub(super) async fn run() -> Result<ExitCode> {
    let (mut fresh, mut again, mut idle) = (Vec::new(), Vec::new(), Vec::new());
    let http = http_client()?;
    for _ in 0..TIMES {
        let mut stage = Stage::prepared(QUICK, |config| config).await?;
        stage.process.log_level = "info";
        stage.process.environment.insert("MIMALLOC_ALLOW_THP".into(), "0".into());
        for taken in [&mut fresh, &mut again] {
            let begun = Instant::now();
            stage.start().await?;
            let ready = http.get(format!("{}/readyz", stage.admin)).send().await?;
            anyhow::ensure!(ready.status() == 200, "{}", ready.status());
            taken.push(millis(begun.elapsed()));
            tokio::time::sleep(IDLE).await;
            idle.push(stage.process.resident()?);
            stage.stop().await?;
        }
    }
    println!("The image's server, {TIMES} starts each, until it says that it can store:\n");
    for (what, taken) in [("with an empty store", fresh), ("with a store that is there", again)] {
        let taken: Sorted = taken.into_iter().collect();
        println!("  {what:<28} median {:>7.1} ms, slowest {:>7.1} ms", taken.median(), taken.largest());
    }
    println!("  resident when idle           {}", idle.iter().max().map_or("", String::as_str));
    println!("\n  budget                       100 ms, 15 MB");
    Ok(ExitCode::SUCCESS)
}
