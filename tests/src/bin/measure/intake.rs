//! How many submissions the server makes durable in a second, beside the same server with a queue that
//! stores nothing; printed by `cargo xtask bench`.
//!
//! Both are driven over loopback by the same connections, one request at a time on each, in turns, so
//! that a noisy machine disturbs both. The machine's cores are shared by server and load.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use jiff::Timestamp;
use server::clock::Clock;
use server::config::{Config, PlatformName};
use server::history::Recorder;
use server::intake::Intake;
use server::queue::{Enqueued, Inbox, Lanes, NewEntry, Options, QueueError, Records as _, SqliteQueue};
use server::sampling::Shares;
use shared::SurveyId;
use tests::{Edit as _, NO_LIMITS, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use uuid::Uuid;

use crate::stats::{Sorted, millis};

/// Connections that send at the same time.
const CONNECTIONS: [usize; 4] = [1, 8, 64, 256];
/// How long one turn lasts.
const TURN: Duration = Duration::from_secs(3);
/// Turns for each number of connections.
const TURNS: usize = 3;
/// What waits in a crowded store.
const MILLION: usize = 1_000_000;
/// Looks at what is due that are timed.
const LOOKS: u32 = 500;

/// A queue that says it stored everything, and stores nothing.
struct NullQueue;

#[async_trait]
impl Inbox for NullQueue {
    async fn enqueue(&self, _: NewEntry) -> Result<Enqueued, QueueError> {
        Ok(Enqueued::Stored)
    }

    async fn has(&self, _: &SurveyId, _: Uuid, _: [u8; 32]) -> Result<bool, QueueError> {
        Ok(false)
    }
}

pub(super) async fn run() -> Result<ExitCode> {
    let folder = tempfile::tempdir_in(".")?;
    let text = server::demo::CONFIG
        .edit("@STORE@", "queue.db")
        .edit("@PLATFORM@", "http://127.0.0.1:1")
        .edit("@SHOP@", "http://127.0.0.1:2");
    let config = Config::parse(&(text + NO_LIMITS), "bench", Path::new(""), &|_| Some("token".into()))?;
    let config = Arc::new(config);
    let nothing = serve(&config, Arc::new(NullQueue)).await?;
    let sqlite = open(&folder.path().join("queue.db"))?;
    let durable = serve(&config, Arc::clone(&sqlite) as Arc<dyn Inbox>).await?;

    println!("Durable submissions a second (SQLite, synchronous=FULL), beside a queue that stores nothing;");
    println!(
        "medians of {TURNS} turns of {} s in turn, server and load on the same cores.\n",
        TURN.as_secs()
    );
    println!("  connections     null/s  durable/s   ratio   p50 ms   p99 ms");
    let mut sent = 0;
    for connections in CONNECTIONS {
        let [plain, stored] = &measure([nothing, durable], connections).await?;
        sent += stored.iter().map(|turn| turn.requests).sum::<u64>();
        println!(
            "  {connections:>11} {:>10.0} {:>10.0} {:>7.2} {:>8.2} {:>8.2}",
            rate(plain),
            rate(stored),
            rate(stored) / rate(plain),
            percentile(stored, 0.50),
            percentile(stored, 0.99)
        );
    }
    let waiting: u64 = sqlite.counts().await?.iter().map(|lane| lane.waiting).sum();
    ensure!(waiting == sent, "{sent} were accepted, and {waiting} are stored");
    println!("\nEvery one of the {sent} accepted submissions is in the store.");
    crowded(&config, folder.path()).await?;
    started(&folder.path().join("crowded.db")).await?;
    Ok(ExitCode::SUCCESS)
}

/// Intake beside an empty store, and next due, with a million waiting.
async fn crowded(config: &Arc<Config>, folder: &Path) -> Result<()> {
    let crowded = open(&folder.join("crowded.db"))?;
    tests::fill(&*crowded, "sandbox", "checkout", MILLION).await?;
    let empty = open(&folder.join("empty.db"))?;
    let doors = [
        serve(config, Arc::clone(&empty) as Arc<dyn Inbox>).await?,
        serve(config, Arc::clone(&crowded) as Arc<dyn Inbox>).await?,
    ];
    println!("\nWith {MILLION} waiting, beside an empty store, 64 connections:\n");
    println!("   empty/s  crowded/s   ratio   p99 ms empty   p99 ms crowded");
    let [quiet, full] = &measure(doors, 64).await?;
    println!(
        "  {:>8.0} {:>10.0} {:>7.2} {:>14.2} {:>16.2}",
        rate(quiet),
        rate(full),
        rate(full) / rate(quiet),
        percentile(quiet, 0.99),
        percentile(full, 0.99)
    );
    let lane = PlatformName::new("sandbox");
    let skipped = ["checkout".parse()?];
    println!("\n  next due                 {:>8.3} ms", due(&*crowded, &lane, &[]).await?);
    println!("  next due, survey skipped {:>8.3} ms", due(&*crowded, &lane, &skipped).await?);
    let begun = Instant::now();
    for _ in 0..LOOKS {
        crowded.reserve(&lane, Timestamp::MAX, &[]).await?.context("nothing is due")?;
    }
    println!("  reserved, durably        {:>8.3} ms", millis(begun.elapsed()) / f64::from(LOOKS));
    Ok(())
}

/// The mean time to find out what is due.
async fn due(queue: &dyn Lanes, lane: &PlatformName, skip: &[SurveyId]) -> Result<f64> {
    let begun = Instant::now();
    for _ in 0..LOOKS {
        queue.due(lane, Timestamp::UNIX_EPOCH, skip).await?;
    }
    Ok(millis(begun.elapsed()) / f64::from(LOOKS))
}

/// How long a server process takes until it is ready, and its memory: empty, and with the crowded store.
async fn started(crowded: &Path) -> Result<()> {
    let roomy = |config: String| config + "\n[queue]\nmax_entries = 9000000\nmax_bytes = \"64GiB\"\n";
    let mut stage = Stage::logging("warn,server=info", Duration::from_hours(1), roomy).await?;
    println!("\nA server process (release):\n");
    println!("              ready after   resident");
    for name in ["empty", "crowded"] {
        stage.kill().await?;
        if name == "crowded" {
            for companion in ["-wal", "-shm"] {
                std::fs::remove_file(stage.process.folder().join(format!("queue.db{companion}"))).ok();
            }
            std::fs::copy(crowded, stage.process.folder().join("queue.db"))?;
        }
        let begun = Instant::now();
        stage.start().await?;
        stage.until_admin("/readyz", |text| text == "ready\n").await?;
        let ready = begun.elapsed();
        println!("  {name:<10} {:>8.0} ms   {}", millis(ready), stage.process.resident()?);
    }
    Ok(())
}

fn open(path: &Path) -> Result<Arc<SqliteQueue>> {
    let roomy = Options { max_entries: u64::MAX, max_bytes: u64::MAX, ..Options::default() };
    Ok(Arc::new(SqliteQueue::open(path, roomy)?))
}

/// Drives two servers in turns.
async fn measure(doors: [SocketAddr; 2], connections: usize) -> Result<[Vec<Turn>; 2]> {
    let mut turns = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        for (door, turns) in doors.iter().zip(&mut turns) {
            turns.push(drive(*door, connections).await?);
        }
    }
    Ok(turns)
}

fn rate(turns: &[Turn]) -> f64 {
    turns.iter().map(Turn::rate).collect::<Sorted>().median()
}

fn percentile(turns: &[Turn], share: f64) -> f64 {
    turns.iter().map(|turn| turn.latencies.percentile(share)).collect::<Sorted>().median()
}

async fn serve(config: &Arc<Config>, queue: Arc<dyn Inbox>) -> Result<std::net::SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router =
        Intake::new(Arc::clone(config), Shares::new(config), queue, Recorder::default(), Clock::start())
            .router();
    tokio::spawn(server::http::serve(listener, router, std::future::pending()));
    Ok(address)
}

/// What one turn measured.
struct Turn {
    requests: u64,
    taken: Duration,
    /// In milliseconds.
    latencies: Sorted,
}

impl Turn {
    #[expect(clippy::cast_precision_loss, reason = "a few million at most")]
    fn rate(&self) -> f64 {
        self.requests as f64 / self.taken.as_secs_f64()
    }
}

async fn drive(address: std::net::SocketAddr, connections: usize) -> Result<Turn> {
    let started = Instant::now();
    let until = started + TURN;
    let tasks: Vec<_> = (0..connections).map(|_| tokio::spawn(connection(address, until))).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let (requests, taken) = (latencies.len() as u64, started.elapsed());
    Ok(Turn { requests, taken, latencies: latencies.into_iter().collect() })
}

async fn connection(address: std::net::SocketAddr, until: Instant) -> Result<Vec<f64>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut latencies = Vec::new();
    let mut buffer = vec![0; 4_096];
    while Instant::now() < until {
        let body = format!(
            "{{\"submission\":\"{}\",\"language\":\"nl\",\"answers\":[{{\"question\":\"recommend\",\"score\":3}},\
             {{\"question\":\"why\",\"text\":\"De doos kwam een dag te laat en was aan een kant gescheurd.\"}},\
             {{\"question\":\"found\",\"options\":[\"search\",\"friend\"]}},{{\"question\":\"again\",\"boolean\":true}}],\
             \"metadata\":{{\"pieces\":\"3\"}},\"context\":{{\"page_url\":\"http://127.0.0.1:2/thanks\"}}}}",
            Uuid::new_v4()
        );
        let head = format!(
            "POST /v1/surveys/checkout/answers HTTP/1.1\r\nhost: bench\r\norigin: http://127.0.0.1:2\r\n\
             content-type: text/plain\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let sent = Instant::now();
        stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).await?;
        let mut filled = 0;
        // The reply is short, and ends with the closing brace of its body.
        while !buffer[..filled].ends_with(b"}") {
            let read = stream.read(&mut buffer[filled..]).await?;
            ensure!(read > 0, "the server closed the connection");
            filled += read;
        }
        let reply = std::str::from_utf8(&buffer[..filled]).context("the reply is no text")?;
        ensure!(reply.starts_with("HTTP/1.1 202"), "{reply}");
        latencies.push(millis(sent.elapsed()));
    }
    Ok(latencies)
}
