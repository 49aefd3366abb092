//! `/calls/{platform}`: operators' calls to a platform, made in its lane.
//!
//! The reply tells what came of the call, also where the platform refused it. Responses are handed on as they come
//! from the platform, as `application/octet-stream`; one that breaks off cuts the connection, so that nobody takes a
//! part for the whole.

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::Dashboard;
use super::problem::{Code, Problem};
use super::queue::read;
use crate::forwarder::{Call, Done, NotMade};
use crate::platform::{AskedQuestion, Nps, Outcome, ReportError};

/// What came of a call, but for responses.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallReply {
    /// Of one that adds something.
    Added(Outcome),
    /// A score.
    Nps(Nps),
    /// What a touchpoint asks.
    Questions(Vec<AskedQuestion>),
    /// The platform did not answer with what it was asked for.
    Failed(Outcome),
    /// It answered, and the answer cannot be understood.
    Unreadable(String),
}

pub(super) fn routes() -> Router<Dashboard> {
    Router::new().route("/calls/{platform}", post(call))
}

async fn call(
    State(dashboard): State<Dashboard>,
    Path(platform): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let call: Call = read(&body)?;
    let lane = dashboard.lanes().into_iter().find(|lane| lane.platform.name.as_str() == platform);
    let lane =
        lane.ok_or_else(|| Problem::new(Code::Platform, format!("no [platform.{platform}] is configured")))?;
    let done = match lane.desk.ask(call).await {
        Err(resting @ NotMade::Resting(rest)) => {
            let after = [(header::RETRY_AFTER, rest.as_secs().max(1).to_string())];
            return Ok((after, Problem::from(resting)).into_response());
        }
        done => done?,
    };
    let reply = match done {
        Done::Responses(responses) => {
            let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
            return Ok((kind, Body::from_stream(responses.bytes())).into_response());
        }
        Done::Added(outcome) => CallReply::Added(outcome),
        Done::Nps(nps) => CallReply::Nps(nps),
        Done::Questions(questions) => CallReply::Questions(questions),
        Done::Failed(ReportError::Call(outcome)) => CallReply::Failed(outcome),
        Done::Failed(ReportError::Read(reason)) => CallReply::Unreadable(reason),
        Done::Failed(error @ ReportError::Window) => {
            return Err(Problem::new(Code::Request, error.to_string()));
        }
    };
    Ok(Json(reply).into_response())
}

impl From<NotMade> for Problem {
    fn from(not_made: NotMade) -> Self {
        let code = match not_made {
            NotMade::Standby => Code::Standby,
            NotMade::Stopped => Code::Stopping,
            NotMade::Resting(_) => Code::Resting,
            NotMade::Language(_) => Code::Request,
        };
        Self::new(code, not_made.to_string())
    }
}
