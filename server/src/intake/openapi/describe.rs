//! The description itself: made from the limits and codes that the handlers apply. It is too much code to be part of every
//! server: what it makes lies in `openapi.json`.

mod problems;
mod routes;
pub(super) mod schemas;

use utoipa::openapi::path::{HttpMethod, PathItem};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder};

/// The version of the contract: the one in the paths.
const VERSION: &str = "1";

const ABOUT: &str = "\
What a visitor's browser asks of an Afterword server: a survey, and the place where its answers go. \
Errors are `application/problem+json` (RFC 9457); their `code` is stable, their words are not. \
What is not described here is answered with 404 (`not_found`), another method with 405 (`method`).";

pub(super) fn describe() -> OpenApi {
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
