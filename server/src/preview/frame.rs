//! One frame: a page with nothing but a survey.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;
use shared::{Direction, Language};

use super::{DOOR, Source, with_policy};
use crate::config::{MetadataSource, Mode, Survey};

/// The least that a page with the widget needs, and that only the overview may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'self'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Takes from a frame what tells tabs of each other: a survey that lies over the page would wait for those of the other
/// frames to be closed.
pub(super) const ALONE: &str = "\"use strict\";
Object.defineProperty(navigator, \"locks\", { value: undefined });
window.BroadcastChannel = undefined;
";

/// How a survey is to be shown.
#[derive(Default, Deserialize)]
pub(super) struct Wish {
    lang: Option<String>,
    mode: Option<String>,
    theme: Option<String>,
}

pub(super) async fn frame(
    State(source): State<Source>,
    Path(id): Path<String>,
    asked: Result<Query<Wish>, QueryRejection>,
) -> Response {
    let now = source.now();
    let Some(survey) = now.config.survey(&id) else {
        return (StatusCode::NOT_FOUND, "there is no such survey\n").into_response();
    };
    let wish = asked.map(|Query(wish)| wish).unwrap_or_default();
    with_policy(page(survey, &wish), POLICY, true)
}

fn page(survey: &Survey, wish: &Wish) -> Response {
    let language = wish.lang.as_deref().and_then(Language::matching).unwrap_or(survey.languages[0]);
    let direction = if language.direction() == Direction::RightToLeft { "rtl" } else { "ltr" };
    let mode = wish.mode.as_deref().unwrap_or(Mode::Inline.name());
    let theme = wish.theme.as_deref().filter(|theme| ["light", "dark"].contains(theme));
    let page = html! {
        (DOCTYPE)
        html lang=(language.tag()) dir=(direction) class=[theme] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (survey.id) }
                link rel="stylesheet" href="/preview-frame.css";
                script src="/preview.js" {}
                script async src={ (DOOR) "/widget.js" } {}
            }
            body {
                @if mode != Mode::Inline.name() {
                    // Something to lie over.
                    div.page aria-hidden="true" { i {} i {} i {} i {} }
                }
                (element(survey, language, mode, theme))
            }
        }
    };
    Html(page.into_string()).into_response()
}

/// The survey's element. Its attributes go before the survey's rules: whatever those say, it is shown at once, and to
/// everybody; what was answered here is not remembered.
fn element(survey: &Survey, language: Language, mode: &str, theme: Option<&str>) -> Markup {
    let metadata = survey.metadata.iter().filter_map(|rule| match &rule.source {
        MetadataSource::Page { key, .. } => Some(format!(" meta-{key}=\"preview\"")),
        _ => None,
    });
    // Their names are not known beforehand; a key has the shape of an id.
    let metadata: String = metadata.collect();
    let element = html! {
        afterword-survey survey=(survey.id) lang=(language.tag()) mode=(mode) theme=[theme] after="0"
            remember="no" sample="100" pages="/*" devices="desktop phone tablet"
            shown="0" dismissed="0" answered="0" {}
    };
    PreEscaped(element.into_string().replacen(
        "<afterword-survey",
        &format!("<afterword-survey{metadata}"),
        1,
    ))
}
