//! Errors as programs get them: RFC 9457, `application/problem+json`. Knows none of them.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// An error's body and status; `E` tells of one place in the request, and what is wrong there.
#[derive(Debug, Serialize)]
pub(crate) struct ProblemJson<C, E> {
    /// Stable name of the kind of problem.
    code: C,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<E>,
}

impl<C: Serialize, E: Serialize> ProblemJson<C, E> {
    pub(crate) fn new(status: StatusCode, code: C, detail: String, errors: Vec<E>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { code, title, status: status.as_u16(), detail, errors }
    }
}

impl<C: Serialize, E: Serialize> IntoResponse for ProblemJson<C, E> {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, serde_json::to_vec(&self).unwrap_or_default()).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}
