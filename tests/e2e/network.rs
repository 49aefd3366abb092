//! A platform that cannot be reached: nothing has arrived, nothing is lost, and it goes on by itself or
//! once the configuration is mended.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use server::sandbox::Call;
use tests::{Edit as _, Relay, Stage};
use uuid::Uuid;

use crate::delivery::submissions;
use crate::submission;

const INTERVAL: Duration = Duration::from_millis(20);

/// The `base_url` of a configuration.
fn base_url(config: &str) -> &str {
    let line = config.lines().find(|line| line.starts_with("base_url")).unwrap_or_default();
    line.split('"').nth(1).unwrap_or_default()
}

/// A stage whose platform is called at another address, and the platform's own.
async fn at(url: &str) -> Result<(Stage, SocketAddr, String)> {
    let mut own = String::new();
    let stage = Stage::with(INTERVAL, |config| {
        base_url(&config).clone_into(&mut own);
        config.edit(&own, url)
    })
    .await?;
    let address = own.split('/').nth(2).context("no address")?.parse()?;
    Ok((stage, address, own))
}

/// Hands an answer in, and waits until the server has found that the platform cannot be reached.
async fn unreachable(stage: &Stage) -> Result<Uuid> {
    let id = Uuid::new_v4();
    ensure!(stage.submit("checkout", &submission(id, 9)).await?.status() == 202);
    let later = "afterword_calls_total{lane=\"sandbox\",verdict=\"later\"}";
    stage.until_admin("/metrics", |text| text.contains(later)).await?;
    stage.until_admin("/", |page| page.contains("the platform cannot be reached")).await?;
    ensure!(stage.sandbox.counts().stored == 0);
    Ok(id)
}

/// The answer arrives, once, and nothing had to be looked up.
async fn arrives(stage: &Stage, id: Uuid) -> Result<()> {
    let arrivals = stage.delivered(1).await?;
    ensure!(submissions(&arrivals) == [id.to_string()]);
    ensure!(arrivals.iter().all(|arrival| arrival.call == Call::AddAnswer));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_loses_nothing() -> Result<()> {
    tests::prepared()?;
    let relay = Relay::closed()?;
    let (stage, platform, _) = at(&format!("http://{}/V1.0/EN", relay.address)).await?;
    let id = unreachable(&stage).await?;
    relay.open(platform).await?;
    arrives(&stage, id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_nobody_vouches_for_is_not_trusted_until_the_configuration_does() -> Result<()> {
    tests::prepared()?;
    let relay = Relay::tls()?;
    let (mut stage, platform, _) = at(&format!("https://localhost:{}/V1.0/EN", relay.address.port())).await?;
    relay.open(platform).await?;
    let id = unreachable(&stage).await?;
    ensure!(stage.sandbox.counts().arrived == 0, "the token went to somebody unknown");
    stage.stop().await?;
    relay.write_certificate(&stage.process.folder().join("proxy-ca.pem"))?;
    stage.process.config = stage.process.config.edit("token_env", "ca_file = \"proxy-ca.pem\"\ntoken_env");
    stage.start().await?;
    arrives(&stage, id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_nobody_knows_loses_nothing() -> Result<()> {
    tests::prepared()?;
    let nowhere = "https://platform.invalid/V1.0/EN";
    let (mut stage, _, own) = at(nowhere).await?;
    let id = unreachable(&stage).await?;
    stage.stop().await?;
    stage.process.config = stage.process.config.edit(nowhere, &own);
    stage.start().await?;
    arrives(&stage, id).await
}
