//! `POST /v1/surveys/{survey}/answers`: checks a submission, and thanks once it is durable.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use shared::answer::{self, Stale};
use shared::{Field, Language, Respondent, Submission, limits, respondent};

use super::Intake;
use super::metadata::{self, Visit};
use super::problem::{Detail, Problem};
use super::survey::unknown_survey;
use crate::accepted::{Accepted, StoredAnswer, StoredRespondent};
use crate::clock::Clock;
use crate::config::Survey;
use crate::history::Recorder;
use crate::queue::{Enqueued, Inbox, NewEntry, Priority, QueueError};
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
    let survey = intake.config.survey(&id).ok_or_else(|| unknown_survey(&id))?;
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
        let survey = self.config.survey(survey).ok_or("unknown_survey")?;
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
    let survey = intake.config.survey(id).ok_or_else(|| unknown_survey(id))?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    check_origin(survey, headers.contains_key(header::ORIGIN).then(|| text(header::ORIGIN)))?;
    check_content_type(text(header::CONTENT_TYPE))?;
    let body = body.map_err(|rejection| unreadable(&rejection))?;
    let submission = parse(&body)?;
    let checked = accept(intake, survey, &submission, Hand::Visitor(text(header::USER_AGENT)))?;
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
        return Err(Problem::new(StatusCode::CONFLICT, "conflict", detail));
    }
    Ok(submission.submission)
}

pub(super) async fn store(
    queue: Arc<dyn Inbox>,
    recorder: Recorder,
    Checked { new, accepted, .. }: Checked,
) -> Result<Enqueued, QueueError> {
    let (survey, submission, accepted_at) = (new.survey.clone(), new.submission, new.accepted_at);
    let enqueued = queue.enqueue(new).await?;
    let counter = match enqueued {
        Enqueued::Stored => {
            recorder.answered(&survey, &accepted, accepted_at);
            tracing::info!(%survey, %submission, "accepted");
            "afterword_submissions_accepted_total"
        }
        Enqueued::Repeated => "afterword_submissions_repeated_total",
        Enqueued::Conflict => return Ok(enqueued),
    };
    metrics::counter!(counter, "survey" => survey.to_string()).increment(1);
    Ok(enqueued)
}

pub(super) fn check_origin(survey: &Survey, origin: Option<&str>) -> Result<(), Problem> {
    let refuse = |code, detail: String| Err(Problem::new(StatusCode::FORBIDDEN, code, detail));
    match origin {
        Some(origin) if survey.allows(origin) => Ok(()),
        Some(origin) => {
            refuse("origin", format!("the survey {:?} is not for pages of {origin}", survey.id.as_str()))
        }
        None if survey.allow_no_origin => Ok(()),
        None => refuse("no_origin", "the request names no origin".into()),
    }
}

pub(super) fn check_content_type(value: &str) -> Result<(), Problem> {
    let essence = value.split(';').next().unwrap_or_default().trim();
    if ["application/json", "text/plain"].iter().any(|known| essence.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    let detail = "send application/json, or the same JSON as text/plain";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", detail))
}

pub(super) fn unreadable(rejection: &BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!("a submission has at most {} bytes", limits::BODY_BYTES);
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail);
    }
    // The browser keeps the answers and sends them again.
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body", "the body did not arrive whole; send it again")
        .retry_after(BUSY)
}

fn parse(body: &[u8]) -> Result<Submission, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let submission: Result<Submission, _> = serde_path_to_error::deserialize(&mut json);
    let not_json = |error: &serde_json::Error| {
        let detail = format!("not JSON: line {}, column {}", error.line(), error.column());
        Problem::new(StatusCode::BAD_REQUEST, "not_json", detail)
    };
    match submission {
        Ok(submission) => json.end().map(|()| submission).map_err(|error| not_json(&error)),
        // What does not fit the model may still be no JSON further on.
        Err(error) if error.inner().is_data() => {
            serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(|error| not_json(&error))?;
            let pointer = pointer(error.path());
            // serde's words may repeat what the visitor wrote: say only what was expected.
            let words = error.inner().to_string();
            let expected = words.rsplit_once(", expected ").map(|(_, rest)| rest.split(" at line").next());
            let missing = words.starts_with("missing field").then(|| words.split(" at line").next());
            let detail = match (missing.flatten(), expected.flatten()) {
                (Some(missing), _) => missing.to_owned(),
                (None, Some(expected)) => format!("expected {expected}"),
                (None, None) => "the value has the wrong shape".to_owned(),
            };
            Err(Problem::content(vec![Detail { pointer, question: None, code: "shape", words: detail }]))
        }
        Err(error) => Err(not_json(error.inner())),
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let part = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { variant } => format!("/{variant}"),
        Segment::Unknown => String::new(),
    };
    path.iter().map(part).collect()
}

/// Who hands a submission in.
#[derive(Clone, Copy)]
pub(super) enum Hand<'a> {
    /// A visitor, with this browser: goes out first, and is believed about the time as far as that can be.
    Visitor(&'a str),
    /// An operator, for somebody who answered elsewhere, maybe long ago.
    Operator,
}

/// A submission that keeps every rule.
pub(super) struct Checked {
    /// What the queue keeps of it.
    pub(super) new: NewEntry,
    /// The same, before it became the entry's body.
    pub(super) accepted: Accepted,
    /// Answers that were dropped.
    pub(super) dropped: usize,
}

/// Applies every rule.
pub(super) fn accept(
    intake: &Intake,
    survey: &Survey,
    submission: &Submission,
    hand: Hand<'_>,
) -> Result<Checked, Problem> {
    let one = |pointer: &str, code, detail: String| {
        Problem::content(vec![Detail { pointer: pointer.into(), question: None, code, words: detail }])
    };
    if submission.submission.is_nil() {
        return Err(one("/submission", "submission", "the UUID is nil; make a random one".into()));
    }
    if submission.answers.len() > limits::QUESTIONS {
        return Err(one(
            "/answers",
            "too_many",
            format!("a survey has at most {} questions", limits::QUESTIONS),
        ));
    }
    let language = match Language::matching(&submission.language) {
        Some(language) if survey.languages.contains(&language) => language,
        // The definition that was answered may be one of the days when it was offered.
        Some(_) if submission.definition.is_some() => survey.languages[0],
        _ => {
            let offered = survey.languages.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(one("/language", "language", format!("the survey is offered in: {offered}")));
        }
    };
    let served =
        intake.definitions.get(&survey.id, language).ok_or_else(|| unknown_survey(survey.id.as_str()))?;
    let current = submission.definition.as_ref().is_none_or(|version| {
        // Its ETag may name the share of visitors, too.
        let version = version.trim_start_matches("W/").trim_matches('"');
        version.split('-').next() == Some(&served.definition.version)
    });
    let stale = if current { Stale::Refuse } else { Stale::Drop };

    let accepted_at = intake.clock.now();
    let (user_agent, priority, answered_at) = match hand {
        Hand::Visitor(agent) => {
            (agent, Priority::Visitor, metadata::answered_at(submission.context.as_ref(), Clock::wall()))
        }
        Hand::Operator => {
            ("", Priority::Operator, metadata::answered_before(submission.context.as_ref(), Clock::wall()))
        }
    };
    let mut problems = Vec::new();
    let checked = answer::check(&served.definition.questions, &submission.answers, stale);
    let checked = checked.map_err(|found| problems.extend(found.into_iter().map(Detail::from))).ok();
    let visit = Visit { survey, submission, language, user_agent, answered_at };
    let metadata = metadata::resolve(&visit).map_err(|found| problems.extend(found)).ok();
    let respondent = submission.respondent.as_ref().map(|given| respondent(given, &mut problems));
    let (Some(checked), Some(metadata), true) = (checked, metadata, problems.is_empty()) else {
        return Err(Problem::content(problems));
    };
    let dropped = checked.dropped;
    let accepted = Accepted {
        language: language.tag().to_owned(),
        answers: checked.answers.into_iter().map(StoredAnswer::from).collect(),
        metadata,
        respondent: respondent.filter(|respondent| *respondent != StoredRespondent::default()),
        answered_at,
    };
    let internal =
        |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the submission could not be stored");
    let new = NewEntry {
        lane: survey.platform.clone(),
        priority,
        survey: survey.id.clone(),
        submission: submission.submission,
        fingerprint: fingerprint(submission, language).map_err(internal)?,
        body: serde_json::to_vec(&accepted).map_err(internal)?,
        accepted_at,
    };
    Ok(Checked { new, accepted, dropped })
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

/// A respondent without empty fields; what is wrong is added to the problems.
fn respondent(given: &Respondent, problems: &mut Vec<Detail>) -> StoredRespondent {
    let mut field = |field: Option<Field>, value: &Option<String>| {
        let value = value.as_deref().map(str::trim).filter(|value| !value.is_empty())?;
        let fault = respondent::fault(field, value).map(|fault| match fault {
            respondent::Fault::TooLong => {
                format!("a field has at most {} characters", limits::RESPONDENT_FIELD)
            }
            respondent::Fault::ControlCharacter => "the field holds a control character".into(),
            respondent::Fault::NoEmail => "this is no e-mail address".into(),
        });
        let name = field.map_or("id", Field::name);
        if let Some(detail) = fault {
            problems.push(Detail {
                pointer: format!("/respondent/{name}"),
                question: None,
                code: "respondent",
                words: detail,
            });
            return None;
        }
        Some(value.to_owned())
    };
    StoredRespondent {
        id: field(None, &given.id),
        first_name: field(Some(Field::FirstName), &given.first_name),
        last_name: field(Some(Field::LastName), &given.last_name),
        email: field(Some(Field::Email), &given.email),
        phone: field(Some(Field::Phone), &given.phone),
    }
}

/// Covers what was answered, and not when or where: a retry differs in its context.
fn fingerprint(submission: &Submission, language: Language) -> serde_json::Result<[u8; 32]> {
    let covered = (language.tag(), &submission.answers, &submission.metadata, &submission.respondent);
    Ok(Sha256::digest(serde_json::to_vec(&covered)?).into())
}

fn unavailable(error: &QueueError) -> Problem {
    static TOLD: Seldom = Seldom::by_the_minute();
    let (code, wait) = match error {
        QueueError::Busy => ("busy", BUSY),
        QueueError::Full(_) => ("full", FULL),
        _ => ("store", BUSY),
    };
    if code != "busy" && TOLD.is_due() {
        tracing::error!(%error, "a submission could not be stored (said once a minute)");
    }
    let detail = "the submission could not be stored at the moment; send it again";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).retry_after(wait)
}
