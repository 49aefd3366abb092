//! One who asks too much is refused, and nobody else notices.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tests::{Door, Edit as _, NO_LIMITS, Stage};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};
use uuid::Uuid;

use crate::submission;

const FLOODER: u8 = 2;
const PROXY: u8 = 9;
/// What a visitor may submit at once; and from then on, too little to matter here.
const BURST: usize = 5;

async fn stage(trusted_proxies: &str, limits: &str) -> Result<Stage> {
    let change = |config: String| {
        let trusted = format!("\ntrusted_proxies = [{trusted_proxies}]\nstore = ");
        config.edit_first("\nstore = ", &trusted).edit(NO_LIMITS, &format!("\n[limits]\n{limits}\n"))
    };
    Stage::with(Duration::from_millis(20), change).await
}

async fn strict(trusted_proxies: &str) -> Result<Stage> {
    stage(trusted_proxies, &format!("visitor_per_minute = 1\nvisitor_burst = {BURST}")).await
}

/// An address of this machine.
fn address(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

/// Submits once.
async fn submit(door: &Door) -> Result<reqwest::Response> {
    door.submit("checkout", &submission(Uuid::new_v4(), 9)).await
}

/// Submits until the server has had enough; gives back how often it took it.
async fn flood(door: &Door) -> Result<usize> {
    for taken in 0.. {
        let reply = submit(door).await?;
        if reply.status() == 202 {
            continue;
        }
        ensure!(reply.status() == 429, "{}", reply.text().await?);
        let wait = reply.headers().get("retry-after").context("no Retry-After")?.to_str()?;
        ensure!((1..=60).contains(&wait.parse::<u64>()?), "{wait}");
        ensure!(reply.headers().contains_key("access-control-allow-origin"), "no page could read it");
        return Ok(taken);
    }
    Ok(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_from_one_address_gets_429_while_another_gets_through() -> Result<()> {
    tests::prepared()?;
    let stage = strict("").await?;
    let (flooder, visitor) = (stage.door_from(address(FLOODER))?, stage.door_from(address(3))?);
    ensure!(flood(&flooder).await? == BURST);
    for _ in 0..BURST {
        ensure!(submit(&flooder).await?.status() == 429);
        ensure!(submit(&visitor).await?.status() == 202);
    }
    let refused = format!("afterword_submissions_refused_total{{reason=\"rate\"}} {}\n", BURST + 1);
    stage.until_admin("/metrics", |text| text.contains(&refused)).await?;
    stage.delivered(2 * BURST as u64).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_a_flood_from_one_client_stops_no_other() -> Result<()> {
    tests::prepared()?;
    let stage = strict("\"127.0.0.9\"").await?;
    let proxy = stage.door_from(address(PROXY))?;
    ensure!(flood(&proxy.clone().forwarding_for("203.0.113.7, 192.0.2.1")).await? == BURST);
    ensure!(submit(&proxy.clone().forwarding_for("203.0.113.8, 192.0.2.1")).await?.status() == 429);
    for client in ["192.0.2.2", "2001:db8::2", "203.0.113.7"] {
        ensure!(submit(&proxy.clone().forwarding_for(client)).await?.status() == 202, "{client}");
    }
    ensure!(!stage.log().contains("proxy that is not trusted"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_trusted_proxy_cannot_choose_an_address_and_the_operator_hears_once() -> Result<()> {
    tests::prepared()?;
    let stage = strict("\"127.0.0.9\"").await?;
    let flooder = stage.door_from(address(FLOODER))?;
    for n in 0..BURST {
        let reply = submit(&flooder.clone().forwarding_for(&format!("192.0.2.{n}"))).await?;
        ensure!(reply.status() == 202);
    }
    ensure!(submit(&flooder.clone().forwarding_for("192.0.2.77")).await?.status() == 429);
    ensure!(submit(&flooder).await?.status() == 429);
    let counted = format!("afterword_untrusted_forwarded_total{{peer=\"private\"}} {}\n", BURST + 1);
    stage.until_admin("/metrics", |text| text.contains(&counted)).await?;
    let warning = "proxy that is not trusted";
    let log = stage.until_log(|log| log.contains(warning)).await?;
    ensure!(log.matches(warning).count() == 1 && log.contains("add \\\"127.0.0.2\\\" to trusted_proxies"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survey_takes_no_more_than_its_ceiling_and_says_so_to_all() -> Result<()> {
    tests::prepared()?;
    let change =
        |config: String| config.edit_first("\nid = \"checkout\"", "\nid = \"checkout\"\nper_minute = 1");
    let stage = Stage::with(Duration::from_millis(20), change).await?;
    ensure!(submit(&stage.door_from(address(3))?).await?.status() == 202);
    ensure!(flood(&stage.door_from(address(5))?).await? == 0);
    let refused = "afterword_submissions_refused_total{reason=\"survey_rate\"} 1\n";
    stage.until_admin("/metrics", |text| text.contains(refused)).await?;
    Ok(())
}

/// A connection from an address of this machine; it says nothing.
async fn connect(stage: &Stage, last: u8) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(address(last), 0))?;
    Ok(socket.connect(stage.server.trim_start_matches("http://").parse()?).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_bounded_and_the_operators_stay_inside() -> Result<()> {
    tests::prepared()?;
    let stage = stage("", "connections = 3\nconnections_per_address = 2").await?;
    let _held = [connect(&stage, FLOODER).await?, connect(&stage, FLOODER).await?];
    let closed = async |last| {
        let mut stream = connect(&stage, last).await?;
        anyhow::Ok(stream.read(&mut [0]).await.unwrap_or(0) == 0)
    };
    ensure!(closed(FLOODER).await?);
    let visitor = stage.door_from(address(3))?;
    ensure!(submit(&visitor).await?.status() == 202, "there is a place for somebody else");
    // The visitor's connection stays open.
    ensure!(closed(4).await?);
    let refused =
        |reason, count| format!("afterword_connections_refused_total{{reason=\"{reason}\"}} {count}\n");
    let counted = [refused("address", 1), refused("all", 1)];
    stage.until_admin("/metrics", |text| counted.iter().all(|line| text.contains(line))).await?;
    stage.until_admin("/readyz", |text| text.starts_with("ready")).await?;
    ensure!(submit(&visitor).await?.status() == 202);
    Ok(())
}

/// A lane that needs a minute and more for what waits: nobody is asked any more, and whoever answers all the
/// same is thanked.
#[tokio::test]
async fn while_answers_pile_up_fewer_visitors_are_asked() -> Result<()> {
    let delay = |config: String| config.edit("id = \"checkout\"", "id = \"checkout\"\nmax_delay = \"1m\"");
    let mut stage = Stage::prepared(Duration::from_secs(20), delay).await?;
    stage.start().await?;
    let loader = async || stage.get(&format!("{}/widget.js?survey=checkout", stage.server)).await;
    ensure!(!loader().await?.contains("\"sample\":"), "everybody is asked");
    for _ in 0..40 {
        ensure!(submit(&stage.door()).await?.status() == 202);
    }
    stage
        .until_admin("/metrics", |text| text.contains("afterword_survey_share{survey=\"checkout\"} 0\n"))
        .await?;
    ensure!(loader().await?.contains("\"sample\":0"), "nobody is asked");
    ensure!(
        !stage.get(&format!("{}/widget.js?survey=delivery", stage.server)).await?.contains("\"sample\":")
    );
    ensure!(submit(&stage.door()).await?.status() == 202, "who answers all the same is thanked");
    stage.until_log(|log| log.contains("another share of visitors is asked")).await?;
    Ok(())
}
