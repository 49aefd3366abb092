//! `cargo xtask bench`: the widget's bytes, then what the server can do, one program after the other.
//!
//! The measuring programs are binaries of the package `tests`. Those that take minutes run only when
//! they are named.

use anyhow::Result;
use clap::ValueEnum;

use crate::{build, setup, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure; without it the bytes and what takes less than two minutes each.
    #[arg(value_enum)]
    what: Vec<What>,
}

/// Something that can be measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Durable submissions a second beside a queue that stores nothing, and with a million waiting.
    Intake,
    /// What others notice of a flood from one address.
    Flood,
    /// A thousand lanes in one process.
    Lanes,
    /// Gaps between calls under jitter, at one call a second; five minutes.
    Pace,
}

impl What {
    const SHORT: [Self; 3] = [Self::Intake, Self::Flood, Self::Lanes];

    /// The measuring program, in the package `tests`.
    fn binary(self) -> &'static str {
        match self {
            Self::Intake => "bench-intake",
            Self::Flood => "bench-flood",
            Self::Lanes => "bench-lanes",
            Self::Pace => "bench-pace",
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let tools = setup::run()?;
    build::widget(&tools)?;
    build::server(build::Profile::Release)?;
    let chosen: &[What] = if arguments.what.is_empty() { &What::SHORT } else { &arguments.what };
    for what in chosen {
        println!();
        let program = ["run", "--release", "--quiet", "-p", "tests", "--bin", what.binary()];
        let binary = workspace::target().join("release/afterword");
        workspace::run(workspace::cargo(&program).env("AFTERWORD_BIN", binary))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_can_be_measured_has_its_program() {
        for what in What::value_variants() {
            let source = workspace::root().join("tests/src/bin").join(what.binary()).with_extension("rs");
            assert!(source.is_file(), "{}", source.display());
        }
    }
}
