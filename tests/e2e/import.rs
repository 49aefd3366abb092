//! A survey written from what the platform asks, checked, served and answered.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use server::sandbox::{Call, Fault, Misbehaviour, Question, Token, Touchpoint};
use tests::{DEADLINE, Edit as _, NO_LIMITS, QUICK, Stage, TOKEN};
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

/// The questions of a touchpoint with the place of what joins their languages, which is named anew by an import.
fn questions(touchpoint: &Touchpoint) -> Vec<Question> {
    let siblings: Vec<&str> = touchpoint.questions.iter().map(|question| question.sibling.as_str()).collect();
    let place = |question: &Question| siblings.iter().position(|sibling| *sibling == question.sibling);
    let placed = |question: &Question| Question {
        sibling: place(question).map(|place| place.to_string()).unwrap_or_default(),
        ..question.clone()
    };
    touchpoint.questions.iter().map(placed).collect()
}

/// A survey that was written asks what its touchpoint asks: texts, kinds, scales, labels, options, GUIDs and what may be
/// left out, in every language.
fn same(survey: &str, touchpoint: &Touchpoint) -> Result<()> {
    let read = tests::settings(survey, QUICK)?;
    let [written] = read.touchpoints.as_slice() else { anyhow::bail!("not one survey: {survey}") };
    ensure!(written.guid.eq_ignore_ascii_case(&touchpoint.guid) && written.company == touchpoint.company);
    ensure!(written.languages == touchpoint.languages, "{:?}", written.languages);
    let (written, asked) = (questions(written), questions(touchpoint));
    ensure!(written.len() == asked.len(), "{} of {} questions: {survey}", written.len(), asked.len());
    for (written, asked) in written.iter().zip(&asked) {
        ensure!(written == asked, "{written:#?} is not {asked:#?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_survey_is_imported_as_the_platform_has_it() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::with(QUICK, |config| tests::with_full(tests::with_looks(config))).await?;
    let (code, said) = run(&stage, "check --online").await?;
    ensure!(code == 0 && said.contains("lists 7 options at most"), "{said}");
    for id in ["checkout", "delivery", "looks"] {
        ensure!(said.contains(&format!("{id}: as the platform has it.")), "{id}: {said}");
    }
    for touchpoint in stage.sandbox.touchpoints() {
        let file = stage.process.folder().join(format!("{}.toml", touchpoint.name));
        let (company, guid) = (&touchpoint.company, &touchpoint.guid);
        let line = format!(
            "import --company {company} --touchpoint {guid} --id imported --output {}",
            file.display()
        );
        let (code, said) = run(&stage, &line).await?;
        ensure!(code == 0, "{said}");
        let survey = std::fs::read_to_string(&file)?;
        // A list of twenty countries comes as far as the platform has room for it.
        if ["steps", "page"].contains(&touchpoint.name.as_str()) {
            ensure!(said.contains("lists 7 options at most") && survey.contains("# It may be cut"), "{said}");
        } else {
            ensure!(!said.contains("at most"), "{said}");
            same(&survey, &touchpoint).with_context(|| touchpoint.name.clone())?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_imported_survey_is_checked_served_and_answered_in_four_languages() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    let base = stage.process.config.split("[[survey]]").next().unwrap_or_default().to_owned() + NO_LIMITS;
    let touchpoint = Touchpoint::clone(&stage.sandbox.touchpoints()[0]);
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
    same(&survey, &touchpoint)?;

    stage.process.config = format!("{base}\n{survey}");
    let (code, said) = run(&stage, "check").await?;
    ensure!(code == 0 && said.contains("imported") && !said.contains("advice"), "{said}");
    stage.start().await?;
    answer(&stage).await?;

    // A token that may not ask for questions: what was answered tells them.
    let calls = Some(vec![Call::AddAnswer, Call::GetAnswers]);
    let denied = Token { calls, ..Token::all(TOKEN.to_owned().into()) };
    stage.sandbox.know(vec![denied], vec![touchpoint]);
    // A reply that breaks off is asked for again.
    stage.sandbox.misbehave(Misbehaviour::from(Fault::CutReply).calls(1).only(Call::GetAnswers));
    let (code, said) = run(&stage, &format!("{line} --force")).await?;
    ensure!(code == 0 && said.contains("the token is not taken") && said.contains("again in"), "{said}");
    let made = "made from 4 responses of the last 31 days";
    ensure!(
        said.contains("4 responses in 4 languages.") && said.contains(&format!("note: it is {made}")),
        "{said}"
    );
    let survey = std::fs::read_to_string(&file)?;
    ensure!(survey.starts_with(&format!("# It is {made}")), "{survey}");
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
    let company = &touchpoint.company;
    let of = |touchpoint: &str, more: &str| {
        format!("import --company {company} --touchpoint {touchpoint} --id imported {more}")
    };
    let elsewhere = format!("import --company {0} --touchpoint {0} --id imported", touchpoint.guid);
    for (line, code, tells) in [
        (of("f30f55f0", ""), 2, "not a GUID"),
        (of(&touchpoint.guid, "--platform other"), 2, "no [platform.other]"),
        (of(&touchpoint.guid, "--languages de"), 1, "no language"),
        (of(&touchpoint.company, ""), 1, "Touchpoint with ID"),
        (elsewhere, 1, "is not the company of this touchpoint"),
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
        stage.process.config.edit(&guid, &slip).edit("Wat kunnen we beter doen?", "Wat kan er beter?");
    let (code, said) = run(&stage, "check --online").await?;
    ensure!(code == 1 && said.contains(&format!("the touchpoint has no question {slip}")), "{said}");
    ensure!(said.contains("1 problem with the platform"), "{said}");
    let right = stage.process.config.clone();
    let company = stage.sandbox.touchpoints()[0].company.clone();
    stage.process.config = right.edit(&company, "ec28d381-4883-4731-9462-74c3dc82aff1");
    let (code, said) = run(&stage, "check --online").await?;
    ensure!(code == 1 && said.matches("is not the company of this touchpoint").count() == 2, "{said}");
    // What comes back as nonsense is asked for again, and explained if it stays so.
    stage.process.config = right;
    stage.sandbox.misbehave(Misbehaviour::from(Fault::Garbage).only(Call::GetQuestions));
    let (code, said) = run(&stage, "check --online").await?;
    ensure!(code == 1 && said.contains("again in") && said.contains("base_url may lead"), "{said}");
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
