//! What the platform gets, held against its API page: every kind, every language of the demo.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::Stage;
use uuid::Uuid;

/// What the platform's page calls a language: culture and GUID ("Hello Customer API overview", section 4).
const LANGUAGES: [(&str, &str, &str); 4] = [
    ("nl", "NL", "1B5C1275-4F92-422F-B1FC-799BF8E30598"),
    ("fr", "FR", "901AF5BC-06CB-4DE0-B523-135ECFDC882A"),
    ("en", "EN", "DF88D743-1B99-44EF-B47F-260C78030EE7"),
    ("ar", "AR", "C9B76975-23A0-4277-BD0F-EBE02FA3A314"),
];

/// The demo's configuration as plain data.
fn demo() -> Result<Value> {
    Ok(json!(toml::from_str::<toml::Table>(server::demo::CONFIG)?))
}

/// An answer to a question in our words, and the same in the platform's.
fn answered(question: &Value, language: &str) -> (Value, Value) {
    let mut theirs = json!({
        "QuestionItemUniqueID": question["guid"][language], "Score": null, "Text": null, "Boolean": null, "Options": null,
    });
    let id = &question["id"];
    let ours = match question["kind"].as_str() {
        Some("score") => {
            theirs["Score"] = json!(3);
            json!({ "question": id, "score": 3 })
        }
        Some("text") => {
            theirs["Text"] = json!("J’aime bien. «مرحبا» 日本 🙂\nDeux lignes.");
            json!({ "question": id, "text": theirs["Text"] })
        }
        Some("yes_no") => {
            theirs["Boolean"] = json!(false);
            json!({ "question": id, "boolean": false })
        }
        _ => {
            let options: Vec<&Value> = question["options"].as_array().into_iter().flatten().collect();
            let count = if question["several"] == json!(true) { 2 } else { 1 };
            let value = |option: &&Value| {
                let own = &option["value"][language];
                if own.is_null() { option["text"][language].clone() } else { own.clone() }
            };
            theirs["Options"] = options[..count].iter().map(value).collect();
            json!({ "question": id, "options": options[..count].iter().map(|o| o["id"].clone()).collect::<Value>() })
        }
    };
    (ours, theirs)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_in_every_language_arrives_in_the_api_pages_shape() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let demo = demo()?;
    let mut expected = Vec::new();
    for survey in demo["survey"].as_array().context("no surveys")? {
        let id = survey["id"].as_str().context("no id")?;
        for (language, culture, guid) in LANGUAGES {
            let uuid = Uuid::new_v4();
            let questions = survey["question"].as_array().context("no questions")?;
            let (ours, theirs): (Vec<Value>, Vec<Value>) =
                questions.iter().map(|question| answered(question, language)).unzip();
            let body = json!({
                "submission": uuid, "language": language, "answers": ours, "metadata": { "pieces": "8" },
                "respondent": { "first_name": "Jef", "last_name": "Tester", "email": "jef@example.com", "phone": null, "id": null },
                "context": { "page_url": format!("{}/thanks?order=1", stage.pages.origin), "referrer": null },
            });
            let reply = stage.submit(id, &body).await?;
            ensure!(reply.status() == 202, "{id} {language}: {}", reply.text().await?);
            expected.push(json!({
                "cultureInfo": culture,
                "languageUniqueId": guid,
                "metadata": {
                    "shop": "1", "number of pieces": "8", "page": format!("{}/thanks", stage.pages.origin),
                    "device": "desktop", "submission": uuid,
                },
                "respondent": {
                    "UniqueID": null, "FirstName": "Jef", "LastName": "Tester", "Email": "jef@example.com", "Phone": null,
                },
                "CompanyUniqueID": survey["company"],
                "answers": theirs,
                "campaign_UniqueID": survey["touchpoint"],
            }));
        }
    }
    let arrivals = stage.delivered(expected.len() as u64).await?;
    ensure!(arrivals.len() == expected.len());
    for (arrival, expected) in arrivals.iter().zip(&expected) {
        let body = arrival.json.as_deref().context("no JSON")?;
        ensure!(body == expected, "\n arrived {body}\nexpected {expected}");
        ensure!(arrival.scheme.as_deref() == Some("basic"), "the scheme is lower case on the page");
        ensure!(arrival.content_type.as_deref() == Some("application/json"));
        let path = arrival.path.to_lowercase();
        ensure!(path.starts_with("/v1.0/en/campaign/") && path.ends_with("/answers/add"), "{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_definition_that_a_browser_gets_holds_no_guid() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    for survey in demo()?["survey"].as_array().context("no surveys")? {
        let id = survey["id"].as_str().context("no id")?;
        for (language, ..) in LANGUAGES {
            let text =
                stage.get(&format!("{}/v1/surveys/{id}?lang={language}", stage.server)).await?.to_uppercase();
            let mut guids = vec![&survey["touchpoint"], &survey["company"]];
            for question in survey["question"].as_array().into_iter().flatten() {
                guids.extend(question["guid"].as_object().into_iter().flatten().map(|(_, guid)| guid));
            }
            for guid in guids {
                ensure!(!text.contains(&guid.as_str().context("no text")?.to_uppercase()));
            }
        }
    }
    Ok(())
}

/// What the byte budget allows for a definition: `DEFINITION_ALLOWANCE` in `xtask/src/build/bytes.rs`.
const DEFINITION_ALLOWANCE: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn every_definition_of_the_demo_is_as_light_as_the_byte_budget_takes_it_to_be() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let http = tests::http_client()?;
    for survey in ["checkout", "delivery"] {
        for (language, ..) in LANGUAGES {
            let url = format!("{}/v1/surveys/{survey}?lang={language}", stage.server);
            let reply = http.get(url).header("accept-encoding", "br").send().await?;
            ensure!(reply.headers().get("content-encoding").is_some_and(|encoding| encoding == "br"));
            let bytes = reply.bytes().await?.len();
            ensure!(bytes <= DEFINITION_ALLOWANCE, "{survey} in {language} takes {bytes} bytes");
        }
    }
    Ok(())
}
