//! The operators' pages in a browser: they stay fresh under their own policy, and strangers stay out.

use anyhow::{Result, ensure};
use serde_json::json;
use tests::{Browser, Engine, Stage, http_client};
use uuid::Uuid;

use crate::submission;

#[tokio::test(flavor = "multi_thread")]
async fn the_status_page_freshens_itself_under_its_policy() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    stage.sandbox.misbehave(server::sandbox::Fault::Status { status: 400, retry_after: None, body: None });
    // The other engines' drivers keep what the console of this page says to themselves.
    let browser = Browser::open(Engine::Chromium, 1024, 768).await?;
    let page = browser.visit(&format!("{}/", stage.admin)).await?;
    browser.run("document.body.dataset.first = 'yes'; return true").await?;
    let id = Uuid::new_v4();
    ensure!(stage.submit("checkout", &submission(id, 9)).await?.status() == 202);
    page.until(&format!("document.querySelector('main').textContent.includes('{id}')")).await?;
    let same = browser.run("return document.body.dataset.first").await?;
    ensure!(same == json!("yes"), "the page was swapped, not loaded again");
    let refused =
        "try { document.createElement('p').innerHTML = '<b>x</b>'; return false } catch { return true }";
    ensure!(browser.run(refused).await? == json!(true), "text does not become markup");
    let console = browser.console().await?;
    let found = browser.axe().await?;
    ensure!(found.is_empty(), "{found:?}");
    let complaints: Vec<_> = console.iter().filter(|(level, _)| level == "SEVERE").collect();
    ensure!(complaints.len() <= 1, "only what this test tried: {complaints:?}");
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_was_rebound_to_the_operators_listener_sees_nothing() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let http = http_client()?;
    for path in ["/", "/metrics", "/readyz"] {
        let get = |host: &str| http.get(format!("{}{path}", stage.admin)).header("host", host).send();
        let rebound = get("evil.example:9090").await?;
        ensure!(rebound.status() == 403 && !rebound.text().await?.contains("sandbox"), "{path}");
        ensure!(get("localhost:9090").await?.status() == 200, "{path}");
    }
    Ok(())
}
