//! `GET /metrics`, for Prometheus. Labels are ids; nothing a visitor wrote gets here.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics::{describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::Dashboard;
use crate::config::PlatformName;
use crate::queue::{LaneCount, State as EntryState};

/// The lanes whose gauges were set.
static TOLD: Mutex<BTreeSet<PlatformName>> = Mutex::new(BTreeSet::new());
static HANDLE: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

const UPKEEP: std::time::Duration = std::time::Duration::from_secs(5);
const GAPS: [f64; 14] = [0.1, 0.5, 0.9, 1.0, 1.01, 1.02, 1.05, 1.1, 1.25, 1.5, 2.0, 5.0, 30.0, 300.0];
const DURATIONS: [f64; 11] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Installs the recorder, once in a process.
pub(super) fn install() {
    HANDLE.get_or_init(|| {
        let gap = Matcher::Full("afterword_call_gap_seconds".into());
        let duration = Matcher::Full("afterword_call_duration_seconds".into());
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(gap, &GAPS)
            .and_then(|builder| builder.set_buckets_for_metric(duration, &DURATIONS))
            .and_then(PrometheusBuilder::install_recorder);
        describe_counter!("afterword_submissions_accepted_total", "Submissions stored, by survey");
        describe_counter!(
            "afterword_submissions_repeated_total",
            "Submissions sent again by a browser, by survey"
        );
        describe_counter!("afterword_submissions_refused_total", "Submissions refused, by reason");
        describe_counter!("afterword_requests_refused_total", "Other requests refused, by reason");
        describe_counter!("afterword_connections_refused_total", "Connections closed at once, by reason");
        describe_counter!(
            "afterword_untrusted_forwarded_total",
            "Requests with a forwarded address from a peer that is no trusted proxy, by kind of peer"
        );
        describe_counter!(
            "afterword_stale_answers_dropped_total",
            "Answers to questions that are gone, by survey"
        );
        describe_counter!("afterword_calls_total", "Calls to the platform, by lane and verdict");
        describe_histogram!("afterword_call_gap_seconds", "Seconds between the starts of two calls, by lane");
        describe_histogram!("afterword_call_duration_seconds", "Seconds that a call took, by lane");
        describe_counter!("afterword_look_ups_total", "Look-ups at the platform, by lane and outcome");
        describe_counter!(
            "afterword_looked_up_total",
            "Entries that may have arrived and were decided by a look-up, by lane and finding"
        );
        describe_counter!(
            "afterword_maybe_twice_total",
            "Answers sent again that may have arrived and could not be looked up, by lane and survey"
        );
        describe_counter!(
            "afterword_operator_calls_total",
            "Operators' calls to the platform, by lane, call and verdict"
        );
        describe_counter!(
            "afterword_config_reloads_total",
            "Times that a changed configuration was read, by outcome"
        );
        describe_gauge!("afterword_config_refused", "1 while the file of the configuration is wrong");
        describe_gauge!("afterword_queue_entries", "Entries in the queue, by lane and state");
        describe_gauge!("afterword_queue_oldest_seconds", "Age of the oldest entry to be sent, by lane");
        describe_gauge!(
            "afterword_survey_share",
            "Share of visitors who are asked, by survey with max_delay"
        );
        describe_gauge!("afterword_survey_paused", "1 while the platform refuses the token for a survey");
        // What alarms watch is there from the start: a first step is seen only from a number.
        for reason in ["store", "busy", "full", "internal", "origin", "content"] {
            metrics::counter!("afterword_submissions_refused_total", "reason" => reason).increment(0);
        }
        metrics::counter!("afterword_untrusted_forwarded_total", "peer" => "private").increment(0);
        metrics::gauge!("afterword_config_refused").set(0.0);
        handle.inspect_err(|error| tracing::error!(%error, "there will be no metrics")).ok()
    });
}

/// Moves what was measured out of the recorder's buffers, which grow until somebody does so; for ever.
pub(super) async fn keep_up() {
    loop {
        if let Some(handle) = HANDLE.get().and_then(Option::as_ref) {
            handle.run_upkeep();
        }
        tokio::time::sleep(UPKEEP).await;
    }
}

pub(super) async fn export(State(dashboard): State<Dashboard>) -> Response {
    let Some(handle) = HANDLE.get().and_then(Option::as_ref) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the recorder could not be installed\n").into_response();
    };
    match dashboard.queue.counts().await {
        Ok(counts) => set_gauges(&dashboard, &counts),
        Err(error) => tracing::error!(%error, "the queue cannot be counted"),
    }
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (content_type, handle.render()).into_response()
}

fn set_gauges(dashboard: &Dashboard, counts: &[LaneCount]) {
    let config = dashboard.live.config();
    let configured = config.platforms.iter().map(|platform| &platform.name);
    let lost = counts.iter().map(|count| &count.lane);
    // A lane that is gone would keep its last values for ever.
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    told.extend(configured.chain(lost).cloned());
    for lane in &*told {
        let count = counts.iter().find(|count| count.lane == *lane);
        for state in EntryState::OPEN {
            #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 entries")]
            let value = count.map_or(0, |count| count.of(state)) as f64;
            gauge!("afterword_queue_entries", "lane" => lane.to_string(), "state" => state.name()).set(value);
        }
        let oldest = count.and_then(|count| count.oldest);
        let age = oldest.map_or(0.0, |oldest| dashboard.clock.now().duration_since(oldest).as_secs_f64());
        gauge!("afterword_queue_oldest_seconds", "lane" => lane.to_string()).set(age.max(0.0));
    }
}
