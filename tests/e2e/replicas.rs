//! Several servers on one PostgreSQL store: one of them forwards, whatever happens to it.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use scratch_postgres::{Cluster, Stop};
use server::sandbox::{Fault, Misbehaviour};
use tests::{DEADLINE, Edit as _, Process, Stage, Store};
use uuid::Uuid;

use crate::delivery::submissions;
use crate::submission;

const INTERVAL: Duration = Duration::from_millis(50);
/// What a server logs of each call, and when a lane becomes its own.
const CALL: &str = "\"message\":\"call\"";
const OWNS: &str = "the lane is ours";

/// A stage on a database, whose leases last some 3 seconds.
async fn stage(store: &Store) -> Result<Stage> {
    let quick = |config: String| store.put_into(&config).edit("settle =", "timeout = \"2s\"\nsettle =");
    Stage::with(INTERVAL, quick).await
}

/// Another server on the same store.
async fn second(first: &Stage) -> Result<Process> {
    let mut process = first.process.beside()?;
    process.start().await?;
    Ok(process)
}

/// Hands an answer in, again and again while its database is away: its disk may stand still for longer than it is waited for.
async fn hand_in(stage: &Stage, id: Uuid) -> Result<()> {
    loop {
        let status = stage.submit("checkout", &submission(id, 9)).await?.status();
        if status == 202 {
            return Ok(());
        }
        ensure!(status == 503, "{status}");
        tests::a_moment().await;
    }
}

async fn submit(stage: &Stage, answers: usize) -> Result<BTreeSet<String>> {
    let mut ids = BTreeSet::new();
    for _ in 0..answers {
        let id = Uuid::new_v4();
        tokio::time::timeout(DEADLINE, hand_in(stage, id)).await.context("the database stays away")??;
        ids.insert(id.to_string());
    }
    Ok(ids)
}

/// Waits until a server has made a call.
async fn until_call(process: &Process) -> Result<()> {
    let waiting = async {
        while !process.log().contains(CALL) {
            tests::a_moment().await;
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
    let ids = submit(&stage, 100).await?;
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
    let mut ids = submit(&stage, 100).await?;
    stage.delivered(5).await?;
    // While it waits for a reply: a call on its way would leave when it is revived.
    let struck = stage.sandbox.counts().struck;
    stage.sandbox.misbehave(Misbehaviour::from(Fault::LateReply(Duration::from_millis(600))).calls(1));
    ensure!(stage.sandbox.until(DEADLINE, |counts| counts.struck > struck).await);
    stage.process.signal("STOP")?;
    until_call(&other).await?;
    let said = |words: &str| stage.process.log().matches(words).count();
    let ends = || said("lease has ended") + said("lease of the lane has ended");
    let (calls, owned, ended) = (said(CALL), said(OWNS), ends());
    stage.process.signal("CONT")?;
    let noticed = async {
        while ends() == ended {
            tests::a_moment().await;
        }
    };
    tokio::time::timeout(DEADLINE, noticed).await.context("the revived owner does not notice")?;
    ids.extend(submit(&stage, 5).await?);
    all_there_once(&stage, &ids).await?;
    // It hears what came of the call that it was frozen in.
    ensure!(said(CALL) <= calls + 1 || said(OWNS) > owned, "the revived owner went on");
    ensure!(other.stop().await?.success());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_changes_hands_at_once_when_its_owner_stops() -> Result<()> {
    tests::prepared()?;
    let store = Store::postgres().await?;
    let mut stage = stage(&store).await?;
    let other = second(&stage).await?;
    let ids = submit(&stage, 100).await?;
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
    let mut ids = submit(&stage, 100).await?;
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
