//! A platform that fails for a while: nothing is lost, and the operator is told.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use server::sandbox::{Call, Fault, Misbehaviour, Reports};
use tests::Stage;
use uuid::Uuid;

use crate::delivery::submissions;
use crate::submission;

/// Submits three answers while the platform fails, checks what the operator sees, and that all three
/// arrive once the platform is back.
async fn survives(fault: Fault, verdict: &str, page_says: &str) -> Result<()> {
    let stage = Stage::new().await?;
    stage.sandbox.misbehave(fault);
    let ids: BTreeSet<Uuid> = (0..3).map(|_| Uuid::new_v4()).collect();
    for id in &ids {
        ensure!(stage.submit("checkout", &submission(*id, 9)).await?.status() == 202);
    }
    let metric = format!("afterword_calls_total{{lane=\"sandbox\",verdict=\"{verdict}\"}}");
    stage.until_admin("/metrics", |text| text.contains(&metric)).await?;
    let page = stage.until_admin("/", |page| page.contains(page_says)).await?;
    ensure!(!page.contains(tests::TOKEN));
    ensure!(stage.get(&format!("{}/readyz", stage.admin)).await?.starts_with("ready"));
    stage.sandbox.behave();
    let arrived: BTreeSet<String> = submissions(&stage.delivered(3).await?).into_iter().collect();
    ensure!(arrived == ids.iter().map(Uuid::to_string).collect(), "{arrived:?}");
    stage
        .until_admin("/", |page| page.contains("all sent") && page.contains("Nothing that is still open"))
        .await?;
    Ok(())
}

fn status(status: u16) -> Fault {
    Fault::Status { status, retry_after: None, body: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_loses_nothing() -> Result<()> {
    tests::prepared()?;
    survives(status(429), "later", "the platform answered 429").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_503_loses_nothing() -> Result<()> {
    tests::prepared()?;
    survives(status(503), "later", "the platform answered 503").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_500_loses_nothing() -> Result<()> {
    tests::prepared()?;
    survives(status(500), "unknown", "the platform answered 500").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_answers_nothing_loses_nothing() -> Result<()> {
    tests::prepared()?;
    survives(Fault::CutAfterBody, "unknown", "the connection failed during the call").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_401_pauses_and_loses_nothing() -> Result<()> {
    tests::prepared()?;
    survives(status(401), "paused", "The platform refuses the token (401) for: checkout").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_for_one_touchpoint_does_not_stop_the_others() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    stage.sandbox.misbehave(Misbehaviour::from(status(401)).calls(1));
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    stage.until_admin("/", |page| page.contains("(401) for: checkout")).await?;
    let other = serde_json::json!({
        "submission": Uuid::new_v4(), "language": "fr", "metadata": {},
        "answers": [{"question": "satisfied", "score": 5}],
    });
    ensure!(stage.submit("delivery", &other).await?.status() == 202);
    let arrivals = stage.delivered(2).await?;
    let first = arrivals.iter().find(|arrival| arrival.stored).map(|arrival| arrival.json.clone());
    let language = first.flatten().map(|json| json["cultureInfo"].clone());
    ensure!(language == Some("FR".into()), "the other touchpoint goes on while one is paused");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_looked_up_is_parked_where_the_survey_says_so() -> Result<()> {
    tests::prepared()?;
    let park =
        |config: String| config.replace("id = \"checkout\"", "id = \"checkout\"\non_unknown = \"park\"");
    let stage = Stage::with(std::time::Duration::from_millis(20), park).await?;
    stage.sandbox.set_reports(Reports { refused: true, ..Reports::default() });
    stage.sandbox.misbehave(Misbehaviour::from(Fault::LostReply).calls(1));
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    stage.until_admin("/", |page| page.contains("parked")).await?;
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    let arrivals = stage.delivered(2).await?;
    let sent = arrivals.iter().filter(|arrival| arrival.call == Call::AddAnswer).count();
    ensure!(sent == 2, "what is parked is not sent again");
    Ok(())
}
