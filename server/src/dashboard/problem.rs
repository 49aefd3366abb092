//! Errors as operators' programs get them.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::http::ProblemJson;
use crate::operator::OperatorError;

/// What a request was refused for; the command line acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The listener is called by a name, and asks for no token.
    Host,
    /// Another site's page has sent it.
    Origin,
    /// It is of a type that any site's page could send.
    ContentType,
    /// The address cannot be read.
    Address,
    /// It cannot be done as it is asked.
    Request,
    /// There is no such platform.
    Platform,
    /// There is no such submission.
    Submission,
    /// There is no such survey.
    Survey,
    /// The lane is another server's at the moment.
    Standby,
    /// The server stops.
    Stopping,
    /// The platform wants to be left alone for a while.
    Resting,
    /// The store fails.
    Store,
    /// A fault of the server.
    Internal,
}

impl Code {
    /// The status that goes with it.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Host | Self::Origin => StatusCode::FORBIDDEN,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Address => StatusCode::BAD_REQUEST,
            Self::Request => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Platform | Self::Submission | Self::Survey => StatusCode::NOT_FOUND,
            Self::Standby | Self::Stopping | Self::Resting | Self::Store => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// True for what a platform's call is refused with before it is made: nothing of it can have arrived.
    pub fn before_the_call(self) -> bool {
        match self {
            Self::Host
            | Self::Origin
            | Self::ContentType
            | Self::Request
            | Self::Platform
            | Self::Standby
            | Self::Stopping
            | Self::Resting => true,
            Self::Address | Self::Submission | Self::Survey | Self::Store | Self::Internal => false,
        }
    }
}

/// An error.
#[derive(Debug)]
pub(super) struct Problem {
    code: Code,
    /// The error in words.
    words: String,
    /// Each place in the request that is wrong; none, where it is the whole.
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
    pub(super) fn new(code: Code, words: impl Into<String>) -> Self {
        Self { code, words: words.into(), errors: Vec::new() }
    }

    /// A request that cannot be done as it is asked, with every reason.
    pub(super) fn asked(errors: Vec<Detail>) -> Self {
        let words: Vec<_> = errors.iter().map(|error| error.words.as_str()).collect();
        Self { code: Code::Request, words: words.join("; "), errors }
    }

    /// As it is told.
    pub(super) fn told(self) -> ProblemJson<Code, Detail> {
        ProblemJson::new(self.code.status(), self.code, self.words, self.errors)
    }
}

impl From<OperatorError> for Problem {
    fn from(error: OperatorError) -> Self {
        match error {
            OperatorError::Asked { parameter, reason } => {
                let words = format!("{parameter}: {reason}");
                Self::asked(vec![Detail { place: Place::Parameter(parameter.into()), words }])
            }
            OperatorError::Queue(error) => Self::new(Code::Store, error.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.told().into_response()
    }
}
