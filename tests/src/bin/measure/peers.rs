//! What a survey costs the page that shows it, beside two peers; printed by `cargo xtask bench peers`.
//!
//! The same shop's page without a survey, with ours and with theirs, in turns in Chromium, each time in a browser
//! that has seen nothing: 150 ms, 1.6 Mbit/s, a processor slowed 4 times. Every survey begins with the same
//! question, a score from 0 to 10, and asks it at once. Fails if ours takes more of PostHog's time than the
//! budgets allow. `AFTERWORD_BIN` names the server's binary, `PEERS` the folder with the peers' packages.

mod pages;

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use tests::{Browser, Cost, Edit as _, QUICK, Sought, Stage};
use tokio::net::TcpListener;

use crate::stats::Sorted;

/// Rounds, each with every page once.
const ROUNDS: usize = 7;
/// What of PostHog's time our survey may take until its first question is visible, and in scripts.
const BUDGET: (f64, f64) = (0.45, 0.15);

/// A page of the shop.
struct Shop {
    name: &'static str,
    path: &'static str,
    sought: Sought,
}

const OURS: Sought = Sought { host: "afterword-survey", inside: "[data-question]" };

/// The page without a survey comes first.
const SHOPS: [Shop; 5] = [
    Shop { name: "no survey", path: "/", sought: Sought { host: "main", inside: "form" } },
    Shop { name: "Afterword, inline", path: "/afterword?mode=inline", sought: OURS },
    Shop { name: "Afterword, popover", path: "/afterword?mode=popover", sought: OURS },
    Shop {
        name: "PostHog, popover",
        path: "/posthog",
        sought: Sought { host: "[class^=PostHogSurvey]", inside: ".rating-options-number" },
    },
    Shop {
        name: "SurveyJS, inline",
        path: "/surveyjs",
        sought: Sought { host: "#survey", inside: ".sd-rating fieldset" },
    },
];

pub(super) async fn run() -> Result<ExitCode> {
    let packages = std::env::var_os("PEERS").context("PEERS does not say where the peers' packages are")?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let shop = format!("http://{}", listener.local_addr()?);
    let also_here = |config: String| config.edit("origins = [", &format!("origins = [\"{shop}\", "));
    let stage = Stage::logging("warn,server=info", QUICK, also_here).await?;
    let peers = pages::Peers::read(packages.as_ref())?;
    let versions = peers.versions.clone();
    pages::serve(listener, &stage.server, peers).await?;

    println!(
        "A page that asks a score from 0 to 10, over 150 ms and 1.6 Mbit/s, with a processor slowed 4 times;"
    );
    println!("Chromium, medians of {ROUNDS} rounds, {versions}.\n");
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let mut round = Vec::new();
        for page in &SHOPS {
            let browser = Browser::open_slow(&shop, 1280, 800).await?;
            let cost = browser.cost(&format!("{shop}{}", page.path), &page.sought).await;
            round.push(cost.with_context(|| page.name.to_owned())?);
            browser.close().await?;
        }
        rounds.push(round);
    }
    report(&rounds)
}

/// What a page costs more than the one without a survey.
struct Row {
    visible: f64,
    script: f64,
    busy: f64,
    heap: f64,
    bytes: f64,
    requests: f64,
}

fn report(rounds: &[Vec<Cost>]) -> Result<ExitCode> {
    let of = |page: usize, figure: fn(&Cost) -> f64| {
        rounds.iter().map(|round| figure(&round[page])).collect::<Sorted>().median()
    };
    let visible = |cost: &Cost| cost.visible.map_or(f64::INFINITY, |time| time.as_secs_f64());
    let script = |cost: &Cost| cost.script.as_secs_f64();
    let busy = |cost: &Cost| cost.busy.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "bytes of one page")]
    let (heap, bytes) = (|cost: &Cost| cost.heap as f64 / 1e6, |cost: &Cost| cost.bytes as f64);
    #[expect(clippy::cast_precision_loss, reason = "requests of one page")]
    let requests = |cost: &Cost| cost.requests as f64;
    let rows: Vec<Row> = (1..SHOPS.len())
        .map(|page| Row {
            visible: of(page, visible),
            script: of(page, script) - of(0, script),
            busy: of(page, busy) - of(0, busy),
            heap: of(page, heap) - of(0, heap),
            bytes: of(page, bytes),
            requests: of(page, requests),
        })
        .collect();
    println!("                       visible s   script s   busy s   heap MB     bytes   requests");
    println!(
        "  {:<20} {:>9} {:>10.3} {:>8.3} {:>9.2} {:>9} {:>10}",
        SHOPS[0].name,
        "",
        of(0, script),
        of(0, busy),
        of(0, heap),
        of(0, bytes),
        of(0, requests)
    );
    println!("  more than that:");
    for (page, row) in SHOPS[1..].iter().zip(&rows) {
        println!(
            "  {:<20} {:>9.2} {:>10.3} {:>8.3} {:>9.2} {:>9} {:>10}",
            page.name, row.visible, row.script, row.busy, row.heap, row.bytes, row.requests
        );
    }
    let [inline, popover, posthog, surveyjs] = &rows[..] else { unreachable!("a row for each page") };
    ensure!(rows.iter().all(|row| row.visible < f64::INFINITY), "a survey was not visible");
    println!("\n  ours beside            visible    script      busy      heap     bytes");
    for (name, row, peer) in [
        ("PostHog, inline", inline, posthog),
        ("PostHog, popover", popover, posthog),
        ("SurveyJS, inline", inline, surveyjs),
    ] {
        println!(
            "  {name:<20} {:>9.3} {:>9.3} {:>9.3} {:>9.3} {:>9.3}",
            row.visible / peer.visible,
            row.script / peer.script,
            row.busy / peer.busy,
            row.heap / peer.heap,
            row.bytes / peer.bytes
        );
    }
    let within =
        |row: &Row| row.visible <= BUDGET.0 * posthog.visible && row.script <= BUDGET.1 * posthog.script;
    println!(
        "\n  budget: {} of PostHog's time until it is visible, {} of its script time",
        BUDGET.0, BUDGET.1
    );
    Ok(if within(inline) && within(popover) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
