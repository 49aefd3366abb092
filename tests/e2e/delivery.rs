//! Nothing accepted is lost, nothing comes early, nothing is doubled that can be known.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;
use server::sandbox::Arrival;
use tests::{DEADLINE, Stage};
use tokio::sync::watch;
use uuid::Uuid;

use crate::submission;

/// The submissions that the platform took, in the order of their arrival.
pub(crate) fn submissions(arrivals: &[Arrival]) -> Vec<String> {
    let stored = arrivals.iter().filter(|arrival| arrival.stored);
    let id = |arrival: &Arrival| {
        let json = arrival.json.as_ref()?;
        json["metadata"]["submission"].as_str().map(str::to_owned)
    };
    stored.filter_map(id).collect()
}

const SUBMISSIONS: usize = 300;
const KILLS: usize = 10;
const BROWSERS: usize = 6;

/// A browser's outbox: sends each submission until it has its thanks, and never after that.
async fn browser(
    post: impl AsyncFn(Uuid) -> Result<reqwest::Response>,
    ids: Vec<Uuid>,
    thanked: watch::Sender<usize>,
) -> Result<()> {
    for id in ids {
        loop {
            match post(id).await {
                Ok(reply) if reply.status() == 202 => break,
                Ok(reply) => ensure!(reply.status() == 503, "{}", reply.text().await?),
                // The server is away.
                Err(_) => {}
            }
            tests::a_moment().await;
        }
        thanked.send_modify(|thanked| *thanked += 1);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_submission_accepted_while_the_server_is_killed_ten_times_arrives() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    let ids: Vec<Uuid> = (0..SUBMISSIONS).map(|_| Uuid::new_v4()).collect();
    let (thanked, mut thanks) = watch::channel(0);
    let browsers: Vec<_> = ids
        .chunks(SUBMISSIONS / BROWSERS)
        .map(|ids| {
            let door = stage.door();
            let post = async move |id| door.submit("checkout", &submission(id, 9)).await;
            tokio::spawn(browser(post, ids.to_vec(), thanked.clone()))
        })
        .collect();
    // Each kill comes after a random number of thanks, with other requests, a commit or a call under way.
    let mut kills: Vec<usize> = Vec::new();
    while kills.len() < KILLS {
        let at = Uuid::new_v4().as_u128() as usize % SUBMISSIONS;
        if !kills.contains(&at) {
            kills.push(at);
        }
    }
    kills.sort_unstable();
    for at in kills {
        tokio::time::timeout(DEADLINE, thanks.wait_for(|thanked| *thanked >= at)).await??;
        stage.kill().await?;
        stage.start().await?;
    }
    for browser in browsers {
        tokio::time::timeout(DEADLINE, browser).await???;
    }
    let arrived = submissions(&stage.at_rest().await?);
    let distinct: BTreeSet<String> = arrived.iter().cloned().collect();
    let accepted: BTreeSet<String> = ids.iter().map(Uuid::to_string).collect();
    ensure!(distinct == accepted, "{} of {} arrived", distinct.len(), accepted.len());
    // A call in flight at a kill may have arrived, and is sent again: at most one for each kill.
    ensure!(arrived.len() - distinct.len() <= KILLS, "{} doubles", arrived.len() - distinct.len());
    ensure!(stage.sandbox.counts().early == 0, "a call came early");

    let before = stage.sandbox.counts().stored;
    let again = stage.submit("checkout", &submission(ids[0], 9)).await?;
    ensure!(again.status() == 202);
    let other = stage.submit("checkout", &submission(ids[1], 1)).await?;
    ensure!(other.status() == 409);
    let marker = Uuid::new_v4();
    ensure!(stage.submit("checkout", &submission(marker, 9)).await?.status() == 202);
    stage.delivered(before + 1).await?;
    let last = submissions(&stage.sandbox.arrivals());
    ensure!(
        last.len() as u64 == before + 1 && last.last() == Some(&marker.to_string()),
        "a repetition was sent"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_arrive_in_order_a_second_apart_and_never_meet_a_429() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::with(Duration::from_secs(1), |config| config).await?;
    let ids: Vec<Uuid> = (0..5).map(|_| Uuid::new_v4()).collect();
    for id in &ids {
        ensure!(stage.submit("checkout", &submission(*id, 9)).await?.status() == 202);
    }
    let arrivals = stage.delivered(5).await?;
    ensure!(arrivals.len() == 5 && arrivals.iter().all(|arrival| arrival.status == Some(200)));
    let gaps: Vec<Duration> = arrivals.iter().filter_map(|arrival| arrival.gap).collect();
    ensure!(gaps.len() == 4 && gaps.iter().all(|gap| *gap >= Duration::from_secs(1)), "{gaps:?}");
    ensure!(submissions(&arrivals) == ids.iter().map(Uuid::to_string).collect::<Vec<_>>());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_the_call_in_flight_and_keeps_the_rest() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    let late = server::sandbox::Fault::LateReply(Duration::from_secs(5));
    stage.sandbox.misbehave(server::sandbox::Misbehaviour::from(late).calls(1));
    for _ in 0..3 {
        ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    }
    stage.delivered(1).await?;
    let status = stage.stop().await?;
    ensure!(status.success(), "{status}");
    ensure!(stage.sandbox.counts().stored == 1, "no call began after the stop");
    stage.start().await?;
    let arrivals = stage.delivered(3).await?;
    let distinct: BTreeSet<String> = submissions(&arrivals).into_iter().collect();
    ensure!(arrivals.len() == 3 && distinct.len() == 3, "the call in flight was not repeated");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_submission_is_a_dead_letter_with_the_platforms_words() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let mut body = submission(Uuid::new_v4(), 9);
    body["respondent"] = json!({ "email": "jef@example.com" });
    stage.sandbox.misbehave(server::sandbox::Fault::Status {
        status: 400,
        retry_after: None,
        body: Some(
            "[\"The campaign is not set to production. The email jef@example.com is invalid.\"]".into(),
        ),
    });
    ensure!(stage.submit("checkout", &body).await?.status() == 202);
    let page = stage.until_admin("/", |page| page.contains("not set to production")).await?;
    ensure!(page.contains("dead") && !page.contains("jef@example.com"));
    Ok(())
}
