//! What a call is answered with.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::Value;

/// Something wrong with a call: what the platform says, and what exactly was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) reason: String,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { message: message.into(), reason: reason.into() }
    }
}

/// A reply of the platform, before any misbehaviour.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) messages: Vec<String>,
    pub(super) reasons: Vec<String>,
    body: String,
}

impl Reply {
    /// A status with an empty body, and why.
    pub(super) fn bare(status: StatusCode, reason: impl Into<String>) -> Self {
        Self { status, messages: Vec::new(), reasons: vec![reason.into()], body: String::new() }
    }

    /// A success with nothing to say.
    pub(super) fn ok() -> Self {
        Self { status: StatusCode::OK, messages: Vec::new(), reasons: Vec::new(), body: String::new() }
    }

    /// A success with JSON.
    pub(super) fn json(value: &Value) -> Self {
        Self { body: value.to_string(), ..Self::ok() }
    }

    /// A creation, with what was created.
    pub(super) fn created(value: &Value) -> Self {
        Self { status: StatusCode::CREATED, ..Self::json(value) }
    }

    /// A refusal with a JSON array of messages, each once.
    pub(super) fn refusal(status: StatusCode, problems: Vec<Problem>) -> Self {
        let (mut messages, mut reasons) = (Vec::new(), Vec::new());
        for problem in problems {
            if !messages.contains(&problem.message) {
                messages.push(problem.message);
            }
            reasons.push(problem.reason);
        }
        let body = Value::from(messages.clone()).to_string();
        Self { status, messages, reasons, body }
    }

    /// The body, as far as it is one.
    pub(super) fn body(&self) -> &str {
        &self.body
    }

    /// The whole response.
    pub(super) fn into_response(self) -> Response {
        if self.body.is_empty() {
            return (self.status, Body::empty()).into_response();
        }
        let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
        (self.status, kind, self.body).into_response()
    }
}
