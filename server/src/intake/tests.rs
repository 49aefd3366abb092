//! The public HTTP contract, request by request.

mod headers;
mod limits;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::accepted::Accepted;
use crate::config::{PlatformName, Survey, tests::good};
use crate::queue::{Due, Inbox, LaneCount, Lanes as _, Options, Records as _, SqliteQueue};

const UUID: &str = "6f9b1c52-7d0e-4a55-9a39-3f4f4a2b1c01";

struct Door {
    router: Router,
    queue: Arc<SqliteQueue>,
    clock: Clock,
    shares: Shares,
    folder: Arc<tempfile::TempDir>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

impl Door {
    fn new() -> Self {
        Self::with(good())
    }

    fn with(config: Config) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let queue = Arc::new(SqliteQueue::open(&folder.path().join("queue.db"), Options::default()).unwrap());
        Self::of(config, queue, folder)
    }

    /// The same store behind another configuration.
    fn after(&self, config: Config) -> Self {
        Self::of(config, Arc::clone(&self.queue), Arc::clone(&self.folder))
    }

    fn of(config: Config, queue: Arc<SqliteQueue>, folder: Arc<tempfile::TempDir>) -> Self {
        let clock = Clock::start();
        let shares = Shares::new(&config);
        let intake = Intake::new(
            Arc::new(config),
            shares.clone(),
            Arc::clone(&queue) as Arc<dyn Inbox>,
            Recorder::default(),
            clock,
        );
        Self { router: intake.router(), queue, clock, shares, folder }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: head.status,
            headers: head.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }

    async fn post(&self, body: impl Into<Body>) -> Answer {
        self.send(post(body.into())).await
    }

    async fn rows(&self) -> u64 {
        self.queue.counts().await.unwrap().iter().map(|lane| lane.waiting).sum()
    }

    /// What the forwarder would read of the one submission there is.
    async fn stored(&self) -> Accepted {
        let lane = PlatformName::new("main");
        assert_eq!(self.queue.due(&lane, self.clock.now(), &[]).await.unwrap(), Due::Now);
        let entry = self.queue.reserve(&lane, self.clock.now(), &[]).await.unwrap().unwrap();
        serde_json::from_slice(&entry.body).unwrap()
    }
}

fn post(body: Body) -> Request<Body> {
    Request::post("/v1/surveys/checkout/answers")
        .header(header::ORIGIN, "https://shop.example")
        .header(header::CONTENT_TYPE, "text/plain;charset=UTF-8")
        .header(header::USER_AGENT, "Mozilla/5.0 (iPhone; CPU iPhone OS 19) Mobile/15E148")
        .body(body)
        .unwrap()
}

fn submission() -> Value {
    json!({
        "submission": UUID,
        "language": "nl-BE",
        "answers": [{"question": "recommend", "score": 3}, {"question": "why", "text": "te laat"},
                    {"question": "found", "options": ["shop", "web"]}],
        "metadata": {"pieces": "8"},
        "respondent": {"first_name": " Jef ", "last_name": "", "email": "jef@example.com", "phone": null, "id": null},
        "context": {"page_url": "https://shop.example/thanks?order=7#x", "referrer": null},
    })
}

/// The submission with one thing changed, by JSON pointer.
fn with(pointer: &str, value: Value) -> String {
    let mut changed = submission();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match changed.pointer_mut(parent).unwrap() {
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        parent => parent[key] = value,
    }
    changed.to_string()
}

#[tokio::test]
async fn a_good_submission_is_durable_and_resolved() {
    let door = Door::new();
    let answer = door.post(submission().to_string()).await;
    assert_eq!((answer.status, &answer.body), (StatusCode::ACCEPTED, &json!({ "submission": UUID })));
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://shop.example");
    let stored = door.stored().await;
    let ids: Vec<_> = stored.answers.iter().map(|answer| answer.question.as_str()).collect();
    assert_eq!(ids, ["recommend", "why", "found"]);
    let metadata = json!({
        "shop": "1", "number of pieces": "8", "page": "https://shop.example/thanks", "submission": UUID,
    });
    assert_eq!((stored.language.as_str(), json!(stored.metadata)), ("nl", metadata));
    let respondent = stored.respondent.unwrap();
    assert_eq!((respondent.first_name.as_deref(), respondent.last_name), (Some("Jef"), None));
}

#[tokio::test]
async fn the_same_submission_again_makes_no_second_row_and_another_is_a_conflict() {
    let door = Door::new();
    for _ in 0..3 {
        assert_eq!(door.post(submission().to_string()).await.status, StatusCode::ACCEPTED);
    }
    let elsewhere = with("/context/page_url", json!("https://shop.example/other"));
    assert_eq!(door.post(elsewhere).await.status, StatusCode::ACCEPTED, "a retry may come from another page");
    let other = door.post(with("/answers/0/score", json!(4))).await;
    assert_eq!((other.status, &other.body["code"]), (StatusCode::CONFLICT, &json!("conflict")));
    assert_eq!(door.rows().await, 1);
}

#[tokio::test]
async fn what_was_stored_stays_so_when_the_survey_changes_before_the_browser_hears_of_it() {
    let before = Door::new();
    assert_eq!(before.post(submission().to_string()).await.status, StatusCode::ACCEPTED);
    let mut config = good();
    let changed = Survey {
        metadata: Vec::new(),
        languages: vec!["fr".parse().unwrap()],
        ..Survey::clone(&config.surveys[0])
    };
    config.surveys[0] = Arc::new(changed);
    let after = before.after(config);
    let again = after.post(submission().to_string()).await;
    assert_eq!(again.status, StatusCode::ACCEPTED, "{}", again.body);
    for other in [
        with("/submission", json!("6f9b1c52-7d0e-4a55-9a39-3f4f4a2b1c02")),
        with("/answers/0/score", json!(1)),
    ] {
        assert_eq!(after.post(other).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(after.rows().await, 1);
}

#[tokio::test]
async fn each_bad_body_has_its_status_and_place_and_leaves_no_row() {
    let door = Door::new();
    let answers = |answers: Value| with("/answers", answers);
    let first = json!({"question": "recommend", "score": 9});
    let second = |answer: Value| with("/answers", json!([first.clone(), answer]));
    for (body, status, code, pointer) in [
        ("not json".to_owned(), 400, "not_json", ""),
        (String::new(), 400, "not_json", ""),
        (format!("{} trailing", submission()), 400, "not_json", ""),
        ("[]".to_owned(), 422, "content", ""),
        (with("/submission", json!("no uuid")), 422, "content", "/submission"),
        (with("/submission", json!("00000000-0000-0000-0000-000000000000")), 422, "content", "/submission"),
        (with("/language", json!("de")), 422, "content", "/language"),
        (with("/language", json!("klingon")), 422, "content", "/language"),
        (answers(json!([])), 422, "content", "/answers"),
        (answers(json!([{"question": "recommend", "score": 11}])), 422, "content", "/answers/0/score"),
        (answers(json!([{"question": "recommend", "score": "9"}])), 422, "content", "/answers/0/score"),
        (answers(json!([{"question": "recommend", "score": 9.5}])), 422, "content", "/answers/0/score"),
        (second(json!({"question": "nope", "score": 1})), 422, "content", "/answers/1/question"),
        (second(json!({"question": "again", "boolean": true, "score": 1})), 422, "content", "/answers/1"),
        (second(json!({"question": "found", "options": ["moon"]})), 422, "content", "/answers/1/options"),
        (second(json!({"question": "why", "text": "hidden"})), 422, "content", "/answers/1"),
        (with("/answers/1/text", json!("x".repeat(101))), 422, "content", "/answers/1/text"),
        (with("/answers/1/text", json!("bell\u{7}")), 422, "content", "/answers/1/text"),
        (with("/metadata", json!({})), 422, "content", "/metadata"),
        (with("/metadata", json!({"pieces": "8", "a/b": "x"})), 422, "content", "/metadata/a~1b"),
        (with("/metadata", json!({"pieces": "8".repeat(1_001)})), 422, "content", "/metadata/pieces"),
        (with("/metadata", json!({"pieces": 8})), 422, "content", "/metadata/pieces"),
        (with("/respondent/email", json!("jef")), 422, "content", "/respondent/email"),
        (with("/respondent/phone", json!("1\u{0}2")), 422, "content", "/respondent/phone"),
        ("[".repeat(60_000), 400, "not_json", ""),
    ] {
        let answer = door.post(body.clone()).await;
        let shown: String = body.chars().take(300).collect();
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (status, &json!(code)), "{shown}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(answer.body["status"], status);
        if status == 422 {
            assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{shown}");
        }
    }
    assert_eq!(door.rows().await, 0);
}

#[tokio::test]
async fn a_score_is_a_whole_number_however_it_is_written() {
    for written in ["7", "7.0", "0.7e1"] {
        let door = Door::new();
        let body = with("/answers", json!([{"question": "recommend", "score": 12345}]));
        let answer = door.post(body.replace("12345", written)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{written}");
        assert_eq!(
            json!(door.stored().await.answers[0]),
            json!({"question": "recommend", "value": {"score": 7}})
        );
    }
    for wrong in
        ["7.5", "-1.0", "1e300", "2147483648", "-2147483649", "18446744073709551616", "true", "\"7\""]
    {
        let body = with("/answers", json!([{"question": "recommend", "score": 12345}]));
        let answer = Door::new().post(body.replace("12345", wrong)).await;
        assert_eq!(answer.body["errors"][0]["pointer"], "/answers/0/score", "{wrong}");
    }
}

#[tokio::test]
async fn a_list_of_bare_values_is_no_object() {
    let door = Door::new();
    let listed = json!([UUID, "nl", [{"question": "recommend", "score": 9}], {"pieces": "8"}]);
    for (body, pointer) in [
        (listed.to_string(), ""),
        (with("/answers", json!([["recommend", 9]])), "/answers/0"),
        (with("/context", json!([null, null])), "/context"),
        (with("/respondent", json!(["Jef", "Tester", null, null, null])), "/respondent"),
    ] {
        let answer = door.post(body).await;
        let error = json!({"pointer": pointer, "code": "shape", "detail": "expected an object"});
        assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]), (422, &error));
    }
    assert_eq!(door.rows().await, 0);
}

#[tokio::test]
async fn every_wrong_answer_is_told_at_once() {
    let door = Door::new();
    let mut body = submission();
    body["answers"] = json!([{"question": "recommend", "score": -1}, {"question": "again", "text": "yes"}]);
    body["metadata"] = json!({"color": "red"});
    body["respondent"]["email"] = json!("nobody");
    let answer = door.post(body.to_string()).await;
    let pointers: Vec<_> =
        answer.body["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
    let expected =
        ["/answers/0/score", "/answers/1/text", "/metadata", "/metadata/color", "/respondent/email"];
    assert_eq!(pointers, expected);
}

#[tokio::test]
async fn a_refusal_repeats_nothing_that_the_visitor_wrote() {
    let door = Door::new();
    for body in [
        with("/answers/0/score", json!("my secret words")),
        with("/answers/1/text", json!(["my secret words"])),
        with("/respondent", json!("my secret words")),
        "my secret words".to_owned(),
    ] {
        assert!(!door.post(body).await.body.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn foreign_and_missing_origins_wrong_types_and_sizes_are_refused() {
    let door = Door::new();
    let change = |change: fn(&mut HeaderMap)| {
        let mut request = post(submission().to_string().into());
        change(request.headers_mut());
        request
    };
    let set = |name, value: &'static str| -> Request<Body> {
        let mut request = post(submission().to_string().into());
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    let huge = post("x".repeat(10 * 1024 * 1024).into());
    for (request, status, code) in [
        (set(header::ORIGIN, "https://evil.example"), 403, "origin"),
        (set(header::ORIGIN, "null"), 403, "origin"),
        (change(|headers| drop(headers.remove(header::ORIGIN))), 403, "no_origin"),
        (set(header::CONTENT_TYPE, "application/x-www-form-urlencoded"), 415, "content_type"),
        (change(|headers| drop(headers.remove(header::CONTENT_TYPE))), 415, "content_type"),
        (huge, 413, "too_large"),
    ] {
        let answer = door.send(request).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (status, &json!(code)));
    }
    let foreign = door.send(set(header::ORIGIN, "https://evil.example")).await;
    assert!(!foreign.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
    let unknown = Request::post("/v1/surveys/nope/answers").body(Body::empty()).unwrap();
    assert_eq!(door.send(unknown).await.status, StatusCode::NOT_FOUND);
    let get = Request::get("/v1/surveys/checkout/answers").body(Body::empty()).unwrap();
    assert_eq!(door.send(get).await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(door.rows().await, 0);
}

#[tokio::test]
async fn a_survey_may_take_submissions_without_an_origin() {
    let mut config = good();
    let mut survey = (*config.surveys[0]).clone();
    survey.allow_no_origin = true;
    config.surveys[0] = Arc::new(survey);
    let door = Door::with(config);
    let mut request = post(submission().to_string().into());
    request.headers_mut().remove(header::ORIGIN);
    assert_eq!(door.send(request).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_preflight_is_answered_for_listed_origins_only() {
    let door = Door::new();
    let preflight = |origin: &str| {
        Request::options("/v1/surveys/checkout/answers")
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "content-type")
            .body(Body::empty())
            .unwrap()
    };
    let ours = door.send(preflight("https://shop.example")).await;
    assert_eq!(ours.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://shop.example");
    let foreign = door.send(preflight("https://evil.example")).await;
    assert!(!foreign.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}

#[tokio::test]
async fn a_definition_comes_in_the_wished_language_without_a_guid() {
    let door = Door::new();
    let get = async |query: &str, etag: Option<&str>| {
        let mut request = Request::get(format!("/v1/surveys/checkout{query}"));
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        door.send(request.body(Body::empty()).unwrap()).await
    };
    for (query, language) in
        [("", "nl"), ("?lang=fr-CA", "fr"), ("?lang=de,xx,fr,nl", "fr"), ("?lang=de", "nl")]
    {
        let answer = get(query, None).await;
        assert_eq!((answer.status, &answer.body["language"]), (StatusCode::OK, &json!(language)), "{query}");
        assert_eq!(answer.headers[header::CONTENT_LANGUAGE], language);
        let text = answer.body.to_string().to_uppercase();
        assert!(!text.contains("CFD52369") && !text.contains("F30F55F0") && !text.contains("EC28D381"));
    }
    let answer = get("", None).await;
    let etag = answer.headers[header::ETAG].to_str().unwrap();
    assert_eq!(format!("\"{}\"", answer.body["version"].as_str().unwrap()), etag);
    assert_eq!(get("", Some(etag)).await.status, StatusCode::NOT_MODIFIED);
    assert_eq!(get("?lang=fr", Some(etag)).await.status, StatusCode::OK);
    let parsed: shared::Definition = serde_json::from_value(answer.body).unwrap();
    assert_eq!(parsed.questions.len(), 4);
}

#[tokio::test]
async fn a_backlog_lowers_the_share_in_a_definition_and_leaves_its_version() {
    let mut config = good();
    let mut survey = (*config.surveys[0]).clone();
    survey.max_delay = Some(Duration::from_mins(1));
    config.surveys[0] = survey.into();
    let door = Door::with(config.clone());
    let get = async || {
        let answer = door.send(Request::get("/v1/surveys/checkout").body(Body::empty()).unwrap()).await;
        (answer.body, answer.headers[header::ETAG].to_str().unwrap().to_owned())
    };
    let (full, _) = get().await;
    assert_eq!(full["show"], json!({ "survey": "checkout" }));
    let interval = config.platforms[0].interval;
    let waiting = (Duration::from_secs(45).as_millis() / interval.as_millis()).try_into().unwrap();
    let lane = config.platforms[0].name.clone();
    door.shares.adjust(&config, &[LaneCount { waiting, ..LaneCount::empty(lane) }]);
    let (half, etag) = get().await;
    assert_eq!(half["show"]["sample"], 50);
    assert_eq!(half["version"], full["version"]);
    assert_eq!(etag, format!("\"{}-50\"", full["version"].as_str().unwrap()));
    // Who names this ETag has answered the present definition.
    let mut body = submission();
    body["definition"] = json!(etag);
    body["answers"][0]["question"] = json!("nobody-asked");
    assert_eq!(door.post(body.to_string()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    door.shares.adjust(&config, &[]);
    assert_eq!(get().await.0, full);
}

#[tokio::test]
async fn an_old_definitions_leftovers_are_dropped_and_the_rest_is_taken() {
    let door = Door::new();
    let mut body = submission();
    body["definition"] = json!("\"0000000000000000\"");
    body["answers"] = json!([{"question": "gone", "score": 1}, {"question": "recommend", "score": 9},
                             {"question": "why", "text": "hidden now"}]);
    assert_eq!(door.post(body.to_string()).await.status, StatusCode::ACCEPTED);
    assert_eq!(door.stored().await.answers.len(), 1);
}

#[tokio::test]
async fn a_language_that_is_offered_no_more_costs_nobody_an_answer() {
    let door = Door::new();
    let mut body = submission();
    body["language"] = json!("de");
    assert_eq!(door.post(body.to_string()).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    body["definition"] = json!("0000000000000000");
    body["language"] = json!("xx");
    assert_eq!(
        door.post(body.to_string()).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "nobody ever offered it"
    );
    body["language"] = json!("de");
    assert_eq!(door.post(body.to_string()).await.status, StatusCode::ACCEPTED);
    assert_eq!(door.stored().await.language, "nl");
}

#[tokio::test]
async fn an_old_definition_excuses_neither_a_name_that_is_no_id_nor_more_answers_than_a_survey_has() {
    let door = Door::new();
    let mut body = submission();
    body["definition"] = json!("0000000000000000");
    body["answers"][1]["question"] = json!("Not an id!");
    let answer = door.post(body.to_string()).await;
    assert_eq!(answer.body["errors"][0]["pointer"], "/answers/1/question");
    body["answers"] = vec![json!({"question": "gone", "score": 1}); 101].into();
    let answer = door.post(body.to_string()).await;
    assert_eq!((&answer.body["errors"][0]["code"], door.rows().await), (&json!("too_many"), 0));
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let door = Door::new();
    let answer = door.send(Request::get("/nothing").body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::NOT_FOUND, &json!("not_found")));
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert!(!answer.headers.contains_key(header::SERVER));
}

proptest::proptest! {
    #[test]
    fn no_body_panics_and_none_but_a_good_one_is_taken(body in "(?s).{0,300}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let status = Door::new().post(body).await.status;
            assert!(status == StatusCode::BAD_REQUEST || status == StatusCode::UNPROCESSABLE_ENTITY);
        });
    }
}
