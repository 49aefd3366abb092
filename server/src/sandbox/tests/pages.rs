//! The sandbox's own routes: the page, the control, and that the token stays out of both.

use super::*;

async fn page(address: SocketAddr) -> Answer {
    request(address, "GET /", &[], "").await
}

#[tokio::test]
async fn the_page_shows_questions_answers_and_metadata_in_words() {
    let (_, address) = start().await;
    assert!(page(address).await.body().contains("Nothing has arrived yet"));
    add(address, &right()).await;
    let page = page(address).await;
    for words in [
        "recommend?",
        "J’aime bien américain préparé.",
        "number of pieces",
        "Winkel, Web",
        "Dutch",
        "checkout",
    ] {
        assert!(page.body().contains(words), "{words}");
    }
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
}

#[tokio::test]
async fn what_a_caller_sends_cannot_become_markup() {
    let (_, address) = start().await;
    let mut body = right();
    body["answers"][1]["Text"] = json!("<script>alert(1)</script>");
    body["metadata"]["<b>"] = json!("<i>");
    add(address, &body).await;
    let page = page(address).await;
    assert!(page.body().contains("&lt;script&gt;"));
    for markup in ["<script>alert", "<b><b>", "<i>"] {
        assert!(!page.body().contains(markup), "{markup}");
    }
}

#[tokio::test]
async fn the_token_is_in_no_page_list_or_debug_output() {
    let (sandbox, address) = start().await;
    add(address, &right()).await;
    add(address, &json!({})).await;
    let line = format!("GET /V1.0/EN/{TOKEN}?token={TOKEN}");
    request(address, &line, &[("Authorization", TOKEN), ("Content-Type", TOKEN)], "").await;
    request(address, &line, &[("Authorization", &format!("{TOKEN} x"))], "").await;
    let arrivals = sandbox.arrived(4, DEADLINE).await;
    let list = request(address, "GET /sandbox/arrivals", &[], "").await;
    assert_eq!(list.json()["arrivals"].as_array().unwrap().len(), 4);
    let debug = format!("{sandbox:?} {arrivals:?} {:?} {:?}", settings(), sandbox.answers());
    for shown in [page(address).await.raw, list.raw, debug] {
        assert!(!shown.to_lowercase().contains(&TOKEN.to_lowercase()));
    }
}

#[tokio::test]
async fn misbehaving_is_ordered_by_json_and_by_the_pages_form() {
    let (sandbox, address) = start().await;
    let order = r#"{"fault": "status", "status": 503, "calls": 1}"#;
    assert_eq!(request(address, "POST /sandbox/misbehave", &[], order).await.status(), Some(200));
    assert!(page(address).await.body().contains("answers 503"));
    assert_eq!(add(address, &right()).await.status(), Some(503));
    assert_eq!(add(address, &right()).await.status(), Some(200));

    let origin = format!("http://{address}");
    let form = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Accept", "text/html,*/*"),
        ("Origin", origin.as_str()),
    ];
    let answer = request(address, "POST /sandbox/misbehave", &form, "fault=lost_reply&seconds=30").await;
    assert_eq!((answer.status(), answer.header("location")), (Some(303), Some("/")));
    assert_eq!(add(address, &right()).await.status(), None);
    assert_eq!(request(address, "POST /sandbox/behave", &form, "").await.status(), Some(303));
    assert!(sandbox.misbehaviour().is_none());
}

#[tokio::test]
async fn an_order_that_is_not_understood_changes_nothing_and_says_why() {
    let (sandbox, address) = start().await;
    for (order, why) in [
        ("{", "not understood"),
        (r#"{"fault": "nap"}"#, "`nap` is no fault"),
        (r#"{"fault": "status"}"#, "`status` has to be"),
        (r#"{"fault": "status", "status": 99}"#, "`status` has to be"),
        (r#"{"fault": "late"}"#, "`milliseconds` is missing"),
        (r#"{"fault": "garbage", "share": 2}"#, "`share` has to be"),
        (r#"{"fault": "garbage", "often": 2}"#, "unknown field `often`"),
    ] {
        let answer = request(address, "POST /sandbox/misbehave", &[], order).await;
        assert_eq!(answer.status(), Some(422));
        assert!(answer.body().contains(why), "{}", answer.body());
    }
    assert!(sandbox.misbehaviour().is_none());
}

#[tokio::test]
async fn other_sites_and_other_names_are_kept_out() {
    let (sandbox, address) = start().await;
    let port = address.port();
    let evil = format!("evil.example:{port}");
    let local = format!("localhost:{port}");
    let strangers = [
        [("Origin", "https://evil.example")],
        [("Origin", "null")],
        [("Host", evil.as_str())],
        [("Host", "")],
    ];
    for stranger in strangers {
        for line in ["POST /sandbox/misbehave", "GET /", "GET /sandbox/arrivals"] {
            let answer = request(address, line, &stranger, r#"{"fault": "garbage"}"#).await;
            assert_eq!(answer.status(), Some(403), "{line} {stranger:?}");
        }
    }
    assert!(sandbox.misbehaviour().is_none());
    assert_eq!(request(address, "GET /", &[("Host", &local)], "").await.status(), Some(200));
    assert_eq!(request(address, "GET /", &[("Host", "[::1]:80")], "").await.status(), Some(200));
}

#[tokio::test]
async fn arrivals_are_listed_after_a_number() {
    let (_, address) = start().await;
    for _ in 0..3 {
        add(address, &right()).await;
    }
    let list = request(address, "GET /sandbox/arrivals?after=2", &[], "").await.json();
    assert_eq!((&list["arrived"], &list["arrivals"][0]["number"]), (&json!(3), &json!(3)));
    assert_eq!(list["arrivals"][0]["json"], right());
    assert_eq!(list["arrivals"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_run_ends_when_it_is_told_to() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let run = super::super::run(listener, Sandbox::new(settings()), async { drop(stopped.await) });
    let run = tokio::spawn(run);
    stop.send(()).unwrap();
    tokio::time::timeout(DEADLINE, run).await.unwrap().unwrap();
}
