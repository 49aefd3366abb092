//! Floods, crowds and slow clients.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

use super::*;
use crate::config::Rate;
use crate::http::{self, Peer};

/// The good configuration, where a visitor may submit 3 times and ask 5 times for anything else, and then once a
/// minute.
fn strict() -> Config {
    let rate = |burst| {
        let number = |number| NonZeroU32::new(number).unwrap();
        Some(Rate { per_minute: number(1), burst: number(burst) })
    };
    let mut config = good();
    config.limits.visitor = rate(3);
    config.limits.requests = rate(5);
    config
}

/// Another submission each time.
fn fresh() -> Body {
    with("/submission", json!(Uuid::new_v4())).into()
}

fn from(peer: &str, mut request: Request<Body>) -> Request<Body> {
    request.extensions_mut().insert(Peer(peer.parse::<IpAddr>().unwrap()));
    request
}

#[tokio::test]
async fn a_flood_gets_429_that_its_page_can_read_while_others_get_through() {
    let door = Door::with(strict());
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(door.send(from("192.0.2.1", post(fresh()))).await.status.as_u16());
    }
    assert_eq!(statuses, [202, 202, 202, 429, 429]);
    let refused = door.send(from("192.0.2.1", post(fresh()))).await;
    assert_eq!((&refused.body["code"], &refused.body["status"]), (&json!("rate"), &json!(429)));
    let headers = &refused.headers;
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://shop.example");
    assert!(headers[header::ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap().contains("retry-after"));
    let wait: u64 = headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    for other in ["192.0.2.2", "2001:db8::1"] {
        assert_eq!(door.send(from(other, post(fresh()))).await.status, StatusCode::ACCEPTED);
    }
    assert_eq!(door.rows().await, 5);
}

#[tokio::test]
async fn a_429_comes_before_the_body_is_read() {
    let door = Door::with(strict());
    for _ in 0..3 {
        door.send(from("192.0.2.1", post(fresh()))).await;
    }
    let endless = Body::from_stream(futures::stream::pending::<Result<&[u8], std::io::Error>>());
    let refused = door.send(from("192.0.2.1", post(endless))).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn other_requests_have_a_limit_of_their_own_and_a_preflight_has_none() {
    let door = Door::with(strict());
    let get = |path: &str| from("192.0.2.1", Request::get(path).body(Body::empty()).unwrap());
    let mut statuses = Vec::new();
    for path in
        ["/v1/surveys/checkout", "/nothing", "/v1/surveys/checkout/answers", "/nothing", "/nothing", "/x"]
    {
        statuses.push(door.send(get(path)).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 404, 405, 404, 404, 429]);
    assert_eq!(door.send(from("192.0.2.1", post(fresh()))).await.status, StatusCode::ACCEPTED);
    let preflight = Request::options("/v1/surveys/checkout/answers")
        .header(header::ORIGIN, "https://shop.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .body(Body::empty())
        .unwrap();
    assert_eq!(door.send(from("192.0.2.1", preflight)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_counts_for_itself() {
    let door = Door::with(strict());
    let through = async |proxy: &str, client: &str| {
        let mut request = from(proxy, post(fresh()));
        request.headers_mut().insert("x-forwarded-for", client.parse().unwrap());
        door.send(request).await.status.as_u16()
    };
    for n in 0..3 {
        assert_eq!(through("10.0.0.1", &format!("198.51.100.{n}, 192.0.2.1")).await, 202);
    }
    assert_eq!(through("10.0.0.1", "198.51.100.7, 192.0.2.1").await, 429, "what a client sends is no key");
    assert_eq!(through("10.0.0.2", "192.0.2.2").await, 202);
    for n in 0..3 {
        assert_eq!(through("192.0.2.9", &format!("198.51.100.{n}")).await, 202);
    }
    assert_eq!(through("192.0.2.9", "198.51.100.7").await, 429, "and nobody else is a proxy");
}

#[tokio::test]
async fn a_surveys_ceiling_is_for_all_visitors_and_counts_only_what_would_be_stored() {
    let mut config = good();
    let mut survey = (*config.surveys[0]).clone();
    survey.per_minute = NonZeroU32::new(2);
    config.surveys[0] = Arc::new(survey);
    let door = Door::with(config);
    for _ in 0..5 {
        let invalid = with("/language", json!("de"));
        assert_eq!(door.send(from("192.0.2.66", post(invalid.into()))).await.status.as_u16(), 422);
    }
    for peer in ["192.0.2.1", "192.0.2.2"] {
        assert_eq!(door.send(from(peer, post(fresh()))).await.status, StatusCode::ACCEPTED);
    }
    let refused = door.send(from("192.0.2.3", post(fresh()))).await;
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (429, &json!("survey_rate")));
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(refused.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "https://shop.example");
    assert_eq!(door.rows().await, 2);
}

/// The server on a listener, and a connection to it that has sent the head of a submission.
async fn connected(door: &Door) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(http::serve(listener, door.router.clone(), std::future::pending()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /v1/surveys/checkout/answers HTTP/1.1\r\nhost: x\r\norigin: https://shop.example\r\n\
                content-type: text/plain\r\ncontent-length: 1000\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test(start_paused = true)]
async fn a_body_that_goes_silent_gets_a_408_and_the_connection_is_cut() {
    let mut stream = connected(&Door::new()).await;
    let started = tokio::time::Instant::now();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 408") && reply.contains("\"code\":\"body\""), "{reply}");
    assert!(started.elapsed() >= BODY_TIMEOUT && started.elapsed() < BODY_TIMEOUT * 2);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_gets_a_408_and_the_connection_is_cut() {
    let mut stream = connected(&Door::new()).await;
    let started = tokio::time::Instant::now();
    let (mut reader, mut writer) = stream.split();
    let mut reply = String::new();
    let trickle = async {
        while writer.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    };
    tokio::select! {
        read = reader.read_to_string(&mut reply) => drop(read.unwrap()),
        () = trickle => {}
    }
    assert!(reply.starts_with("HTTP/1.1 408") && reply.contains("\"code\":\"timeout\""), "{reply}");
    assert!(started.elapsed() >= REQUEST_TIMEOUT && started.elapsed() < REQUEST_TIMEOUT * 2);
}
