//! `afterword serve`.

use std::path::PathBuf;
use std::sync::Arc;

use crate::server::{self, Hangups, Listeners, Server};

pub(super) async fn serve(path: PathBuf) -> anyhow::Result<()> {
    // Before anything that takes time: a signal to read the configuration again must not end the server.
    let hangups = Hangups::hear();
    let (config, files) = super::load_and_follow(&path);
    let config = config?;
    for advice in config.advice() {
        tracing::warn!("{advice}");
    }
    let public = super::bind(config.listen, "browsers").await?;
    let admin = super::bind(config.admin_listen, "operators").await?;
    let (surveys, platforms) = (config.surveys.len(), config.platforms.len());
    let listeners = Listeners { public, admin };
    let (listen, admin_listen) = (listeners.public.local_addr()?, listeners.admin.local_addr()?);
    let server = Server::new(Arc::new(config)).await?.of_file(path, files, hangups);
    tracing::info!(%listen, admin = %admin_listen, surveys, platforms, "serving");
    server.run(listeners, server::signal()).await?;
    Ok(())
}
