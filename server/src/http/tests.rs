//! Connections as clients see them: real ones, over loopback.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZeroU32;

use axum::Extension;
use axum::body::Body;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::*;
use crate::config::Limits;
use crate::waiting::seen;

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn who() -> Router {
    Router::new().route("/", get(async |Extension(Peer(peer)): Extension<Peer>| peer.to_string()))
}

async fn open(stop: impl Future<Output = ()> + Send + 'static) -> SocketAddr {
    let (listener, address) = listen().await;
    tokio::spawn(serve(listener, who(), stop));
    address
}

/// What comes back for some bytes until the connection is closed.
async fn said(address: SocketAddr, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut reply = Vec::new();
    // A server that closes with bytes unread resets the connection; what it said came before.
    stream.read_to_end(&mut reply).await.ok();
    String::from_utf8(reply).unwrap()
}

#[tokio::test]
async fn a_request_knows_its_peer() {
    let address = open(std::future::pending()).await;
    let reply = said(address, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.1 200") && reply.ends_with("\r\n\r\n127.0.0.1"), "{reply}");
}

#[tokio::test]
async fn a_head_that_is_too_large_gets_a_431_and_a_large_one_gets_through() {
    let address = open(std::future::pending()).await;
    let with = |headers: &str| format!("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n");
    let cookie = |bytes: usize| with(&format!("cookie: {}\r\n", "c".repeat(bytes)));
    let many = |headers: usize| with(&"x: y\r\n".repeat(headers));
    for (head, status) in [(cookie(15_000), 200), (cookie(17_000), 431), (many(98), 200), (many(99), 431)] {
        let reply = said(address, head.as_bytes()).await;
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}")), "{status}: {reply}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_finish_its_head_is_cut() {
    let address = open(std::future::pending()).await;
    let started = Instant::now();
    assert_eq!(said(address, b"GET / HTTP/1.1\r\nhost:").await, "");
    assert!(started.elapsed() >= HEAD_TIMEOUT && started.elapsed() < HEAD_TIMEOUT * 2);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_of_its_reply_is_cut() {
    let (listener, address) = listen().await;
    let (gone, has_gone) = oneshot::channel::<()>();
    let gone = std::sync::Arc::new(std::sync::Mutex::new(Some(gone)));
    let service = service_fn(move |_: Request<Incoming>| {
        // Dropped with the reply, when the connection is.
        let gone = gone.lock().unwrap().take();
        let endless = futures::stream::repeat_with(move || {
            let _held = &gone;
            Ok::<_, Infallible>(bytes::Bytes::from_static(&[0; 16_384]))
        });
        async { Ok::<_, Infallible>(Response::new(Body::from_stream(endless))) }
    });
    tokio::spawn(serve_with(listener, service, std::future::pending()));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let started = Instant::now();
    has_gone.await.unwrap_err();
    assert!(started.elapsed() >= WRITE_TIMEOUT && started.elapsed() < WRITE_TIMEOUT * 2);
}

#[tokio::test]
async fn a_connection_without_a_place_is_closed_at_once_and_others_go_on() {
    let limits = Limits {
        visitor: None,
        requests: None,
        connections: None,
        connections_per_address: NonZeroU32::new(1),
    };
    let (listener, address) = listen().await;
    let places = Places::with(places::Bounds::new(None, &limits, &[]));
    let routes = Switch::new(tokio::sync::watch::channel(who()).1);
    tokio::spawn(serve_public(listener, routes, places, std::future::pending()));

    let ask = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut first = TcpStream::connect(address).await.unwrap();
    let mut buffer = [0; 1_024];
    first.write_all(ask).await.unwrap();
    assert!(first.read(&mut buffer).await.unwrap() > 0);

    let mut second = TcpStream::connect(address).await.unwrap();
    assert_eq!(second.read(&mut buffer).await.unwrap_or(0), 0, "closed without a word");
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let mut other = socket.connect(address).await.unwrap();
    for stream in [&mut first, &mut other] {
        stream.write_all(ask).await.unwrap();
        assert!(stream.read(&mut buffer).await.unwrap() > 0);
    }

    drop(first);
    // The server learns of the close in its own time.
    let close = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let again = seen(async || said(address, close).await.ends_with("127.0.0.1").then_some(())).await;
    assert!(again.is_some(), "the place is free again");
}

#[tokio::test]
async fn a_stop_lets_a_request_end() {
    let (listener, address) = listen().await;
    let (begun, has_begun) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let begun = std::sync::Arc::new(std::sync::Mutex::new(Some(begun)));
    let service = service_fn(move |_: Request<Incoming>| {
        let begun = begun.lock().unwrap().take();
        async move {
            begun.map(|begun| begun.send(()));
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(Response::new("done".into()))
        }
    });
    let server = tokio::spawn(serve_with(listener, service, async { drop(stopped.await) }));
    let reply = tokio::spawn(async move { said(address, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await });
    has_begun.await.unwrap();
    stop.send(()).unwrap();
    assert!(reply.await.unwrap().ends_with("done"));
    server.await.unwrap();
}
