//! Routes that are replaced while they are served.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use tokio::sync::watch;
use tower::util::Oneshot;
use tower::{Service, ServiceExt as _};

/// Hands each request to the routes of the moment; one that has begun ends where it began.
#[derive(Clone, Debug)]
pub struct Switch(watch::Receiver<Router>);

impl Switch {
    /// Follows the routes that the other end of a channel holds.
    pub fn new(routes: watch::Receiver<Router>) -> Self {
        Self(routes)
    }
}

impl<B> Service<Request<B>> for Switch
where
    B: axum::body::HttpBody<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Oneshot<Router, Request<B>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // Routers are always ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let routes = self.0.borrow().clone();
        routes.oneshot(request)
    }
}
