//! `GET /v1/openapi.json`: what the public listener offers, for people and for programs.
//!
//! Made from the limits and codes that the handlers apply, the same on every server: it names no
//! survey and no version of the program. Every public route is here.

mod problems;
mod routes;
mod schemas;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use utoipa::openapi::path::{HttpMethod, PathItem};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder};

use super::assets::{self, Compressible};
use super::definition;

/// The version of the contract: the one in the paths.
const VERSION: &str = "1";

const ABOUT: &str = "\
What a visitor's browser asks of an Afterword server: a survey, and the place where its answers go. \
Errors are `application/problem+json` (RFC 9457); their `code` is stable, their words are not. \
What is not described here is answered with 404 (`not_found`), another method with 405 (`method`).";

static DOCUMENT: LazyLock<(Compressible, String)> = LazyLock::new(|| {
    let json = serde_json::to_vec(&describe()).unwrap_or_default();
    let etag = definition::etag(&definition::version(&json));
    (Compressible::new(json), etag)
});

/// `GET /v1/openapi.json`.
pub(super) async fn document(headers: HeaderMap) -> Response {
    let (json, etag) = &*DOCUMENT;
    let mut response = json.unless_known(&headers, "application/json", etag);
    let cache = HeaderValue::from_static("public, max-age=60");
    response.headers_mut().insert(header::CACHE_CONTROL, cache);
    assets::for_every_site(response)
}

fn describe() -> OpenApi {
    let get = |operation| PathItem::new(HttpMethod::Get, operation);
    let paths = PathsBuilder::new()
        .path("/widget.js", get(routes::loader()))
        .path("/a/{build}/{file}", get(routes::file()))
        .path("/v1/surveys/{survey}", get(routes::definition()))
        .path("/v1/surveys/{survey}/answers", PathItem::new(HttpMethod::Post, routes::answers()))
        .path("/v1/surveys/{survey}/steps", PathItem::new(HttpMethod::Post, routes::steps()))
        .path("/v1/openapi.json", get(routes::document()));
    let info = InfoBuilder::new().title("Afterword").version(VERSION).description(Some(ABOUT));
    let components = schemas::all()
        .into_iter()
        .fold(ComponentsBuilder::new(), |components, (name, schema)| components.schema(name, schema));
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build()
}
