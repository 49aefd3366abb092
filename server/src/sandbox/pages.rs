//! The live page: what arrived and when, the answers in words, and buttons to misbehave.

use std::time::Duration;

use axum::response::Response;
use maud::{Markup, html};

use super::arrivals_table::table;
use super::{Misbehaviour, Sandbox};
use crate::page::{self, Tone};

/// Arrivals on the page, at most.
const SHOWN: usize = 50;
/// How long a button's misbehaviour lasts, in seconds.
const A_WHILE: u64 = 30;
/// What the buttons order: the words, and the form's fields.
const BUTTONS: [(&str, &[(&str, &str)]); 6] = [
    ("Answer 503", &[("fault", "status"), ("status", "503")]),
    ("Answer 400", &[("fault", "status"), ("status", "400")]),
    ("Answer 429", &[("fault", "status"), ("status", "429"), ("retry_after", "5")]),
    ("Answer nothing", &[("fault", "cut_after_body")]),
    ("Lose the replies", &[("fault", "lost_reply")]),
    ("Reply 5 s late", &[("fault", "late_reply"), ("milliseconds", "5000")]),
];

/// The page as it is now.
pub(super) fn page(sandbox: &Sandbox, host: &str) -> Response {
    let arrivals = sandbox.arrivals();
    let total = sandbox.counts().arrived;
    let body = html! {
        div.head {
            (page::logo())
            h1 { "Sandbox" }
            @if sandbox.misbehaviour().is_some() {
                (page::pill(Tone::Warn, "misbehaves"))
            } @else {
                (page::pill(Tone::Good, "behaves"))
            }
            p.quiet {
                "It stands in for the Hello Customer platform: " code { "base_url = \"http://" (host) "/V1.0/EN\"" }
            }
        }
        (banner(sandbox))
        section.card {
            (figures(sandbox))
            (buttons())
        }
        section.card {
            h2 { "Arrivals" @if total > 0 { span.quiet { (page::grouped(total)) } } }
            @if arrivals.is_empty() {
                (empty(host))
            } @else {
                div.scroll { (table(sandbox, arrivals.iter().rev().take(SHOWN))) }
            }
        }
        @if arrivals.len() > SHOWN {
            p.quiet { "These are the newest " (SHOWN) ". " a href="/sandbox/arrivals" { "All that are kept, as JSON" } "." }
        }
        (known(sandbox))
    };
    page::respond("Afterword: sandbox", Some(Duration::from_secs(1)), &body)
}

fn banner(sandbox: &Sandbox) -> Markup {
    let Some((misbehaviour, left, time)) = sandbox.misbehaviour() else { return html! {} };
    let words = html! {
        div.row {
            p { strong { "Told to misbehave: " (misbehaviour.fault.words()) } ", " (limits(sandbox, &misbehaviour, left, time)) }
            form method="post" action="/sandbox/behave" { button.loud { "Behave again" } }
        }
    };
    page::notice(Tone::Warn, words)
}

/// For whom, how often and how long; absolute, so that the page does not change each second.
fn limits(
    sandbox: &Sandbox,
    misbehaviour: &Misbehaviour,
    left: Option<u64>,
    time: Option<Duration>,
) -> String {
    let mut limits = Vec::new();
    if !misbehaviour.only.is_empty() {
        let calls = misbehaviour.only.iter().map(ToString::to_string).collect::<Vec<_>>();
        limits.push(format!("for {} only", calls.join(", ")));
    }
    if misbehaviour.share < 1.0 {
        limits.push(format!("for {:.0} % of the calls", misbehaviour.share * 100.0));
    }
    if let Some(left) = left {
        limits.push(format!("{} more calls", page::grouped(left)));
    }
    if let Some(time) = time {
        let until = sandbox.time(tokio::time::Instant::now() + time);
        // Rounded: the page is made anew each second, the moment stays the same.
        let until = until.round(jiff::Unit::Second).unwrap_or(until);
        limits.push(format!("until {} UTC", until.strftime("%H:%M:%S")));
    }
    if limits.is_empty() {
        limits.push("until told otherwise".into());
    }
    format!("{}.", limits.join(", "))
}

fn figures(sandbox: &Sandbox) -> Markup {
    let counts = sandbox.counts();
    let interval = sandbox.interval();
    let milliseconds = |time: Option<Duration>| {
        html! {
            @match time {
                Some(time) => { (page::milliseconds(time)) small { " ms" } }
                None => { "–" }
            }
        }
    };
    html! {
        dl.figures {
            (page::figure("Calls", page::grouped(counts.arrived)))
            (page::figure("Answers stored", page::grouped(counts.stored)))
            (page::figure("Came too early", page::grouped(counts.early)))
            (page::figure("Smallest gap", milliseconds(counts.smallest_gap)))
            (page::figure("Permitted gap", milliseconds(Some(interval).filter(|interval| !interval.is_zero()))))
        }
    }
}

fn buttons() -> Markup {
    html! {
        div.row {
            p.quiet id="misbehave" { "Make it misbehave for " (A_WHILE) " seconds:" }
            div.actions role="group" aria-labelledby="misbehave" {
                @for (words, fields) in BUTTONS {
                    form method="post" action="/sandbox/misbehave" {
                        @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
                        button name="seconds" value=(A_WHILE) { (words) }
                    }
                }
            }
        }
    }
}

fn empty(host: &str) -> Markup {
    html! {
        div.empty {
            p { strong { "Nothing has arrived yet." } }
            p.quiet {
                "Answer a survey whose server has this sandbox for a platform, or send a call yourself. "
                "It shows up here by itself."
            }
            pre { "curl http://" (host) "/V1.0/EN/campaign/TOUCHPOINT/answers/add \\\n  -H 'Authorization: basic TOKEN' --json @answer.json" }
        }
    }
}

fn known(sandbox: &Sandbox) -> Markup {
    html! {
        details id="known" {
            summary { "What this sandbox knows" }
            ul.plain-list {
                @for touchpoint in sandbox.touchpoints() {
                    li {
                        strong { (touchpoint.name) } " " code { (touchpoint.guid) } " in "
                        (touchpoint.languages.iter().map(|it| it.name()).collect::<Vec<_>>().join(", "))
                        ": " (touchpoint.questions.len()) " questions, counted once per language"
                    }
                }
            }
        }
    }
}
