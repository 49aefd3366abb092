//! Errors as operators' programs get them: RFC 9457, `application/problem+json`.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::operator::OperatorError;

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
}

/// One place in the request, and what is wrong there.
#[derive(Debug, Serialize)]
pub(super) struct Detail {
    /// The address's parameter, or a JSON pointer (RFC 6901) into the body.
    #[serde(flatten)]
    pub(super) place: Place,
    /// The fault in words.
    #[serde(rename = "detail")]
    pub(super) words: String,
}

/// Where in a request something is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    Parameter(String),
    Pointer(String),
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// A request that cannot be done as it is asked, with every reason.
    pub(super) fn asked(errors: Vec<Detail>) -> Self {
        let words: Vec<_> = errors.iter().map(|error| error.words.as_str()).collect();
        let detail = words.join("; ");
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "request", detail) }
    }
}

impl From<OperatorError> for Problem {
    fn from(error: OperatorError) -> Self {
        match error {
            OperatorError::Asked { parameter, reason } => {
                let words = format!("{parameter}: {reason}");
                Self::asked(vec![Detail { place: Place::Parameter(parameter.into()), words }])
            }
            OperatorError::Queue(error) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", error.to_string())
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}
