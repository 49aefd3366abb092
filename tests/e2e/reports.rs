//! What operators fetch from the platform: responses over any time, and its Net Promoter Score.

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use server::sandbox::{Arrival, Call, Fault, Misbehaviour};
use tests::{DEADLINE, Stage};

async fn run(stage: &Stage, line: &str) -> Result<(i32, String, String)> {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let output = stage.process.spawn(&arguments)?.wait_with_output();
    let output = tokio::time::timeout(DEADLINE, output).await.context("it does not end")??;
    let code = output.status.code().context("it was killed")?;
    Ok((code, String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?))
}

async fn said(stage: &Stage, line: &str) -> Result<String> {
    let (code, out, err) = run(stage, line).await?;
    ensure!(code == 0, "{line}: {code}: {out}{err}");
    Ok(out)
}

/// Answers over a time, one every day, some of them where two parts meet.
fn fill(stage: &Stage, from: Timestamp, to: Timestamp) -> Vec<Value> {
    let touchpoint = &stage.sandbox.touchpoints()[0];
    let language = touchpoint.languages[0];
    let question = touchpoint.questions.iter().find(|question| question.language == language);
    let guid = question.map(|question| question.guid.clone()).unwrap_or_default();
    let mut put = Vec::new();
    let mut time = from;
    while time <= to {
        let body = json!({
            "metadata": { "shop": if put.len() % 2 == 0 { "Gent" } else { "Antwerpen" }, "pieces": put.len().to_string() },
            "respondent": { "UniqueID": null, "FirstName": "Jef", "LastName": null, "Email": null, "Phone": null },
            "answers": [{ "QuestionItemUniqueID": guid, "Score": put.len() % 11, "Text": null, "Boolean": null, "Options": null }],
        });
        stage.sandbox.put(&touchpoint.guid, language, time, body.clone());
        put.push(body);
        // A part is 31 days long: every 31st answer lies on the border of two.
        time += SignedDuration::from_hours(24);
    }
    put
}

/// The two ends of each part that was asked for, as the path has them.
fn parts(arrivals: &[Arrival]) -> Vec<(String, String)> {
    let calls =
        arrivals.iter().filter(|arrival| arrival.call == Call::GetAnswers && arrival.status == Some(200));
    let ends = calls.filter_map(|call| {
        let mut segments = call.path.rsplit('/').map(str::to_owned);
        let (to, from) = (segments.next()?, segments.next()?);
        Some((from, to))
    });
    ends.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fourteen_months_arrive_in_parts_without_gap_or_double() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let at = |text: &str| text.parse::<Timestamp>();
    let put = fill(&stage, at("2025-01-01T00:00:00Z")?, at("2026-03-01T00:00:00Z")?);
    let file = stage.process.folder().join("responses.csv");
    let line =
        format!("responses --survey checkout --from 2025-01-01 --to 2026-03-01 --output {}", file.display());
    let (code, _, err) = run(&stage, &line).await?;
    ensure!(code == 0, "{err}");
    // The last one is on the day that is no part of it any more.
    let expected = put.len() - 1;
    ensure!(err.contains(&format!("{expected} responses written")), "{err}");

    let parts = parts(&stage.sandbox.arrivals());
    ensure!(parts.len() == 14, "{parts:?}");
    ensure!((parts[0].0.as_str(), parts[13].1.as_str()) == ("20250101000000", "20260301000000"), "{parts:?}");
    ensure!(parts.windows(2).all(|pair| pair[0].1 == pair[1].0), "there is a gap: {parts:?}");
    ensure!(stage.sandbox.counts().early == 0);

    let text = std::fs::read_to_string(&file)?;
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    ensure!(rows.len() == expected + 1, "{} rows", rows.len());
    let column = |title: &str| {
        rows[0].iter().position(|cell| *cell == title).with_context(|| format!("{title}: {:?}", rows[0]))
    };
    let (score, pieces, shop) = (column("recommend")?, column("metadata.pieces")?, column("metadata.shop")?);
    for (place, row) in rows[1..].iter().enumerate() {
        let (number, source) = (place.to_string(), &put[place]);
        let given = source["answers"][0]["Score"].to_string();
        ensure!(row[pieces] == number && row[score] == given, "{row:?}");
        ensure!(row[shop] == source["metadata"]["shop"], "{row:?}");
    }
    let left: Vec<_> =
        std::fs::read_dir(stage.process.folder())?.flatten().map(|entry| entry.file_name()).collect();
    ensure!(!left.iter().any(|name| name.to_string_lossy().contains(".p")), "{left:?}");

    let (code, _, err) = run(&stage, &line).await?;
    ensure!(code == 1 && err.contains("--force"), "{err}");
    let lines =
        said(&stage, "responses --survey checkout --from 2025-01-01 --to 2025-01-11 --format ndjson").await?;
    ensure!(lines.lines().count() == 10);
    let list: Value = serde_json::from_str(
        &said(&stage, "responses --survey checkout --from 2025-01-01 --to 2025-01-11 --format json").await?,
    )?;
    ensure!(list.as_array().map(Vec::len) == Some(10) && list[0]["keyValues"]["pieces"] == "0");
    let table =
        said(&stage, "responses --survey checkout --from 2025-01-01 --to 2025-01-11 --format table").await?;
    ensure!(table.lines().count() == 11 && table.contains("recommend"), "{table}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_interrupted_goes_on_where_it_was() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let at = |text: &str| text.parse::<Timestamp>();
    let put = fill(&stage, at("2025-01-01T00:00:00Z")?, at("2025-12-31T00:00:00Z")?);
    let file = stage.process.folder().join("responses.ndjson");
    let line = format!(
        "responses --survey checkout --from 2025-01-01 --to 2026-01-01 --format ndjson --output {}",
        file.display()
    );
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let mut child = stage.process.spawn(&arguments)?;
    ensure!(stage.sandbox.until(DEADLINE, |counts| counts.done >= 4).await);
    child.kill().await?;
    ensure!(!file.exists());
    let (code, _, err) = run(&stage, &line).await?;
    ensure!(code == 1 && err.contains("--resume"), "{err}");
    // A reply that breaks off is asked for again.
    stage.sandbox.misbehave(Misbehaviour::from(Fault::CutReply).calls(1).only(Call::GetAnswers));
    let before = parts(&stage.sandbox.arrivals()).len();
    let (code, _, err) = run(&stage, &format!("{line} --resume")).await?;
    ensure!(code == 0, "{err}");
    let parts = parts(&stage.sandbox.arrivals());
    ensure!(parts.len() - before < 12, "it has begun anew: {parts:?}");
    let text = std::fs::read_to_string(&file)?;
    let mut pieces = Vec::new();
    for line in text.lines() {
        let response: Value = serde_json::from_str(line)?;
        pieces.push(response["keyValues"]["pieces"].as_str().unwrap_or_default().parse::<usize>()?);
    }
    ensure!(pieces == (0..put.len()).collect::<Vec<_>>(), "{pieces:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_score_is_the_platforms_whole_by_month_and_narrowed() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    let at = |text: &str| text.parse::<Timestamp>();
    fill(&stage, at("2026-01-01T00:00:00Z")?, at("2026-02-10T00:00:00Z")?);
    let scores = |filter: &str| {
        format!("nps --survey checkout --from 2026-01-01 --to 2026-04-01 --by month {filter} --format json")
    };
    let json: Value = serde_json::from_str(&said(&stage, &scores("")).await?)?;
    ensure!(json.as_array().map(Vec::len) == Some(3), "{json}");
    ensure!(json[0]["from"] == "2026-01-01T00:00:00Z" && json[0]["to"] == "2026-02-01T00:00:00Z", "{json}");
    ensure!(json[0]["detractors"].as_f64() > Some(0.0) && json[2]["nps"] == Value::Null, "{json}");
    // January: 31 scores, 0 to 10 one after the other; 0 to 6 detract, 9 and 10 promote.
    let scores_of =
        |range: std::ops::RangeInclusive<u32>| (0..31_u32).filter(|day| range.contains(&(day % 11))).count();
    let (detractors, promoters) = (scores_of(0..=6), scores_of(9..=10));
    #[expect(clippy::cast_precision_loss, reason = "31")]
    let percent = |count: usize| (count * 10_000 / 31) as f64 / 100.0;
    ensure!(json[0]["detractors"].as_f64() == Some(percent(detractors)), "{json}");
    ensure!(json[0]["promoters"].as_f64() == Some(percent(promoters)), "{json}");
    let ghent: Value = serde_json::from_str(&said(&stage, &scores("--filter shop=Gent")).await?)?;
    ensure!(ghent[0]["nps"] != json[0]["nps"], "{ghent}");
    let both = said(&stage, &scores("--filter shop=Gent --filter shop=Antwerpen")).await?;
    ensure!(serde_json::from_str::<Value>(&both)? == json);
    let table = said(&stage, "nps --survey checkout --from 2026-01-01 --to 2026-04-01 --by month").await?;
    ensure!(table.contains("2026-02-01") && table.contains("█") && table.contains("no answers"), "{table}");

    for (line, code, tells) in [
        ("nps --survey chekout --from 2026-01-01", 2, "there is no survey \"chekout\""),
        ("nps --survey checkout --from 2026-01-01 --filter shp=Gent", 2, "no metadata \"shp\""),
        ("nps --survey checkout --from 2026-04-01 --to 2026-01-01", 2, "is not after"),
        ("nps --survey checkout --from 2999-01-01", 2, "in the future"),
        ("nps --survey checkout --from 01/01/2026", 2, "2026-01-31"),
        ("responses --survey checkout --from 2026-04-01 --to 2026-01-01", 2, "is not after"),
    ] {
        let (ended, out, err) = run(&stage, line).await?;
        ensure!(ended == code && err.contains(tells), "{line}: {ended}: {out}{err}");
    }
    for (status, tells) in [(401, "the token is not taken"), (429, "another program"), (404, "base_url")] {
        let fault = Fault::Status { status, retry_after: Some(0), body: None };
        stage.sandbox.misbehave(Misbehaviour::from(fault).only(Call::GetNps));
        let (code, _, err) = run(&stage, "nps --survey checkout --from 2026-01-01").await?;
        ensure!(code == 1 && err.contains(tells), "{status}: {err}");
    }
    stage.sandbox.behave();
    // The same without a server.
    stage.stop().await?;
    ensure!(serde_json::from_str::<Value>(&said(&stage, &scores("")).await?)? == json);
    ensure!(stage.sandbox.counts().early == 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_always_breaks_off_ends_the_command_after_eight_tries() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let at = |text: &str| text.parse::<Timestamp>();
    fill(&stage, at("2026-01-01T00:00:00Z")?, at("2026-01-05T00:00:00Z")?);
    let file = stage.process.folder().join("responses.csv");
    for (fault, tells) in [(Fault::CutReply, "connection failed"), (Fault::Garbage, "cannot be read")] {
        let before = stage.sandbox.counts().arrived;
        stage.sandbox.misbehave(Misbehaviour::from(fault.clone()).only(Call::GetAnswers));
        let line =
            format!("responses --survey checkout --from 2026-01-01 --output {} --force", file.display());
        let (code, _, err) = run(&stage, &line).await?;
        ensure!(code == 1 && err.contains(tells) && err.contains("--resume goes on"), "{fault:?}: {err}");
        // The first part, eight times.
        ensure!(stage.sandbox.counts().arrived - before == 8, "{fault:?}");
        ensure!(err.matches("again in").count() == 7, "{err}");
    }
    stage.sandbox.behave();
    let line = format!("responses --survey checkout --from 2026-01-01 --output {} --resume", file.display());
    let (code, _, err) = run(&stage, &line).await?;
    ensure!(code == 0 && err.contains("5 responses written"), "{err}");
    Ok(())
}
