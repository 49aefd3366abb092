//! Errors as browsers get them.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shared::answer;

use crate::http::ProblemJson;

/// An enum, and what each of its variants says; with all of them, so that the API's description leaves none out.
macro_rules! told {
    ($(#[$about:meta])* $name:ident: $told:ty { $($variant:ident => $says:expr,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum $name { $($variant,)* }

        impl $name {
            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$variant,)*];

            fn told(self) -> $told {
                match self { $(Self::$variant => $says,)* }
            }
        }
    };
}

told! {
    /// Every kind of problem: its status, its code, and when it comes.
    Kind: (StatusCode, &'static str, &'static str) {
        Address => (StatusCode::BAD_REQUEST, "address", "the path or the query cannot be read"),
        NotJson => (StatusCode::BAD_REQUEST, "not_json", "the body is no JSON"),
        Origin => (StatusCode::FORBIDDEN, "origin", "the survey is not for pages of this origin"),
        NoOrigin => (StatusCode::FORBIDDEN, "no_origin", "the request names no origin"),
        NotFound => (StatusCode::NOT_FOUND, "not_found", "there is nothing here"),
        UnknownSurvey => (StatusCode::NOT_FOUND, "unknown_survey", "there is no such survey"),
        Method => (StatusCode::METHOD_NOT_ALLOWED, "method", "the method is not allowed here"),
        Timeout => (StatusCode::REQUEST_TIMEOUT, "timeout", "the request took too long"),
        Body => (StatusCode::REQUEST_TIMEOUT, "body", "the body did not arrive whole"),
        Conflict => (StatusCode::CONFLICT, "conflict", "other answers were accepted under this UUID"),
        TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large"),
        ContentType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", "the body is neither JSON nor text"),
        Content => (StatusCode::UNPROCESSABLE_ENTITY, "content", "the submission is not accepted; `errors` says why"),
        Rate => (StatusCode::TOO_MANY_REQUESTS, "rate", "too many requests from one address"),
        SurveyRate => (StatusCode::TOO_MANY_REQUESTS, "survey_rate", "the survey gets too many submissions"),
        Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "a fault of the server"),
        Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "the queue takes no more at the moment"),
        Full => (StatusCode::SERVICE_UNAVAILABLE, "full", "the store has no room at the moment"),
        Store => (StatusCode::SERVICE_UNAVAILABLE, "store", "the store fails at the moment"),
        NoWidget => (StatusCode::SERVICE_UNAVAILABLE, "no_widget", "the server was built without the widget"),
    }
}

told! {
    /// What can be wrong in a submission beside its answers, whose faults are the rule book's; and its code.
    Flaw: &'static str {
        Shape => "shape",
        Submission => "submission",
        TooMany => "too_many",
        Language => "language",
        MetadataRequired => "metadata_required",
        MetadataKey => "metadata_key",
        MetadataValue => "metadata_value",
        Respondent => "respondent",
    }
}

impl Kind {
    pub(super) fn status(self) -> StatusCode {
        self.told().0
    }

    /// Its stable name.
    pub(super) fn code(self) -> &'static str {
        self.told().1
    }

    /// When it comes, in the API's description.
    #[cfg(test)]
    pub(super) fn when(self) -> &'static str {
        self.told().2
    }
}

/// An error.
#[derive(Debug)]
pub(super) struct Problem {
    kind: Kind,
    /// The error in words.
    pub(super) words: String,
    /// Each place in the body that is wrong; none, where it is the whole.
    pub(super) errors: Vec<Detail>,
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
    code: &'static str,
    /// The fault in words.
    #[serde(rename = "detail")]
    pub(super) words: String,
}

impl Detail {
    pub(super) fn new(pointer: impl Into<String>, flaw: Flaw, words: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), question: None, code: flaw.told(), words: words.into() }
    }

    /// Every code that there is.
    #[cfg(test)]
    pub(super) fn codes() -> impl Iterator<Item = &'static str> {
        let of_answers = answer::Fault::ALL.into_iter().map(answer::Fault::code);
        of_answers.chain(Flaw::ALL.iter().map(|flaw| flaw.told()))
    }
}

impl From<answer::Problem> for Detail {
    fn from(problem: answer::Problem) -> Self {
        Self {
            pointer: problem.pointer,
            question: problem.question.map(|question| question.to_string()),
            code: problem.fault.code(),
            words: problem.fault.to_string(),
        }
    }
}

impl Problem {
    pub(super) fn new(kind: Kind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into(), errors: Vec::new(), retry_after: None }
    }

    /// An address that cannot be read: a parameter that is there twice, or is no UTF-8.
    pub(super) fn address() -> Self {
        Self::new(Kind::Address, "the address's path or query cannot be read")
    }

    /// A survey that nobody has configured.
    pub(super) fn unknown_survey(id: &str) -> Self {
        Self::new(Kind::UnknownSurvey, format!("there is no survey {id:?}"))
    }

    /// A body that is no JSON, with the place where it ceases to be.
    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::new(Kind::NotJson, format!("not JSON: line {}, column {}", error.line(), error.column()))
    }

    /// A submission whose content is refused, with every reason.
    pub(super) fn content(errors: Vec<Detail>) -> Self {
        Self { errors, ..Self::new(Kind::Content, "the submission is not accepted; see `errors`") }
    }

    /// Asks to wait, in whole seconds, rounded up.
    pub(super) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The kind of problem, for metrics.
    pub(super) fn code(&self) -> &'static str {
        self.kind.code()
    }
}

/// A content that is refused for one reason.
impl From<Detail> for Problem {
    fn from(detail: Detail) -> Self {
        Self::content(vec![detail])
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { kind, words, errors, retry_after } = self;
        let mut response = ProblemJson::new(kind.status(), kind.code(), words, errors).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}
