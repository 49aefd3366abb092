//! A survey written from what the platform asks, checked, served and answered.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use server::sandbox::{Call, Fault, Misbehaviour};
use tests::{DEADLINE, NO_LIMITS, Stage};
use uuid::Uuid;

const LANGUAGES: [&str; 4] = ["nl", "fr", "en", "ar"];

async fn run(stage: &Stage, line: &str) -> Result<(i32, String)> {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let output = stage.process.spawn(&arguments)?.wait_with_output();
    let output = tokio::time::timeout(DEADLINE, output).await.context("it does not end")??;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.code().context("it was killed")?, String::from_utf8(said)?))
}

/// Answers the imported survey's first question in each language.
async fn answer(stage: &Stage) -> Result<()> {
    for (score, language) in LANGUAGES.iter().enumerate() {
        let before = stage.sandbox.counts().stored;
        let body = json!({
            "submission": Uuid::new_v4(), "language": language,
            "answers": [{ "question": "nps", "score": score }],
        });
        let reply = stage.submit("imported", &body).await?;
        ensure!(reply.status() == 202, "{language}: {}", reply.text().await?);
        ensure!(
            stage.sandbox.until(DEADLINE, |counts| counts.stored > before).await,
            "{language}: not taken"
        );
        let taken = stage.sandbox.answers().pop().context("no answer")?;
        let touchpoint = &stage.sandbox.touchpoints()[0];
        let asked = touchpoint.questions.iter().find(|question| question.language.tag() == *language);
        let guid = asked.map(|question| question.guid.clone()).unwrap_or_default();
        let sent = taken.json["answers"][0]["QuestionItemUniqueID"].as_str().unwrap_or_default();
        ensure!(sent.eq_ignore_ascii_case(&guid), "{language}: {:?}", taken.json);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_survey_is_checked_served_and_answered_in_four_languages() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    let base = stage.process.config.split("[[survey]]").next().unwrap_or_default().to_owned() + NO_LIMITS;
    let touchpoint = stage.sandbox.touchpoints()[0].clone();
    let file = stage.process.folder().join("survey.toml");
    let line = format!(
        "import --company {} --touchpoint {} --id imported --origin {} --output {}",
        touchpoint.company,
        touchpoint.guid,
        stage.pages.origin,
        file.display()
    );
    // No server runs, and there is no survey yet.
    stage.stop().await?;
    stage.process.config.clone_from(&base);
    let (code, said) = run(&stage, &line).await?;
    ensure!(code == 0 && said.contains("questions in nl, fr, en, ar"), "{said}");
    ensure!(!said.contains("note:"), "{said}");
    let (code, said) = run(&stage, &line).await?;
    ensure!(code == 1 && said.contains("--force"), "{said}");
    let survey = std::fs::read_to_string(&file)?;
    let asked: Vec<&str> = touchpoint.questions.iter().map(|question| question.guid.as_str()).collect();
    ensure!(asked.iter().all(|guid| survey.contains(guid)), "{survey}");

    stage.process.config = format!("{base}\n{survey}");
    let (code, said) = run(&stage, "check").await?;
    ensure!(code == 0 && said.contains("imported") && !said.contains("advice"), "{said}");
    stage.start().await?;
    answer(&stage).await?;

    // A token that may not ask for questions: what was answered tells them.
    let denied = Fault::Status { status: 401, retry_after: None, body: None };
    stage.sandbox.misbehave(Misbehaviour::from(denied).only(Call::GetQuestions));
    let (code, said) = run(&stage, &format!("{line} --force")).await?;
    ensure!(
        code == 0 && said.contains("the token is not taken") && said.contains("4 responses in 4 languages"),
        "{said}"
    );
    let survey = std::fs::read_to_string(&file)?;
    stage.stop().await?;
    stage.process.config = format!("{base}\n{survey}");
    let (code, said) = run(&stage, "check").await?;
    ensure!(code == 0, "{said}\n{survey}");
    stage.start().await?;
    answer(&stage).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_imported_says_why() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let touchpoint = stage.sandbox.touchpoints()[0].clone();
    let of = |touchpoint: &str, more: &str| {
        format!("import --company {touchpoint} --touchpoint {touchpoint} --id imported {more}")
    };
    for (line, code, tells) in [
        (of("f30f55f0", ""), 2, "not a GUID"),
        (of(&touchpoint.guid, "--platform other"), 2, "no [platform.other]"),
        (of(&touchpoint.guid, "--languages de"), 1, "no language"),
        (of(&touchpoint.company, ""), 1, "Touchpoint with ID"),
    ] {
        let (ended, said) = run(&stage, &line).await?;
        ensure!(ended == code && said.contains(tells), "{line}: {ended}: {said}");
    }
    // Nothing was ever answered, and the questions are not told.
    let refused = Fault::Status { status: 404, retry_after: None, body: None };
    stage.sandbox.misbehave(Misbehaviour::from(refused).only(Call::GetQuestions));
    let (code, said) = run(&stage, &of(&touchpoint.guid, "")).await?;
    ensure!(code == 1 && said.contains("no responses of the last 31 days"), "{said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_is_held_against_the_platform_and_nothing_is_written() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    let (code, said) = run(&stage, "check --online").await?;
    ensure!(code == 0 && said.matches("as the platform has it").count() == 2, "{said}");
    // One GUID with a slip of the pen, one text that reads otherwise; the server runs with what it had.
    let guid = stage.sandbox.touchpoints()[0].questions[0].guid.clone();
    let slip = format!("{}0", &guid[..guid.len() - 1]);
    stage.process.config =
        stage.process.config.replace(&guid, &slip).replace("Wat kunnen we beter doen?", "Wat kan er beter?");
    let (code, said) = run(&stage, "check --online").await?;
    ensure!(code == 1 && said.contains(&format!("the touchpoint has no question {slip}")), "{said}");
    ensure!(said.contains("1 problem with the platform"), "{said}");
    let refused = Fault::Status { status: 401, retry_after: None, body: None };
    stage.sandbox.misbehave(Misbehaviour::from(refused).only(Call::GetQuestions));
    let (code, said) = run(&stage, "check --online").await?;
    ensure!(
        code == 1 && said.contains("cannot be compared") && said.contains("the token is not taken"),
        "{said}"
    );
    stage.sandbox.behave();
    stage.stop().await?;
    let (code, said) = run(&stage, "check --online").await?;
    ensure!(code == 1 && said.contains("has no question") && stage.sandbox.counts().early == 0, "{said}");
    ensure!(stage.sandbox.counts().stored == 0 && stage.sandbox.respondents().is_empty());
    Ok(())
}
