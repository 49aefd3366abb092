//! What every response of the public listener has, and who may read it.

use super::*;

fn asked(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let with = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    with.body(Body::empty()).unwrap()
}

fn values(answer: &Answer, name: &str) -> String {
    let values = answer.headers.get_all(name).iter().map(|value| value.to_str().unwrap());
    values.collect::<Vec<_>>().join(", ")
}

#[tokio::test]
async fn every_response_has_its_headers_whatever_came_of_the_request() {
    let door = Door::new();
    let origin = ("origin", "https://shop.example");
    let preflight = [origin, ("access-control-request-method", "POST")];
    let get = |path| asked("GET", path, &[origin]);
    let requests = [
        (post(submission().to_string().into()), 202, "no-store"),
        (post(with("/answers/0/score", json!(4)).into()), 409, "no-store"),
        (post("x".into()), 400, "no-store"),
        (post("{}".into()), 422, "no-store"),
        (post("x".repeat(10 * 1024 * 1024).into()), 413, "no-store"),
        (asked("POST", "/v1/surveys/checkout/answers", &[]), 403, "no-store"),
        (asked("OPTIONS", "/v1/surveys/checkout/answers", &preflight), 200, "no-store"),
        (asked("DELETE", "/v1/surveys/checkout/answers", &[]), 405, "no-store"),
        (asked("POST", "/widget.js", &[]), 405, "no-store"),
        (get("/v1/surveys/checkout"), 200, "public, max-age=60"),
        (get("/v1/surveys/nope"), 404, "no-store"),
        (get("/v1/surveys/checkout?lang=nl&lang=fr"), 400, "no-store"),
        (get("/v1/openapi.json"), 200, "public, max-age=60"),
        (get("/a/x/nope"), if EmbeddedWidget::iter().next().is_some() { 404 } else { 503 }, "no-store"),
        (get("/nothing"), 404, "no-store"),
        (get("/"), 404, "no-store"),
    ];
    for (request, status, cache) in requests {
        let told = format!("{} {}", request.method(), request.uri());
        let answer = door.send(request).await;
        assert_eq!(answer.status.as_u16(), status, "{told}");
        let policy = "default-src 'none'; frame-ancestors 'none'";
        let resources = if told.contains("openapi") { "cross-origin" } else { "same-origin" };
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", policy),
            ("cross-origin-resource-policy", resources),
            ("cache-control", cache),
            ("server", ""),
            ("x-powered-by", ""),
        ] {
            assert_eq!(values(&answer, name), value, "{told}: {name}");
        }
        assert!(
            !format!("{:?} {}", answer.headers, answer.body).contains(env!("CARGO_PKG_VERSION")),
            "{told}"
        );
    }
}

#[tokio::test]
async fn only_a_surveys_own_origins_may_read_what_it_answers() {
    let door = Door::new();
    for path in ["/v1/surveys/checkout", "/v1/surveys/checkout/answers"] {
        for (origin, allowed) in [
            ("https://shop.example", "https://shop.example"),
            ("https://evil.example", ""),
            ("http://shop.example", ""),
            ("https://shop.example:8443", ""),
            ("https://shop.example.evil.example", ""),
            ("null", ""),
            ("*", ""),
        ] {
            for method in ["GET", "POST", "OPTIONS", "DELETE"] {
                let answer = door.send(asked(method, path, &[("origin", origin)])).await;
                assert_eq!(
                    values(&answer, "access-control-allow-origin"),
                    allowed,
                    "{method} {path} {origin}"
                );
                assert!(values(&answer, "vary").contains("origin"), "{method} {path} {origin}");
                assert_eq!(values(&answer, "access-control-allow-credentials"), "");
            }
        }
    }
    let unknown = async |origin| {
        let answer = door.send(asked("GET", "/v1/surveys/nope", &[("origin", origin)])).await;
        values(&answer, "access-control-allow-origin")
    };
    assert_eq!(unknown("https://any.example").await, "https://any.example", "its author has to hear of it");
    assert_eq!(unknown("null").await, "");
    // The same survey, written in another way.
    for path in ["/v1/surveys/check%6Fut", "/v1/surveys/check%6Fut/answers"] {
        let answer = door.send(asked("GET", path, &[("origin", "https://evil.example")])).await;
        assert_eq!(values(&answer, "access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test]
async fn what_is_for_every_site_does_not_vary_with_the_site() {
    let door = Door::new();
    for origin in ["https://shop.example", "https://any.example", "null"] {
        for encoding in ["identity", "br", "gzip"] {
            let headers = [("origin", origin), ("accept-encoding", encoding)];
            let answer = door.send(asked("GET", "/v1/openapi.json", &headers)).await;
            assert_eq!(values(&answer, "access-control-allow-origin"), "*");
            assert_eq!(values(&answer, "vary"), "accept-encoding");
            let etag = values(&answer, "etag");
            let again = [("origin", origin), ("if-none-match", etag.as_str())];
            let again = door.send(asked("GET", "/v1/openapi.json", &again)).await;
            assert_eq!(
                (again.status, values(&again, "vary").as_str()),
                (StatusCode::NOT_MODIFIED, "accept-encoding")
            );
        }
    }
    let definition = door.send(asked("GET", "/v1/surveys/checkout", &[])).await;
    let vary = values(&definition, "vary");
    assert!(vary.contains("origin") && vary.contains("accept-encoding"), "{vary}");
}

#[tokio::test]
async fn a_preflight_lets_nothing_through_that_no_route_takes() {
    let door = Door::new();
    for (method, header) in [("DELETE", "content-type"), ("PUT", "authorization"), ("PATCH", "x-anything")] {
        let headers = [
            ("origin", "https://shop.example"),
            ("access-control-request-method", method),
            ("access-control-request-headers", header),
        ];
        let answer = door.send(asked("OPTIONS", "/v1/surveys/checkout/answers", &headers)).await;
        assert_eq!(values(&answer, "access-control-allow-methods"), "GET,POST");
        assert_eq!(values(&answer, "access-control-allow-headers"), "content-type");
        let request = asked(method, "/v1/surveys/checkout/answers", &headers[..1]);
        assert_eq!(door.send(request).await.status, StatusCode::METHOD_NOT_ALLOWED);
    }
    for path in ["/widget.js", "/v1/openapi.json", "/nothing"] {
        let headers = [("origin", "https://shop.example"), ("access-control-request-method", "GET")];
        let answer = door.send(asked("OPTIONS", path, &headers)).await;
        assert!(!answer.status.is_success(), "{path}");
        assert_eq!(values(&answer, "access-control-allow-methods"), "", "{path}");
    }
}
