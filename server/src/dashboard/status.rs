//! `GET /`: what is waiting, since when, when it will be through, and what went wrong.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use maud::{Markup, html};

use super::chart::{self, Bin, Part};
use super::form::Parameters;
use super::frame::{self, Place};
use super::session::Operator;
use super::time::{self, duration, span};
use super::{Dashboard, LaneView, form, health, state};
use crate::clock;
use crate::config::PlatformName;
use crate::forwarder::{FailedCall, LaneReport, LaneState};
use crate::history::{LOOK_UP, OPERATOR};
use crate::operator;
use crate::page::{self, Tone};
use crate::queue::{Kind, LaneCount, QueueError, Record, Series, Wanted};

/// Failures on the page, at most.
const FAILURES: u32 = 20;

/// Lanes whose calls are drawn; with more of them, each is drawn where it is looked at alone.
const DRAWN: usize = 12;
const PARTS: [Part; 4] = [
    Part { name: "delivered", class: "c-good" },
    Part { name: "look-ups and operators' calls", class: "c-brand" },
    Part { name: "to be tried again", class: "c-warn" },
    Part { name: "refused", class: "c-bad" },
];

pub(super) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(operator): Extension<Operator>,
    Parameters(asked): Parameters,
) -> Response {
    let only = asked.get("lane").filter(|lane| !lane.is_empty());
    let mut lanes = dashboard.lanes();
    if let Some(only) = only {
        lanes.retain(|lane| lane.platform.name.as_str() == only);
    }
    let body = match figures(&dashboard, &lanes).await {
        Ok(figures) => match only.filter(|only| !known(&dashboard, &figures, only)) {
            Some(unknown) => {
                let words = html! { "There is no lane “" (unknown) "”. " a href="/" { "All lanes" } };
                let status = (StatusCode::NOT_FOUND, "Status");
                return frame::refusal(&dashboard, &operator, Place::Status, status, &words);
            }
            None => body(&dashboard, &lanes, &figures, only.is_some()),
        },
        Err(error) => frame::broken("Status", &error),
    };
    frame::live(&dashboard, &operator, Place::Status, "Status", &body)
}

/// True for a lane that is configured, or has something in the queue.
fn known(dashboard: &Dashboard, figures: &Figures, lane: &str) -> bool {
    dashboard.live.config().platform(lane).is_some()
        || figures.counts.keys().any(|name| name.as_str() == lane)
}

/// What the store knows.
struct Figures {
    now: Timestamp,
    counts: HashMap<PlatformName, LaneCount>,
    failures: Vec<Record>,
    /// Why submissions are refused, if they are.
    refuses: Option<String>,
    /// Of the last hour by minute, and of the last day by half hour; nothing where there are too many lanes to draw.
    calls: Option<[Vec<(Kind, u64)>; 2]>,
}

async fn figures(dashboard: &Dashboard, lanes: &[LaneView]) -> Result<Figures, QueueError> {
    let now = dashboard.clock.now();
    let calls = async |charted: Charted| {
        let wanted = Wanted { span: charted.span, ..Wanted::of(Series::Call, charted.first(now)) };
        let wanted = if let [lane] = lanes { wanted.about(lane.platform.name.as_str()) } else { wanted };
        dashboard.queue.counted(&wanted).await
    };
    let calls = if lanes.len() <= DRAWN { Some([calls(HOUR).await?, calls(DAY).await?]) } else { None };
    let counts = dashboard.queue.counts().await?;
    Ok(Figures {
        now,
        counts: counts.into_iter().map(|count| (count.lane.clone(), count)).collect(),
        failures: dashboard.queue.failures(FAILURES).await?,
        refuses: health::refuses(dashboard).await,
        calls,
    })
}

/// What a chart shows: so many spans of time, up to now.
#[derive(Clone, Copy)]
struct Charted {
    title: &'static str,
    spans: u32,
    span: Duration,
    /// How the beginning of a span is written.
    begins: &'static str,
}

const HOUR: Charted =
    Charted { title: "Calls, last hour", spans: 60, span: Duration::from_mins(1), begins: "%H:%M UTC" };
const DAY: Charted =
    Charted { title: "Calls, last day", spans: 48, span: Duration::from_mins(30), begins: "%a %H:%M UTC" };

impl Charted {
    /// When the first span begins; the last one is the one in which we are.
    fn first(self, now: Timestamp) -> Timestamp {
        let seconds = self.span.as_secs().cast_signed();
        let last = now.as_second().div_euclid(seconds) * seconds;
        Timestamp::from_second(last - seconds * i64::from(self.spans - 1)).unwrap_or(now)
    }

    fn of(self, lane: &PlatformName, calls: &[(Kind, u64)], now: Timestamp) -> Markup {
        let first = self.first(now);
        let begins = |at: u32| clock::later(first, self.span * at);
        let bin =
            |at| Bin { when: begins(at).strftime(self.begins).to_string(), counts: vec![0; PARTS.len()] };
        let mut bins: Vec<Bin> = (0..self.spans).map(bin).collect();
        for (kind, count) in calls.iter().filter(|(kind, _)| kind.subject == lane.as_str()) {
            let seconds = kind.at.as_second() - first.as_second();
            let at = usize::try_from(seconds.div_euclid(self.span.as_secs().cast_signed()));
            if let Some(bin) = at.ok().and_then(|at| bins.get_mut(at)) {
                bin.counts[part(kind)] += count;
            }
        }
        chart::bars(self.title, &PARTS, &bins)
    }
}

fn body(dashboard: &Dashboard, lanes: &[LaneView], figures: &Figures, one: bool) -> Markup {
    let config = dashboard.live.config();
    let mut lost: Vec<&LaneCount> =
        figures.counts.values().filter(|count| config.platform(count.lane.as_str()).is_none()).collect();
    lost.sort_by_key(|count| &count.lane);
    html! {
        h1 { "Status" }
        @if let Some(reason) = &figures.refuses {
            @let (what, why) = operator::refused(reason);
            (page::notice(Tone::Bad, html! { strong { (what) " " } (why) }))
        }
        @if one { p.quiet { a href="/" { "All lanes" } } }
        @for lane in lanes { (self::lane(lane, figures)) }
        @for count in lost {
            @let waiting = count.to_send();
            @if waiting > 0 {
                (page::notice(Tone::Bad, html! {
                    strong { (page::grouped(waiting)) " submissions wait for “" (count.lane) "”. " }
                    "No [platform." (count.lane) "] is configured, so nobody forwards them. Add it again."
                }))
            } @else {
                (page::notice(Tone::Warn, html! {
                    "There are dead letters or parked ones of “" (count.lane) "”, which is not configured any more. "
                    a href=(form::address("/letters", [("lane", count.lane.to_string())])) { "Look at them" }
                }))
            }
        }
        section.card {
            h2 { "What went wrong last" }
            @if figures.failures.is_empty() {
                p.quiet { "Nothing that is still open." }
            } @else {
                (failures_table(&figures.failures, figures.now))
            }
        }
        p.quiet { a href="/metrics" { "Metrics" } " · " a href="/readyz" { "Readiness" } " · " span { "in force since " (time::moment(dashboard.live.now().since)) } }
    }
}

/// The part of a chart that a call belongs to.
fn part(kind: &Kind) -> usize {
    match (kind.item.as_str(), kind.value.as_str()) {
        (_, "later" | "unknown") => 2,
        ("", "delivered") => 0,
        // As values, from a version that did not count what came of them.
        (LOOK_UP | OPERATOR, "delivered") | ("", LOOK_UP | OPERATOR) => 1,
        _ => 3,
    }
}

fn lane(lane: &LaneView, figures: &Figures) -> Markup {
    let (now, count) = (figures.now, figures.counts.get(&lane.platform.name));
    let report = lane.report.borrow().clone();
    let (tone, label) = pill(&report);
    let number = |read: fn(&LaneCount) -> u64| count.map_or(0, read);
    let open = number(LaneCount::to_send);
    let oldest = count.and_then(|count| count.oldest);
    let left = lane.platform.time_for(open);
    html! {
        section.card {
            h2 {
                (lane.platform.name) " " (page::pill(tone, label))
                @let stuck = number(LaneCount::stuck);
                @if stuck > 0 { " " (page::pill(Tone::Bad, format!("{} for you", page::grouped(stuck)))) }
            }
            dl.figures {
                (page::figure("Waiting", page::grouped(number(|count| count.waiting + count.sending))))
                (page::figure("To be tried again", page::grouped(number(|count| count.delayed))))
                (page::figure("Looked up", page::grouped(number(|count| count.unknown))))
                (page::figure("Oldest", oldest.map_or("–".into(), |oldest| span(now, oldest))))
                (page::figure("Through in", if open > 0 && report.flows() { duration(left) } else { "–".into() }))
                (page::figure("Parked", page::grouped(number(|count| count.parked))))
                (page::figure("Dead letters", page::grouped(number(|count| count.dead))))
            }
            @for advice in report.advice() {
                (page::notice(tone, html! { (advice) }))
            }
            @if let Some(failed) = &report.failed_call { (failed_call(failed, now)) }
            @if number(LaneCount::stuck) > 0 {
                p { a href=(form::address("/letters", [("lane", lane.platform.name.to_string())])) { "Look at dead letters and parked ones" } }
            }
            @if let Some([hour, day]) = &figures.calls {
                div.charts { (HOUR.of(&lane.platform.name, hour, now)) (DAY.of(&lane.platform.name, day, now)) }
            } @else { p.quiet { a href=(form::address("/", [("lane", lane.platform.name.to_string())])) { "Calls of the last hour and day" } } }
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

fn failed_call(failed: &FailedCall, now: Timestamp) -> Markup {
    page::notice(
        Tone::Warn,
        html! {
            "An operators' call failed " (span(now, failed.at)) " ago, “" (failed.kind) "”: " (failed.words)
            ". Whoever asked for it was told; this stands here until one succeeds."
        },
    )
}

fn pill(report: &LaneReport) -> (Tone, &'static str) {
    match report.state {
        LaneState::StoreFailing => (Tone::Bad, "store fails"),
        LaneState::Stopped => (Tone::Bad, "stopped"),
        LaneState::Paused => (Tone::Bad, "paused"),
        LaneState::Probing => (Tone::Warn, "platform fails"),
        LaneState::Working | LaneState::Idle if !report.paused.is_empty() => (Tone::Warn, "partly paused"),
        LaneState::Working | LaneState::Idle if !report.unfit.is_empty() => (Tone::Warn, "some do not fit"),
        LaneState::Working => (Tone::Good, "sending"),
        LaneState::Idle => (Tone::Good, "all sent"),
        LaneState::Standby => (Tone::Quiet, "standing by"),
    }
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
                    td { (state::pill(failure.state)) }
                    td.number data-name="Calls" { (failure.attempts) }
                    td.number data-name="Ago" { (failure.settled_at.map_or("–".into(), |at| span(now, at))) }
                    td.wide { (failure.last_error.as_deref().unwrap_or_default()) }
                }
            } }
        } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_call_is_counted_among_the_failed_ones_whatever_it_was_made_for() {
        let of = |item: &str, value: &str| {
            let (item, value) = (item.to_owned(), value.to_owned());
            let (subject, language) = ("main".to_owned(), String::new());
            part(&Kind { series: Series::Call, subject, at: Timestamp::UNIX_EPOCH, language, item, value })
        };
        for (value, answer, other) in
            [("delivered", 0, 1), ("later", 2, 2), ("unknown", 2, 2), ("rejected", 3, 3), ("paused", 3, 3)]
        {
            assert_eq!((of("", value), of("operator", value), of("look-up", value)), (answer, other, other));
        }
        assert_eq!(of("operator", "unreadable"), 3);
        assert_eq!((of("", "operator"), of("", "look-up")), (1, 1), "as older versions stored them");
    }

    #[test]
    fn a_card_says_which_operators_call_failed_when_and_why() {
        let at = Timestamp::UNIX_EPOCH;
        let failed = FailedCall { kind: "get NPS", at, words: "the platform answered 403".into() };
        let shown = failed_call(&failed, clock::later(at, Duration::from_mins(3))).into_string();
        for part in ["3 min 0 s ago", "“get NPS”", "the platform answered 403."] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}
