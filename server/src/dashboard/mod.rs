//! The operators' side: health, metrics, and a page that says how things are.
//!
//! On its own listener. Shows ids, counts and the platform's words, never answers, personal data or
//! tokens. Reads the queue and the lanes' reports; changes nothing.

mod health;
mod metrics;
mod status;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::{Config, Platform};
use crate::forwarder::LaneReport;
use crate::page;
use crate::queue::Queue;

/// A lane, as operators see it.
#[derive(Clone, Debug)]
pub struct LaneView {
    /// Its platform.
    pub platform: Arc<Platform>,
    /// How it stands.
    pub report: watch::Receiver<LaneReport>,
}

/// What the operators' routes share.
#[derive(Clone)]
pub struct Dashboard {
    config: Arc<Config>,
    queue: Arc<dyn Queue>,
    clock: Clock,
    lanes: Arc<[LaneView]>,
}

impl Dashboard {
    /// Prepares the routes; metrics count from the first call in a process on.
    pub fn new(config: Arc<Config>, queue: Arc<dyn Queue>, clock: Clock, lanes: Vec<LaneView>) -> Self {
        metrics::install();
        Self { config, queue, clock, lanes: lanes.into() }
    }

    /// Every operators' route.
    pub fn router(self) -> Router {
        let guarded = Router::new()
            .route("/", get(status::page))
            .route("/metrics", get(metrics::export))
            .merge(page::assets())
            .layer(middleware::from_fn_with_state(self.config.admin_token.clone(), guard));
        Router::new()
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .merge(guarded)
            .with_state(self)
    }
}

/// Lets only those in who show the admin token, where there is one.
async fn guard(State(token): State<Option<SecretString>>, request: Request, next: Next) -> Response {
    let Some(token) = token else { return next.run(request).await };
    let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.split_once(' '));
    let right = shown.is_some_and(|(scheme, shown)| {
        // Hashes of equal length: comparing them tells nothing about the token by its time.
        let same = Sha256::digest(shown.trim()) == Sha256::digest(token.expose_secret());
        scheme.eq_ignore_ascii_case("bearer") && same
    });
    if right {
        return next.run(request).await;
    }
    let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
    let words = "show the admin token: Authorization: Bearer TOKEN\n";
    (StatusCode::UNAUTHORIZED, challenge, words).into_response()
}
