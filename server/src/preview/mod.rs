//! `GET /preview/{survey}`: what visitors see of a survey, in every mode, language, theme and width, on one page.
//!
//! For operators and web teams who write a configuration. It shows what is in force, which follows the file; a mistake
//! in that is told, and the last good one stays. The frames load what a page loads, from
//! below [`DOOR`] on the operators' listener, and what is answered there is checked as always and goes nowhere. Knows nothing
//! of the queue, the forwarder and the platform.

mod frame;
mod overview;
mod source;
#[cfg(test)]
mod tests;

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower::{Service, ServiceExt as _};

pub use source::Source;

/// What the frames load lies below this path.
pub const DOOR: &str = "/preview-door";

/// The routes; what they show is `source`'s.
pub fn routes<S: Clone + Send + Sync + 'static>(source: &Source) -> Router<S> {
    Router::new()
        .route("/preview", get(overview::index))
        .route("/preview/{survey}", get(overview::survey))
        .route("/preview/{survey}/frame", get(frame::frame))
        .route("/preview.css", get(async || asset("text/css; charset=utf-8", include_str!("preview.css"))))
        .route(
            "/preview-frame.css",
            get(async || asset("text/css; charset=utf-8", include_str!("frame.css"))),
        )
        .route("/preview.js", get(async || asset("text/javascript; charset=utf-8", frame::ALONE)))
        .nest_service(DOOR, door(source.clone()))
        .with_state(source.clone())
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Hands requests to the public routes of the configuration as it is now.
fn door(
    source: Source,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
    tower::service_fn(move |request: Request| {
        let routes = source.routes();
        // What follows the file is not to be kept by a browser; what the build names is.
        let follows = !request.uri().path().starts_with("/a/");
        async move {
            let mut response = routes.oneshot(request).await?;
            let headers = response.headers_mut();
            // What is public elsewhere is the operators' own here.
            headers.remove(header::ACCESS_CONTROL_ALLOW_ORIGIN);
            headers.remove("cross-origin-resource-policy");
            if follows {
                headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            Ok(response)
        }
    })
}

/// A page's own policy, in the place of that of all operators' pages.
fn with_policy(mut response: Response, policy: &'static str, framed: bool) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    if framed {
        headers.insert(HeaderName::from_static("x-frame-options"), HeaderValue::from_static("SAMEORIGIN"));
    }
    response
}
