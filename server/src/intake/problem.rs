//! Errors as browsers get them: RFC 9457, `application/problem+json`.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::hand_in::Wrong;

/// Every kind of problem: its status, its code, and when it comes. Clients are told of no other.
pub(super) const KINDS: [(StatusCode, &str, &str); 20] = [
    (StatusCode::BAD_REQUEST, "address", "the path or the query cannot be read"),
    (StatusCode::BAD_REQUEST, "not_json", "the body is no JSON"),
    (StatusCode::FORBIDDEN, "origin", "the survey is not for pages of this origin"),
    (StatusCode::FORBIDDEN, "no_origin", "the request names no origin"),
    (StatusCode::NOT_FOUND, "not_found", "there is nothing here"),
    (StatusCode::NOT_FOUND, "unknown_survey", "there is no such survey"),
    (StatusCode::METHOD_NOT_ALLOWED, "method", "the method is not allowed here"),
    (StatusCode::REQUEST_TIMEOUT, "timeout", "the request took too long"),
    (StatusCode::REQUEST_TIMEOUT, "body", "the body did not arrive whole"),
    (StatusCode::CONFLICT, "conflict", "other answers were accepted under this UUID"),
    (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large"),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", "the body is neither JSON nor text"),
    (StatusCode::UNPROCESSABLE_ENTITY, "content", "the submission is not accepted; `errors` says why"),
    (StatusCode::TOO_MANY_REQUESTS, "rate", "too many requests from one address"),
    (StatusCode::TOO_MANY_REQUESTS, "survey_rate", "the survey gets too many submissions"),
    (StatusCode::INTERNAL_SERVER_ERROR, "internal", "a fault of the server"),
    (StatusCode::SERVICE_UNAVAILABLE, "busy", "the queue takes no more at the moment"),
    (StatusCode::SERVICE_UNAVAILABLE, "full", "the store has no room at the moment"),
    (StatusCode::SERVICE_UNAVAILABLE, "store", "the store fails at the moment"),
    (StatusCode::SERVICE_UNAVAILABLE, "no_widget", "the server was built without the widget"),
];

/// The codes of every [`Detail`].
pub(super) const DETAILS: [&str; 25] = [
    "unknown_question",
    "answered_twice",
    "hidden",
    "no_value",
    "several_values",
    "wrong_kind",
    "off_scale",
    "empty",
    "too_long",
    "control_character",
    "unknown_option",
    "option_twice",
    "several_options",
    "too_few_options",
    "too_many_options",
    "not_other",
    "required",
    "shape",
    "submission",
    "too_many",
    "language",
    "metadata_required",
    "metadata_key",
    "metadata_value",
    "respondent",
];

/// An error's body and status.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    /// Stable name of the kind of problem.
    code: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Detail>,
    #[serde(skip)]
    retry_after: Option<Duration>,
}

/// One place in the request, and what is wrong there.
#[derive(Debug, Serialize)]
pub(super) struct Detail {
    /// JSON pointer (RFC 6901) into the body.
    pub(super) pointer: String,
    /// The question, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) question: Option<String>,
    /// Stable name of the fault.
    pub(super) code: &'static str,
    /// The fault in words.
    #[serde(rename = "detail")]
    pub(super) words: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let told = KINDS.iter().any(|(of, known, _)| (*of, *known) == (status, code));
        debug_assert!(told, "add {status} {code} to KINDS, for the API's description");
        Self {
            code,
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// An address that cannot be read: a parameter that is there twice, or is no UTF-8.
    pub(super) fn address() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "address", "the address's path or query cannot be read")
    }

    /// What is wrong with the content, or with the whole.
    pub(super) fn wrong(self) -> Vec<Wrong> {
        if self.errors.is_empty() {
            return vec![Wrong { pointer: String::new(), question: None, words: self.detail }];
        }
        let wrong = |Detail { pointer, question, words, .. }| Wrong { pointer, question, words };
        self.errors.into_iter().map(wrong).collect()
    }

    /// A submission whose content is refused, with every reason.
    pub(super) fn content(errors: Vec<Detail>) -> Self {
        let unknown = errors.iter().find(|error| !DETAILS.contains(&error.code));
        debug_assert!(unknown.is_none(), "add {unknown:?} to DETAILS, for the API's description");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self { errors, ..Self::new(status, "content", "the submission is not accepted; see `errors`") }
    }

    /// Asks to wait, in whole seconds, rounded up.
    pub(super) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The kind of problem, for metrics.
    pub(super) fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}
