//! How many submissions the server makes durable in a second, beside the same server with a queue that
//! stores nothing; printed by `cargo xtask bench`.
//!
//! Both are driven over loopback by the same connections, one request at a time on each, in turns, so
//! that a noisy machine disturbs both. The machine's cores are shared by server and load.

#![expect(clippy::print_stdout, reason = "a benchmark prints")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use server::clock::Clock;
use server::config::Config;
use server::intake::Intake;
use server::queue::{Enqueued, Inbox, NewEntry, Options, QueueError, Records as _, SqliteQueue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use uuid::Uuid;

/// Connections that send at the same time.
const CONNECTIONS: [usize; 4] = [1, 8, 64, 256];
/// How long one turn lasts.
const TURN: Duration = Duration::from_secs(3);
/// Turns for each number of connections.
const TURNS: usize = 3;

/// A queue that says it stored everything, and stores nothing.
struct NullQueue;

#[async_trait]
impl Inbox for NullQueue {
    async fn enqueue(&self, _: NewEntry) -> Result<Enqueued, QueueError> {
        Ok(Enqueued::Stored)
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir_in(".")?;
    let text = server::demo::CONFIG
        .replace("@STORE@", "queue.db")
        .replace("@PLATFORM@", "http://127.0.0.1:1")
        .replace("@SHOP@", "http://127.0.0.1:2")
        + tests::NO_LIMITS;
    let config = Arc::new(Config::parse(&text, "bench", Path::new(""), &|_| Some("token".into()))?);
    let sqlite = Arc::new(SqliteQueue::open(&folder.path().join("queue.db"), Options::default())?);
    let durable = serve(&config, Arc::clone(&sqlite) as Arc<dyn Inbox>).await?;
    let nothing = serve(&config, Arc::new(NullQueue)).await?;

    println!("Durable submissions a second (SQLite, synchronous=FULL), beside a queue that stores nothing;");
    println!(
        "medians of {TURNS} turns of {} s in turn, server and load on the same cores.\n",
        TURN.as_secs()
    );
    println!("  connections     null/s  durable/s   ratio   p50 ms   p99 ms");
    let mut sent = 0;
    for connections in CONNECTIONS {
        let mut turns: Vec<(Turn, Turn)> = Vec::new();
        for _ in 0..TURNS {
            let plain = drive(nothing, connections).await?;
            let stored = drive(durable, connections).await?;
            sent += stored.requests;
            turns.push((plain, stored));
        }
        let plain = median(turns.iter().map(|(plain, _)| plain.rate()));
        let stored = median(turns.iter().map(|(_, stored)| stored.rate()));
        let p50 = median(turns.iter().map(|(_, stored)| stored.percentile(0.50)));
        let p99 = median(turns.iter().map(|(_, stored)| stored.percentile(0.99)));
        println!(
            "  {connections:>11} {plain:>10.0} {stored:>10.0} {:>7.2} {p50:>8.2} {p99:>8.2}",
            stored / plain
        );
    }
    let waiting: u64 = sqlite.counts().await?.iter().map(|lane| lane.waiting).sum();
    ensure!(waiting == sent, "{sent} were accepted, and {waiting} are stored");
    println!("\nEvery one of the {sent} accepted submissions is in the store.");
    Ok(())
}

async fn serve(config: &Arc<Config>, queue: Arc<dyn Inbox>) -> Result<std::net::SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Intake::new(Arc::clone(config), queue, Clock::start()).router();
    tokio::spawn(server::http::serve(listener, router, std::future::pending()));
    Ok(address)
}

/// What one turn measured.
struct Turn {
    requests: u64,
    taken: Duration,
    /// Sorted, in milliseconds.
    latencies: Vec<f64>,
}

impl Turn {
    #[expect(clippy::cast_precision_loss, reason = "a few million at most")]
    fn rate(&self) -> f64 {
        self.requests as f64 / self.taken.as_secs_f64()
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    fn percentile(&self, share: f64) -> f64 {
        let at = (self.latencies.len() as f64 * share) as usize;
        self.latencies.get(at).or(self.latencies.last()).copied().unwrap_or_default()
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn drive(address: std::net::SocketAddr, connections: usize) -> Result<Turn> {
    let started = Instant::now();
    let until = started + TURN;
    let tasks: Vec<_> = (0..connections).map(|_| tokio::spawn(connection(address, until))).collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    let taken = started.elapsed();
    latencies.sort_by(f64::total_cmp);
    Ok(Turn { requests: latencies.len() as u64, taken, latencies })
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
        latencies.push(sent.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(latencies)
}
