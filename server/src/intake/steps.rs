//! `POST /v1/surveys/{survey}/steps`: how far visitors come, where a survey counts that.
//!
//! A step says nothing of who took it or of what was answered, and is kept as a number of the day.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use shared::{Language, QuestionId};

use super::Intake;
use super::answers::{check_content_type, check_origin, unreadable};
use super::problem::{Detail, Flaw, Problem};

/// What a visitor has come to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// The language that the survey is shown in.
    language: String,
    #[serde(rename = "step")]
    name: Name,
    /// The question that was answered.
    question: Option<QuestionId>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    /// The survey is in sight.
    Shown,
    /// A question was answered.
    Answered,
    /// All answers are with the server.
    Submitted,
}

/// The step at which a survey is shown, as it is counted.
pub const SHOWN: &str = "shown";
/// The step after which answers are with the server, as it is counted.
pub const SUBMITTED: &str = "submitted";

/// An answered question, as it is counted.
pub fn answered(question: &QuestionId) -> String {
    format!("answered {question}")
}

pub(super) async fn count(
    State(intake): State<Intake>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let Path(id) = path.map_err(|_| Problem::address())?;
    let survey = intake.config.survey(&id).ok_or_else(|| Problem::unknown_survey(&id))?;
    let origin = headers.get(header::ORIGIN).map(|value| value.to_str().unwrap_or_default());
    check_origin(survey, origin)?;
    check_content_type(
        headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default(),
    )?;
    let body = body.map_err(|rejection| unreadable(&rejection))?;
    let wrong = |pointer: &str, words: &str| Problem::from(Detail::new(pointer, Flaw::Shape, words));
    let step: Step = serde_json::from_slice(&body).map_err(|error| {
        if error.is_data() {
            wrong("", "expected a language, a step, and the question that was answered")
        } else {
            Problem::not_json(&error)
        }
    })?;
    let language = Language::matching(&step.language).filter(|language| survey.languages.contains(language));
    let language = language.ok_or_else(|| wrong("/language", "the survey is not offered in it"))?;
    let name = match (step.name, step.question) {
        (Name::Shown, None) => SHOWN.to_owned(),
        (Name::Submitted, None) => SUBMITTED.to_owned(),
        (Name::Answered, Some(question)) if survey.question(&question).is_some() => answered(&question),
        _ => {
            return Err(wrong("/question", "expected a question of the survey, with `answered` only"));
        }
    };
    // A page that was open when counting ended sends on; nobody needs to know.
    if survey.counts {
        intake.recorder.step(&survey.id, language.tag(), &name, intake.clock.now());
    }
    Ok(StatusCode::NO_CONTENT)
}
