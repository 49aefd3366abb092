//! The token never leaves the server but in the one header.

use anyhow::{Result, ensure};
use server::sandbox::Fault;
use tests::{Stage, TOKEN};
use uuid::Uuid;

use crate::submission;

/// The canary in the forms in which it could leak: as it is, and decoded.
const FORMS: [&str; 3] = [TOKEN, "canary@example.com", "0D36ABBAEF444288B7EC"];

fn clean(what: &str, text: &str) -> Result<()> {
    for form in FORMS {
        let at =
            text.find(form).map(|at| text[at.saturating_sub(200)..].chars().take(400).collect::<String>());
        ensure!(at.is_none(), "the token is in {what}: {at:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_in_no_response_page_log_line_or_metric() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    // The platform repeats what it was sent, in a refusal that an operator will read.
    let escaped = TOKEN.replace('O', "\\u004f");
    let echo = format!(
        "{{\"Message\":\"You sent: basic {TOKEN}, {escaped}\",\"Decoded\":[\"canary@example.com:0D36ABBAEF444288B7EC\"]}}"
    );
    stage.sandbox.misbehave(Fault::Status { status: 400, retry_after: None, body: Some(echo) });
    let reply = stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?;
    clean("a response", &format!("{:?} {}", reply.headers().clone(), reply.text().await?))?;
    let page = stage.until_admin("/", |page| page.contains("You sent")).await?;
    clean("the status page", &page)?;
    for fault in [
        Fault::Status { status: 401, retry_after: None, body: None },
        Fault::Status { status: 503, retry_after: None, body: None },
        Fault::CutAtHead,
        Fault::Garbage,
    ] {
        stage.sandbox.misbehave(fault);
        let before = stage.sandbox.counts().arrived;
        ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
        stage.sandbox.until(tests::DEADLINE, |counts| counts.arrived > before).await;
    }
    for path in ["/", "/metrics", "/readyz", "/healthz", "/nothing"] {
        clean(path, &stage.get(&format!("{}{path}", stage.admin)).await?)?;
    }
    for path in ["/widget.js", "/widget.js?survey=checkout", "/v1/surveys/checkout", "/v1/surveys/nope", "/x"]
    {
        clean(path, &stage.get(&format!("{}{path}", stage.server)).await?)?;
    }
    clean("the sandbox's page", &format!("{:?}", stage.sandbox))?;
    let status = stage.stop().await?;
    ensure!(status.success());
    let log = stage.log();
    ensure!(
        log.contains("TRACE") && log.contains("\"message\":\"call\""),
        "the log is at its most talkative"
    );
    clean("the log", &log)
}

#[test]
fn debug_output_holds_no_token() -> Result<()> {
    let text = server::demo::CONFIG
        .replace("@STORE@", "queue.db")
        .replace("@PLATFORM@", "http://127.0.0.1:1/V1.0/EN")
        .replace("@SHOP@", "http://127.0.0.1:2");
    let environment = |_: &str| Some(TOKEN.to_owned());
    let config = server::config::Config::parse(&text, "demo", std::path::Path::new(""), &environment)?;
    clean("the configuration", &format!("{config:?}"))?;
    clean("a client", &format!("{:?}", server::platform::Client::new(&config.platforms[0])?))?;
    let wrong = text.replace("interval", "intervall");
    let error = server::config::Config::parse(&wrong, "demo", std::path::Path::new(""), &environment);
    clean("an error", &format!("{:?}", error.err()))
}
