//! Answers that were collected elsewhere: from a list to the platform, by the rules that hold for visitors.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tests::{DEADLINE, Stage};
use uuid::Uuid;

use crate::submission;

async fn add(stage: &Stage, text: &str, flags: &str) -> Result<(i32, String)> {
    let path = stage.process.folder().join("paper.csv");
    std::fs::write(&path, text)?;
    let path = path.to_str().context("a path that is no text")?;
    let mut arguments = vec!["answers", "add", path, "--survey", "checkout"];
    arguments.extend(flags.split_whitespace());
    let output = stage.process.spawn(&arguments)?.wait_with_output();
    let output = tokio::time::timeout(DEADLINE, output).await.context("it does not end")??;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.code().context("it was killed")?, String::from_utf8(said)?))
}

const LIST: &str = "language;answered_at;recommend;why;again;metadata.pieces;respondent.email\n\
                    nl;2026-01-31;3;Te traag;nee;3;jef@example.com\n\
                    fr;2026-02-01T12:00:00Z;9;;Oui;4;\n\
                    ar;;10;;true;5;\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_list_arrives_once_however_often_it_is_handed_in() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let (code, said) = add(&stage, LIST, "--dry-run").await?;
    ensure!(code == 0 && said.contains("3 answers could be stored"), "{said}");
    let (code, said) = add(&stage, LIST, "").await?;
    ensure!(code == 0 && said.contains("3 answers stored; they go out in about"), "{said}");
    ensure!(stage.sandbox.until(DEADLINE, |counts| counts.stored >= 3).await);
    let (code, said) = add(&stage, LIST, "").await?;
    ensure!(code == 0 && said.contains("0 answers stored; 3 were there already"), "{said}");
    let taken = stage.sandbox.answers();
    ensure!(taken.len() == 3 && stage.sandbox.counts().early == 0);
    let jef = taken.iter().find(|answer| answer.language.tag() == "nl").context("no Dutch answer")?;
    ensure!(jef.json["respondent"]["Email"] == "jef@example.com", "{:?}", jef.json);
    let values: Vec<_> = jef.json["answers"].as_array().into_iter().flatten().collect();
    ensure!(values[0]["Score"] == 3 && values[1]["Text"] == "Te traag" && values[2]["Boolean"] == false);
    ensure!(taken.iter().any(|answer| answer.json["answers"][1]["Boolean"] == json!(true)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_named_with_row_and_column_and_nothing_is_stored() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    let list = "language,recommend,why,again,metadata.pieces,respondent.email\n\
                nl,11,,ja,3,jef@example.com\n\
                de,3,Traag,ja,3,\n\
                nl,,Traag,ja,3,\n\
                nl,negen,,ja,3,\n\
                nl,9,,ja,3,jef\n\
                nl,9,,ja,3,jef@example.com\n";
    let (code, said) = add(&stage, list, "").await?;
    ensure!(code == 1 && said.contains("and nothing was stored"), "{said}");
    for fault in [
        "row 2, recommend:",
        "row 3, language:",
        "row 4, recommend:",
        "row 5, recommend: \"negen\"",
        "row 6, respondent.email:",
    ] {
        ensure!(said.contains(fault), "{fault}: {said}");
    }
    ensure!(!said.contains("row 7"), "{said}");
    let (code, said) = add(&stage, "language,recomend\nnl,9\n", "").await?;
    ensure!(code == 1 && said.contains("\"recomend\": it is not known here"), "{said}");
    ensure!(stage.sandbox.counts().arrived == 0);
    // The same without a server, and they go out when it is back.
    stage.stop().await?;
    let (code, said) = add(&stage, list, "--skip-faulty").await?;
    ensure!(code == 1 && said.contains("1 answer stored") && said.contains("5 answers left out"), "{said}");
    ensure!(said.contains("once a server is started"), "{said}");
    stage.start().await?;
    ensure!(stage.sandbox.until(DEADLINE, |counts| counts.stored == 1).await);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn visitors_go_first() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::with(Duration::from_millis(200), |config| config).await?;
    let mut list = String::from("language,recommend,again,metadata.pieces\n");
    list.push_str(&"nl,9,ja,3\n".repeat(100));
    let (code, said) = add(&stage, &list, "").await?;
    ensure!(code == 0 && said.contains("100 answers stored"), "{said}");
    ensure!(stage.sandbox.counts().stored < 90, "they were too fast for this test");
    let id = Uuid::new_v4();
    ensure!(stage.submit("checkout", &submission(id, 5)).await?.status() == 202);
    let before = stage.sandbox.counts().stored;
    let place = || {
        let taken = stage.sandbox.answers();
        taken.iter().position(|answer| answer.json["answers"][0]["Score"] == 5)
    };
    ensure!(stage.sandbox.until(DEADLINE, |_| place().is_some()).await);
    let place = place().context("it did not arrive")?;
    ensure!(place as u64 <= before + 2, "it waited for {} others", (place as u64).saturating_sub(before));
    Ok(())
}
