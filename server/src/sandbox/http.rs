//! Takes connections and serves them by hand, so that a connection can be cut without a reply.

use std::future::Future;
use std::time::Duration;

use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;

use super::call::{self, Cut};
use super::{Sandbox, control};

/// The longest time for a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest time that open connections get when the sandbox stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// How long to leave the system alone when it has no room for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` is there; then calls that have begun get a moment to end.
pub async fn run(listener: TcpListener, sandbox: Sandbox, shutdown: impl Future<Output = ()>) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let connections = GracefulShutdown::new();
    tokio::pin!(shutdown);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "the sandbox could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = &mut shutdown => break,
        };
        stream.set_nodelay(true).ok();
        let sandbox = sandbox.clone();
        let service = service_fn(move |request| serve(sandbox.clone(), request));
        let connection = connections.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A connection that is cut on purpose ends with an error too.
            if let Err(error) = connection.await {
                tracing::trace!(%error, "a connection to the sandbox ended early");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(STOP_TIMEOUT, connections.shutdown()).await.is_err() {
        tracing::debug!("some connections to the sandbox were cut");
    }
}

async fn serve(sandbox: Sandbox, request: Request<Incoming>) -> Result<Response, Cut> {
    if control::is_ours(request.uri().path()) {
        Ok(control::respond(&sandbox, request).await)
    } else {
        call::answer(sandbox, request).await
    }
}
