//! The demo's surveys in all 29 languages of the platform, each answered in a browser.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use shared::{Direction, Language};
use tests::{Browser, Engine, QUICK, Stage, Visitor};

/// The demo's configuration with every language: those that it lacks have the English texts, marked with their tag, and
/// GUIDs of their own.
fn in_all_languages(config: &str) -> Result<String> {
    let mut config: toml::Table = config.parse()?;
    let all: Vec<&str> = Language::all().map(Language::tag).collect();
    let surveys = config.get_mut("survey").and_then(toml::Value::as_array_mut).context("no survey")?;
    for survey in surveys {
        survey["languages"] = toml::Value::from(all.clone());
        complete(survey, &all);
    }
    Ok(config.to_string())
}

/// Adds to each table of languages those that it lacks.
fn complete(value: &mut toml::Value, all: &[&str]) {
    match value {
        toml::Value::Table(table) if table.contains_key("en") && table.contains_key("nl") => {
            let english = table["en"].as_str().unwrap_or_default().to_owned();
            for (at, tag) in
                all.iter().enumerate().filter(|(_, tag)| !table.contains_key(**tag)).collect::<Vec<_>>()
            {
                let own = match english.parse::<uuid::Uuid>() {
                    Ok(guid) => guid_of(guid, at).to_string(),
                    Err(_) => format!("{tag}: {english}"),
                };
                table.insert((*tag).to_owned(), toml::Value::String(own));
            }
        }
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, value)| complete(value, all)),
        toml::Value::Array(values) => values.iter_mut().for_each(|value| complete(value, all)),
        _ => {}
    }
}

/// Another GUID for each language.
fn guid_of(english: uuid::Uuid, at: usize) -> uuid::Uuid {
    uuid::Uuid::from_u128(english.as_u128() ^ ((at as u128 + 1) << 64))
}

/// Answers whatever is asked until the survey thanks, always the same way; gives the ids in their order.
async fn answer(visitor: &Visitor<'_>) -> Result<Vec<String>> {
    let mut asked = Vec::new();
    loop {
        let id = visitor.until("seen(question) && question.dataset.question").await?;
        let id = id.as_str().context("no id")?.to_owned();
        let kind = visitor.look("question.querySelector('input, textarea').type").await?;
        match kind.as_str() {
            Some("textarea") => visitor.write("Ok").await?,
            _ => visitor.choose(&[1]).await?,
        }
        let last = visitor.look("!!part('send')").await? == json!(true);
        asked.push(id.clone());
        visitor.forward().await?;
        if last {
            visitor.state("thanked").await?;
            return Ok(asked);
        }
        visitor.until(&format!("question.dataset.question !== '{id}'")).await?;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_language_completes_the_demos_surveys_with_its_own_guids() -> Result<()> {
    tests::prepared()?;
    let mut config = String::new();
    let stage = Stage::with(QUICK, |demo| {
        config = in_all_languages(&demo).unwrap_or_default();
        config.clone()
    })
    .await?;
    let config: toml::Table = config.parse()?;
    let browser = Browser::open(Engine::Chromium, 390, 844).await?;
    let mut words = BTreeSet::new();
    for language in Language::all() {
        let tag = language.tag();
        for survey in config["survey"].as_array().into_iter().flatten() {
            let id = survey["id"].as_str().context("no id")?;
            let before = stage.sandbox.arrivals().len();
            let visitor = browser.visit(&stage.pages.at(&format!("{tag}/{id}"))).await?;
            visitor.until("seen(question)").await?;
            ensure!(visitor.look("card.lang").await? == tag);
            let direction = if language.direction() == Direction::RightToLeft { "rtl" } else { "ltr" };
            ensure!(visitor.look("card.dir").await? == direction);
            words.insert(
                visitor.look("part('next').textContent + part('step').textContent").await?.to_string(),
            );
            let asked = answer(&visitor).await?;
            stage.delivered(u64::try_from(before)? + 1).await?;
            let arrivals = stage.sandbox.arrivals();
            let arrival =
                arrivals.iter().rev().find(|arrival| arrival.stored).context("nothing was stored")?;
            let body = arrival.json.as_deref().context("no JSON")?;
            ensure!(body["cultureInfo"] == language.culture(), "{tag}: {body}");
            ensure!(body["languageUniqueId"] == language.guid(), "{tag}: {body}");
            ensure!(body["campaign_UniqueID"] == survey["touchpoint"].as_str().unwrap_or_default());
            let guid = |asked: &String| {
                let mut questions = survey["question"].as_array().into_iter().flatten();
                let question = questions.find(|question| question["id"].as_str() == Some(asked));
                question.and_then(|question| question["guid"][tag].as_str()).map(str::to_owned)
            };
            let wanted: Vec<_> = asked.iter().map(guid).collect();
            let found = body["answers"].as_array().into_iter().flatten();
            let found: Vec<_> =
                found.map(|answer| answer["QuestionItemUniqueID"].as_str().map(str::to_owned)).collect();
            ensure!(found == wanted && asked.len() >= 3, "{tag}: {found:?}, not {wanted:?}");
        }
    }
    ensure!(words.len() >= 24, "each language has words of its own: {words:?}");
    browser.close().await
}
