//! What browsers reach: the loader and its files, survey definitions, and the door for answers.
//!
//! A submission is taken only from a listed origin, only if the shared rules accept it, and is
//! answered with 202 only after the queue has it durably. Nobody may ask for more than their share.
//! Knows the queue, and nothing of the forwarder or the platform.

mod accept;
mod answers;
mod assets;
mod buckets;
mod client;
mod compress;
mod definition;
mod forwarded;
mod hand_in;
mod limits;
mod metadata;
mod openapi;
mod problem;
mod rules;
mod sampled;
mod steps;
mod style;
mod survey;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use shared::SurveyId;
use tokio::sync::Semaphore;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::Config;
use crate::history::Recorder;
use crate::queue::{Enqueued, Inbox, NewEntry, QueueError};
use crate::sampling::Shares;
use assets::Assets;
use definition::Definitions;
use limits::RateLimits;
use problem::{Kind, Problem};

pub use assets::{EmbeddedWidget, NOT_BUILT};
pub use definition::{ServedDefinition, version};
pub use hand_in::{HandInRequest, HandedIn, Wrong};
pub use steps::{SHOWN, SUBMITTED, answered};

/// Where submissions are posted.
const ANSWERS: &str = "/v1/surveys/{survey}/answers";
/// Where steps are counted.
const STEPS: &str = "/v1/surveys/{survey}/steps";
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// The longest silence within a request's body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time for a whole request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Requests that ask the queue what it has, at once.
const ASKING: usize = 2;

/// What handlers share.
#[derive(Clone)]
pub struct Intake {
    config: Arc<Config>,
    definitions: Arc<Definitions>,
    assets: Arc<Assets>,
    limits: Arc<RateLimits>,
    shares: Shares,
    queue: Arc<dyn Inbox>,
    /// Whoever asks the queue what it has.
    asking: Arc<Semaphore>,
    recorder: Recorder,
    clock: Clock,
}

impl Intake {
    /// Prepares what is served.
    pub fn new(
        config: Arc<Config>,
        shares: Shares,
        queue: Arc<dyn Inbox>,
        recorder: Recorder,
        clock: Clock,
    ) -> Self {
        let definitions = Arc::new(Definitions::new(&config));
        let assets = Arc::new(Assets::new(&config));
        let limits = Arc::new(RateLimits::new(&config, ANSWERS));
        let asking = Arc::new(Semaphore::new(ASKING));
        Self { config, definitions, assets, limits, shares, queue, asking, recorder, clock }
    }

    /// The same surveys for somebody who tries them out: what is answered is checked as always, and neither stored,
    /// counted nor limited. Whoever reaches these routes may use them.
    pub fn rehearsal(config: Arc<Config>, clock: Clock) -> Router {
        let shares = Shares::new(&config);
        Router::new()
            .route("/widget.js", get(assets::loader))
            .route("/a/{build}/{file}", get(assets::file))
            .route("/v1/surveys/{survey}", get(survey::definition))
            .route(ANSWERS, post(answers::rehearse))
            .route(STEPS, post(async || StatusCode::NO_CONTENT))
            .layer(DefaultBodyLimit::max(shared::limits::BODY_BYTES))
            .with_state(Self::new(config, shares, Arc::new(Nowhere), Recorder::default(), clock))
    }

    /// What has to run beside the routes; never ends.
    pub fn keep_up(&self) -> impl Future<Output = ()> + Send + use<> {
        let limits = Arc::clone(&self.limits);
        async move { limits.keep_up().await }
    }

    /// Every public route.
    pub fn router(self) -> Router {
        let method = async || Problem::new(Kind::Method, "the method is not allowed here");
        let surveys = Router::new()
            .route("/v1/surveys/{survey}", get(survey::definition))
            .route(ANSWERS, post(answers::submit))
            .route(STEPS, post(steps::count))
            .method_not_allowed_fallback(method)
            .layer(middleware::from_fn(in_time))
            .layer(middleware::from_fn_with_state(Arc::clone(&self.limits), limits::admit))
            // Outside of the fallback, since a preflight is a method that no route has; and of the limits,
            // since a page has to be able to read a 429.
            .layer(cors(Arc::clone(&self.config)));
        // For every site, and the same for each: caches need not know who asks.
        let public = Router::new()
            .route("/widget.js", get(assets::loader))
            .route("/a/{build}/{file}", get(assets::file))
            .route("/v1/openapi.json", get(openapi::document))
            .method_not_allowed_fallback(method)
            .fallback(async || Problem::new(Kind::NotFound, "there is nothing here"))
            .layer(middleware::from_fn(in_time))
            .layer(middleware::from_fn_with_state(Arc::clone(&self.limits), limits::admit));
        surveys
            .merge(public)
            .layer(DefaultBodyLimit::max(shared::limits::BODY_BYTES))
            .layer(RequestBodyTimeoutLayer::new(BODY_TIMEOUT))
            .layer(header_layer(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .layer(header_layer(header::REFERRER_POLICY, "no-referrer"))
            .layer(header_layer(
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; frame-ancestors 'none'",
            ))
            .layer(header_layer(CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
            // Who wants to be cached says so.
            .layer(header_layer(header::CACHE_CONTROL, "no-store"))
            .with_state(self)
    }
}

/// A queue that takes nothing.
struct Nowhere;

#[async_trait]
impl Inbox for Nowhere {
    async fn enqueue(&self, _: NewEntry) -> Result<Enqueued, QueueError> {
        Err(QueueError::Stopped)
    }

    async fn has(&self, _: &SurveyId, _: Uuid, _: [u8; 32]) -> Result<bool, QueueError> {
        Ok(false)
    }
}

/// Answers what takes too long with a 408, which a browser takes as "send it again".
async fn in_time(request: Request, next: Next) -> Response {
    let late = |_| Problem::new(Kind::Timeout, "the request took too long").into_response();
    tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await.unwrap_or_else(late)
}

fn header_layer(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Lets a survey's own origins read its answers from the server, and nobody else's.
fn cors(config: Arc<Config>) -> CorsLayer {
    let listed = move |origin: &HeaderValue, request: &request::Parts| {
        let Some(path) = request.uri.path().strip_prefix("/v1/surveys/") else { return false };
        let id = path.split('/').next().unwrap_or_default();
        let origin = origin.to_str().unwrap_or_default();
        // That a survey is unknown may be read by any site's page: its author has to hear of it. What is written in
        // another way than an id may be one all the same.
        let is_id = || id.parse::<SurveyId>().is_ok();
        config.survey(id).map_or_else(|| origin != "null" && is_id(), |survey| survey.allows(origin))
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(listed))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::CONTENT_TYPE])
        .expose_headers([header::RETRY_AFTER, header::ETAG])
        .max_age(Duration::from_hours(1))
        .vary([header::ORIGIN])
}
