//! `GET /v1/openapi.json`: what the public listener offers, for people and for programs.
//!
//! The same on every server: it names no survey and no version of the program. Every public route is in it. A test makes it
//! anew from the limits and codes that the handlers apply, and compares.

#[cfg(test)]
mod describe;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;

use super::compress::Compressible;
use super::{assets, definition};

static DOCUMENT: LazyLock<(Compressible, String)> = LazyLock::new(|| {
    let json = include_bytes!("openapi/openapi.json").trim_ascii();
    let etag = definition::etag(&definition::version(json));
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
