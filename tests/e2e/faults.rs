//! A platform that fails for a while: nothing is lost, and the operator is told.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use server::sandbox::{Call, Fault, Misbehaviour, Reports, Token, Touchpoint};
use tests::{Edit as _, Stage};
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
    stage.until_admin("/readyz", |text| text.starts_with("ready")).await?;
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
async fn a_429_without_retry_after_loses_nothing() -> Result<()> {
    tests::prepared()?;
    survives(status(429), "later", "the platform answered 429").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_with_retry_after_makes_the_lane_wait_as_long_as_it_says() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let busy = Fault::Status { status: 429, retry_after: Some(1), body: None };
    stage.sandbox.misbehave(Misbehaviour::from(busy).calls(1));
    for _ in 0..2 {
        ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    }
    let arrivals = stage.delivered(2).await?;
    let gaps: Vec<_> = arrivals.iter().filter_map(|arrival| arrival.gap).collect();
    ensure!(arrivals.len() == 3 && gaps[0] >= std::time::Duration::from_secs(1), "{gaps:?}");
    Ok(())
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
async fn a_connection_reset_after_the_body_loses_nothing() -> Result<()> {
    tests::prepared()?;
    survives(Fault::CutAfterBody, "unknown", "the connection failed during the call").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_reset_before_the_body_loses_nothing() -> Result<()> {
    tests::prepared()?;
    survives(Fault::CutAtHead, "unknown", "the connection failed during the call").await
}

/// Hands in one answer that meets a fault and is at the platform all the same: it is there once.
async fn arrives_once(fault: Fault) -> Result<()> {
    let quick = |config: String| config.edit("settle =", "timeout = \"400ms\"\nsettle =");
    let stage = Stage::with(std::time::Duration::from_millis(20), quick).await?;
    stage.sandbox.misbehave(Misbehaviour::from(fault).calls(1));
    let id = Uuid::new_v4();
    ensure!(stage.submit("checkout", &submission(id, 9)).await?.status() == 202);
    stage.delivered(1).await?;
    stage
        .until_admin("/", |page| page.contains("all sent") && page.contains("Nothing that is still open"))
        .await?;
    let arrivals = stage.at_rest().await?;
    ensure!(submissions(&arrivals) == [id.to_string()], "it is there more than once");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_reply_doubles_nothing() -> Result<()> {
    tests::prepared()?;
    arrives_once(Fault::LostReply).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_later_than_the_time_out_doubles_nothing() -> Result<()> {
    tests::prepared()?;
    arrives_once(Fault::LateReply(std::time::Duration::from_millis(700))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_garbage_body_of_a_success_is_a_success() -> Result<()> {
    tests::prepared()?;
    arrives_once(Fault::Garbage).await
}

/// The messages of a 400 that the platform's page lists ("Hello Customer API overview", section 5).
const MESSAGES: [&str; 11] = [
    "The JSON model is not correct",
    "The LanguageUniqueId is not part of this touchpoint",
    "The Guid of the language is empty or the format is incorrect",
    "The format of the Guid of the language is not valid",
    "Language with ID: 1b5c1275-4f92-422f-b1fc-799bf8e30598 not found",
    "Touchpoint with ID: f30f55f0-a770-4096-aa9f-8bc2a2aff25f not found",
    "The model of the respondent is invalid",
    "The respondent email is invalid",
    "The format of the Guid of the question item is not valid",
    "The questionItemUniqueId is empty or the format is incorrect",
    "The questionItemUniqueId of an answer is not correct",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_400_is_a_dead_letter_with_each_of_the_messages_that_the_platform_lists_and_says_what_to_do()
-> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    for message in MESSAGES {
        let body = Some(serde_json::json!([message]).to_string());
        stage.sandbox.misbehave(Fault::Status { status: 400, retry_after: None, body });
        ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
        stage.until_admin("/", |page| page.contains(message)).await?;
    }
    let dead = format!("afterword_queue_entries{{lane=\"sandbox\",state=\"dead\"}} {}\n", MESSAGES.len());
    stage.until_admin("/metrics", |text| text.contains(&dead)).await?;
    ensure!(stage.sandbox.counts().arrived == MESSAGES.len() as u64, "a refusal is final: one call each");
    let output = stage.process.command(&["queue", "list", "--state", "dead", "--format", "json"]).await?;
    let letters: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let letters = letters["entries"].as_array().context("no list")?;
    ensure!(letters.len() == MESSAGES.len());
    for (message, letter) in MESSAGES.into_iter().zip(letters) {
        let words = letter["last_error"].as_str().unwrap_or_default();
        let advice = words.strip_prefix(&format!("HTTP 400: {message}; "));
        ensure!(advice.is_some_and(|advice| advice.split(' ').count() > 4), "{message}: {words}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_401_for_a_while_pauses_and_loses_nothing() -> Result<()> {
    tests::prepared()?;
    survives(status(401), "paused", "The platform refuses the token (401) for: checkout").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_for_one_touchpoint_does_not_stop_the_others() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let all: Vec<_> = stage.sandbox.touchpoints().iter().map(|it| Touchpoint::clone(it)).collect();
    let token = |touchpoints| Token { touchpoints, ..Token::all(tests::TOKEN.to_owned().into()) };
    stage.sandbox.know(vec![token(Some(vec![all[1].guid.clone()]))], all.clone());
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    stage.until_admin("/", |page| page.contains("(401) for: checkout")).await?;
    let other = serde_json::json!({
        "submission": Uuid::new_v4(), "language": "fr", "metadata": {},
        "answers": [{"question": "satisfied", "score": 5}],
    });
    ensure!(stage.submit("delivery", &other).await?.status() == 202);
    let arrivals = stage.delivered(1).await?;
    let first = arrivals.iter().find(|arrival| arrival.stored).map(|arrival| arrival.json.clone());
    let language = first.flatten().map(|json| json["cultureInfo"].clone());
    ensure!(language == Some("FR".into()), "the other touchpoint goes on while one is paused");
    stage.sandbox.know(vec![token(None)], all);
    stage.delivered(2).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_looked_up_is_parked_where_the_survey_says_so() -> Result<()> {
    tests::prepared()?;
    let park = |config: String| config.edit("id = \"checkout\"", "id = \"checkout\"\non_unknown = \"park\"");
    // It is parked where the platform has taken something of late, which is a number of intervals.
    let stage = Stage::with(std::time::Duration::from_millis(200), park).await?;
    stage.sandbox.set_reports(Reports { refused: true, ..Reports::default() });
    // The token may add answers, and may not read them back.
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    stage.delivered(1).await?;
    stage.sandbox.misbehave(Misbehaviour::from(Fault::LostReply).calls(1));
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    stage.until_admin("/", |page| page.contains("parked")).await?;
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    let arrivals = stage.delivered(3).await?;
    let sent = arrivals.iter().filter(|arrival| arrival.call == Call::AddAnswer).count();
    ensure!(sent == 3, "what is parked is not sent again");
    Ok(())
}

/// The wall clock of a server, as a library beneath it makes it up: the real one and so many seconds.
struct WallClock(std::path::PathBuf);

impl WallClock {
    fn beneath(stage: &mut Stage) -> Result<Self> {
        let file = stage.process.folder().join("wall-clock");
        let library = std::env::var("LIBFAKETIME").context("LIBFAKETIME is not set")?;
        let environment = [
            ("LD_PRELOAD", library.as_str()),
            ("FAKETIME_TIMESTAMP_FILE", file.to_str().context("a path in letters")?),
            ("FAKETIME_NO_CACHE", "1"),
            // No system lets its monotonic clock jump.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
        stage.process.environment.extend(environment);
        let clock = Self(file);
        clock.set(0)?;
        Ok(clock)
    }

    fn set(&self, seconds: i64) -> Result<()> {
        // In one step, so that a half-written file is never read.
        let next = self.0.with_extension("next");
        std::fs::write(&next, format!("{seconds:+}"))?;
        Ok(std::fs::rename(next, &self.0)?)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wall_clock_that_jumps_changes_nothing() -> Result<()> {
    const DAY: i64 = 86_400;
    tests::prepared()?;
    let interval = std::time::Duration::from_millis(200);
    let mut stage = Stage::prepared(interval, |config| config).await?;
    let clock = WallClock::beneath(&mut stage)?;
    stage.start().await?;
    let mut sent = BTreeSet::new();
    for jump in [0, 3 * DAY, -3 * DAY, 400 * DAY, 0] {
        clock.set(jump)?;
        // One that is sent at once, one that is put off, and one that has to be looked up.
        let before = stage.sandbox.counts();
        for (nth, fault) in [None, Some(status(429)), Some(Fault::CutAfterBody)].into_iter().enumerate() {
            if let Some(fault) = fault {
                stage.sandbox.misbehave(Misbehaviour::from(fault).calls(1));
            }
            let id = Uuid::new_v4();
            let reply = stage.submit("checkout", &submission(id, 9)).await?;
            ensure!(reply.status() == 202, "{}", reply.text().await?);
            stage.delivered(before.stored + 1 + nth as u64).await?;
            sent.insert(id.to_string());
        }
        let all = before.stored + 3;
        let arrivals = stage.delivered(all).await?;
        ensure!(submissions(&arrivals).into_iter().collect::<BTreeSet<_>>() == sent, "after {jump} s");
        let counts = stage.sandbox.counts();
        ensure!(counts.stored == all && counts.early == 0, "after {jump} s: {counts:?}");
    }
    stage.until_admin("/", |page| page.contains("all sent")).await?;
    // The server did see them: what it logs has these dates.
    let log = stage.log();
    let dates: BTreeSet<&str> = log.lines().filter_map(|line| line.get(14..24)).collect();
    ensure!(dates.len() >= 4, "{dates:?}");
    Ok(())
}
