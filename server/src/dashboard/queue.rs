//! `/queue/…`: the operators' operations on the queue, as JSON.
//!
//! A change runs in a task of its own, so that a client that hangs up does not stop it half-way. Some
//! replies hold what visitors wrote: who may ask, and that no cache keeps them, is the whole listener's
//! business.

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::problem::{Code, Detail, Place, Problem};
use super::{Dashboard, health};
use crate::config::PlatformName;
use crate::http::pointer;
use crate::operator::{
    self, ChangeRequest, ForgetRequest, ListRequest, OperatorError, Order, OwnWords, Selection,
};

/// Entries in a list that says nothing else.
const LISTED: u32 = 50;

type Asked = Result<Query<Vec<(String, String)>>, QueryRejection>;
type Answer = Result<Response, Problem>;

pub(super) fn routes() -> Router<Dashboard> {
    Router::new()
        .route("/queue/status", get(status))
        .route("/queue/entries", get(list))
        .route("/queue/entries/{submission}", get(show))
        .route("/queue/export", get(export))
        .route("/queue/retry", post(retry))
        .route("/queue/discard", post(discard))
        .route("/queue/forget", post(forget))
}

async fn status(State(dashboard): State<Dashboard>) -> Answer {
    let lanes = dashboard.lanes();
    let own = |name: &PlatformName| {
        let lane = lanes.iter().find(|lane| lane.platform.name == *name)?;
        let report = lane.report.borrow();
        Some(OwnWords { state: report.state.name(), flows: report.flows(), advice: report.advice() })
    };
    let mut status = operator::status(&*dashboard.queue, &dashboard.live.config().platforms, own).await?;
    status.refuses = health::refuses(&dashboard).await;
    Ok(Json(status).into_response())
}

async fn list(State(dashboard): State<Dashboard>, asked: Asked) -> Answer {
    let mut request =
        ListRequest { selection: Selection::default(), limit: LISTED, after: None, newest: false };
    let ListRequest { limit, after, newest, .. } = &mut request;
    let own = |name: &str, value: &str| match name {
        "limit" => Some(parse(value).map(|it| *limit = it)),
        "after" => Some(parse(value).map(|it| *after = Some(it))),
        "newest" => Some(parse(value).map(|it| *newest = it)),
        _ => None,
    };
    request.selection = selection(asked, own)?;
    Ok(Json(operator::list(&*dashboard.queue, &request).await?).into_response())
}

async fn show(State(dashboard): State<Dashboard>, Path(submission): Path<String>, asked: Asked) -> Answer {
    let submission: Uuid = parse(&submission).map_err(|reason| fault("submission", &reason))?;
    let mut stored = false;
    let pairs = asked.map_err(|_| unreadable())?.0;
    for (name, value) in &pairs {
        match name.as_str() {
            "stored" => stored = parse(value).map_err(|reason| fault(name, &reason))?,
            _ => return Err(fault(name, "there is no such parameter")),
        }
    }
    let shown = operator::show(&*dashboard.queue, submission, stored).await?;
    let missing = || Problem::new(Code::Submission, "the queue has no such submission");
    shown.map(|shown| Json(shown).into_response()).ok_or_else(missing)
}

async fn export(State(dashboard): State<Dashboard>, asked: Asked) -> Answer {
    let selection = selection(asked, |_, _| None)?;
    let lines = operator::export(dashboard.queue, &selection)?;
    // An error in the middle cuts the connection, so that nobody takes a part for the whole.
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

async fn retry(State(dashboard): State<Dashboard>, body: Bytes) -> Answer {
    let request: ChangeRequest = read(&body)?;
    let now = dashboard.clock.now();
    to_the_end(async move { operator::change(&*dashboard.queue, Order::Retry, &request, now).await }).await
}

async fn discard(State(dashboard): State<Dashboard>, body: Bytes) -> Answer {
    let request: ChangeRequest = read(&body)?;
    let now = dashboard.clock.now();
    to_the_end(async move { operator::change(&*dashboard.queue, Order::Discard, &request, now).await }).await
}

async fn forget(State(dashboard): State<Dashboard>, body: Bytes) -> Answer {
    let request: ForgetRequest = read(&body)?;
    let now = dashboard.clock.now();
    to_the_end(async move { operator::forget(&*dashboard.queue, &request, now).await }).await
}

/// Runs an operation to its end, whether or not somebody still waits for its reply.
async fn to_the_end<T: Serialize + Send + 'static>(
    operation: impl Future<Output = Result<T, OperatorError>> + Send + 'static,
) -> Answer {
    match tokio::spawn(operation).await {
        Ok(done) => Ok(Json(done?).into_response()),
        Err(error) => {
            tracing::error!(%error, "an operation on the queue failed");
            let words = "the operation failed half-way; see the server's log";
            Err(Problem::new(Code::Internal, words))
        }
    }
}

/// The selection that an address asks for, but for the parameters that `own` takes; every fault at once.
fn selection(
    asked: Asked,
    mut own: impl FnMut(&str, &str) -> Option<Result<(), String>>,
) -> Result<Selection, Problem> {
    let mut selection = Selection::default();
    let mut faults = Vec::new();
    for (name, value) in asked.map_err(|_| unreadable())?.0 {
        let taken = own(&name, &value).or_else(|| selection.take(&name, &value));
        let unknown = || Err("there is no such parameter".into());
        if let Err(reason) = taken.unwrap_or_else(unknown) {
            faults.push(detail(&name, &reason));
        }
    }
    if faults.is_empty() { Ok(selection) } else { Err(Problem::asked(faults)) }
}

/// Reads a body, or says what is wrong with it and where.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| refused(pointer::to(error.path()), error.inner()))?;
    json.end().map_err(|error| refused(String::new(), &error)).map(|()| read)
}

fn refused(pointer: String, error: &serde_json::Error) -> Problem {
    let words = if pointer.is_empty() { error.to_string() } else { format!("{pointer}: {error}") };
    Problem::asked(vec![Detail { place: Place::Pointer(pointer), words }])
}

fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{text:?}: {error}"))
}

fn detail(parameter: &str, reason: &str) -> Detail {
    Detail { place: Place::Parameter(parameter.to_owned()), words: format!("{parameter}: {reason}") }
}

fn fault(parameter: &str, reason: &str) -> Problem {
    Problem::asked(vec![detail(parameter, reason)])
}

fn unreadable() -> Problem {
    Problem::new(Code::Address, "the address's query cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_operation_goes_on_when_its_client_has_hung_up() {
        let (go, went) = tokio::sync::oneshot::channel::<()>();
        let (done, over) = tokio::sync::oneshot::channel();
        let request = tokio::spawn(to_the_end(async move {
            went.await.ok();
            done.send(()).ok();
            Ok(())
        }));
        tokio::task::yield_now().await;
        request.abort();
        assert!(request.await.is_err_and(|error| error.is_cancelled()), "the client has hung up");
        go.send(()).unwrap();
        over.await.unwrap();
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let asked = Ok(Query(vec![pair("state", "ded"), pair("lane", "main"), pair("stat", "dead")]));
        let problem = selection(asked, |_, _| None).unwrap_err();
        let said = serde_json::to_value(problem.told()).unwrap();
        assert_eq!((&said["status"], &said["code"]), (&422.into(), &"request".into()));
        assert_eq!(said["errors"][0]["parameter"], "state");
        assert_eq!(said["errors"][1]["parameter"], "stat");
        assert!(said["detail"].as_str().is_some_and(|words| words.contains("\"ded\"")), "{said}");
    }

    #[test]
    fn a_wrong_body_is_refused_with_the_place() {
        let refused = |body: &str| {
            let problem = read::<ChangeRequest>(body.as_bytes()).unwrap_err();
            serde_json::to_value(problem.told()).unwrap()["errors"][0]["pointer"].as_str().unwrap().to_owned()
        };
        assert_eq!(refused(r#"{"selection": {"states": ["dead", "ded"]}}"#), "/selection/states/1");
        assert_eq!(refused(r#"{"selection": {"submissions": [7]}}"#), "/selection/submissions/0");
        assert_eq!(refused(r#"{"everything": true}"#), "/everything");
        assert_eq!(refused("no JSON"), "");
        assert!(read::<ChangeRequest>(br#"{"all": true}"#).unwrap().all);
        let problem = read::<crate::forwarder::Call>(br#"{"get_nps": {"touchpoint": 7}}"#).err().unwrap();
        let said = serde_json::to_value(problem.told()).unwrap();
        assert_eq!(said["errors"][0]["pointer"], "/get_nps/touchpoint");
    }
}
