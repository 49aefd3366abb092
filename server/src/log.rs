//! The log: on standard error, for people or for programs; `RUST_LOG` chooses what.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Pretty,
    /// For machines: one JSON object a line
    Json,
}

/// Sends everything to standard error from now on, panics too. To be called once in a process.
pub fn init(format: Format) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    match format {
        Format::Pretty => log.init(),
        Format::Json => log.json().init(),
    }
    std::panic::set_hook(Box::new(panicked));
}

/// Says where a panic was, and not its words: they may repeat what a visitor wrote, or a secret.
fn panicked(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    let thread = std::thread::current();
    let trace = Backtrace::capture();
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    tracing::error!(at, thread = thread.name(), trace, "a fault in this program; please report it");
}
