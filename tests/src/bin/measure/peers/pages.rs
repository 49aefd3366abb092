//! The shop's page with each survey, and a stand-in for the servers that the peers load from.
//!
//! Both peers get what they like best: their minified files, compressed ahead as well as they can be, and a
//! service that answers at once. PostHog comes as its own snippet installs it, with a survey as its service
//! describes one that is shown once to each visitor.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result};
use axum::extract::{Query, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// The name under which PostHog's files ask for their project.
const PROJECT: &str = "phc_shop";
/// By this flag its service tells who was asked already.
const FLAG: &str = "survey-targeting-shop";
/// Where PostHog's and SurveyJS' files lie in their packages, and at their servers.
const FILES: [(&str, &str); 5] = [
    ("posthog-js/dist/array.js", "/static/array.js"),
    ("posthog-js/dist/surveys.js", "/static/{version}/surveys.js"),
    ("survey-core/survey.core.min.js", "/surveyjs/core.js"),
    ("survey-js-ui/survey-js-ui.min.js", "/surveyjs/ui.js"),
    ("survey-core/survey-core.fontless.min.css", "/surveyjs/core.css"),
];

/// The peers' files.
pub(super) struct Peers {
    /// What they are, for a person.
    pub(super) versions: String,
    files: Vec<(&'static str, Vec<u8>)>,
}

impl Peers {
    /// Reads the files of the installed packages, and compresses them.
    pub(super) fn read(packages: &Path) -> Result<Self> {
        let read = |path: &str| {
            let path = packages.join(path);
            std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))
        };
        let version = |package: &str| {
            let package: Value = serde_json::from_slice(&read(&format!("{package}/package.json"))?)?;
            anyhow::Ok(package["version"].as_str().unwrap_or_default().to_owned())
        };
        let versions = format!("PostHog {}, SurveyJS {}", version("posthog-js")?, version("survey-core")?);
        let files = FILES.map(|(path, address)| Ok((address, compressed(&read(path)?)?)));
        Ok(Self { versions, files: files.into_iter().collect::<Result<_>>()? })
    }
}

fn compressed(plain: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let best = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
    brotli::BrotliCompress(&mut &plain[..], &mut compressed, &best)?;
    Ok(compressed)
}

/// Serves the shop's pages, and the peers' servers on an origin of their own.
pub(super) async fn serve(shop: TcpListener, afterword: &str, peers: Peers) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let peer = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, servers(peers)).await });

    let afterword = afterword.to_owned();
    let ours = async move |Query(tag): Query<HashMap<String, String>>| {
        let mode = tag.get("mode").map_or("inline", String::as_str);
        page(
            "",
            &format!(
                "<script async src=\"{afterword}/widget.js?survey=checkout\" data-mode=\"{mode}\"></script>"
            ),
        )
    };
    let (posthog, surveyjs) = (posthog(&peer), surveyjs(&peer));
    let pages = Router::new()
        .route("/", get(async || page("", "")))
        .route("/afterword", get(ours))
        .route("/posthog", get(async move || page("", &posthog)))
        .route("/surveyjs", get(async move || page(&surveyjs, "<div id=\"survey\"></div>")))
        .fallback(async || StatusCode::NO_CONTENT);
    tokio::spawn(async move { axum::serve(shop, pages).await });
    Ok(())
}

/// The shop is written in the system's letters, as most are, and as all of the surveys are.
fn page(head: &str, survey: &str) -> Html<String> {
    Html(format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Shop</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <style>body {{ font: 16px/1.5 system-ui, sans-serif }}</style>{head}</head>\
         <body><main><h1>Thank you</h1><p>Your order is on its way.</p>{survey}</main></body></html>"
    ))
}

/// As its own snippet does it, but for calls made early.
fn posthog(peer: &str) -> String {
    let options = json!({ "api_host": peer, "person_profiles": "identified_only" });
    format!(
        "<script>window.posthog = []; posthog.__SV = 1; posthog.people = [];\
         posthog._i = [[\"{PROJECT}\", {options}, \"posthog\"]];</script>\
         <script async crossorigin=\"anonymous\" src=\"{peer}/static/array.js\"></script>"
    )
}

fn surveyjs(peer: &str) -> String {
    let score = json!({ "type": "rating", "name": "recommend", "title": "How likely are you to recommend us?",
        "rateMin": 0, "rateMax": 10, "minRateDescription": "Not at all likely",
        "maxRateDescription": "Extremely likely", "isRequired": true });
    let found = json!({ "type": "checkbox", "name": "found", "title": "How did you find us?",
        "choices": ["Searching the web", "On social media", "Through friends", "At our studio"] });
    let text = json!({ "type": "comment", "name": "why", "title": "What could we do better?",
        "visibleIf": "{recommend} <= 6" });
    let again = json!({ "type": "boolean", "name": "again", "title": "Would you order from us again?" });
    let pages = [score, text, found, again].map(|question| json!({ "elements": [question] }));
    let model = json!({ "pages": pages });
    format!(
        "<link rel=\"stylesheet\" href=\"{peer}/surveyjs/core.css\">\
         <script defer src=\"{peer}/surveyjs/core.js\"></script>\
         <script defer src=\"{peer}/surveyjs/ui.js\"></script>\
         <script>document.addEventListener('DOMContentLoaded', () =>\
         new Survey.Model({model}).render(document.getElementById('survey')));</script>"
    )
}

/// What the peers' own servers give.
fn servers(peers: Peers) -> Router {
    let text = |kind: &'static str, text: String| get(async move || ([(header::CONTENT_TYPE, kind)], text));
    // What the service has switched on for the project.
    let config = json!({ "surveys": true, "hasFeatureFlags": true, "sessionRecording": false,
        "heatmaps": false, "capturePerformance": false, "autocapture_opt_out": false,
        "supportedCompression": ["gzip-js"], "siteApps": [], "toolbarParams": {}, "isAuthenticated": false });
    let script = format!(
        "(window._POSTHOG_REMOTE_CONFIG = window._POSTHOG_REMOTE_CONFIG || {{}})['{PROJECT}'] = \
         {{ config: {config}, siteApps: [] }};"
    );
    let mut router = Router::new()
        .route(&format!("/array/{PROJECT}/config.js"), text("text/javascript", script))
        .route(&format!("/array/{PROJECT}/config"), text("application/json", config.to_string()))
        .route("/api/surveys/", text("application/json", surveys().to_string()))
        .route("/flags/", post(flags));
    for (address, file) in peers.files {
        let kind = if address.ends_with("css") { "text/css" } else { "text/javascript" };
        let head = [(header::CONTENT_TYPE, kind), (header::CONTENT_ENCODING, "br")];
        router = router.route(address, get(async move || (head, file.clone())));
    }
    // Events, flags: taken, and answered without a word.
    router
        .fallback(async || ([(header::CONTENT_TYPE, "application/json")], "{\"status\":1}"))
        .layer(from_fn(open))
}

/// Everybody may read it.
async fn open(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = match request.method().as_str() {
        "OPTIONS" => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    let headers: &mut HeaderMap = response.headers_mut();
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, header::HeaderValue::from_static("true"));
        headers
            .insert(header::ACCESS_CONTROL_ALLOW_HEADERS, header::HeaderValue::from_static("content-type"));
    }
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("public, max-age=86400"));
    response
}

/// The flags of a visitor who was not asked yet.
async fn flags() -> Json<Value> {
    let flag = json!({ "key": FLAG, "enabled": true, "variant": null,
        "reason": { "code": "condition_match", "condition_index": 0, "description": "Matched" },
        "metadata": { "id": 1, "version": 1, "payload": null, "description": null } });
    Json(json!({ "errorsWhileComputingFlags": false, "flags": { FLAG: flag }, "requestId": "1" }))
}

/// PostHog's survey, as its service describes it.
fn surveys() -> Value {
    let questions = json!([
        { "id": "1", "type": "rating", "display": "number", "scale": 10,
          "question": "How likely are you to recommend us?",
          "lowerBoundLabel": "Not at all likely", "upperBoundLabel": "Extremely likely" },
        { "id": "2", "type": "open", "question": "What could we do better?" },
        { "id": "3", "type": "multiple_choice", "question": "How did you find us?",
          "choices": ["Searching the web", "On social media", "Through friends", "At our studio"] },
        { "id": "4", "type": "single_choice", "question": "Would you order from us again?",
          "choices": ["Yes", "No"] },
    ]);
    let survey = json!({
        "id": "shop", "name": "After an order", "description": "", "type": "popover",
        "schedule": "once",
        "start_date": "2026-01-01T00:00:00Z", "end_date": null, "questions": questions, "appearance": {},
        "conditions": null, "linked_flag_key": null, "targeting_flag_key": null,
        "internal_targeting_flag_key": FLAG, "current_iteration": null,
        "enable_partial_responses": false,
    });
    json!({ "surveys": [survey], "survey_config": null })
}
