//! Lists of respondents, from a file to the platform: once each, whatever happens on the way.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use server::sandbox::{Arrival, Call, Fault, Misbehaviour, Sandbox};
use tests::{DEADLINE, Edit as _, Stage};
use tokio::process::Child;
use uuid::Uuid;

use crate::submission;

/// Rows of the long list.
const ROWS: u64 = 25_000;
/// Longer than that list takes.
const LONG: Duration = Duration::from_mins(2);

/// A list in a stage's folder.
fn list(stage: &Stage, text: impl AsRef<[u8]>) -> Result<PathBuf> {
    let path = stage.process.folder().join("list.csv");
    std::fs::write(&path, text)?;
    Ok(path)
}

/// So many rows that are right.
fn rows(count: u64) -> String {
    let mut text = String::from("email;language;firstName;store\r\n");
    for number in 0..count {
        let language = if number % 3 == 0 { "fr" } else { "nl" };
        write!(text, "visitor-{number}@example.com;{language};Jef;\"Gent; Zuid\"\r\n").ok();
    }
    text
}

/// Starts `afterword respondents add` with a list, and does not let it ask.
fn start(stage: &Stage, path: &std::path::Path, flags: &str) -> Result<Child> {
    let path = path.to_str().context("a path that is no text")?;
    let mut arguments = vec!["respondents", "add", path, "--survey", "checkout", "--yes"];
    arguments.extend(flags.split_whitespace());
    stage.process.spawn(&arguments)
}

/// What it said in the end, and its exit code.
async fn ended(child: Child) -> Result<(i32, String)> {
    let output = tokio::time::timeout(LONG, child.wait_with_output()).await.context("it does not end")??;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.code().context("it was killed")?, String::from_utf8(said)?))
}

async fn add(stage: &Stage, text: impl AsRef<[u8]>, flags: &str) -> Result<(i32, String)> {
    ended(start(stage, &list(stage, text)?, flags)?).await
}

/// How often each address is at the platform.
fn arrived(sandbox: &Sandbox) -> HashMap<String, u32> {
    let mut counts = HashMap::new();
    for added in sandbox.respondents() {
        *counts.entry(added.json["email"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    counts
}

/// The state of each address in the report.
fn report(stage: &Stage) -> Result<HashMap<String, String>> {
    let text = std::fs::read_to_string(stage.process.folder().join("list.csv.report.csv"))?;
    let rows = text.lines().skip(1).filter_map(|line| {
        let mut cells = line.split(',');
        Some((cells.nth(1)?.to_owned(), cells.next()?.to_owned()))
    });
    Ok(rows.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_that_is_killed_twice_arrives_once_and_visitors_keep_their_pace() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let path = list(&stage, rows(ROWS))?;
    // Visitors come all the while.
    let visitors = async {
        let mut waits = Vec::new();
        for score in 0..30 {
            let id = Uuid::new_v4();
            let stored = stage.sandbox.counts().stored;
            ensure!(stage.submit("checkout", &submission(id, score % 11)).await?.status() == 202);
            let before = stage.sandbox.counts().arrived;
            ensure!(
                stage.sandbox.until(DEADLINE, |counts| counts.stored > stored).await,
                "it did not arrive"
            );
            // Calls between its coming and its going out, itself among them.
            let id = id.to_string();
            let is_it = |arrival: &&Arrival| {
                arrival.json.as_ref().is_some_and(|json| json["metadata"]["submission"] == id)
            };
            let arrivals = stage.sandbox.arrivals();
            let number = arrivals.iter().find(is_it).context("it is not there")?.number;
            waits.push(number.saturating_sub(before));
        }
        anyhow::Ok(waits)
    };
    let killed = async {
        for (seen, flags) in [(7_000, ""), (15_000, "--resume")] {
            let mut child = start(&stage, &path, flags)?;
            ensure!(
                stage.sandbox.until(LONG, |counts| counts.respondents >= seen).await,
                "it does not go on"
            );
            child.kill().await?;
        }
        ended(start(&stage, &path, "--resume")?).await
    };
    let (waits, last) = tokio::join!(visitors, killed);
    let (waits, (code, said)) = (waits?, last?);
    // What is in flight ends first, then it is the visitor's turn.
    ensure!(waits.iter().all(|wait| *wait <= 4), "visitors waited for operators: {waits:?}");
    ensure!(stage.sandbox.counts().early == 0);

    let (at_platform, states) = (arrived(&stage.sandbox), report(&stage)?);
    ensure!(states.len() == usize::try_from(ROWS)?, "the report has every row");
    ensure!(at_platform.values().all(|times| *times == 1), "somebody is there twice");
    let unknown: Vec<&String> =
        states.iter().filter(|(_, state)| *state == "unknown").map(|(email, _)| email).collect();
    ensure!(unknown.len() <= 200, "at most the two calls that were in flight");
    for (email, state) in &states {
        ensure!(
            state == "unknown" || state == "added" && at_platform.contains_key(email),
            "{email}: {state}"
        );
    }
    ensure!((code == 0) == unknown.is_empty(), "{code}: {said}");

    if !unknown.is_empty() {
        ensure!(said.contains("may have arrived or not (row"), "{said}");
        let (code, said) = ended(start(&stage, &path, "--resume --resend-unknown")?).await?;
        ensure!(code == 0, "{said}");
    }
    let at_platform = arrived(&stage.sandbox);
    ensure!(at_platform.len() == usize::try_from(ROWS)?);
    ensure!(at_platform.iter().all(|(email, times)| *times == 1 || unknown.contains(&email)));
    // The same list once more is a mistake.
    let (code, said) = ended(start(&stage, &path, "")?).await?;
    ensure!(code == 1 && said.contains("has been sent"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_the_command_line_keeps_the_pace_itself() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    stage.stop().await?;
    let (code, said) = add(&stage, rows(25), "--batch 5").await?;
    ensure!(code == 0 && said.contains("25 respondents added"), "{code}: {said}");
    let counts = stage.sandbox.counts();
    ensure!((counts.respondents, counts.early) == (25, 0), "{counts:?}");
    let jef = &stage.sandbox.respondents()[1];
    ensure!(
        jef.json["firstName"] == "Jef" && jef.json["keyValues"]["store"] == "Gent; Zuid",
        "{:?}",
        jef.json
    );
    ensure!(jef.language.to_string() == "nl");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_checks_two_hundred_thousand_rows_and_sends_nothing() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let (code, said) = add(&stage, rows(200_000), "--dry-run").await?;
    ensure!(code == 0 && said.contains("200000 respondents") && said.contains("2000 calls"), "{said}");
    ensure!(said.contains("dry run") && stage.sandbox.counts().arrived == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_written_to_unasked() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let path = list(&stage, rows(2))?;
    let path = path.to_str().context("a path that is no text")?;
    let arguments = ["respondents", "add", path, "--survey", "checkout"];
    let (code, said) = ended(stage.process.spawn(&arguments)?).await?;
    ensure!(code == 2 && said.contains("--yes"), "{code}: {said}");
    let (code, said) = ended(stage.process.spawn(&[&arguments[..], &["--dry-run"]].concat())?).await?;
    ensure!(code == 0 && said.contains("dry run"), "{code}: {said}");
    ensure!(stage.sandbox.counts().arrived == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_with_faults_is_not_sent_and_the_first_hundred_are_named() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let mut faulty = String::from("email,language\n");
    (0..1_000).for_each(|number| writeln!(faulty, "visitor-{number},nl").unwrap_or_default());
    let (code, said) = add(&stage, &faulty, "").await?;
    ensure!(code == 1 && said.contains("1000 faults in"), "{said}");
    ensure!((2..=101).all(|row| said.contains(&format!("row {row}, email:"))), "{said}");
    ensure!(!said.contains("row 102,") && said.contains("and 900 more faults"), "{said}");
    for (text, tells) in [
        (b"email|language\njef@example.com|nl\n".as_slice(), "--delimiter"),
        (b"naam,language\nJef,nl\n".as_slice(), "\"email\": there is none"),
        (b"email,language\nj\xe9f@example.com,nl\n".as_slice(), "line 2 is not UTF-8"),
        (b"".as_slice(), "empty"),
        (b"email,language\n".as_slice(), "no rows"),
        (b"email\njef@example.com\n".as_slice(), "--language"),
    ] {
        let (code, said) = add(&stage, text, "").await?;
        ensure!(code != 0 && said.contains(tells), "{tells}: {said}");
    }
    ensure!(stage.sandbox.counts().arrived == 0);
    let (code, said) = add(&stage, "email,language\njef,nl\nan@example.com,nl\n", "--skip-faulty").await?;
    ensure!(
        code == 1 && said.contains("1 respondent added") && said.contains("1 respondent left out"),
        "{said}"
    );
    ensure!(stage.sandbox.respondents()[0].json["email"] == "an@example.com");
    let text = std::fs::read_to_string(stage.process.folder().join("list.csv.report.csv"))?;
    ensure!(text.contains("left out,\"email: \"\"jef\"\" is no e-mail address\""), "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_platform_refuses_stays_out() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    // The sandbox is stricter about addresses than anybody can be beforehand.
    let text = rows(30).edit("visitor-17@example.com", "\"\"\"a@b\"\"@example.com\"");
    let (code, said) = add(&stage, &text, "--batch 10").await?;
    ensure!(code == 1 && said.contains("29 respondents added") && said.contains("(row 19)"), "{said}");
    let at_platform = arrived(&stage.sandbox);
    ensure!(at_platform.len() == 29 && at_platform.values().all(|times| *times == 1));
    let text = std::fs::read_to_string(stage.process.folder().join("list.csv.report.csv"))?;
    ensure!(
        text.contains("a@b\"\"@example.com\",refused,") && text.contains("mend it, or leave the row out"),
        "{text}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_fails_costs_time_and_no_respondent() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let busy = Fault::Status { status: 503, retry_after: Some(1), body: None };
    stage.sandbox.misbehave(Misbehaviour::from(busy).calls(2).only(Call::AddRespondents));
    let (code, said) = add(&stage, rows(20), "--batch 10").await?;
    ensure!(code == 0, "{said}");
    // Lost after it was taken: it is there, and nobody knows.
    stage.sandbox.misbehave(Misbehaviour::from(Fault::LostReply).calls(1).only(Call::AddRespondents));
    let (code, said) = add(&stage, rows(20).edit("visitor", "guest"), "--batch 10 --again").await?;
    ensure!(code == 1 && said.contains("10 respondents may have arrived or not (rows 2 to 11)"), "{said}");
    let at_platform = arrived(&stage.sandbox);
    ensure!(at_platform.len() == 40 && at_platform.values().all(|times| *times == 1));
    // A token without the right.
    let denied = Fault::Status { status: 401, retry_after: None, body: None };
    stage.sandbox.misbehave(Misbehaviour::from(denied).only(Call::AddRespondents));
    let (code, said) = add(&stage, rows(20).edit("visitor", "host"), "--batch 10 --again").await?;
    ensure!(
        code == 1 && said.contains("the token is not taken") && said.contains("20 respondents not sent"),
        "{said}"
    );
    stage.sandbox.behave();
    let (code, said) = add(&stage, rows(20).edit("visitor", "host"), "--batch 10 --resume").await?;
    ensure!(code == 0 && arrived(&stage.sandbox).len() == 60, "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_of_the_page_is_passed_on_with_what_to_do() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    for (message, tells) in [
        ("The JSON model is not correct", "base_url"),
        ("The LanguageUniqueId is not part of this touchpoint", "add it in the touchpoint's settings"),
        ("The Guid of the language is empty or the format is incorrect", "no language"),
        ("The format of the Guid of the language is not valid", "base_url"),
        ("Language with ID: 7 not found", "29"),
        ("Touchpoint with ID: 7 not found", "general configuration"),
        ("The model of the respondent is invalid", "e-mail address"),
        ("The respondent email jef@example.com is invalid", "leave the row out"),
        ("The metadata shop is mandatory for this touchpoint", "make it optional"),
    ] {
        let refusal =
            Fault::Status { status: 400, retry_after: None, body: Some(format!("[\"{message}\"]")) };
        stage.sandbox.misbehave(refusal);
        let (code, said) = add(&stage, rows(1), "--again").await?;
        ensure!(code == 1 && said.contains("1 respondent refused by the platform (row 2)"), "{said}");
        let text = std::fs::read_to_string(stage.process.folder().join("list.csv.report.csv"))?;
        ensure!(text.contains(message) && text.contains(tells), "{message}: {text}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_lets_the_call_in_flight_end() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    // The first call takes a while.
    let late = Fault::LateReply(Duration::from_secs(5));
    stage.sandbox.misbehave(Misbehaviour::from(late).calls(1).only(Call::AddRespondents));
    let path = list(&stage, rows(50))?;
    let child = start(&stage, &path, "--batch 10")?;
    ensure!(stage.sandbox.until(DEADLINE, |counts| counts.respondents >= 10).await);
    let id = child.id().context("it has ended already")?.to_string();
    ensure!(tokio::process::Command::new("kill").args(["-INT", &id]).status().await?.success());
    let (code, said) = ended(child).await?;
    ensure!(
        code == 1 && said.contains("10 respondents added") && said.contains("40 respondents not sent"),
        "{said}"
    );
    ensure!(!said.contains("may have arrived"), "{said}");
    let (code, said) = ended(start(&stage, &path, "--batch 10 --resume")?).await?;
    ensure!(code == 0 && arrived(&stage.sandbox).values().all(|times| *times == 1), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_started_again_meanwhile_costs_nobody() -> Result<()> {
    tests::prepared()?;
    // Whoever asks for calls waits for a server for some intervals.
    let mut stage = Stage::with(Duration::from_millis(200), |config| config).await?;
    let path = list(&stage, rows(150))?;
    let child = start(&stage, &path, "--batch 10")?;
    ensure!(stage.sandbox.until(DEADLINE, |counts| counts.respondents >= 30).await);
    stage.stop().await?;
    stage.start().await?;
    let (code, said) = ended(child).await?;
    ensure!(code == 0 && said.contains("150 respondents added"), "{said}");
    let at_platform = arrived(&stage.sandbox);
    ensure!(at_platform.len() == 150 && at_platform.values().all(|times| *times == 1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cause_that_is_mended_costs_no_row() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let path = list(&stage, rows(40))?;
    let words = Some("[\"Touchpoint with ID: 7 not found\"]".to_owned());
    stage.sandbox.misbehave(Fault::Status { status: 400, retry_after: None, body: words });
    let (code, said) = ended(start(&stage, &path, "--batch 8")?).await?;
    ensure!(code == 1 && said.contains("--keep-going") && said.contains("general configuration"), "{said}");
    ensure!(said.contains("40 respondents not sent"), "{said}");
    stage.sandbox.behave();
    let (code, said) = ended(start(&stage, &path, "--batch 8 --resume")?).await?;
    ensure!(code == 0 && arrived(&stage.sandbox).len() == 40, "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_refused_whatever_is_in_it_costs_no_row() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let path = list(&stage, rows(20))?;
    ensure!(ended(start(&stage, &path, "--batch 10 --dry-run")?).await?.0 == 0);
    for (status, tells, flags) in
        [(302, "base_url", ""), (403, "firewall", "--resume"), (404, "base_url", "--resume")]
    {
        let before = stage.sandbox.counts().arrived;
        stage.sandbox.misbehave(Fault::Status { status, retry_after: None, body: None });
        let (code, said) = ended(start(&stage, &path, &format!("--batch 10 {flags}"))?).await?;
        ensure!(
            code == 1 && said.contains(tells) && said.contains("20 respondents not sent"),
            "{status}: {said}"
        );
        ensure!(stage.sandbox.counts().arrived <= before + 1, "it went on after {status}");
    }
    stage.sandbox.behave();
    let (code, said) = ended(start(&stage, &path, "--batch 10 --resume")?).await?;
    ensure!(code == 0 && arrived(&stage.sandbox).len() == 20, "{said}");
    Ok(())
}
