//! Takes connections, and cuts them without a reply where a call is told to be cut.

use std::future::Future;

use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::net::TcpListener;

use super::call::{self, Cut};
use super::{Sandbox, control};

/// Serves until `shutdown` is there; then calls that have begun get a moment to end.
pub async fn run(listener: TcpListener, sandbox: Sandbox, shutdown: impl Future<Output = ()>) {
    let service = service_fn(move |request| serve(sandbox.clone(), request));
    crate::http::serve_with(listener, service, shutdown).await;
}

async fn serve(sandbox: Sandbox, request: Request<Incoming>) -> Result<Response, Cut> {
    if control::is_ours(request.uri().path()) {
        Ok(control::respond(&sandbox, request).await)
    } else {
        call::answer(sandbox, request).await
    }
}
