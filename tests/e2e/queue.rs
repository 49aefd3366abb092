//! The operators' queue, with a server and without.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use server::sandbox::{Fault, Misbehaviour};
use tests::{Edit as _, Process, Stage};
use uuid::Uuid;

use crate::submission;

/// The checkout survey's first question, in Dutch, as the platform knows it, and a slip of the pen.
const RIGHT: &str = "152845EB-1417-4AC5-94C0-39AF5FE46F62";
const WRONG: &str = "152845EB-1417-4AC5-94C0-39AF5FE46F63";

/// Runs `afterword queue …`; gives back its exit code and what it said.
async fn queue(stage: &Stage, line: &str) -> Result<(i32, String)> {
    let arguments: Vec<&str> = std::iter::once("queue").chain(line.split_whitespace()).collect();
    let output = stage.process.command(&arguments).await?;
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    Ok((output.status.code().context("it was killed")?, String::from_utf8(said)?))
}

/// What `afterword queue …` prints, which has to succeed.
async fn said(stage: &Stage, line: &str) -> Result<String> {
    let (code, said) = queue(stage, line).await?;
    ensure!(code == 0, "{line}: {code}: {said}");
    Ok(said)
}

async fn until_dead(stage: &Stage, entries: u64) -> Result<()> {
    let line = format!("afterword_queue_entries{{lane=\"sandbox\",state=\"dead\"}} {entries}\n");
    stage.until_admin("/metrics", |metrics| metrics.contains(&line)).await.map(|_| ())
}

fn refusal(words: &str) -> Fault {
    Fault::Status { status: 400, retry_after: None, body: Some(format!("[\"{words}\"]")) }
}

async fn restart(stage: &mut Stage, change: impl FnOnce(&str) -> String) -> Result<()> {
    stage.stop().await?;
    stage.process.config = change(&stage.process.config);
    stage.start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_seen_mended_and_sent_again() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    restart(&mut stage, |config| config.edit(RIGHT, WRONG)).await?;
    let ids: Vec<Uuid> = (0..3).map(|_| Uuid::new_v4()).collect();
    for id in &ids {
        ensure!(stage.submit("checkout", &submission(*id, 9)).await?.status() == 202);
    }
    until_dead(&stage, 3).await?;

    let list = said(&stage, "list --state dead").await?;
    ensure!(list.contains("3 entries.") && ids.iter().all(|id| list.contains(&id.to_string())), "{list}");
    let first = ids[0].to_string();
    let shown = said(&stage, &format!("show {first}")).await?;
    let words = "The questionItemUniqueId of an answer is not correct";
    ensure!(shown.matches(words).count() == 1 && shown.contains("rejected"), "{shown}");
    ensure!(!shown.contains("\"score\""), "the answers are shown only when asked for: {shown}");
    let shown = said(&stage, &format!("show {first} --answers")).await?;
    ensure!(shown.contains("\"score\": 9"), "{shown}");

    // Nothing is mended yet: it is refused again, and each call can be seen.
    let calls = stage.sandbox.counts().arrived;
    let (code, refused) = queue(&stage, &format!("retry {first}")).await?;
    ensure!(code == 2 && refused.contains("--yes"), "nobody can be asked: {refused}");
    said(&stage, &format!("retry {first} --yes")).await?;
    ensure!(stage.sandbox.until(tests::DEADLINE, |counts| counts.arrived > calls).await);
    until_dead(&stage, 3).await?;
    let shown: Value = serde_json::from_str(&said(&stage, &format!("show {first} --format json")).await?)?;
    let history = shown["history"].as_array().context("no history")?;
    ensure!(history.len() == 2 && history.iter().all(|call| call["status"] == 400), "{shown}");

    restart(&mut stage, |config| config.edit(WRONG, RIGHT)).await?;
    let done = said(&stage, "retry --all --error-contains QUESTIONITEM --yes").await?;
    ensure!(
        done.contains("3 entries would be sent again: 3 dead.") && done.contains("Back in line"),
        "{done}"
    );
    let arrivals = stage.delivered(3).await?;
    let stored = arrivals.iter().filter(|arrival| arrival.stored);
    let guids: Vec<_> = stored
        .filter_map(|arrival| arrival.json.as_ref()?["answers"][0]["QuestionItemUniqueID"].as_str())
        .collect();
    ensure!(guids == [RIGHT; 3], "{guids:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_looks_the_same_with_a_server_and_without() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    stage.sandbox.misbehave(refusal("The campaign is not set to production."));
    let ids: Vec<Uuid> = (0..4).map(|_| Uuid::new_v4()).collect();
    for id in &ids {
        let mut body = submission(*id, 9);
        body["respondent"] = json!({ "email": "jef@example.com" });
        ensure!(stage.submit("checkout", &body).await?.status() == 202);
    }
    until_dead(&stage, 4).await?;
    let lines = [
        "list --format json".to_owned(),
        "list --format json --limit 2".to_owned(),
        "list --format json --limit 2 --newest --state dead,parked --survey checkout --lane sandbox"
            .to_owned(),
        format!("list --format json {} {}", ids[1], ids[3]),
        "list --older-than 2h --error-contains production".to_owned(),
        format!("show {} --answers --format json", ids[0]),
        "export".to_owned(),
        "export --state delivered".to_owned(),
    ];
    let mut with = Vec::new();
    for line in &lines {
        with.push(said(&stage, line).await?);
    }
    ensure!(!said(&stage, "status").await?.contains("No server runs"));
    let numbers = async |stage: &Stage, state: Value| -> Result<Value> {
        let mut status: Value = serde_json::from_str(&said(stage, "status --format json").await?)?;
        let told = status["lanes"][0]["state"].take();
        ensure!(told == state, "only a server knows what the lane is doing: {told}");
        Ok(status)
    };
    let numbers_with = numbers(&stage, json!("idle")).await?;
    stage.stop().await?;
    ensure!(numbers(&stage, Value::Null).await? == numbers_with);
    for (line, with) in lines.iter().zip(&with) {
        let without = said(&stage, line).await?;
        ensure!(without == *with, "{line}\nwith:    {with}\nwithout: {without}");
    }
    ensure!(said(&stage, "status").await?.contains("No server runs"));
    let exported: Vec<Value> = with[6].lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let order: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    ensure!(
        exported.iter().map(|line| line["submission"].as_str().unwrap_or_default()).eq(order),
        "in order"
    );
    ensure!(exported[0]["stored"]["respondent"]["email"] == "jef@example.com", "with all that is stored");
    // What was retried without a server goes out as soon as there is one.
    stage.sandbox.behave();
    said(&stage, "retry --all --yes").await?;
    stage.start().await?;
    stage.delivered(4).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_is_paused_promises_nothing() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    stage.sandbox.misbehave(Fault::Status { status: 401, retry_after: None, body: None });
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    stage.until_admin("/", |page| page.contains("(401) for: checkout")).await?;
    let status: Value = serde_json::from_str(&said(&stage, "status --format json").await?)?;
    let lane = &status["lanes"][0];
    ensure!(lane["through_in_ms"].is_null() && lane["interval_ms"].is_u64(), "{lane}");
    let page = said(&stage, "status").await?;
    ensure!(
        page.contains("unknown") && page.contains("sandbox: The platform refuses the token (401)"),
        "{page}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_gives_up_is_gone_while_the_server_runs() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    stage.sandbox.misbehave(refusal("no"));
    let ids = [Uuid::new_v4(), Uuid::new_v4()];
    for id in ids {
        ensure!(stage.submit("checkout", &submission(id, 9)).await?.status() == 202);
    }
    until_dead(&stage, 2).await?;
    stage.sandbox.behave();
    let (code, refused) = queue(&stage, "discard --all").await?;
    ensure!(code == 2 && refused.contains("2 entries would be given up"), "{refused}");
    let done = said(&stage, &format!("discard {} --yes", ids[0])).await?;
    ensure!(done.contains("Given up: 1 dead."), "{done}");
    until_dead(&stage, 1).await?;
    let discarded = format!("\"submission\":\"{}\",\"was\":\"dead\"", ids[0]);
    let told = |line: &str| line.contains("discarded by an operator") && line.contains(&discarded);
    stage.until_log(|log| log.lines().any(told)).await?;
    let (code, left) = queue(&stage, &format!("retry {} --yes", ids[0])).await?;
    ensure!(code == 1 && left.contains("it was given up before"), "{left}");
    ensure!(stage.submit("checkout", &submission(ids[0], 9)).await?.status() == 202, "it is remembered");
    said(&stage, &format!("retry {} --yes", ids[1])).await?;
    let arrived = crate::delivery::submissions(&stage.delivered(1).await?);
    ensure!(arrived == [ids[1].to_string()]);
    ensure!(said(&stage, "list").await?.starts_with("Nothing matches"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_forgotten_even_while_a_call_is_being_made() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let person = |id: Uuid, email: &str, why: &str| {
        let mut body = submission(id, 3);
        body["answers"] = json!([{"question": "recommend", "score": 3}, {"question": "why", "text": why}]);
        body["respondent"] = json!({ "email": email });
        body
    };
    stage.sandbox.misbehave(refusal("no"));
    let (first, second, third) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    ensure!(stage.submit("checkout", &person(first, "Zebra@example.com", "too late")).await?.status() == 202);
    let other = person(second, "an@example.com", "ask zebra@EXAMPLE.com");
    ensure!(stage.submit("checkout", &other).await?.status() == 202);
    until_dead(&stage, 2).await?;
    let late = Fault::LateReply(Duration::from_secs(6));
    stage.sandbox.misbehave(Misbehaviour::from(late).calls(1));
    ensure!(stage.submit("checkout", &person(third, "zebra@example.com", "too late")).await?.status() == 202);
    stage.until_admin("/metrics", |metrics| metrics.contains("state=\"sending\"} 1\n")).await?;

    let done = said(&stage, "forget --email ZEBRA@example.com --yes").await?;
    ensure!(done.contains("1 entry would be erased: 1 dead."), "{done}");
    ensure!(done.contains("1 entry being sent"), "{done}");
    ensure!(done.contains(&format!("{second}  dead")), "others who mention the person are listed: {done}");
    ensure!(done.contains("Erased: 1 dead, 1 delivered."), "{done}");
    let done = said(&stage, "forget --email zebra@example.com --also-mentions --yes").await?;
    ensure!(done.contains("Erased: 1 dead."), "{done}");
    let rest = said(&stage, "export --state waiting,delayed,sending,parked,dead,delivered,discarded").await?;
    ensure!(rest.lines().count() == 3 && !rest.to_lowercase().contains("zebra"), "{rest}");
    let told = |log: &str| log.contains("erased by an operator") && log.contains(&first.to_string());
    let log = stage.until_log(told).await?;
    ensure!(!log.to_lowercase().contains("zebra"), "the log has no address");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_token_is_needed_where_there_is_one() -> Result<()> {
    tests::prepared()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("admin-token");
    std::fs::write(&file, "a-long-secret")?;
    let line = format!("admin_token_file = \"{}\"\nadmin_listen", file.display());
    let stage = Stage::with(Duration::from_millis(20), |config| config.edit("admin_listen", &line)).await?;
    for path in ["status", "entries", "export"] {
        let reply = stage.get(&format!("{}/queue/{path}", stage.admin)).await?;
        ensure!(reply.contains("show the admin token"), "{reply}");
    }
    said(&stage, "status").await?;
    // The server's own file stays as it is: it would be followed.
    let (own, other) = (file.display().to_string(), folder.path().join("other"));
    std::fs::write(&other, "another-secret")?;
    let store = format!("sqlite:{}", stage.process.folder().join("queue.db").display());
    let config = &stage.process.config;
    let config = config.edit(&own, &other.display().to_string()).edit("sqlite:queue.db", &store);
    let elsewhere = Process::new(tempfile::tempdir()?, config);
    let output = elsewhere.command(&["queue", "status"]).await?;
    let refused = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(1), "{output:?}");
    ensure!(refused.contains("does not take the admin token"), "{refused}");
    ensure!(!refused.contains("secret"), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_asked_is_named_with_what_to_do() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    let admin = stage.admin.trim_start_matches("http://").to_owned();
    stage.process.config = stage.process.config.edit(&admin, "127.0.0.1:1");
    let (code, refused) = queue(&stage, "list").await?;
    ensure!(
        code == 1 && refused.contains("no server answers at http://127.0.0.1:1 (admin_listen)"),
        "{refused}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_the_file_keeps_nobody_from_the_server_that_runs() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    stage.sandbox.misbehave(refusal("no"));
    let id = Uuid::new_v4();
    ensure!(stage.submit("checkout", &submission(id, 9)).await?.status() == 202);
    until_dead(&stage, 1).await?;
    stage.sandbox.behave();
    let right = stage.process.config.clone();
    stage.process.config = right.edit_first("kind = \"score\"", "kind = \"scorn\"");
    for line in ["status", "list", &format!("show {id}"), "export --state dead"] {
        let said = said(&stage, line).await?;
        ensure!(said.contains("is wrong (`afterword check` says where); the server at http://"), "{said}");
    }
    // It may be another one's server: nothing is changed there.
    for line in [
        format!("retry {id} --yes"),
        format!("discard {id} --yes"),
        format!("forget --submission {id} --yes"),
    ] {
        let (code, wrong) = queue(&stage, &line).await?;
        ensure!(code == 1 && wrong.contains("scorn"), "{line}: {wrong}");
    }
    // Half of a file may name another server, and a server that is away tells nothing: both are left to the file.
    stage.process.config = format!("{right}\n[[survey");
    let (code, wrong) = queue(&stage, "status").await?;
    ensure!(code == 1 && wrong.contains("this is not valid TOML"), "{wrong}");
    stage.stop().await?;
    stage.process.config = right.edit_first("kind = \"score\"", "kind = \"scorn\"");
    let (code, wrong) = queue(&stage, "status").await?;
    ensure!(code == 1 && wrong.contains("scorn"), "{wrong}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_parameter_of_the_operators_listener_is_named() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let reply = stage.get(&format!("{}/queue/entries?state=ded&limit=many&sate=dead", stage.admin)).await?;
    let problem: Value = serde_json::from_str(&reply)?;
    let named: Vec<_> =
        problem["errors"].as_array().into_iter().flatten().map(|it| &it["parameter"]).collect();
    ensure!(problem["status"] == 422 && named == ["state", "limit", "sate"], "{problem}");
    Ok(())
}
