//! The sandbox's own routes, for people: the page, the arrivals as JSON, and misbehaving to order.

use axum::body::Body;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};

use super::misbehave::Order;
use super::{Arrival, Misbehaviour, Sandbox, pages};
use crate::{page, stranger};

/// The largest order.
const LARGEST: usize = 64 << 10;

/// Whether a path is the sandbox's own, and no call of the platform.
pub(super) fn is_ours(path: &str) -> bool {
    path == "/" || path.starts_with("/sandbox/") || page::asset(path).is_some()
}

/// Answers one of its own routes.
pub(super) async fn respond(sandbox: &Sandbox, request: Request<Incoming>) -> Response {
    if let Err(reason) = may(request.headers()) {
        return page::secure((StatusCode::FORBIDDEN, reason).into_response());
    }
    let (head, body) = request.into_parts();
    let response = match (head.method, head.uri.path()) {
        (Method::GET, "/") => pages::page(sandbox, stranger::host(&head.headers)),
        (Method::GET, "/sandbox/arrivals") => arrivals(sandbox, &head.uri),
        (Method::POST, "/sandbox/misbehave") => match order(&head.headers, Body::new(body)).await {
            Ok(misbehaviour) => {
                sandbox.misbehave(misbehaviour);
                done(sandbox, &head.headers)
            }
            Err(reason) => (StatusCode::UNPROCESSABLE_ENTITY, format!("{reason}\n")).into_response(),
        },
        (Method::POST, "/sandbox/behave") => {
            sandbox.behave();
            done(sandbox, &head.headers)
        }
        (Method::GET, path) => page::asset(path).unwrap_or(StatusCode::NOT_FOUND.into_response()),
        _ => StatusCode::NOT_FOUND.into_response(),
    };
    page::secure(response)
}

/// Lets no page of another site in, and none that has taken a name for this address (rebinding).
fn may(headers: &HeaderMap) -> Result<(), &'static str> {
    if !stranger::is_address(stranger::host(headers)) {
        return Err("open the sandbox by its IP address or as localhost\n");
    }
    if stranger::has_foreign_origin(headers) {
        return Err("other sites' pages have no business here\n");
    }
    Ok(())
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let accepts = headers.get(header::ACCEPT).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
        && accepts.is_some_and(|accepts| accepts.contains("text/html"))
}

/// Back to the page for a form of the page, JSON for everybody else.
fn done(sandbox: &Sandbox, headers: &HeaderMap) -> Response {
    if is_form(headers) {
        return Redirect::to("/").into_response();
    }
    let words = sandbox.misbehaviour().map(|(it, ..)| it.fault.words());
    axum::Json(json!({ "misbehaving": words })).into_response()
}

/// Reads an order: a form of the page, else JSON whatever it is called.
async fn order(headers: &HeaderMap, body: Body) -> Result<Misbehaviour, String> {
    let bytes = axum::body::to_bytes(body, LARGEST).await.map_err(|error| error.to_string())?;
    let text = str::from_utf8(&bytes).map_err(|error| error.to_string())?;
    let order: Order = if is_form(headers) {
        let uri: Uri = format!("/?{text}").parse().map_err(|_| "this is no form".to_owned())?;
        Query::try_from_uri(&uri).map_err(|error| error.body_text())?.0
    } else {
        serde_json::from_str(text).map_err(|error| format!("not understood: {error}"))?
    };
    order.try_into().map_err(|error: super::misbehave::OrderError| error.to_string())
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

fn arrivals(sandbox: &Sandbox, uri: &Uri) -> Response {
    let Ok(Query(After { after })) = Query::try_from_uri(uri) else {
        return (StatusCode::BAD_REQUEST, "`after` has to be a number\n").into_response();
    };
    let arrivals = sandbox.arrivals();
    let shown: Vec<Value> = arrivals.iter().filter(|it| it.number > after).map(one).collect();
    let counts = sandbox.counts();
    axum::Json(json!({
        "arrived": counts.arrived,
        "stored": counts.stored,
        "early": counts.early,
        "smallest_gap_microseconds": counts.smallest_gap.map(|gap| gap.as_micros()),
        "arrivals": shown,
    }))
    .into_response()
}

fn one(arrival: &Arrival) -> Value {
    json!({
        "number": arrival.number,
        "time": arrival.time,
        "gap_microseconds": arrival.gap.map(|gap| gap.as_micros()),
        "early": arrival.early,
        "call": arrival.call,
        "method": arrival.method,
        "path": arrival.path,
        "touchpoint": arrival.touchpoint,
        "scheme": arrival.scheme,
        "content_type": arrival.content_type,
        "body": arrival.body.as_deref(),
        "json": arrival.json.as_deref(),
        "fault": arrival.fault.as_ref().map(super::Fault::words),
        "done": arrival.done,
        "status": arrival.status,
        "messages": arrival.messages,
        "reasons": arrival.reasons,
        "stored": arrival.stored,
    })
}
