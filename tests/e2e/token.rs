//! The token never leaves the server but in the one header.

use anyhow::{Context as _, Result, ensure};
use server::platform::{Client, Connections};
use server::sandbox::Fault;
use tests::{Edit as _, Stage, TOKEN};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
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

/// What a listener says to a request's first line, whatever that is; nothing if it hangs up.
async fn raw(origin: &str, line: &str) -> Result<String> {
    let address = origin.strip_prefix("http://").context("no address")?;
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("{line}\r\nhost: {address}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    // A listener may hang up as soon as it has seen enough; what it said until then counts.
    stream.write_all(request.as_bytes()).await.ok();
    let mut said = Vec::new();
    tokio::time::timeout(tests::DEADLINE, stream.read_to_end(&mut said)).await?.ok();
    Ok(String::from_utf8_lossy(&said).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_in_no_response_page_log_line_or_metric() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    // The platform repeats what it was sent, in a refusal that an operator will read.
    let escaped = TOKEN.edit("O", "\\u004f");
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
    // What the HTTP library says by itself, and what is said of requests that make no sense.
    for (method, path) in [
        ("DELETE", "/v1/surveys/checkout/answers"),
        ("POST", "/v1/surveys/checkout"),
        ("TRACE", "/"),
        ("GET", "/v1/surveys/checkout?lang=%ff"),
        ("GET", "/a/%2e%2e/%2e%2e/queue.db"),
    ] {
        for listener in [&stage.server, &stage.admin] {
            let answer = raw(listener, &format!("{method} {path} HTTP/1.1")).await?;
            ensure!(answer.starts_with("HTTP/1.1 ") && !answer.starts_with("HTTP/1.1 5"), "{answer}");
            clean(&format!("the answer to {method} {path}"), &answer)?;
        }
    }
    for nonsense in ["GET", "\u{1}\u{2}", "GET / HTTP/9.9", &format!("GET /{} HTTP/1.1", "a".repeat(100_000))]
    {
        for listener in [&stage.server, &stage.admin] {
            clean("the answer to nonsense", &raw(listener, nonsense).await?)?;
        }
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
        .edit("@STORE@", "queue.db")
        .edit("@PLATFORM@", "http://127.0.0.1:1/V1.0/EN")
        .edit("@SHOP@", "http://127.0.0.1:2");
    let environment = |_: &str| Some(TOKEN.to_owned());
    let config = server::config::Config::parse(&text, "demo", std::path::Path::new(""), &environment)?;
    clean("the configuration", &format!("{config:?}"))?;
    let client = Client::new(&config.platforms[0], &mut Connections::default())?;
    clean("a client", &format!("{client:?}"))?;
    let wrong = text.edit("interval", "intervall");
    let error = server::config::Config::parse(&wrong, "demo", std::path::Path::new(""), &environment);
    clean("an error", &format!("{:?}", error.err()))
}

/// Tells a test that it is the child of itself.
const CHILD: &str = "AFTERWORD_TEST_CHILD";

#[test]
fn a_panic_tells_its_place_and_not_its_words() -> Result<()> {
    if std::env::var_os(CHILD).is_some() {
        server::log::init(server::log::Format::Json);
        panic!("{TOKEN}");
    }
    let mut child = std::process::Command::new(std::env::current_exe()?);
    child.args(["--exact", "token::a_panic_tells_its_place_and_not_its_words", "--no-capture"]);
    let output = child.env(CHILD, "1").env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1").output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(said.contains("a fault in this program") && said.contains("token.rs"), "{said}");
    clean("a panic", &said)
}
