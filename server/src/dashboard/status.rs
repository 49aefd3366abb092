//! `GET /`: what is waiting, since when, when it will be through, and what went wrong.

use std::time::Duration;

use axum::extract::State;
use jiff::Timestamp;
use maud::{Markup, html};

use super::{Dashboard, LaneView};
use crate::config::PlatformName;
use crate::forwarder::{LaneReport, LaneState};
use crate::page::{self, Tone};
use crate::queue::{LaneCount, QueueError, Record, State as EntryState};

/// Failures on the page, at most.
const FAILURES: u32 = 20;

pub(super) async fn page(State(dashboard): State<Dashboard>) -> axum::response::Response {
    let now = dashboard.clock.now();
    let body = match (dashboard.queue.counts().await, dashboard.queue.failures(FAILURES).await) {
        (Ok(counts), Ok(failures)) => body(&dashboard, &counts, &failures, now),
        (Err(error), _) | (_, Err(error)) => broken(&error),
    };
    page::respond("Afterword: status", Some(Duration::from_secs(2)), &body)
}

fn broken(error: &QueueError) -> Markup {
    html! {
        h1 { "Status" }
        (page::notice(Tone::Bad, html! {
            strong { "The store cannot be read. " } (error.to_string())
            ". Submissions are refused until it works again; visitors' browsers keep theirs meanwhile."
        }))
    }
}

fn body(dashboard: &Dashboard, counts: &[LaneCount], failures: &[Record], now: Timestamp) -> Markup {
    let count = |name: &PlatformName| counts.iter().find(|count| count.lane == *name);
    let (config, lanes) = (dashboard.live.config(), dashboard.lanes());
    let configured = |name: &PlatformName| lanes.iter().any(|lane| lane.platform.name == *name);
    html! {
        h1 { "Status" }
        (dashboard.live.now().notice())
        @for lane in &lanes {
            (self::lane(lane, count(&lane.platform.name), now))
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
                (failures_table(failures, now))
                p.quiet { code { "afterword queue show SUBMISSION" } " has every call that was made for one." }
            }
        }
        section.card {
            h2 { "Surveys" }
            div.scroll { table {
                thead { tr { th { "Survey" } th { "Lane" } th { "Touchpoint" } th { "Languages" } th.number { "Questions" } } }
                tbody { @for survey in &config.surveys {
                    tr {
                        td { strong { a href={ "/preview/" (survey.id) } { (survey.id) } } }
                        td { (survey.platform) }
                        td { code { (survey.touchpoint) } }
                        td { (survey.languages.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")) }
                        td.number { (survey.questions.len()) }
                    }
                } }
            } }
        }
        p.quiet { a href="/metrics" { "Metrics" } " · " a href="/readyz" { "Readiness" } }
    }
}

fn lane(lane: &LaneView, count: Option<&LaneCount>, now: Timestamp) -> Markup {
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
                (page::figure("Waiting", number(|count| count.waiting + count.sending).to_string()))
                (page::figure("To be tried again", number(|count| count.delayed).to_string()))
                (page::figure("Looked up", number(|count| count.unknown).to_string()))
                (page::figure("Oldest", oldest.map_or("–".into(), |oldest| span(now, oldest))))
                (page::figure("Through in", if open > 0 && flows { duration(left) } else { "–".into() }))
                (page::figure("Parked", number(|count| count.parked).to_string()))
                (page::figure("Dead letters", number(|count| count.dead).to_string()))
            }
            @for advice in advice(&report) {
                (page::notice(tone, html! { (advice) }))
            }
            @if number(|count| count.dead + count.parked) > 0 {
                p.quiet { "Dead letters were refused by the platform; parked ones may have arrived. Both stay until an operator looks at them: " code { "afterword queue list --state dead,parked" } }
            }
            p.quiet {
                "One call each " (duration(lane.platform.interval)) ". "
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
        div.scroll { table {
            thead { tr {
                th { "Submission" } th { "Survey" } th { "State" } th.number { "Calls" } th.number { "Ago" } th { "Why" }
            } }
            tbody { @for failure in failures {
                tr {
                    td { code { (failure.submission) } }
                    td { (failure.survey) }
                    td { (page::pill(tone(failure.state), failure.state.name())) }
                    td.number { (failure.attempts) }
                    td.number { (failure.settled_at.map_or("–".into(), |at| span(now, at))) }
                    td { (failure.last_error.as_deref().unwrap_or_default()) }
                }
            } }
        } }
    }
}

fn tone(state: EntryState) -> Tone {
    if matches!(state, EntryState::Dead | EntryState::Parked) { Tone::Bad } else { Tone::Warn }
}

/// The time from one moment to a later one, in words.
fn span(later: Timestamp, earlier: Timestamp) -> String {
    duration(Duration::try_from(later.duration_since(earlier)).unwrap_or_default())
}

/// A duration in at most two units.
fn duration(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 if span.subsec_millis() > 0 => format!("{} ms", span.subsec_millis()),
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_said_in_at_most_two_units() {
        for (seconds, said) in
            [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7_260, "2 h 1 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(duration(Duration::from_secs(seconds)), said);
        }
        assert_eq!(duration(Duration::from_millis(20)), "20 ms");
    }
}
