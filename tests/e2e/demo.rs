//! The demo, as a stranger meets it: one command, a shop, two surveys, the platform's pace.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{Browser, DEADLINE, Engine, binary, http_client};
use tokio::io::{AsyncBufReadExt, BufReader};

tests::in_every_engine! {
    both_surveys_of_the_demo_arrive_in_order_and_a_second_apart
}

async fn both_surveys_of_the_demo_arrive_in_order_and_a_second_apart(engine: Engine) -> Result<()> {
    let mut command = tokio::process::Command::new(binary());
    command.args(["demo", "--shop-port=0", "--server-port=0", "--sandbox-port=0", "--admin-port=0"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut demo = command.spawn()?;
    let mut lines = BufReader::new(demo.stdout.take().context("no output")?).lines();
    let mut address = async |name: &str| {
        while let Some(line) = lines.next_line().await? {
            if let Some(rest) = line.trim().strip_prefix(name) {
                let url = rest.split_whitespace().next().context("no address")?;
                return anyhow::Ok(url.to_owned());
            }
        }
        anyhow::bail!("the demo does not say where {name} is")
    };
    let shop = tokio::time::timeout(DEADLINE, address("Shop")).await??;
    let delivery = address("Delivery").await?;
    let arrivals = address("Arrivals").await?;

    let browser = Browser::open(engine, 390, 844).await?;
    let mut expected = Vec::new();
    for (language, culture) in [("nl", "NL"), ("ar", "AR")] {
        let visitor = browser.visit(&format!("{shop}?lang={language}")).await?;
        visitor.picture(&format!("shop-{language}")).await?;
        for (question, option) in [("recommend", 9), ("found", 0), ("again", 0)] {
            visitor.asked(question).await?;
            visitor.choose(&[option]).await?;
            visitor.forward().await?;
        }
        visitor.state("thanked").await?;
        expected.push((culture, 3));
        let visitor = browser.visit(&format!("{delivery}?lang={language}")).await?;
        visitor.asked("satisfied").await?;
        visitor.choose(&[4]).await?;
        visitor.forward().await?;
        visitor.asked("effort").await?;
        visitor.choose(&[6]).await?;
        visitor.picture(&format!("delivery-{language}")).await?;
        visitor.forward().await?;
        // Whatever is asked after these two may be left out.
        loop {
            visitor
                .until(
                    "card && (card.dataset.state === 'thanked' || seen(part('next')) || seen(part('send')))",
                )
                .await?;
            if visitor.look("card.dataset.state !== 'asking'").await? == json!(true) {
                break;
            }
            visitor.forward().await?;
        }
        visitor.state("thanked").await?;
        expected.push((culture, 2));
    }

    let http = http_client()?;
    let listed = async || -> Result<Vec<Value>> {
        let text = http.get(format!("{arrivals}sandbox/arrivals")).send().await?.text().await?;
        Ok(serde_json::from_str::<Value>(&text)?["arrivals"].as_array().cloned().unwrap_or_default())
    };
    let arrived = tokio::time::timeout(DEADLINE, async {
        loop {
            let listed = listed().await?;
            let replied = listed.iter().filter(|arrival| arrival["done"] == true).count();
            if replied >= expected.len() {
                return anyhow::Ok(listed);
            }
            tests::a_moment().await;
        }
    });
    let arrived = arrived.await.context("not every answer arrived")??;
    for (arrival, (culture, answers)) in arrived.iter().zip(&expected) {
        ensure!(arrival["status"] == 200, "{arrival}");
        ensure!(arrival["gap_microseconds"].as_u64().is_none_or(|gap| gap >= 1_000_000), "{arrival}");
        let body: Value = match &arrival["body"] {
            Value::String(text) => serde_json::from_str(text)?,
            other => other.clone(),
        };
        ensure!(body["cultureInfo"] == *culture, "in order: {body}");
        ensure!(body["answers"].as_array().map(Vec::len) == Some(*answers), "{body}");
    }
    browser.visit(&arrivals).await?;
    browser.picture("arrivals").await?;
    browser.close().await
}
