//! Measures what a server can do, and how it bears faults; started by `cargo xtask bench` and
//! `cargo xtask soak`. `AFTERWORD_BIN` names the server's binary.
//!
//! One program for all of it: each links a whole server.

#![expect(clippy::print_stdout, reason = "a person reads it")]

mod flood;
mod intake;
mod lanes;
mod pace;
mod peers;
mod replicas;
mod soak;
mod start;
mod stats;

use std::process::ExitCode;

use anyhow::{Result, bail};

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let what = std::env::args().nth(1).unwrap_or_default();
    match what.as_str() {
        "intake" => intake::run().await,
        "flood" => flood::run().await,
        "lanes" => lanes::run().await,
        "pace" => pace::run().await,
        "peers" => peers::run().await,
        "replicas" => replicas::run().await,
        "soak" => soak::run().await,
        "start" => start::run().await,
        _ => bail!("say what to measure: intake, flood, lanes, pace, peers, replicas, soak or start"),
    }
}
