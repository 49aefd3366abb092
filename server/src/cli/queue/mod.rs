//! `afterword queue`: the operators' queue, on the store itself or through the server that holds it.

pub(super) mod access;
mod change;
mod export;
mod filter;
mod forget;
mod list;
mod show;
mod status;

use clap::{Args, Subcommand, ValueEnum};

/// The part of a help text that all verbs share.
const WHERE: &str = "It asks the server that runs with this configuration, at admin_listen; if none runs, it reads \
                     the store itself, and then no server can start until it is done. Run it as the user that \
                     the server runs as. While the file has a mistake, a server that runs can be looked at all the same.";

#[derive(Args)]
#[command(after_long_help = WHERE)]
pub(super) struct Queue {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// How each lane stands, and when it will be through
    Status(status::StatusArgs),
    /// The entries that wait, are sent, or wait for you
    List(list::ListArgs),
    /// One submission: where it stands, and every call that failed
    Show(show::ShowArgs),
    /// Send entries again: dead letters and what is parked
    Retry(change::RetryArgs),
    /// Give entries up: what the visitor sent is erased, and never sent
    Discard(change::DiscardArgs),
    /// Write entries with all that is stored of them, one JSON object a line
    Export(export::ExportArgs),
    /// Erase a person from every state
    Forget(forget::ForgetArgs),
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For machines
    Json,
}

pub(super) async fn queue(arguments: Queue) -> anyhow::Result<()> {
    match arguments.verb {
        Verb::Status(arguments) => status::status(&arguments).await,
        Verb::List(arguments) => list::list(&arguments).await,
        Verb::Show(arguments) => show::show(&arguments).await,
        Verb::Retry(arguments) => change::retry(&arguments).await,
        Verb::Discard(arguments) => change::discard(&arguments).await,
        Verb::Export(arguments) => export::export(&arguments).await,
        Verb::Forget(arguments) => forget::forget(&arguments).await,
    }
}
