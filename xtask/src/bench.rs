//! `cargo xtask bench`: the widget's bytes, then what the server can do, one program after the other.
//!
//! The measuring program is a binary of the package `tests`. What takes five minutes or more, and what only a
//! change of its own kind asks for, runs only when it is named.

use std::env;
use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;

use crate::tools::{Layout, Tools};
use crate::{build, image, setup, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to measure; without it the bytes, what a page pays, and what takes less than two minutes each.
    #[arg(value_enum)]
    what: Vec<What>,
}

/// Something that can be measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Nothing but the widget's bytes, which are printed at any rate; half a minute after a change.
    Size,
    /// What a survey costs the page that shows it, beside PostHog's surveys and SurveyJS; four minutes.
    Peers,
    /// Durable submissions a second beside a queue that stores nothing, and with a million waiting.
    Intake,
    /// What others notice of a flood from one address.
    Flood,
    /// A thousand lanes in one process.
    Lanes,
    /// Gaps between calls under jitter, at one call a second; five minutes.
    Pace,
    /// How soon the image's server is ready, and what it holds when idle; builds the image first.
    Image,
    /// Gaps between the calls of four servers on PostgreSQL whose owners are killed; four minutes.
    Replicas,
}

impl What {
    const SHORT: [Self; 4] = [Self::Intake, Self::Flood, Self::Lanes, Self::Peers];

    /// What the measuring program calls it; `None` for what needs no server.
    fn program(self) -> Option<&'static str> {
        match self {
            Self::Size => None,
            Self::Peers => Some("peers"),
            Self::Intake => Some("intake"),
            Self::Flood => Some("flood"),
            Self::Lanes => Some("lanes"),
            Self::Pace => Some("pace"),
            Self::Replicas => Some("replicas"),
            Self::Image => Some("start"),
        }
    }
}

/// The measuring program, in the package `tests`, with the release build of the server.
pub(crate) fn measure(what: &str, arguments: &[&str]) -> Result<()> {
    workspace::run(program(what).args(arguments))
}

fn program(what: &str) -> Command {
    println!();
    let mut program =
        workspace::cargo(&["run", "--release", "--quiet", "-p", "tests", "--bin", "measure", "--", what]);
    program.env("AFTERWORD_BIN", workspace::target().join("release/afterword"));
    // With it said, a database does not lie in memory, as it does for tests.
    program.env("TMPDIR", env::temp_dir());
    program
}

/// The same, with browsers and the peers' packages.
fn measure_pages(what: &str, tools: &Tools) -> Result<()> {
    let peers = setup::peers(&Layout::of_this_checkout()?)?;
    workspace::run(program(what).envs(tools.browsers.variables()).env("PEERS", peers))
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let tools = setup::run()?;
    build::widget(&tools)?;
    let chosen: &[What] = if arguments.what.is_empty() { &What::SHORT } else { &arguments.what };
    let programs: Vec<(What, &str)> =
        chosen.iter().filter_map(|what| Some((*what, what.program()?))).collect();
    if programs.is_empty() {
        return Ok(());
    }
    build::server(build::Profile::Release)?;
    programs.into_iter().try_for_each(|(what, program)| match what {
        What::Peers => measure_pages(program, &tools),
        What::Image => {
            image::build(&tools)?;
            workspace::run(self::program(program).env("AFTERWORD_BIN", image::binary()))
        }
        _ => measure(program, &[]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_can_be_measured_has_its_program() {
        for program in What::value_variants().iter().filter_map(|what| what.program()) {
            let folder = workspace::root().join("tests/src/bin/measure");
            assert!(folder.join(program).with_extension("rs").is_file(), "{program}");
        }
    }
}
