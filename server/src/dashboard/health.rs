//! Is the process alive, and can it take submissions?

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;

use super::Dashboard;

/// A store that takes longer cannot be relied on.
const PATIENCE: Duration = Duration::from_secs(3);

/// `GET /healthz`: 200 while the process runs.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: 200 while the store takes writes. A lane that is paused is no reason for red:
/// submissions are safe, and restarting would not help.
pub(super) async fn ready(State(dashboard): State<Dashboard>) -> (StatusCode, String) {
    match refuses(&dashboard).await {
        None => (StatusCode::OK, "ready\n".into()),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")),
    }
}

/// Why submissions cannot be taken at present, if they cannot.
pub(super) async fn refuses(dashboard: &Dashboard) -> Option<String> {
    match tokio::time::timeout(PATIENCE, dashboard.queue.check()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("the store does not answer".into()),
    }
}
