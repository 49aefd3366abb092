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
use shared::Language;
use tokio::time::Instant;

use super::arrival::Brought;
use super::reply::{Problem, Reply};
use super::route::Route;
use super::{Answer, Arrival, Call, Fault, Respondent, Sandbox, Touchpoint};
use super::{add_answer, add_respondent, get_all, get_nps, get_questions};

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
    let sized = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING]
        .iter()
        .any(|name| head.headers.contains_key(name));
    let sized = sized || head.method != Method::POST;
    let arrival = sandbox.arrive(noted(&sandbox, at, &route, &head.method, path, &head.headers));
    let work = work(sandbox, arrival, route, head.method, Body::new(body), sized);
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
    sized: bool,
) -> Result<Response, Cut> {
    let fault = arrival.fault.clone();
    if fault == Some(Fault::CutAtHead) {
        sandbox.finish(arrival, Brought::default());
        return Err(Cut);
    }
    let complete = read(&mut arrival, body).await;
    match &fault {
        Some(Fault::CutAfterBody) => {
            sandbox.finish(arrival, Brought::default());
            return Err(Cut);
        }
        Some(Fault::Status { status, retry_after, body }) => {
            arrival.status = Some(*status);
            sandbox.finish(arrival, Brought::default());
            return Ok(refused(*status, *retry_after, body.clone()));
        }
        Some(Fault::Late(time)) => tokio::time::sleep(*time).await,
        _ => {}
    }
    let mut brought = Brought::default();
    let reply = match complete {
        Ok(()) if !sized => Reply::bare(StatusCode::LENGTH_REQUIRED, "a POST without Content-Length"),
        Ok(()) => reply(&sandbox, &arrival, &route, &method, &mut brought),
        Err(reply) => reply,
    };
    if !reply.status.is_success() {
        let (status, call) = (reply.status.as_u16(), arrival.call);
        let [said, why] = [&reply.messages, &reply.reasons].map(|words| words.join("; "));
        tracing::warn!(arrival = arrival.number, ?call, status, said, why, "refused");
    }
    let replies = !matches!(fault, Some(Fault::LostReply));
    arrival.status = replies.then(|| reply.status.as_u16());
    arrival.messages.clone_from(&reply.messages);
    arrival.reasons.clone_from(&reply.reasons);
    sandbox.finish(arrival, brought);
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
    brought: &mut Brought,
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
        let message = add_respondent::touchpoint_not_found(guid.unwrap_or_default());
        let problem = Problem::new(message, "the sandbox knows no such touchpoint");
        return Reply::refusal(StatusCode::BAD_REQUEST, vec![problem]);
    };
    match (route.call, &route.range) {
        (Call::GetAnswers, Some(range)) => get_all::get_all(sandbox, &touchpoint, range, Instant::now()),
        (Call::GetQuestions, _) => get_questions::get_questions(&touchpoint, route.company.as_deref()),
        (Call::GetNps, Some(range)) => {
            let body = match &arrival.body {
                Some(_) => match json(arrival) {
                    Ok(json) => Some(json),
                    Err(reply) => return reply,
                },
                None => None,
            };
            get_nps::get_nps(sandbox, &touchpoint, range, body.map(|json| &**json), Instant::now())
        }
        _ => add(sandbox, &touchpoint, route.call, arrival, brought).unwrap_or_else(|reply| reply),
    }
}

/// The body of a call that has to have one: JSON that says so.
fn json(arrival: &Arrival) -> Result<&Arc<Value>, Reply> {
    let wrong = |reason: String| {
        Reply::refusal(StatusCode::BAD_REQUEST, vec![Problem::new(add_answer::MODEL, reason)])
    };
    let kind = arrival.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    if kind.split(';').next().map(str::trim) != Some("application/json") {
        return Err(wrong(format!("Content-Type is {kind:?}")));
    }
    arrival.json.as_ref().ok_or_else(|| wrong("the body is no JSON".into()))
}

/// Takes what a call adds, if all of it is right.
fn add(
    sandbox: &Sandbox,
    touchpoint: &Touchpoint,
    call: Call,
    arrival: &Arrival,
    brought: &mut Brought,
) -> Result<Reply, Reply> {
    let wrong = |problems| Reply::refusal(StatusCode::BAD_REQUEST, problems);
    let json = json(arrival)?;
    let respondent = |(language, json): (Language, &Value)| Respondent {
        arrival: arrival.number,
        touchpoint: touchpoint.guid.clone(),
        language,
        json: json.clone(),
    };
    match call {
        Call::AddRespondent => {
            let language = add_respondent::check_one(touchpoint, json).map_err(wrong)?;
            brought.respondents.push(respondent((language, json)));
            Ok(Reply::created(json))
        }
        Call::AddRespondents => {
            let languages = add_respondent::check_all(touchpoint, json).map_err(wrong)?;
            let list = json.as_array().into_iter().flatten();
            brought.respondents.extend(languages.into_iter().zip(list).map(respondent));
            Ok(Reply::ok())
        }
        _ => {
            let language = add_answer::check(touchpoint, json).map_err(wrong)?;
            let (at, touchpoint) = (Instant::now(), touchpoint.guid.clone());
            let (time, json) = (sandbox.time(at), Arc::clone(json));
            brought.answer = Some(Answer { arrival: arrival.number, at, time, touchpoint, language, json });
            Ok(Reply::ok())
        }
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
