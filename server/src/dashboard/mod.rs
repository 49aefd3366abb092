//! The operators' side: health, metrics, a page that says how things are, and what operators do.
//!
//! On its own listener. Pages show ids, counts and the platform's words, never answers, personal data or
//! tokens. Only `queue`, `calls` and `answers` change anything, or hand out what visitors wrote, and only when
//! they are told to.

mod answers;
mod calls;
mod guard;
mod health;
mod metrics;
mod problem;
mod queue;
mod status;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::Platform;
use crate::forwarder::{Desk, LaneReport};
use crate::intake::Intake;
use crate::live::Live;
use crate::page;
use crate::preview::{self, Source};
use crate::queue::SharedQueue;
pub use calls::CallReply;

/// A lane, as operators see it.
#[derive(Clone, Debug)]
pub struct LaneView {
    /// Its platform.
    pub platform: Arc<Platform>,
    /// How it stands.
    pub report: watch::Receiver<LaneReport>,
    /// Where calls are asked for.
    pub desk: Desk,
}

/// The parts of the server that operators reach, at the moment: a new configuration may replace them.
#[derive(Clone)]
pub struct Parts {
    /// The lanes, in the order of the configuration.
    pub lanes: Vec<LaneView>,
    /// Where submissions are handed in.
    pub intake: Intake,
}

/// What the operators' routes share.
#[derive(Clone)]
pub struct Dashboard {
    live: Live,
    queue: SharedQueue,
    clock: Clock,
    parts: watch::Receiver<Parts>,
    preview: Source,
}

impl Dashboard {
    /// Installs what counts metrics, once in a process.
    pub fn prepare() {
        metrics::install();
    }

    /// Puts the routes together.
    pub fn new(
        live: Live,
        queue: SharedQueue,
        clock: Clock,
        parts: watch::Receiver<Parts>,
        preview: Source,
    ) -> Self {
        Self { live, queue, clock, parts, preview }
    }

    fn lanes(&self) -> Vec<LaneView> {
        self.parts.borrow().lanes.clone()
    }

    /// What has to run beside the routes; never ends.
    pub async fn keep_up() {
        metrics::keep_up().await;
    }

    /// Every operators' route.
    pub fn router(self) -> Router {
        let guarded = Router::new()
            .route("/", get(status::page))
            .route("/metrics", get(metrics::export))
            .merge(queue::routes())
            .merge(calls::routes())
            .merge(answers::routes())
            .merge(preview::routes(&self.preview))
            .merge(page::assets())
            .layer(middleware::from_fn_with_state(self.live.clone(), guard));
        Router::new()
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .merge(guarded)
            .layer(middleware::from_fn_with_state(self.live.clone(), guard::keep_strangers_out))
            .layer(middleware::map_response(async |response: Response| page::secure(response)))
            .with_state(self)
    }
}

/// Lets only those in who show the admin token, where there is one.
async fn guard(State(live): State<Live>, request: Request, next: Next) -> Response {
    let Some(token) = live.config().admin_token.clone() else { return next.run(request).await };
    let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    // Hashes of equal length: comparing them tells nothing about the token by its time.
    let right = header
        .and_then(shown)
        .is_some_and(|shown| Sha256::digest(shown.as_bytes()) == Sha256::digest(token.expose_secret()));
    if right {
        return next.run(request).await;
    }
    // The form that browsers know, so that the page can be opened in one.
    let challenge = HeaderValue::from_static("Basic realm=\"afterword\", charset=\"UTF-8\"");
    let words = "show the admin token: `Authorization: Bearer TOKEN`, or as the password of any user\n";
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)], words).into_response()
}

/// The token that a header shows: `Bearer TOKEN`, or as the password of `Basic`.
fn shown(header: &str) -> Option<String> {
    let (scheme, value) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(base64::prelude::BASE64_STANDARD.decode(value.trim()).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}
