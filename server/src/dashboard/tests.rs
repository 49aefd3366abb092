//! The operators' listener as a whole: what every response has, and who is let in.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{HeaderMap, Method};
use tower::ServiceExt;

use super::*;
use secrecy::SecretString;

use crate::config::tests::good;
use crate::config::{Config, PlatformName};
use crate::history::Recorder;
use crate::intake::Intake;
use crate::queue::{Inbox as _, NewEntry, Options, Priority, SqliteQueue};
use crate::sampling::Shares;

struct Listener {
    router: Router,
    queue: Arc<SqliteQueue>,
    _folder: tempfile::TempDir,
}

impl Listener {
    fn new(token: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let queue = Arc::new(SqliteQueue::open(&folder.path().join("queue.db"), Options::default()).unwrap());
        let inbox = Arc::clone(&queue) as Arc<dyn crate::queue::Inbox>;
        let token = token.map(|token| SecretString::from(token.to_owned()));
        let config = Arc::new(Config { admin_token: token, ..good() });
        let live = Live::fixed(Arc::clone(&config));
        let intake = Intake::new(
            Arc::clone(&config),
            Shares::new(&config),
            inbox,
            Recorder::default(),
            Clock::start(),
        );
        Dashboard::prepare();
        let router = Dashboard::new(
            live.clone(),
            Arc::clone(&queue) as SharedQueue,
            Clock::start(),
            watch::channel(Parts { lanes: Vec::new(), intake }).1,
            Source::new(live, Clock::start()),
        )
        .router();
        Self { router, queue, _folder: folder }
    }

    async fn answer(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        (response.status(), response.headers().clone())
    }

    /// Sends one of the pages' forms, in a session or without.
    async fn send(&self, path: &str, form: &str, cookie: &str) -> (u16, HeaderMap, String) {
        let request = Request::post(path)
            .header("host", LOCAL.1)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", cookie);
        self.read(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// Opens a page, in a session or without.
    async fn open(&self, path: &str, cookie: &str) -> (u16, HeaderMap, String) {
        let request = Request::get(path).header("host", LOCAL.1).header("cookie", cookie);
        self.read(request.body(Body::empty()).unwrap()).await
    }

    async fn read(&self, request: Request) -> (u16, HeaderMap, String) {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        (head.status.as_u16(), head.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    /// The cookie of a session that begins.
    async fn log_in(&self, token: &str) -> String {
        let (status, headers, _) = self.send("/login", &format!("token={token}"), "").await;
        assert_eq!(status, 303);
        headers["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned()
    }
}

const LOCAL: (&str, &str) = ("host", "127.0.0.1:9090");
const PATHS: [&str; 13] = [
    "/",
    "/letters",
    "/surveys",
    "/surveys/checkout",
    "/queue/status",
    "/calls/main",
    "/answers/checkout",
    "/metrics",
    "/healthz",
    "/readyz",
    "/style.css",
    "/live.js",
    "/nothing",
];

#[tokio::test]
async fn every_response_keeps_to_itself_whatever_came_of_the_request() {
    for (token, host) in [(None, "127.0.0.1:9090"), (None, "evil.example"), (Some("secret"), "ops.example")] {
        let listener = Listener::new(token);
        for (method, path) in PATHS.iter().flat_map(|path| [(Method::GET, path), (Method::POST, path)]) {
            let (status, headers) = listener.answer(method, path, &[("host", host)]).await;
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none';"), "{path} {status}");
            assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"));
            for unsafe_word in ["unsafe", "*", "http:", "https:", "data:"] {
                assert!(!policy.contains(unsafe_word), "{policy}");
            }
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
                ("cross-origin-opener-policy", "same-origin"),
                ("cache-control", "no-store"),
            ] {
                assert_eq!(headers[name], value, "{path} {status}");
            }
            assert!(!headers.contains_key("server") && !headers.contains_key("access-control-allow-origin"));
        }
    }
}

#[tokio::test]
async fn a_listener_without_a_token_answers_to_no_name() {
    let open = Listener::new(None);
    let closed = Listener::new(Some("secret"));
    let token = ("authorization", "Bearer secret");
    for path in PATHS {
        let there = !["/nothing", "/calls/main", "/answers/checkout"].contains(&path);
        let (status, _) = open.answer(Method::GET, path, &[("host", "evil.example:9090")]).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
        let (status, _) = open.answer(Method::GET, path, &[LOCAL]).await;
        assert_eq!(status.is_success(), there, "{path}");
        let (status, _) = closed.answer(Method::GET, path, &[("host", "ops.example"), token]).await;
        assert_eq!(status.is_success(), there, "{path}");
    }
}

#[tokio::test]
async fn another_sites_page_changes_nothing() {
    let json = ("content-type", "application/json");
    for token in [None, Some("secret")] {
        let listener = Listener::new(token);
        let shown = ("authorization", "Bearer secret");
        for path in ["/queue/retry", "/queue/discard", "/queue/forget", "/calls/main", "/answers/checkout"] {
            for (headers, expected) in [
                ([LOCAL, shown, json, ("sec-fetch-site", "cross-site")], StatusCode::FORBIDDEN),
                ([LOCAL, shown, json, ("origin", "https://evil.example")], StatusCode::FORBIDDEN),
                ([LOCAL, shown, ("content-type", "text/plain"), json], StatusCode::UNSUPPORTED_MEDIA_TYPE),
                ([LOCAL, shown, json, ("sec-fetch-site", "same-origin")], StatusCode::UNPROCESSABLE_ENTITY),
            ] {
                let (status, _) = listener.answer(Method::POST, path, &headers).await;
                assert_eq!(status, expected, "{path} {headers:?}");
            }
        }
    }
}

#[tokio::test]
async fn where_there_is_a_token_only_health_goes_without() {
    let listener = Listener::new(Some("secret"));
    for path in PATHS {
        let (status, headers) = listener.answer(Method::GET, path, &[("host", "ops.example")]).await;
        match path {
            "/healthz" | "/readyz" | "/style.css" | "/live.js" => assert_eq!(status, StatusCode::OK),
            _ => {
                assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
                assert!(headers.contains_key(header::WWW_AUTHENTICATE));
            }
        }
        let wrong = ("authorization", "Bearer other");
        let (status, _) = listener.answer(Method::GET, path, &[("host", "ops.example"), wrong]).await;
        let open = path.ends_with('z') || ["/style.css", "/live.js"].contains(&path);
        assert!(!status.is_success() || open, "{path}");
    }
}

#[tokio::test]
async fn a_browser_is_led_to_the_login_and_a_program_is_told() {
    let listener = Listener::new(Some("secret"));
    let page = ("accept", "text/html,application/xhtml+xml");
    let host = ("host", "ops.example");
    let (status, headers) = listener.answer(Method::GET, "/letters?state=dead", &[host, page]).await;
    assert_eq!(
        (status.as_u16(), &headers["location"]),
        (303, &"/login?next=%2Fletters%3Fstate%3Ddead".parse().unwrap())
    );
    for (method, shown) in [(Method::POST, page), (Method::GET, ("accept", "application/json"))] {
        let sent = [host, shown, ("content-type", "application/json")];
        let (status, headers) = listener.answer(method, "/queue/status", &sent).await;
        assert_eq!(
            (status.as_u16(), &headers["www-authenticate"]),
            (401, &"Bearer realm=\"afterword\"".parse().unwrap())
        );
    }
    let wrong = ("authorization", "Basic b3BzOnNlY3JldDI=");
    assert_eq!(listener.answer(Method::GET, "/", &[host, page, wrong]).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_form_without_the_key_of_its_page_changes_nothing() {
    let listener = Listener::new(None);
    let form = ("content-type", "application/x-www-form-urlencoded");
    for path in ["/letters/change", "/surveys/checkout/nps"] {
        let (status, _) = listener.answer(Method::POST, path, &[LOCAL, form]).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}");
    }
}

/// Where the forms of a page go that change something.
fn forms(page: &str) -> impl Iterator<Item = String> {
    let actions = page.split("method=\"post\" action=\"").skip(1);
    actions.map(|rest| rest.split('"').next().unwrap().to_owned())
}

#[tokio::test]
async fn every_form_of_the_pages_goes_where_a_form_is_taken() {
    let listener = Listener::new(Some("secret"));
    let submission = uuid::Uuid::from_bytes([7; 16]);
    let entry = NewEntry {
        lane: PlatformName::new("main"),
        priority: Priority::Visitor,
        survey: "checkout".parse().unwrap(),
        submission,
        fingerprint: [7; 32],
        body: b"{}".to_vec(),
        accepted_at: Clock::wall(),
    };
    listener.queue.enqueue(entry).await.unwrap();
    let mut found: BTreeSet<String> = forms(&listener.open("/login", "").await.2).collect();
    let cookie = listener.log_in("secret").await;
    for path in ["/", "/letters?state=waiting", &format!("/letters/{submission}"), "/surveys/checkout"] {
        let (status, _, page) = listener.open(path, &cookie).await;
        assert_eq!(status, 200, "{path}");
        found.extend(forms(&page));
    }
    assert_eq!(found.len(), FORMS.len() + 1, "each route has a page: {found:?}");
    for path in found {
        let (status, ..) = listener.send(&path, "", &cookie).await;
        assert!(![404, 405, 415].contains(&status), "{path}: {status}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_on_a_page_with_a_way_on() {
    let listener = Listener::new(None);
    for (path, status, told) in [
        ("/?lane=nope", 404, "There is no lane “nope”. <a href=\"/\">"),
        ("/surveys/nope", 404, "There is no survey “nope”. <a href=\"/surveys\">"),
        ("/surveys/checkout?lang=zz", 200, "no language “zz” (nl, fr)"),
        ("/surveys/checkout?days=abc", 200, "“abc” is none of the spans of days (7, 30, 90)"),
        ("/surveys/checkout?days=8&days=9", 200, "“8” is none of the spans"),
        ("/letters?survey=nope", 200, "No survey “nope” is configured"),
        ("/letters?lane=nope", 200, "No lane “nope” is configured"),
        ("/letters?state=nope", 422, "<a href=\"/letters\">"),
        ("/preview/checkout?width=wide", 200, "it is left out"),
    ] {
        let (found, headers, page) = listener.open(path, "").await;
        assert!(found == status && page.contains(told), "{path} {found}: {page}");
        assert!(headers["content-type"].to_str().unwrap().starts_with("text/html"), "{path}");
    }
    for path in ["/?lane=main", "/?lane=", "/surveys/checkout?lang=fr&days=7", "/letters?survey=checkout"] {
        let (found, _, page) = listener.open(path, "").await;
        assert!(found == 200 && !page.contains("There is no") && !page.contains("none of"), "{path}: {page}");
    }
}

#[tokio::test]
async fn a_login_with_wrong_tokens_is_made_to_wait_and_so_is_the_right_one_then() {
    let listener = Listener::new(Some("secret"));
    for turn in 0..10 {
        let (status, headers, page) = listener.send("/login", &format!("token=wrong{turn}"), "").await;
        assert!(status == 401 && page.contains("This is not the admin token"), "{turn}: {status}");
        assert!(!headers.contains_key("set-cookie"));
    }
    for token in ["wrong", "secret"] {
        let (status, headers, page) = listener.send("/login", &format!("token={token}"), "").await;
        assert!(status == 429 && page.contains("Too many wrong tokens"), "{token}: {status}");
        let wait: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=300).contains(&wait), "{wait}");
        assert!(!headers.contains_key("set-cookie"));
    }
}

#[tokio::test]
async fn a_form_with_the_key_of_another_session_changes_nothing() {
    let listener = Listener::new(Some("secret"));
    let (one, other) = (listener.log_in("secret").await, listener.log_in("secret").await);
    let key = async |cookie: &str| {
        let (_, _, page) = listener.open("/surveys/checkout", cookie).await;
        let (_, rest) = page.split_once("name=\"form_key\" value=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    };
    let (own, foreign) = (key(&one).await, key(&other).await);
    assert_ne!(own, foreign);
    for path in ["/letters/change", "/surveys/checkout/nps"] {
        let with = async |key: &str| listener.send(path, &format!("form_key={key}&do=retry"), &one).await.0;
        assert_eq!((with(&foreign).await, with("").await, with(&own).await), (403, 403, 303), "{path}");
    }
    let (status, ..) = listener.send("/logout", &format!("form_key={foreign}"), &one).await;
    assert_eq!((status, listener.open("/", &one).await.0), (303, 200), "still logged in");
    listener.send("/logout", &format!("form_key={own}"), &one).await;
    assert_eq!(listener.open("/", &one).await.0, 401);
}
