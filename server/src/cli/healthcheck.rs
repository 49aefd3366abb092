//! `afterword healthcheck`: whether the server of a configuration is well, for whatever watches over its process.

use clap::Args;

use super::ConfigFile;
use super::remote::Remote;

const HELP: &str = "\
Asks at admin_listen, needs no token, and prints nothing while all is well. A server that is alive answers; one that is \
ready can store submissions as well. A platform that is away is no reason to start a server again, so it counts for \
neither.";

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
    let config = super::load_without_secrets(&arguments.file.config)?;
    Remote::new(&config)?.well(if arguments.ready { "readyz" } else { "healthz" }).await
}
