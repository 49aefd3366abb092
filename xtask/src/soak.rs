//! `cargo xtask soak`: kills the server hundreds of times on each store, and holds accounts.

use anyhow::Result;

use crate::{bench, build, setup};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often the server is killed on each store.
    #[arg(long, default_value_t = 200)]
    cycles: usize,
    /// Chooses the random moments; the same seed chooses the same.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let tools = setup::run()?;
    build::widget(&tools)?;
    build::server(build::Profile::Release)?;
    let (cycles, seed) = (arguments.cycles.to_string(), arguments.seed.to_string());
    bench::measure("soak", &[&cycles, &seed])
}
