//! Kills a server hundreds of times on each store, and prints the account; started by `cargo xtask soak`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use tests::Store;
use tests::soak::{Soak, Tally};
use tokio::time::Instant;

/// Cycles after which a line is printed.
const NEWS: usize = 20;

pub(super) async fn run() -> Result<ExitCode> {
    let mut arguments = std::env::args().skip(2);
    let cycles: usize = arguments.next().map_or(Ok(200), |text| text.parse()).context("how many cycles?")?;
    let seed = arguments.next().map_or(Ok(1), |text| text.parse()).context("which seed?")?;
    println!("{cycles} kills on each store, seed {seed}; answers, lost replies and cut calls meanwhile.\n");
    let mut failed = false;
    for (name, store) in [("SQLite", Store::Sqlite), ("PostgreSQL", Store::postgres().await?)] {
        let begun = Instant::now();
        match soak(name, store, cycles, seed).await {
            Ok(tally) => {
                print(name, &tally, begun.elapsed());
                failed |= tally.doubled > 0;
            }
            Err(error) => {
                println!("{name}: FAILED after {} s: {error:#}\n", begun.elapsed().as_secs());
                failed = true;
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn soak(name: &str, store: Store, cycles: usize, seed: u64) -> Result<Tally> {
    let mut soak = Soak::new(store, seed).await?;
    for cycle in 1..=cycles {
        soak.cycle().await.with_context(|| format!("in cycle {cycle}"))?;
        if cycle % NEWS == 0 {
            println!("{name}: {cycle} kills, every account balanced");
        }
    }
    soak.finish().await
}

fn print(name: &str, tally: &Tally, took: Duration) {
    println!("\n{name}, {} s", took.as_secs());
    let row = |what: &str, value: String| println!("  {what:<44} {value:>8}");
    row("kills", tally.kills.to_string());
    for (moment, kills) in &tally.moments {
        row(&format!("  during: {moment}"), kills.to_string());
    }
    row("submissions accepted", tally.accepted.to_string());
    row("  lost", "0".to_owned());
    row("  at the platform more than once", tally.doubled.to_string());
    row("calls that met a fault", tally.struck.to_string());
    row("look-ups", tally.look_ups.to_string());
    row("calls that came early", tally.early.to_string());
    for (state, entries) in &tally.found {
        row(&format!("found after a kill: {state}"), entries.to_string());
    }
    println!();
}
