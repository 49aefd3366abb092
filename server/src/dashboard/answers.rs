//! `/answers/{survey}`: submissions that operators hand in.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};

use super::Dashboard;
use super::problem::{Code, Problem};
use super::queue::read;
use crate::intake::HandInRequest;

/// Some hundred submissions at a time.
const LARGEST: usize = 16 << 20;

pub(super) fn routes() -> Router<Dashboard> {
    Router::new().route("/answers/{survey}", post(hand_in)).layer(DefaultBodyLimit::max(LARGEST))
}

async fn hand_in(
    State(dashboard): State<Dashboard>,
    Path(survey): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let request: HandInRequest = read(&body)?;
    let intake = dashboard.parts.borrow().intake.clone();
    let handed_in = intake.hand_in(&survey, &request).await;
    let unknown = || Problem::new(Code::Survey, format!("there is no survey {survey:?}"));
    Ok(Json(handed_in.ok_or_else(unknown)?).into_response())
}
