//! `afterword demo`: a shop, the server, and a sandbox in the platform's place, in one process.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::watch;
use uuid::Uuid;

use super::sandbox::settings;
use crate::config::Config;
use crate::demo::{self, Places};
use crate::http;
use crate::intake::EmbeddedWidget;
use crate::platform::BASE_PATH;
use crate::sandbox::{self, Sandbox};
use crate::server::{self, Listeners, Server};

#[derive(Args)]
pub(super) struct Demo {
    /// The shop's port
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    shop_port: u16,
    /// The server's port
    #[arg(long, default_value_t = 8081, value_name = "PORT")]
    server_port: u16,
    /// The sandbox's port
    #[arg(long, default_value_t = 8082, value_name = "PORT")]
    sandbox_port: u16,
    /// The operators' port
    #[arg(long, default_value_t = 9090, value_name = "PORT")]
    admin_port: u16,
    /// Where the queue is kept; without it, in a folder that is removed in the end
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

pub(super) async fn demo(arguments: Demo) -> anyhow::Result<()> {
    let shop = local(arguments.shop_port, "the shop", "--shop-port").await?;
    let public = local(arguments.server_port, "the server", "--server-port").await?;
    let platform = local(arguments.sandbox_port, "the sandbox", "--sandbox-port").await?;
    let admin = local(arguments.admin_port, "operators", "--admin-port").await?;
    let places = Places {
        shop: origin(&shop)?,
        server: origin(&public)?,
        sandbox: origin(&platform)?,
        admin: origin(&admin)?,
    };
    let folder = match &arguments.store {
        Some(_) => None,
        None => Some(Temporary::new()?),
    };
    let store = arguments
        .store
        .unwrap_or_else(|| folder.as_ref().map_or_else(PathBuf::new, |folder| folder.0.join("queue.db")));
    let config = config(&places, &store)?;
    let sandbox = Sandbox::new(settings(&config));
    let server = Server::new(Arc::new(config)).await?;
    announce(&places);

    let (stopping, stopped) = watch::channel(false);
    let until = |mut stopped: watch::Receiver<bool>| async move {
        stopped.wait_for(|stopped| *stopped).await.ok();
    };
    let shop = tokio::spawn(http::serve(shop, demo::shop(places), until(stopped.clone())));
    let platform = tokio::spawn(sandbox::run(platform, sandbox, until(stopped)));
    let outcome = server.run(Listeners { public, admin }, server::signal()).await;
    stopping.send_replace(true);
    shop.await?;
    platform.await?;
    Ok(outcome?)
}

async fn local(port: u16, what: &str, flag: &str) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let bound = super::bind(address, what).await;
    bound.with_context(|| format!("port {port} is taken; choose another with {flag} PORT"))
}

fn origin(listener: &TcpListener) -> anyhow::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}

fn config(places: &Places, store: &Path) -> anyhow::Result<Config> {
    let store = std::path::absolute(store)?;
    let store = store.to_str().context("the store's path is not UTF-8")?.replace('\\', "\\\\");
    let text = demo::CONFIG
        .replace("@STORE@", &store.replace('"', "\\\""))
        .replace("@PLATFORM@", &format!("{}{BASE_PATH}", places.sandbox))
        .replace("@SHOP@", &places.shop);
    let token = Uuid::new_v4().simple().to_string();
    let environment = |name: &str| (name == demo::TOKEN_VARIABLE).then(|| token.clone());
    let mut config = Config::parse(&text, "the demo's configuration", Path::new(""), &environment)?;
    config.public_url = Some(places.server.clone());
    Ok(config)
}

fn announce(places: &Places) {
    println!("\nAfterword's demo is running.\n");
    println!("  Shop       {}/   answer its surveys", places.shop);
    println!("  Delivery   {}/delivery   the second page, the second survey", places.shop);
    println!("  Arrivals   {}/   what reaches the platform, one call a second", places.sandbox);
    println!("  Status     {}/   what the server says about it\n", places.admin);
    if EmbeddedWidget::iter().next().is_none() {
        println!("This server was built without the widget inside, so the shop shows no survey:");
        println!("run `cargo xtask demo`, which builds it first.\n");
    }
    println!("Press Ctrl-C to stop.\n");
}

/// A folder that is removed in the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("afterword-demo-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "the demo's folder could not be removed");
        }
    }
}
