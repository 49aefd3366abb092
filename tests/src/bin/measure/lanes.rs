//! A thousand lanes in one server process, each at one call a second; printed by `cargo xtask bench`.
//!
//! Each lane has a token of its own at a sandbox in this process, and work for the whole time. What is
//! printed: the calls of each lane, the gaps between them, and the processor time of the server alone.

use std::fmt::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use secrecy::SecretString;
use server::queue::{Options, SqliteQueue};
use tests::{Edit as _, Process, fill};
use tokio::time::Instant;

/// Lanes in one server.
const LANES: usize = 1_000;
/// How long they are watched.
const WATCH: Duration = Duration::from_secs(15);
/// Submissions that wait in each lane: more than it can send.
const WAITING: usize = 30;

pub(super) async fn run() -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let queue = SqliteQueue::open(&folder.path().join("queue.db"), Options::default())?;
    for lane in 0..LANES {
        fill(&queue, &format!("lane{lane}"), &format!("checkout{lane}"), WAITING).await?;
    }
    drop(queue);
    let platform = platform().await?;
    let (config, environment) = config(&platform.address);
    let mut process = Process::new(folder, config);
    process.log_level = "warn,server::cli=info";
    for (name, token) in &environment {
        process.environment.insert(name.clone(), token.clone());
    }
    process.start().await?;
    // The first calls come after a full interval, and after connections are made.
    ensure!(platform.sandbox.until(Duration::from_mins(1), |now| now.arrived >= 2 * LANES as u64).await);
    let (before, begun, spent) = (platform.sandbox.counts(), Instant::now(), process.processor_time()?);
    tokio::time::sleep(WATCH).await;
    let (after, took) = (platform.sandbox.counts(), begun.elapsed());
    let cores = process.processor_time()?.saturating_sub(spent).as_secs_f64() / took.as_secs_f64();
    let calls = after.arrived - before.arrived;
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    let used = calls as f64 / (LANES as f64 * took.as_secs_f64());
    println!("{LANES} lanes in one process, one call a second each, for {:.0} s:\n", took.as_secs_f64());
    println!("  calls                      {calls:>8}  {:.1} % of those permitted", used * 100.0);
    println!("  calls that came early      {:>8}", after.early - before.early);
    println!("  smallest gap               {:>8} ms", after.smallest_gap.context("no gap")?.as_millis());
    println!("  cores used by the server   {cores:>8.2}");
    println!("  resident                   {:>8}", process.resident()?);
    Ok(ExitCode::SUCCESS)
}

/// A sandbox that knows every lane's token.
struct Platform {
    sandbox: server::sandbox::Sandbox,
    address: String,
}

fn token(lane: usize) -> String {
    format!("bench-token-of-lane-{lane}")
}

async fn platform() -> Result<Platform> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let mut settings = tests::settings(server::demo::CONFIG, Duration::from_secs(1))?;
    settings.tokens =
        (0..LANES).map(|lane| server::sandbox::Token::all(SecretString::from(token(lane)))).collect();
    settings.keep = 1_000;
    let sandbox = server::sandbox::Sandbox::new(settings);
    tokio::spawn(server::sandbox::run(listener, sandbox.clone(), std::future::pending()));
    Ok(Platform { sandbox, address })
}

/// The demo's configuration with one platform for each lane; every lane's entries are for the demo's
/// checkout survey, which each of them has under its own name.
fn config(address: &str) -> (String, Vec<(String, String)>) {
    let (head, surveys) = server::demo::CONFIG.split_once("[platform.sandbox]").unwrap_or_default();
    let survey = surveys.split_once("[[survey]]").unwrap_or_default().1;
    let survey = survey.split_once("[[survey]]").map_or(survey, |(first, _)| first);
    let mut config = head
        .edit("@STORE@", "queue.db")
        .edit("listen = \"127.0.0.1:8081\"", "listen = \"127.0.0.1:0\"")
        .edit("admin_listen = \"127.0.0.1:9090\"", "admin_listen = \"127.0.0.1:0\"");
    let mut environment = Vec::new();
    for lane in 0..LANES {
        let name = format!("TOKEN_{lane}");
        // Writing to a text cannot fail.
        write!(
            config,
            "\n[platform.lane{lane}]\nbase_url = \"http://{address}/V1.0/EN\"\ntoken_env = \"{name}\"\n"
        )
        .ok();
        environment.push((name, token(lane)));
    }
    for lane in 0..LANES {
        let own = survey
            .edit("@SHOP@", "http://127.0.0.1:2")
            .edit_first("id = \"checkout\"", &format!("id = \"checkout{lane}\""))
            .edit_first("platform = \"sandbox\"", &format!("platform = \"lane{lane}\""));
        config.push_str("\n[[survey]]");
        config.push_str(&own);
    }
    (config, environment)
}
