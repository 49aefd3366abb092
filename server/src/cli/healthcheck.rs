//! `afterword healthcheck`: whether the server of a configuration is well, for whatever watches over its process.

use clap::Args;

use super::ConfigFile;
use super::remote::Remote;
use crate::config::Admin;

const HELP: &str = "\
Asks at admin_listen, needs no token, and prints nothing while all is well. A server that is alive answers; one that is \
ready can store submissions as well. A platform that is away is no reason to start a server again, so it counts for \
neither, and neither does a mistake in the file: the server goes on with what it has read before.";

#[derive(Args)]
#[command(after_long_help = HELP)]
pub(super) struct Healthcheck {
    #[command(flatten)]
    file: ConfigFile,
    /// Ask whether it can store submissions, too
    #[arg(long)]
    ready: bool,
}

pub(super) async fn healthcheck(arguments: Healthcheck) -> anyhow::Result<()> {
    let path = &arguments.file.config;
    // A mistake in the file is no reason to take a server for ill that goes on with what it has read before.
    let remote = match Admin::address(path) {
        Some(address) => Remote::at(address, None)?,
        None => Remote::new(&super::load_without_secrets(path)?)?,
    };
    remote.well(if arguments.ready { "readyz" } else { "healthz" }).await
}
