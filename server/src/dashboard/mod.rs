//! The operators' side: health, metrics, a page that says how things are, and what operators do.
//!
//! On its own listener. Pages show ids, counts and the platform's words, never personal data or tokens, and answers
//! only where the configuration says so. Programs have routes of their own, which speak JSON (`queue`, `calls`,
//! `answers`); those of the pages take forms. What changes anything is told to by an operator who is logged in.

mod answers;
mod calls;
mod chart;
mod entry;
mod form;
mod frame;
mod guard;
mod health;
mod letters;
mod login;
mod metrics;
mod problem;
mod queue;
mod session;
mod state;
mod status;
mod survey;
mod surveys;
#[cfg(test)]
mod tests;
mod time;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
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
pub use problem::Code;
use session::{Refused, Sessions};
use survey::Asked;

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

/// A route that takes a form. Any site's page can send one, so the guard lets them through to these routes alone; all
/// others take JSON, but for the preview's door, where nothing is stored.
type FormRoute = (&'static str, fn() -> MethodRouter<Dashboard>);

/// The form of those who are not logged in.
const WAY_IN: FormRoute = ("/login", || post(login::enter));
/// The forms of operators' pages, which carry the key of their session.
const FORMS: [FormRoute; 3] = [
    ("/logout", || post(login::leave)),
    ("/letters/change", || post(letters::change).layer(DefaultBodyLimit::max(letters::LARGEST))),
    ("/surveys/{survey}/nps", || post(survey::ask)),
];

fn take_forms(routes: impl IntoIterator<Item = FormRoute>) -> Router<Dashboard> {
    routes.into_iter().fold(Router::new(), |router, (path, takes)| router.route(path, takes()))
}

/// What the operators' routes share.
#[derive(Clone)]
pub struct Dashboard {
    live: Live,
    queue: SharedQueue,
    clock: Clock,
    parts: watch::Receiver<Parts>,
    preview: Source,
    sessions: Sessions,
    /// What the platform has said of surveys.
    asked: Asked,
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
        Self { live, queue, clock, parts, preview, sessions: Sessions::new(), asked: Asked::default() }
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
            .merge(letters::routes())
            .merge(surveys::routes())
            .merge(queue::routes())
            .merge(calls::routes())
            .merge(answers::routes())
            .merge(preview::routes(&self.preview))
            .merge(take_forms(FORMS))
            .layer(middleware::from_fn_with_state(self.clone(), admit));
        Router::new()
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .route("/login", get(login::ask))
            .merge(take_forms([WAY_IN]))
            // The login page needs them; they are in the source code for everybody to read.
            .merge(page::assets())
            .merge(guarded)
            .layer(middleware::from_fn_with_state(self.live.clone(), guard::keep_strangers_out))
            .layer(middleware::map_response(async |response: Response| page::secure(response)))
            .with_state(self)
    }
}

/// Lets only those in who show the admin token or are logged in, where there is a token.
async fn admit(State(dashboard): State<Dashboard>, mut request: Request, next: Next) -> Response {
    let token = dashboard.live.config().admin_token.clone();
    match dashboard.sessions.admit(token.as_ref(), &request, dashboard.clock.now()) {
        Ok(operator) => {
            request.extensions_mut().insert(operator);
            next.run(request).await
        }
        Err(Refused::Throttled(wait)) => throttled(wait),
        Err(Refused::Unknown) if opens_a_page(request.method(), request.headers()) => {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            Redirect::to(&login::address(path)).into_response()
        }
        Err(Refused::Unknown) => {
            let challenge = HeaderValue::from_static("Bearer realm=\"afterword\"");
            let words =
                "show the admin token: `Authorization: Bearer TOKEN`, or as the password of any user\n";
            (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)], words).into_response()
        }
    }
}

/// True for a person's browser that opens a page, and not for what a page or a program fetches.
fn opens_a_page(method: &Method, headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let shows = headers.contains_key(header::AUTHORIZATION);
    *method == Method::GET && accepts.contains("text/html") && !shows
}

fn throttled(wait: std::time::Duration) -> Response {
    let after = [(header::RETRY_AFTER, wait.as_secs().max(1).to_string())];
    let words = "too many wrong tokens came from this address; wait, then show the right one\n";
    (StatusCode::TOO_MANY_REQUESTS, after, words).into_response()
}
