//! What operators fetch from the platform: responses over any time, and its Net Promoter Score.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use server::sandbox::{Arrival, Call, Fault, Kind, Misbehaviour, Question, Token, Touchpoint};
use tests::{DEADLINE, Stage, TOKEN};

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

/// The cells of a table as RFC 4180 has them.
fn cells(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = csv.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    rows
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
    ensure!(err.contains("14 calls: about 280 ms"), "{err}");

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
async fn every_kind_of_answer_has_one_column_in_both_languages() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let mut touchpoint = Touchpoint::clone(&stage.sandbox.touchpoints()[0]);
    let language = |tag: &str| shared::Language::matching(tag).context("no language");
    // One that only the platform has.
    for (tag, guid, text) in [
        ("nl", "7a1c0000-0000-4000-8000-000000000001", "Nog iets?"),
        ("fr", "7a1c0000-0000-4000-8000-000000000002", "Autre chose ?"),
    ] {
        touchpoint.questions.push(Question {
            guid: guid.into(),
            sibling: "more".into(),
            language: language(tag)?,
            kind: Kind::Text,
            text: text.into(),
            mandatory: false,
            labels: Vec::new(),
        });
    }
    stage.sandbox.know(vec![Token::all(TOKEN.to_owned().into())], vec![touchpoint.clone()]);
    let given = [
        (
            "nl",
            "2026-01-05T10:00:00Z",
            "9",
            "Goed, \"snel\"\nen netjes",
            ["Zoekmachine", "In ons atelier"],
            "true",
            "Niets",
        ),
        (
            "fr",
            "2026-01-06T23:59:59Z",
            "3",
            "Trop cher",
            ["Moteur de recherche", "Dans notre atelier"],
            "false",
            "Rien",
        ),
    ];
    let person = [
        ("UniqueID", "id"),
        ("FirstName", "first_name"),
        ("LastName", "last_name"),
        ("Email", "email"),
        ("Phone", "phone"),
    ];
    for (tag, time, score, text, options, again, more) in given {
        let spoken = language(tag)?;
        let answer = |sibling: &str, key: &str, value: Value| {
            let mut asked = touchpoint.questions.iter();
            let asked = asked.find(|question| question.sibling == sibling && question.language == spoken);
            let guid = asked.map(|question| question.guid.clone());
            let mut answer = json!({ "QuestionItemUniqueID": guid, "Score": null, "Text": null, "Boolean": null, "Options": null });
            answer[key] = value;
            answer
        };
        let respondent: serde_json::Map<String, Value> =
            person.iter().map(|(key, name)| ((*key).to_owned(), json!(format!("{name} {tag}")))).collect();
        let body = json!({
            "metadata": { "shop": tag },
            "respondent": respondent,
            "answers": [
                answer("recommend", "Score", serde_json::from_str(score)?),
                answer("why", "Text", json!(text)),
                answer("found", "Options", json!(options)),
                answer("again", "Boolean", serde_json::from_str(again)?),
                answer("more", "Text", json!(more)),
            ],
        });
        stage.sandbox.put(&touchpoint.guid, spoken, time.parse()?, body);
    }
    let rows = cells(&said(&stage, "responses --survey checkout --from 2026-01-01 --to 2026-01-11").await?);
    ensure!(rows.len() == 3 && !rows[0].iter().any(|title| title == "Autre chose ?"), "{rows:?}");
    for (row, (tag, time, score, text, options, again, more)) in rows[1..].iter().zip(given) {
        let is = |title: &str, value: &str| -> Result<()> {
            let place = rows[0].iter().position(|cell| cell == title).context(title.to_owned())?;
            ensure!(row[place] == value, "{title}: {:?} is not {value:?}", row[place]);
            Ok(())
        };
        is("answered_at", time)?;
        is("language", tag)?;
        is("recommend", score)?;
        is("why", text)?;
        is("found", &options.join("; "))?;
        is("again", again)?;
        is("Nog iets?", more)?;
        is("metadata.shop", tag)?;
        for (_, name) in person {
            is(&format!("respondent.{name}"), &format!("{name} {tag}"))?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_interrupted_goes_on_where_it_was() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::with(Duration::from_millis(300), |config| config).await?;
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
        let line = format!(
            "responses --survey checkout --from 2026-01-01 --to 2999-01-01 --output {} --force",
            file.display()
        );
        let (code, _, err) = run(&stage, &line).await?;
        ensure!(code == 1 && err.contains(tells) && err.contains("--resume goes on"), "{fault:?}: {err}");
        // The first part, eight times.
        ensure!(stage.sandbox.counts().arrived - before == 8, "{fault:?}");
        ensure!(err.matches("again in").count() == 7, "{err}");
        ensure!(err.contains("--to 2999-01-01T00:00:00Z is in the future: up to now"), "{err}");
    }
    stage.sandbox.behave();
    let line = format!(
        "responses --survey checkout --from 2026-01-01 --to 2999-01-01 --output {} --resume",
        file.display()
    );
    let (code, _, err) = run(&stage, &line).await?;
    ensure!(code == 0 && err.contains("5 responses written"), "{err}");
    let nowhere = stage.process.folder().join("nodir/responses.csv");
    let line = format!("responses --survey checkout --from 2026-01-01 --output {}", nowhere.display());
    let (code, _, err) = run(&stage, &line).await?;
    ensure!(code == 1 && err.contains("nodir/responses.csv.part"), "{err}");
    stage.sandbox.misbehave(Misbehaviour::from(Fault::Garbage).only(Call::GetNps));
    let (code, _, err) = run(&stage, "nps --survey checkout --from 2026-01-01").await?;
    ensure!(code == 1 && err.matches("again in").count() == 7 && err.contains("base_url may lead"), "{err}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn months_that_came_before_a_failure_are_printed() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let line = "nps --survey checkout --from 2010-01-01 --to 2026-01-01 --by month --format json";
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let child = stage.process.spawn(&arguments)?;
    ensure!(stage.sandbox.until(DEADLINE, |counts| counts.done >= 4).await);
    let refused = Fault::Status { status: 404, retry_after: None, body: None };
    stage.sandbox.misbehave(Misbehaviour::from(refused).only(Call::GetNps));
    let output =
        tokio::time::timeout(DEADLINE, child.wait_with_output()).await.context("it does not end")??;
    let err = String::from_utf8(output.stderr)?;
    let months: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    ensure!(output.status.code() == Some(1) && (4..192).contains(&months.len()), "{}: {err}", months.len());
    let rest = months.last().and_then(|month| month["to"].as_str()).unwrap_or_default();
    ensure!(
        err.contains("192 calls") && err.contains(&format!("--from {} asks", &rest[..10])),
        "{rest}: {err}"
    );
    Ok(())
}
