//! How often one client may come, and how many submissions a survey takes.
//!
//! A client's rate is checked before anything is read of a body, so that a flood costs little. A
//! survey's is checked last, when all that is left is to store: nobody can use it up with submissions
//! that would be refused anyway, and each client's share of it is bounded by the client's own rate.
//! A preflight is not counted: to answer it costs no more than to refuse it, and a browser could not
//! tell its page the reason. Knows nothing of what is asked.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::Clock as _;
use governor::{Quota, RateLimiter};
use shared::SurveyId;

use super::buckets::{self, ForAll, Monotonic, PerClient};
use super::client::Clients;
use super::problem::{Kind, Problem};
use crate::config::{Config, Survey};
use crate::http::Peer;

/// How often those are forgotten who have not come for a while.
const FORGET_EVERY: Duration = Duration::from_secs(10);

/// The rates of the public listener.
pub(super) struct RateLimits {
    clients: Clients,
    submissions: Option<PerClient>,
    requests: Option<PerClient>,
    surveys: HashMap<SurveyId, ForAll>,
    /// The route of submissions.
    submit: &'static str,
}

impl RateLimits {
    /// The rates of a configuration; `submit` is the route whose POST hands in a submission.
    pub(super) fn new(config: &Config, submit: &'static str) -> Self {
        let survey = |survey: &Arc<Survey>| {
            let quota = Quota::per_minute(survey.per_minute?);
            Some((survey.id.clone(), RateLimiter::direct_with_clock(quota, Monotonic::start())))
        };
        Self {
            clients: Clients::new(config.trusted_proxies.clone()),
            submissions: config.limits.visitor.map(buckets::per_client),
            requests: config.limits.requests.map(buckets::per_client),
            surveys: config.surveys.iter().filter_map(survey).collect(),
            submit,
        }
    }

    /// Forgets who has not come for a while, again and again; never ends.
    pub(super) async fn keep_up(&self) {
        loop {
            tokio::time::sleep(FORGET_EVERY).await;
            for limiter in self.submissions.iter().chain(&self.requests) {
                limiter.retain_recent();
                limiter.shrink_to_fit();
            }
        }
    }

    /// Counts a submission that is about to be stored; or refuses it, where the survey has had too many.
    pub(super) fn count(&self, survey: &SurveyId) -> Result<(), Problem> {
        let Some(limiter) = self.surveys.get(survey) else { return Ok(()) };
        limiter.check().map_err(|refused| {
            let detail = "the survey gets too many submissions at the moment; send it again";
            let wait = refused.wait_time_from(limiter.clock().now());
            Problem::new(Kind::SurveyRate, detail).retry_after(wait)
        })
    }

    fn check(&self, request: &Request) -> Result<(), Problem> {
        // Without a peer, as in tests that have no connection, all are one client.
        let peer = request.extensions().get::<Peer>().map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0);
        let address: IpAddr = self.clients.address(peer, request.headers());
        let submits = self.submits(request);
        let limiter = if submits { &self.submissions } else { &self.requests };
        let Some(limiter) = limiter else { return Ok(()) };
        limiter.check_key(&address.into()).map_err(|refused| {
            let (metric, detail) = if submits {
                (
                    "afterword_submissions_refused_total",
                    "too many submissions from one address; send it again later",
                )
            } else {
                ("afterword_requests_refused_total", "too many requests from one address; try again later")
            };
            metrics::counter!(metric, "reason" => "rate").increment(1);
            let wait = refused.wait_time_from(limiter.clock().now());
            Problem::new(Kind::Rate, detail).retry_after(wait)
        })
    }

    fn submits(&self, request: &Request) -> bool {
        let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        request.method() == Method::POST && route == Some(self.submit)
    }
}

/// Lets a request in, or answers 429 with the time after which it would be let in.
pub(super) async fn admit(State(limits): State<Arc<RateLimits>>, request: Request, next: Next) -> Response {
    match limits.check(&request) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}
