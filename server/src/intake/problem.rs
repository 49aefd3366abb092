//! Errors as browsers get them: RFC 9457, `application/problem+json`.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

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

    /// A submission whose content is refused, with every reason.
    pub(super) fn content(errors: Vec<Detail>) -> Self {
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
