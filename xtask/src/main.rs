//! Afterword's own commands, started as `cargo xtask VERB`: one verb per file.
//!
//! This program knows the crates only by their folders and binaries and depends on none of them, so it
//! still runs while they do not compile.
#![expect(clippy::print_stdout, reason = "this program's job is to tell a person on a terminal what it does")]
#![expect(
    clippy::disallowed_methods,
    reason = "it tells a person how long a step took; no rule of the product hangs on this clock"
)]

mod bench;
mod build;
mod cache;
mod demo;
mod fuzz;
mod image;
mod pictures;
mod setup;
mod soak;
mod terminal;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Afterword's own commands. Every verb first brings what the machine lacks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Bring the tools that a fresh machine lacks; quick when nothing is missing.
    Setup,
    /// Build the widget and the server that carries it, and check the widget's bytes.
    Build(build::Arguments),
    /// Format, lints, docs, licences, walls and every test; the last line says how many passed.
    Test(test::Arguments),
    /// Start the demo: a shop page, a server and a sandbox platform.
    Demo(demo::Arguments),
    /// Print the widget's bytes (`bench size`: only them), and measure: intake, a flood, pace, many lanes.
    Bench(bench::Arguments),
    /// Kill the server again and again on each store, and hold accounts: bounded, prints a table.
    Soak(soak::Arguments),
    /// Run the fuzz targets for a while each; wants a nightly compiler.
    Fuzz(fuzz::Arguments),
    /// Take a picture of everything that visitors may see, in four languages, onto one contact sheet; ten minutes.
    Pictures,
    /// Build the container image: the static server with the widget inside, and a list of what it is made of.
    Image(image::Arguments),
    /// Check the walls between the modules and the tidiness of every file.
    Tidy,
}

fn main() -> ExitCode {
    // rustc starts this program as the widget's linker: see `build::link`.
    let done = match build::link::arguments() {
        Some(arguments) => build::link::run(arguments),
        None => run(Arguments::parse().verb),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The whole chain on one line, and no backtrace: what went wrong is on the machine, not in here.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Setup => setup::run().map(drop),
        Verb::Build(arguments) => build::run(&arguments),
        Verb::Test(arguments) => test::run(&arguments),
        Verb::Demo(arguments) => demo::run(&arguments),
        Verb::Bench(arguments) => bench::run(&arguments),
        Verb::Soak(arguments) => soak::run(&arguments),
        Verb::Fuzz(arguments) => fuzz::run(&arguments),
        Verb::Pictures => pictures::run(),
        Verb::Image(arguments) => image::run(&arguments),
        Verb::Tidy => tidy::run(),
    }
}
