//! Several servers on one PostgreSQL store: one of them forwards, whatever happens to it.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use scratch_postgres::{Cluster, Stop};
use tests::{DEADLINE, Edit as _, Process, Stage, Store, TOKEN};
use uuid::Uuid;

use crate::delivery::submissions;
use crate::submission;

const INTERVAL: Duration = Duration::from_millis(50);

/// A stage on a database, whose leases last some 2 seconds.
async fn stage(store: &Store) -> Result<Stage> {
    let quick = |config: String| store.put_into(&config).edit("settle =", "timeout = \"800ms\"\nsettle =");
    Stage::with(INTERVAL, quick).await
}

/// Another server on the same store, on ports of its own.
async fn second(first: &Stage) -> Result<Process> {
    let mut config = first.process.config.clone();
    for origin in [&first.server, &first.admin] {
        let address = origin.trim_start_matches("http://");
        config = config.edit(&format!("\"{address}\""), "\"127.0.0.1:0\"");
    }
    let mut process = Process::new(tempfile::tempdir()?, config);
    process.environment.insert("AFTERWORD_DEMO_TOKEN".into(), TOKEN.into());
    process.start().await?;
    Ok(process)
}

async fn submit(stage: &Stage, answers: usize) -> Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    for _ in 0..answers {
        let id = Uuid::new_v4();
        ensure!(stage.submit("checkout", &submission(id, 9)).await?.status() == 202);
        ids.insert(id.to_string());
    }
    Ok(ids)
}

/// Waits until a server has made a call.
async fn until_call(process: &Process) -> Result<()> {
    let waiting = async {
        while !process.log().contains("\"message\":\"call\"") {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.context("it makes no call")
}

/// Everything is at the platform, once each, and no call came early.
async fn all_there_once(stage: &Stage, ids: &BTreeSet<String>) -> Result<()> {
    let arrived = submissions(&stage.delivered(ids.len() as u64).await?);
    ensure!(arrived.iter().cloned().collect::<BTreeSet<_>>() == *ids, "{} of {}", arrived.len(), ids.len());
    ensure!(arrived.len() == ids.len(), "something is there twice");
    ensure!(stage.sandbox.counts().early == 0, "a call came early");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_goes_on_where_an_owner_was_killed() -> Result<()> {
    tests::prepared()?;
    let store = Store::postgres().await?;
    let mut stage = stage(&store).await?;
    let other = second(&stage).await?;
    let ids = submit(&stage, 30).await?;
    stage.delivered(5).await?;
    stage.kill().await?;
    until_call(&other).await?;
    all_there_once(&stage, &ids).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_was_frozen_and_revived_sends_nothing_more() -> Result<()> {
    tests::prepared()?;
    let store = Store::postgres().await?;
    let stage = stage(&store).await?;
    let mut other = second(&stage).await?;
    let mut ids = submit(&stage, 30).await?;
    stage.delivered(5).await?;
    stage.process.signal("STOP")?;
    until_call(&other).await?;
    stage.process.signal("CONT")?;
    let said = |words: &str| stage.process.log().contains(words);
    let noticed = async {
        while !(said("lease") && said("ended")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, noticed).await.context("the revived owner does not notice")?;
    ids.extend(submit(&stage, 5).await?);
    all_there_once(&stage, &ids).await?;
    let calls = stage.process.log().matches("\"message\":\"call\"").count();
    ensure!(calls < 30, "the revived owner went on");
    ensure!(other.stop().await?.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_changes_hands_at_once_when_its_owner_stops() -> Result<()> {
    tests::prepared()?;
    let store = Store::postgres().await?;
    let mut stage = stage(&store).await?;
    let other = second(&stage).await?;
    let ids = submit(&stage, 20).await?;
    stage.delivered(3).await?;
    ensure!(stage.stop().await?.success());
    until_call(&other).await?;
    all_there_once(&stage, &ids).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_restarts_loses_nothing_that_was_accepted() -> Result<()> {
    tests::prepared()?;
    let cluster = Cluster::start()?;
    let store = Store::Postgres(cluster.database().await?);
    let stage = stage(&store).await?;
    let mut ids = submit(&stage, 20).await?;
    stage.delivered(3).await?;
    cluster.stop(Stop::Immediate)?;
    let refused = stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?;
    ensure!(refused.status() == 503 && refused.headers().contains_key("retry-after"));
    stage.until_admin("/readyz", |text| text.starts_with("not ready")).await?;
    cluster.start_again()?;
    stage.until_admin("/readyz", |text| text == "ready\n").await?;
    ids.extend(submit(&stage, 5).await?);
    all_there_once(&stage, &ids).await
}
