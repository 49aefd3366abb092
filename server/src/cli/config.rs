//! `afterword config`: what a configuration may hold, for people and for their editors.

use clap::{Args, Subcommand};

use super::words::say;
use crate::config::reference;

#[derive(Args)]
pub(super) struct Config {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Print a file with every key, commented; the needed ones are in force
    Example,
    /// Print a JSON schema, which editors take to complete and check a configuration
    ///
    /// Keep it beside the configuration, and write `#:schema afterword.schema.json` in its first line: Taplo, and so
    /// Even Better TOML in VS Code, finds it there.
    Schema,
    /// Print every key with what it takes, as a page in Markdown
    Reference,
}

pub(super) fn config(arguments: &Config) -> anyhow::Result<()> {
    match arguments.what {
        What::Example => say(reference::example().trim_end())?,
        What::Schema => say(&serde_json::to_string_pretty(&reference::schema())?)?,
        What::Reference => say(reference::page().trim_end())?,
    }
    Ok(())
}
