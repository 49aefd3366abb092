//! `GET /v1/surveys/{survey}?lang=nl`: a definition in one language.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;

use super::Intake;
use super::problem::Problem;
use crate::config::Survey;
use crate::seldom::Seldom;

/// Of what a stranger calls itself no more than this gets into a log line.
const LONGEST_ORIGIN: usize = 200;

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
    let survey = intake.config.survey(&id).ok_or_else(|| Problem::unknown_survey(&id))?;
    tell_of_a_stranger(survey, &headers);
    let language = survey.resolve_language(wishes.lang.split(',').take(20));
    let served = intake.definitions.get(&survey.id, language).ok_or_else(|| Problem::unknown_survey(&id))?;
    let (json, etag) = served.at(survey, intake.shares.of(&survey.id));
    let mut response = json.unless_known(&headers, "application/json", &etag);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=60"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    Ok(response)
}

/// Says that a page asks for a survey that it may not show: its browser keeps the reply from it, and nobody else would know.
fn tell_of_a_stranger(survey: &Survey, headers: &HeaderMap) {
    static TOLD: Seldom = Seldom::hourly();
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    if let Some(origin) = origin.filter(|origin| !survey.allows(origin))
        && TOLD.is_due()
    {
        let origin: String = origin.chars().take(LONGEST_ORIGIN).collect();
        tracing::warn!(survey = %survey.id, origin,
            "a page asks for a survey whose `origins` do not name it, and its browser shows none (said once an hour)");
    }
}
