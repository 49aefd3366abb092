//! The loader, and what it loads: embedded at build time, compressed ahead.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::json;

use super::compress::Compressible;
use super::problem::{Kind, Problem};
use super::sampled::Sampled;
use super::{Intake, rules};
use crate::config::{Config, Survey};

/// What `cargo xtask build` made of the widget; empty where it was not run.
#[derive(RustEmbed)]
#[folder = "../dist/embed/"]
#[allow_missing = true]
pub struct EmbeddedWidget;

/// What is wrong with a server that has no widget to serve.
pub const NOT_BUILT: &str =
    "this server was built without the widget inside; run `cargo xtask build`, or use a release";

impl EmbeddedWidget {
    /// The id of the build, if there is one.
    pub fn build() -> Option<String> {
        let build = Self::get("build.txt")?;
        Some(String::from_utf8_lossy(&build.data).trim().to_owned())
    }
}

const BUILD: &str = "\"__AFTERWORD_BUILD__\"";
const RULES: &str = "\"__AFTERWORD_RULES__\"";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const MINUTE: HeaderValue = HeaderValue::from_static("public, max-age=60");
const YEAR: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Everything that `/widget.js` and `/a/…` serve.
#[derive(Debug)]
pub(super) struct Assets(Option<Widget>);

#[derive(Debug)]
struct Widget {
    build: String,
    files: HashMap<String, (Compressible, &'static str)>,
    /// The loader without rules, and with the rules of each survey.
    plain: Compressible,
    loaders: HashMap<String, Sampled>,
    template: String,
}

impl Assets {
    pub(super) fn new(config: &Config) -> Self {
        Self(Widget::embedded(config))
    }
}

impl Widget {
    fn embedded(config: &Config) -> Option<Self> {
        let read = |name: &str| {
            EmbeddedWidget::get(name).map(|file| match file.data {
                std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
            })
        };
        let text = |name| read(name).and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
        let build = EmbeddedWidget::build()?;
        let template = text("loader.js")?.replace(BUILD, &json!(build).to_string());
        let files = [
            ("widget.js", JAVASCRIPT),
            ("glue.js", JAVASCRIPT),
            ("widget.wasm", "application/wasm"),
            ("full-glue.js", JAVASCRIPT),
            ("full-widget.wasm", "application/wasm"),
            ("frame.js", JAVASCRIPT),
            ("tab.js", JAVASCRIPT),
            ("outbox.js", JAVASCRIPT),
            ("counts.js", JAVASCRIPT),
            ("afterword.d.ts", "text/plain; charset=utf-8"),
        ];
        let file = |(name, content_type): (&str, &'static str)| {
            let path = format!("{build}/{name}");
            let (brotli, gzip) = (read(&format!("{path}.br")), read(&format!("{path}.gz")));
            let bytes = Compressible::with(read(&path)?, brotli, gzip);
            Some((name.to_owned(), (bytes, content_type)))
        };
        let loader =
            |survey: &Arc<Survey>| (survey.id.to_string(), Sampled::new(with_rules(&template, survey, 100)));
        Some(Self {
            files: files.into_iter().map(file).collect::<Option<_>>()?,
            plain: Compressible::new(template.replace(RULES, "null")),
            loaders: config.surveys.iter().map(loader).collect(),
            build,
            template,
        })
    }

    /// A loader that says what is wrong: a script that is answered with 404 never runs.
    /// Not compressed: anybody can ask for any number of them.
    fn unknown(&self, id: &str) -> Response {
        let id: String = id.chars().take(64).collect();
        let rules = json!({ "survey": id, "error": "unknown survey" });
        let script = self.template.replace(RULES, &rules.to_string());
        ([(header::CONTENT_TYPE, JAVASCRIPT)], script).into_response()
    }
}

fn not_built() -> Problem {
    Problem::new(Kind::NoWidget, NOT_BUILT)
}

/// Assets are public, and cached.
fn public(mut response: Response, cache: HeaderValue) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    for_every_site(response)
}

/// Lets pages of every site load and read it.
pub(super) fn for_every_site(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(super::CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    response
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    survey: Option<String>,
}

fn with_rules(template: &str, survey: &Survey, share: u8) -> Vec<u8> {
    template.replace(RULES, &rules::rules(survey, share).to_string()).into()
}

/// `GET /widget.js[?survey=ID]`: the loader, with that survey's rules.
pub(super) async fn loader(
    State(intake): State<Intake>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|_| Problem::address())?;
    let widget = intake.assets.0.as_ref().ok_or_else(not_built)?;
    let response = match wanted.survey.as_deref() {
        None => widget.plain.negotiate(&headers, JAVASCRIPT),
        Some(id) => {
            let known = widget.loaders.get(id).zip(intake.config.survey(id)).map(|(loader, survey)| {
                let share = intake.shares.of(&survey.id);
                let loader = loader.at(share, || with_rules(&widget.template, survey, share));
                loader.negotiate(&headers, JAVASCRIPT)
            });
            known.unwrap_or_else(|| widget.unknown(id))
        }
    };
    Ok(public(response, MINUTE))
}

/// `GET /a/{build}/{file}`: a page with an older loader gets the present files, uncached.
pub(super) async fn file(
    State(intake): State<Intake>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path((build, name)) = path.map_err(|_| Problem::address())?;
    let widget = intake.assets.0.as_ref().ok_or_else(not_built)?;
    let Some((file, content_type)) = widget.files.get(&name) else {
        return Err(Problem::new(Kind::NotFound, "there is no such file"));
    };
    let cache = if build == widget.build { YEAR } else { NO_STORE };
    Ok(public(file.negotiate(&headers, content_type), cache))
}
