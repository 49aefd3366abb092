//! `POST /v1/surveys/{survey}/answers`: checks a submission, and thanks once it is durable.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use shared::{Submission, limits};

use super::Intake;
use super::accept::{Hand, accept, count_repeated, is_stored, store};
use super::problem::{Detail, Flaw, Kind, Problem};
use crate::config::Survey;
use crate::http::pointer;
use crate::queue::{Enqueued, NewEntry, QueueError};
use crate::seldom::Seldom;

/// How long a browser is asked to wait when the queue cannot take more.
const BUSY: Duration = Duration::from_secs(5);
/// How long when the queue is full: it drains at the platform's pace.
const FULL: Duration = Duration::from_mins(1);

pub(super) async fn submit(
    State(intake): State<Intake>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let taken = match path {
        Ok(Path(id)) => take(&intake, &id, &headers, body).await,
        Err(_) => Err(Problem::address()),
    };
    match taken {
        Ok(submission) => {
            (StatusCode::ACCEPTED, Json(serde_json::json!({ "submission": submission }))).into_response()
        }
        Err(problem) => {
            metrics::counter!("afterword_submissions_refused_total", "reason" => problem.code()).increment(1);
            problem.into_response()
        }
    }
}

/// The same for somebody who tries a survey out: nothing is stored or counted, and every origin is welcome.
pub(super) async fn rehearse(
    State(intake): State<Intake>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let Path(id) = path.map_err(|_| Problem::address())?;
    let survey = intake.config.survey(&id).ok_or_else(|| Problem::unknown_survey(&id))?;
    let submission = parse(&body.map_err(|rejection| unreadable(&rejection))?)?;
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept(&intake, survey, &submission, Hand::Visitor(agent))?;
    let taken = Json(serde_json::json!({ "submission": submission.submission }));
    Ok((StatusCode::ACCEPTED, taken).into_response())
}

impl Intake {
    /// What the queue would get of a submission's bytes, or the code of what is wrong with them; stores
    /// nothing. Origin, type and size are the request's, and not looked at.
    pub fn read(&self, survey: &str, body: &[u8]) -> Result<NewEntry, &'static str> {
        let survey = self.config.survey(survey).ok_or(Kind::UnknownSurvey.code())?;
        let submission = parse(body).map_err(|problem| problem.code())?;
        accept(self, survey, &submission, Hand::Visitor(""))
            .map(|checked| checked.new)
            .map_err(|problem| problem.code())
    }
}

async fn take(
    intake: &Intake,
    id: &str,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<uuid::Uuid, Problem> {
    let survey = intake.config.survey(id).ok_or_else(|| Problem::unknown_survey(id))?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    check_origin(survey, headers.contains_key(header::ORIGIN).then(|| text(header::ORIGIN)))?;
    check_content_type(text(header::CONTENT_TYPE))?;
    let body = body.map_err(|rejection| unreadable(&rejection))?;
    let submission = parse(&body)?;
    let checked = match accept(intake, survey, &submission, Hand::Visitor(text(header::USER_AGENT))) {
        Ok(checked) => checked,
        // The thanks may have been lost, and the survey may have changed since. Refused now, it would be answered again.
        Err(problem) => {
            let stored = is_stored(intake, survey, &submission).await;
            return if stored.map_err(|error| unavailable(&error))? {
                count_repeated(&survey.id);
                Ok(submission.submission)
            } else {
                Err(problem)
            };
        }
    };
    intake.limits.count(&survey.id)?;
    if checked.dropped > 0 {
        let dropped = u64::try_from(checked.dropped).unwrap_or(u64::MAX);
        metrics::counter!("afterword_stale_answers_dropped_total", "survey" => survey.id.to_string())
            .increment(dropped);
    }
    // In a task of its own: what is stored is counted and logged even if the visitor hangs up.
    let storing = tokio::spawn(store(Arc::clone(&intake.queue), intake.recorder.clone(), checked));
    let enqueued = storing.await.unwrap_or(Err(QueueError::Stopped)).map_err(|error| unavailable(&error))?;
    if enqueued == Enqueued::Conflict {
        let detail = "another submission was accepted under this UUID; the first one counts";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    Ok(submission.submission)
}

pub(super) fn check_origin(survey: &Survey, origin: Option<&str>) -> Result<(), Problem> {
    match origin {
        Some(origin) if survey.allows(origin) => Ok(()),
        Some(origin) => {
            let detail = format!("the survey {:?} is not for pages of {origin}", survey.id.as_str());
            Err(Problem::new(Kind::Origin, detail))
        }
        None if survey.allow_no_origin => Ok(()),
        None => Err(Problem::new(Kind::NoOrigin, "the request names no origin")),
    }
}

pub(super) fn check_content_type(value: &str) -> Result<(), Problem> {
    let essence = value.split(';').next().unwrap_or_default().trim();
    if ["application/json", "text/plain"].iter().any(|known| essence.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let detail = "send application/json, or the same JSON as text/plain";
    Err(Problem::new(Kind::ContentType, detail))
}

pub(super) fn unreadable(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!("a submission has at most {} bytes", limits::BODY_BYTES);
        return Problem::new(Kind::TooLarge, detail);
    }
    // The browser keeps the answers and sends them again.
    Problem::new(Kind::Body, "the body did not arrive whole; send it again").retry_after(BUSY)
}

fn parse(body: &[u8]) -> Result<Submission, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let submission: Result<Submission, _> = serde_path_to_error::deserialize(&mut json);
    match submission {
        Ok(submission) => json.end().map(|()| submission).map_err(|error| Problem::not_json(&error)),
        // What does not fit the model may still be no JSON further on.
        Err(error) if error.inner().is_data() => {
            serde_json::from_slice::<serde::de::IgnoredAny>(body)
                .map_err(|error| Problem::not_json(&error))?;
            // serde's words may repeat what the visitor wrote: say only what was expected.
            let words = error.inner().to_string();
            let expected = words.rsplit_once(", expected ").map(|(_, rest)| rest.split(" at line").next());
            let missing = words.starts_with("missing field").then(|| words.split(" at line").next());
            let detail = match (missing.flatten(), expected.flatten()) {
                (Some(missing), _) => missing.to_owned(),
                (None, Some(expected)) => format!("expected {expected}"),
                (None, None) => "the value has the wrong shape".to_owned(),
            };
            Err(Detail::new(pointer::to(error.path()), Flaw::Shape, detail).into())
        }
        Err(error) => Err(Problem::not_json(error.inner())),
    }
}

fn unavailable(error: &QueueError) -> Problem {
    static TOLD: Seldom = Seldom::by_the_minute();
    let (kind, wait) = match error {
        QueueError::Busy => (Kind::Busy, BUSY),
        QueueError::Full(_) => (Kind::Full, FULL),
        _ => (Kind::Store, BUSY),
    };
    if kind != Kind::Busy && TOLD.is_due() {
        tracing::error!(%error, "a submission could not be stored (said once a minute)");
    }
    let detail = "the submission could not be stored at the moment; send it again";
    Problem::new(kind, detail).retry_after(wait)
}
