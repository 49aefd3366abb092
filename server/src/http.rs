//! Serves a router on a listener: slow clients and large heads cut, connections bounded where the
//! caller says so, stop without cutting anybody.
//!
//! Every request carries its [`Peer`]. Knows nothing of what is served.

mod peer;
mod places;
pub(crate) mod pointer;
mod problem;
mod room;
mod switch;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::time::Duration;

use axum::Router;
use axum::http::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_io_timeout::TimeoutStream;

pub use peer::{ClientKey, Peer};
pub use places::Places;
pub(crate) use problem::ProblemJson;
pub use switch::Switch;

/// The longest time for a request's head, from the moment that the connection waits for it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// The longest time for which a client may take nothing of a reply that it is sent.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest head of a request: a larger one gets a 431, and so does one with more than 100
/// headers, hyper's own default, which costs no allocation. Cookies are what makes heads large;
/// browsers send some where the server is reached through the page's own host.
const HEAD_BYTES: usize = 16 * 1024;
/// The most that is buffered of what a connection has sent and nobody has read yet.
const BUFFER_BYTES: usize = 32 * 1024;
/// The longest time that open connections get when the server stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to leave the system alone when it has no room for a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` is there; then requests that have begun end, and nobody new gets in.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    accept(listener, TowerToHyperService::new(router), None, stop).await;
}

/// Serves anybody: no more connections at a time than there are places.
pub async fn serve_public(
    listener: TcpListener,
    routes: Switch,
    places: Places,
    stop: impl Future<Output = ()>,
) {
    accept(listener, TowerToHyperService::new(routes), Some(places), stop).await;
}

/// Serves any HTTP service; where the service fails, the connection is closed without a word.
pub async fn serve_with<S>(listener: TcpListener, service: S, stop: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response, Future: Send> + Clone + Send + 'static,
    S::Error: std::error::Error + Send + Sync + 'static,
{
    accept(listener, service, None, stop).await;
}

async fn accept<S>(listener: TcpListener, service: S, places: Option<Places>, stop: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response, Future: Send> + Clone + Send + 'static,
    S::Error: std::error::Error + Send + Sync + 'static,
{
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder.max_header_size(HEAD_BYTES).max_buf_size(BUFFER_BYTES);
    let connections = GracefulShutdown::new();
    tokio::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => (stream, Peer(peer.ip().to_canonical())),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        let place = match &places {
            Some(places) => match places.take(peer.0) {
                Some(place) => Some(place),
                None => continue,
            },
            None => None,
        };
        stream.set_nodelay(true).ok();
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let service = service.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer);
            service.call(request)
        });
        let connection = connections.watch(builder.serve_connection(TokioIo::new(Box::pin(stream)), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(STOP_TIMEOUT, connections.shutdown()).await.is_err() {
        tracing::warn!("some connections did not end in time and were cut");
    }
}
