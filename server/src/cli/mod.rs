//! The command line: one file per command. Exit 0 done, 1 failed, 2 usage.

#![expect(clippy::print_stdout, reason = "a command line prints")]

mod answers;
mod ask;
mod check;
mod config;
mod demo;
mod desk;
mod embed;
mod files;
mod healthcheck;
mod holder;
mod import;
mod migrate;
mod nps;
mod patience;
mod queue;
mod remote;
mod respondents;
mod responses;
mod sandbox;
mod serve;
mod sheet;
mod shell;
mod target;
#[cfg(test)]
mod tests;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, CommandFactory, Parser, Subcommand};
use tokio::net::TcpListener;

use crate::config::{Config, ConfigError, Files};
use crate::log;

/// Takes visitors' answers and hands them to the Hello Customer platform.
#[derive(Parser)]
#[command(name = "afterword", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How log lines look
    #[arg(long, global = true, env = "AFTERWORD_LOG_FORMAT", default_value = "pretty")]
    log_format: log::Format,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server: take submissions, forward them to the platform
    Serve(ConfigFile),
    /// Check a configuration, and show every problem at once
    Check(check::Check),
    /// Print an example with every key, a schema for editors, or a page of all keys
    Config(config::Config),
    /// Write a survey from what the platform asks
    Import(import::Import),
    /// Print ready snippets for the pages that show a survey
    Embed(embed::Embed),
    /// See, retry, give up, export or erase what waits, whether the server runs or not
    Queue(queue::Queue),
    /// Hand in answers that were collected elsewhere
    Answers(answers::Answers),
    /// Add people to a touchpoint, who are then sent a survey
    Respondents(respondents::Respondents),
    /// Fetch what the platform has of a survey
    Responses(responses::ResponsesArgs),
    /// Ask the platform for its Net Promoter Score
    Nps(nps::NpsArgs),
    /// Try everything out: a small shop, the server, and a sandbox in the platform's place
    Demo(demo::Demo),
    /// Run a sandbox that behaves like the platform, for the surveys of a configuration
    Sandbox(sandbox::SandboxArgs),
    /// Move a SQLite queue into the store of a configuration
    Migrate(migrate::Migrate),
    /// Ask whether the server of a configuration is well
    Healthcheck(healthcheck::Healthcheck),
    /// Print what a shell needs to complete these commands
    Completions(shell::Completions),
    /// Write manual pages of these commands
    Man(shell::Man),
}

#[derive(Args)]
struct ConfigFile {
    /// The configuration file
    #[arg(long, short, env = "AFTERWORD_CONFIG", value_name = "FILE")]
    config: PathBuf,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    log::init(cli.log_format);
    let outcome = match cli.command {
        Command::Serve(file) => run(serve::serve(file.config)),
        Command::Check(arguments) => run(check::check(arguments)),
        Command::Config(arguments) => config::config(&arguments),
        Command::Embed(arguments) => embed::embed(&arguments),
        Command::Queue(arguments) => run(queue::queue(arguments)),
        Command::Responses(arguments) => run(responses::responses(arguments)),
        Command::Respondents(arguments) => run(respondents::respondents(arguments)),
        Command::Import(arguments) => run(import::import(arguments)),
        Command::Answers(arguments) => run(answers::answers(arguments)),
        Command::Nps(arguments) => run(nps::nps(arguments)),
        Command::Demo(arguments) => run(demo::demo(arguments)),
        Command::Sandbox(arguments) => run(sandbox::sandbox(arguments)),
        Command::Migrate(arguments) => run(migrate::migrate(arguments)),
        Command::Healthcheck(arguments) => run(healthcheck::healthcheck(arguments)),
        Command::Completions(arguments) => shell::completions(&arguments, Cli::command()),
        Command::Man(arguments) => shell::man(&arguments, Cli::command()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output has what they want.
        Err(error) if words::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("afterword: {error:#}");
            if error.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

/// A command that was asked for what it cannot do: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

fn run(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}

/// Reads a configuration with the process's own environment.
fn load(path: &Path) -> Result<Config, ConfigError> {
    load_and_follow(path).0
}

/// The same; and what was read with it.
fn load_and_follow(path: &Path) -> (Result<Config, ConfigError>, Files) {
    Config::load_and_follow(path, &|name| std::env::var(name).ok())
}

/// Reads a configuration for a command that may do without secrets: they are missed only where they are needed.
fn load_without_secrets(path: &Path) -> Result<Config, ConfigError> {
    Config::without_secrets(path, &|name| std::env::var(name).ok())
}

/// The same, for one that may have no survey yet.
fn load_draft(path: &Path) -> Result<Config, ConfigError> {
    Config::draft(path, &|name| std::env::var(name).ok())
}

/// Binds a listener, or says who wanted it and what to do.
async fn bind(address: std::net::SocketAddr, what: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address} for {what}; is something else running there?"))
}
