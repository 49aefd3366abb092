//! `GET /v1/surveys/{survey}?lang=nl`: a definition in one language.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Deserialize;

use super::Intake;
use super::problem::Problem;

/// `lang` may list several wishes, in order: `nl-BE,nl,en`.
#[derive(Deserialize)]
pub(super) struct Wishes {
    #[serde(default)]
    lang: String,
}

pub(super) async fn definition(
    State(intake): State<Intake>,
    path: Result<Path<String>, PathRejection>,
    wishes: Result<Query<Wishes>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path(id) = path.map_err(|_| Problem::address())?;
    let Query(wishes) = wishes.map_err(|_| Problem::address())?;
    let survey = intake.config.survey(&id).ok_or_else(|| unknown_survey(&id))?;
    let language = survey.resolve_language(wishes.lang.split(',').take(20));
    let served = intake.definitions.get(&survey.id, language).ok_or_else(|| unknown_survey(&id))?;
    let (json, etag) = served.at(survey, intake.shares.of(&survey.id));
    let mut response = json.unless_known(&headers, "application/json", &etag);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    Ok(response)
}

pub(super) fn unknown_survey(id: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_survey", format!("there is no survey {id:?}"))
}
