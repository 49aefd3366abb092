//! `GET /`: what is waiting, since when, when it will be through, and what went wrong.

use std::time::Duration;

use axum::extract::{Extension, Query, State};
use axum::response::Response;
use jiff::Timestamp;
use maud::{Markup, html};

use super::chart::{self, Bin, Part};
use super::frame::{self, Place};
use super::session::Operator;
use super::time::{self, duration, span};
use super::{Dashboard, LaneView, form, letters};
use crate::config::PlatformName;
use crate::forwarder::{LaneReport, LaneState};
use crate::history;
use crate::page::{self, Tone};
use crate::queue::{Kind, LaneCount, QueueError, Record, Series};

/// Failures on the page, at most.
const FAILURES: u32 = 20;

/// Lanes whose calls are drawn; with more of them, each is drawn where it is looked at alone.
const DRAWN: usize = 12;
/// A day, in spans that can still be told apart.
const DAY: Duration = Duration::from_hours(24);

const PARTS: [Part; 4] = [
    Part { name: "delivered", class: "c-good" },
    Part { name: "look-ups and operators' calls", class: "c-brand" },
    Part { name: "to be tried again", class: "c-warn" },
    Part { name: "refused", class: "c-bad" },
];

#[derive(serde::Deserialize)]
pub(super) struct Wish {
    /// The only lane to be shown.
    lane: Option<String>,
}

pub(super) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(operator): Extension<Operator>,
    Query(wish): Query<Wish>,
) -> Response {
    let body = match figures(&dashboard).await {
        Ok(figures) => body(&dashboard, &figures, wish.lane.as_deref()),
        Err(error) => frame::broken("Status", &error),
    };
    frame::live(&dashboard, &operator, Place::Status, "Status", &body)
}

/// What the store knows.
struct Figures {
    now: Timestamp,
    counts: Vec<LaneCount>,
    failures: Vec<Record>,
    calls: Vec<(Kind, u64)>,
}

async fn figures(dashboard: &Dashboard) -> Result<Figures, QueueError> {
    let now = dashboard.clock.now();
    let since = history::minute(now).checked_sub(DAY).unwrap_or(Timestamp::MIN);
    Ok(Figures {
        now,
        counts: dashboard.queue.counts().await?,
        failures: dashboard.queue.failures(FAILURES).await?,
        calls: dashboard.queue.counted(Series::Call, None, since).await?,
    })
}

fn body(dashboard: &Dashboard, figures: &Figures, only: Option<&str>) -> Markup {
    let Figures { now, counts, failures, .. } = figures;
    let lanes = dashboard.lanes();
    let count = |name: &PlatformName| counts.iter().find(|count| count.lane == *name);
    let configured = |name: &PlatformName| lanes.iter().any(|lane| lane.platform.name == *name);
    let shown: Vec<&LaneView> =
        lanes.iter().filter(|lane| only.is_none_or(|only| lane.platform.name.as_str() == only)).collect();
    let draws = shown.len() <= DRAWN;
    html! {
        h1 { "Status" }
        @if only.is_some() { p.quiet { a href="/" { "All lanes" } } }
        @for lane in shown {
            (self::lane(lane, count(&lane.platform.name), figures, draws))
        }
        @for count in counts.iter().filter(|count| !configured(&count.lane)) {
            (page::notice(Tone::Bad, html! {
                strong { (count.waiting + count.delayed + count.sending + count.unknown) " submissions wait for “" (count.lane) "”. " }
                "No [platform." (count.lane) "] is configured, so nobody forwards them. Add it again."
            }))
        }
        section.card {
            h2 { "What went wrong last" }
            @if failures.is_empty() {
                p.quiet { "Nothing that is still open." }
            } @else {
                (failures_table(failures, *now))
            }
        }
        p.quiet { a href="/metrics" { "Metrics" } " · " a href="/readyz" { "Readiness" } " · " span { "in force since " (time::moment(dashboard.live.now().since)) } }
    }
}

/// The calls of a lane over the last hour, by minute, and over the last day, by half an hour.
fn calls(figures: &Figures, lane: &PlatformName) -> Markup {
    let own: Vec<&(Kind, u64)> =
        figures.calls.iter().filter(|(kind, _)| kind.subject == lane.as_str()).collect();
    let end = history::minute(figures.now).as_second() + 60;
    let bins = |spans: i64, seconds: i64| -> Vec<Bin> {
        let mut bins: Vec<Bin> = (0..spans)
            .map(|span| {
                let at = Timestamp::from_second(end - (spans - span) * seconds).unwrap_or_default();
                Bin { when: at.strftime("%H:%M UTC").to_string(), counts: vec![0; PARTS.len()] }
            })
            .collect();
        for (kind, count) in &own {
            let span = spans - 1 - (end - 1 - kind.at.as_second()).div_euclid(seconds);
            let bin = usize::try_from(span).ok().and_then(|span| bins.get_mut(span));
            if let Some(bin) = bin {
                bin.counts[part(&kind.value)] += count;
            }
        }
        bins
    };
    html! {
        div.charts {
            (chart::bars("Calls, last hour", &PARTS, &bins(60, 60)))
            (chart::bars("Calls, last day", &PARTS, &bins(48, 1_800)))
        }
    }
}

/// The part of a chart that a call belongs to.
fn part(verdict: &str) -> usize {
    match verdict {
        "delivered" => 0,
        "look-up" | "operator" => 1,
        "later" | "unknown" => 2,
        _ => 3,
    }
}

fn lane(lane: &LaneView, count: Option<&LaneCount>, figures: &Figures, draws: bool) -> Markup {
    let now = figures.now;
    let report = lane.report.borrow().clone();
    let (tone, label) = pill(&report);
    let number = |read: fn(&LaneCount) -> u64| count.map_or(0, read);
    let open = number(|count| count.waiting + count.delayed + count.sending + count.unknown);
    let oldest = count.and_then(|count| count.oldest);
    // Nobody knows how long a platform or a token will be away.
    let flows = report.state == LaneState::Working && report.paused.is_empty();
    let left = lane.platform.interval.saturating_mul(u32::try_from(open).unwrap_or(u32::MAX));
    html! {
        section.card {
            h2 { (lane.platform.name) " " (page::pill(tone, label)) }
            dl.figures {
                (page::figure("Waiting", page::grouped(number(|count| count.waiting + count.sending))))
                (page::figure("To be tried again", page::grouped(number(|count| count.delayed))))
                (page::figure("Looked up", page::grouped(number(|count| count.unknown))))
                (page::figure("Oldest", oldest.map_or("–".into(), |oldest| span(now, oldest))))
                (page::figure("Through in", if open > 0 && flows { duration(left) } else { "–".into() }))
                (page::figure("Parked", page::grouped(number(|count| count.parked))))
                (page::figure("Dead letters", page::grouped(number(|count| count.dead))))
            }
            @for advice in advice(&report) {
                (page::notice(tone, html! { (advice) }))
            }
            @if number(|count| count.dead + count.parked) > 0 {
                p { a href=(form::address("/letters", [("lane", lane.platform.name.to_string())])) { "Look at dead letters and parked ones" } }
            }
            @if draws { (calls(figures, &lane.platform.name)) }
            @else { p.quiet { a href=(form::address("/", [("lane", lane.platform.name.to_string())])) { "Calls of the last hour and day" } } }
            p.quiet {
                "One call each " (duration(lane.platform.interval))
                @if let Some(more) = report.widened { ", and " (duration(more)) " more since the platform found that too fast" }
                ". "
                @match report.last_call {
                    Some(at) => {
                        "Last call " (span(now, at)) " ago"
                        @if let Some(verdict) = report.last_verdict { ": " (verdict) }
                        "."
                    }
                    None => "No call since the start.",
                }
                @if let Some(next) = report.next_call.filter(|next| *next > now) { " Next call in " (span(next, now)) "." }
            }
        }
    }
}

fn pill(report: &LaneReport) -> (Tone, &'static str) {
    match report.state {
        LaneState::StoreFailing => (Tone::Bad, "store fails"),
        LaneState::Stopped => (Tone::Bad, "stopped"),
        LaneState::Paused => (Tone::Bad, "paused"),
        LaneState::Probing => (Tone::Warn, "platform fails"),
        LaneState::Working | LaneState::Idle if !report.paused.is_empty() => (Tone::Warn, "partly paused"),
        LaneState::Working => (Tone::Good, "sending"),
        LaneState::Idle => (Tone::Good, "all sent"),
        LaneState::Standby => (Tone::Quiet, "standing by"),
    }
}

/// What is the matter, and what to do about it.
fn advice(report: &LaneReport) -> Vec<String> {
    let mut advice = Vec::new();
    let trouble = report.trouble.as_deref().unwrap_or("nothing is known yet");
    match report.state {
        LaneState::StoreFailing => {
            advice.push(format!("The store fails: {trouble}. Nothing is sent until it works."));
        }
        LaneState::Probing => advice.push(format!(
            "Calls fail: {trouble}. Nothing is lost: one call at a growing interval finds out when the platform \
             is back."
        )),
        LaneState::Standby => advice.push(
            "Another server on the same store forwards this lane; this one takes over if that one ends. When \
             it has ended just now, this takes as long as its lease lasts."
                .into(),
        ),
        _ => {}
    }
    if !report.paused.is_empty() {
        let surveys = report.paused.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        advice.push(format!(
            "The platform refuses the token (401) for: {surveys}. Check that the token has not expired and may \
             add answers to these touchpoints. Their answers wait; a call every now and then finds out when \
             the token is taken again."
        ));
    }
    advice
}

fn failures_table(failures: &[Record], now: Timestamp) -> Markup {
    html! {
        div.scroll { table.cards {
            thead { tr {
                th { "Submission" } th { "Survey" } th { "State" } th.number { "Calls" } th.number { "Ago" } th { "Why" }
            } }
            tbody { @for failure in failures {
                tr {
                    td.name { a href={ "/letters/" (failure.submission) } { code { (failure.submission) } } }
                    td { (failure.survey) }
                    td { (page::pill(letters::tone(failure.state), failure.state.name())) }
                    td.number data-name="Calls" { (failure.attempts) }
                    td.number data-name="Ago" { (failure.settled_at.map_or("–".into(), |at| span(now, at))) }
                    td.wide { (failure.last_error.as_deref().unwrap_or_default()) }
                }
            } }
        } }
    }
}
