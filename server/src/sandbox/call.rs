//! One of the platform's calls, from its head to its reply.
//!
//! The arrival is noted when the head is there. What follows runs in a task of its own: a real
//! platform too goes on when the caller has hung up.

use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use http::{HeaderMap, Method, Request, StatusCode, header};
use hyper::body::Incoming;
use serde_json::Value;
use tokio::time::Instant;

use super::reply::{Problem, Reply};
use super::route::Route;
use super::{Answer, Arrival, Call, Fault, Sandbox, Touchpoint, add_answer, get_all};

/// The largest body that is read.
const LARGEST: usize = 1 << 20;
/// So much of a path is kept.
const LONGEST_PATH: usize = 300;
/// Section 5, d.
pub(super) const TOO_MANY: &str =
    "Too many requests are following up on each other and there is less than 1 second between each API call";

/// The connection is to be cut without a reply.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox cuts this connection")]
pub(super) struct Cut;

/// Takes a call whose head is there.
pub(super) async fn answer(sandbox: Sandbox, request: Request<Incoming>) -> Result<Response, Cut> {
    let way = sandbox.way();
    if !way.is_zero() {
        tokio::time::sleep(way).await;
    }
    let at = Instant::now();
    let (head, body) = request.into_parts();
    let route = Route::of(head.uri.path());
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let arrival = sandbox.arrive(noted(&sandbox, at, &route, &head.method, path, &head.headers));
    let work = work(sandbox, arrival, route, head.method, Body::new(body));
    // A task that panicked gives no reply either.
    tokio::spawn(work).await.map_err(|_| Cut)?
}

fn noted(
    sandbox: &Sandbox,
    at: Instant,
    route: &Route,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Arrival {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (scheme, token) = match text(header::AUTHORIZATION).and_then(|value| value.trim().split_once(' ')) {
        Some((scheme, token)) => (Some(scheme), sandbox.token(token.trim())),
        None => (None, None),
    };
    let known = |text: &&str| !sandbox.gives_away(text);
    let path = Some(path).filter(known).unwrap_or("/(a path with a token)");
    Arrival {
        number: 0,
        at,
        time: sandbox.time(at),
        gap: None,
        early: false,
        token: token.filter(|_| scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"))),
        scheme: scheme.filter(known).map(str::to_owned),
        content_type: text(header::CONTENT_TYPE).filter(known).map(str::to_owned),
        call: route.call,
        method: method.to_string(),
        path: path.chars().take(LONGEST_PATH).collect(),
        touchpoint: route.touchpoint.clone().filter(|text| !sandbox.gives_away(text)),
        body: None,
        json: None,
        fault: None,
        done: false,
        status: None,
        messages: Vec::new(),
        reasons: Vec::new(),
        stored: false,
    }
}

async fn work(
    sandbox: Sandbox,
    mut arrival: Arrival,
    route: Route,
    method: Method,
    body: Body,
) -> Result<Response, Cut> {
    let fault = arrival.fault.clone();
    if fault == Some(Fault::CutAtHead) {
        sandbox.finish(arrival, None);
        return Err(Cut);
    }
    let complete = read(&mut arrival, body).await;
    match &fault {
        Some(Fault::CutAfterBody) => {
            sandbox.finish(arrival, None);
            return Err(Cut);
        }
        Some(Fault::Status { status, retry_after, body }) => {
            arrival.status = Some(*status);
            sandbox.finish(arrival, None);
            return Ok(refused(*status, *retry_after, body.clone()));
        }
        Some(Fault::Late(time)) => tokio::time::sleep(*time).await,
        _ => {}
    }
    let mut answer = None;
    let reply = match complete {
        Ok(()) => reply(&sandbox, &arrival, &route, &method, &mut answer),
        Err(reply) => reply,
    };
    let replies = !matches!(fault, Some(Fault::LostReply));
    arrival.status = replies.then(|| reply.status.as_u16());
    arrival.messages.clone_from(&reply.messages);
    arrival.reasons.clone_from(&reply.reasons);
    sandbox.finish(arrival, answer);
    send(reply, fault).await
}

/// Reads the whole body into the arrival.
async fn read(arrival: &mut Arrival, body: Body) -> Result<(), Reply> {
    let bytes = axum::body::to_bytes(body, LARGEST).await.map_err(|_| {
        Reply::bare(StatusCode::PAYLOAD_TOO_LARGE, "the body broke off or is longer than 1 MiB")
    })?;
    let text = str::from_utf8(&bytes).ok();
    arrival.body = text.filter(|text| !text.is_empty()).map(Arc::from);
    arrival.json = text.and_then(|text| serde_json::from_str(text).ok()).map(Arc::new);
    Ok(())
}

/// What a platform that behaves says.
fn reply(
    sandbox: &Sandbox,
    arrival: &Arrival,
    route: &Route,
    method: &Method,
    answer: &mut Option<Answer>,
) -> Reply {
    let Some(token) = arrival.token.and_then(|token| sandbox.token_at(token)) else {
        return Reply::bare(StatusCode::UNAUTHORIZED, "no token that is known, or not `basic`");
    };
    if arrival.early {
        let gap = arrival.gap.unwrap_or_default().as_micros();
        let problem = Problem::new(TOO_MANY, format!("{gap} µs after the call before"));
        return Reply::refusal(StatusCode::TOO_MANY_REQUESTS, vec![problem]);
    }
    let guid = route.touchpoint.as_deref();
    if !token.may(route.call, guid) {
        return Reply::bare(StatusCode::UNAUTHORIZED, "the token is not for this touchpoint or kind of call");
    }
    if route.call == Call::Unknown {
        return Reply::bare(StatusCode::NOT_FOUND, "no call of the platform");
    }
    if *method != route.method {
        return Reply::bare(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("this call is made with {}", route.method),
        );
    }
    let Some(touchpoint) = guid.and_then(|guid| sandbox.touchpoint(guid)) else {
        let message = format!("Touchpoint with ID: {} not found", guid.unwrap_or_default());
        let problem = Problem::new(message, "the sandbox knows no such touchpoint");
        return Reply::refusal(StatusCode::BAD_REQUEST, vec![problem]);
    };
    match (route.call, &route.range) {
        (Call::AddAnswer, _) => add(sandbox, touchpoint, arrival, answer),
        (Call::GetAnswers, Some(range)) => get_all::get_all(sandbox, touchpoint, range, Instant::now()),
        _ => Reply::bare(StatusCode::NOT_FOUND, "the sandbox does not offer this call yet"),
    }
}

fn add(sandbox: &Sandbox, touchpoint: &Touchpoint, arrival: &Arrival, answer: &mut Option<Answer>) -> Reply {
    let wrong = |problems| Reply::refusal(StatusCode::BAD_REQUEST, problems);
    let kind = arrival.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    if kind.split(';').next().map(str::trim) != Some("application/json") {
        return wrong(vec![Problem::new(add_answer::MODEL, format!("Content-Type is {kind:?}"))]);
    }
    let Some(json) = &arrival.json else {
        return wrong(vec![Problem::new(add_answer::MODEL, "the body is no JSON")]);
    };
    match add_answer::check(touchpoint, json) {
        Ok(language) => {
            let (at, touchpoint) = (Instant::now(), touchpoint.guid.clone());
            let (time, json) = (sandbox.time(at), Arc::<Value>::clone(json));
            *answer = Some(Answer { arrival: arrival.number, at, time, touchpoint, language, json });
            Reply::ok()
        }
        Err(problems) => wrong(problems),
    }
}

fn refused(status: u16, retry_after: Option<u64>, body: Option<String>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let mut response = (status, body.unwrap_or_default()).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Sends the reply, or what a fault leaves of it.
async fn send(reply: Reply, fault: Option<Fault>) -> Result<Response, Cut> {
    match fault {
        Some(Fault::LostReply) => Err(Cut),
        Some(Fault::CutReply) => Ok(cut_short(&reply)),
        Some(Fault::Garbage) => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            Ok((StatusCode::OK, kind, "\u{0}<html>]}{\"").into_response())
        }
        Some(Fault::LateReply(time)) => {
            tokio::time::sleep(time).await;
            Ok(reply.into_response())
        }
        _ => Ok(reply.into_response()),
    }
}

/// Promises a body and breaks off in the middle of it.
fn cut_short(reply: &Reply) -> Response {
    let whole = if reply.body().is_empty() { "\"accepted\"" } else { reply.body() };
    let half = bytes::Bytes::copy_from_slice(&whole.as_bytes()[..whole.len() / 2]);
    let length = whole.len();
    // Lets the connection send what it has before it learns of the end.
    let end = stream::once(async {
        tokio::task::yield_now().await;
        Err(Cut)
    });
    let chunks = stream::once(async { Ok(half) }).chain(end);
    let body = Body::from_stream(chunks);
    (reply.status, [(header::CONTENT_LENGTH, length.to_string())], body).into_response()
}
