//! The log: on standard error, for people or for programs; `RUST_LOG` chooses what.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::IsTerminal as _;
use std::panic::PanicHookInfo;

use tracing::Level;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

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
    let wanted = std::env::var("RUST_LOG").ok().filter(|wanted| !wanted.is_empty());
    let filter: Option<Result<Targets, _>> = wanted.map(|wanted| wanted.parse());
    let wrong = matches!(filter, Some(Err(_)));
    let filter = filter.and_then(Result::ok).unwrap_or_else(|| Targets::new().with_default(Level::INFO));
    let log = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .with_target(false);
    let registry = tracing_subscriber::registry();
    match format {
        Format::Pretty => registry.with(log.with_filter(filter)).init(),
        Format::Json => registry.with(log.json().with_filter(filter)).init(),
    }
    std::panic::set_hook(Box::new(panicked));
    if wrong {
        tracing::warn!(
            "RUST_LOG cannot be read, and is not used: write a level (debug), or one for a part (warn,server=debug)"
        );
    }
}

/// Says where a panic was, and not its words: they may repeat what a visitor wrote, or a secret.
fn panicked(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    let thread = std::thread::current();
    let trace = Backtrace::capture();
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    tracing::error!(at, thread = thread.name(), trace, "a fault in this program; please report it");
}
