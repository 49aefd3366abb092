//! A small shop with two surveys, to try everything out: what `afterword demo` serves.

mod shop;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use shared::Language;

use shop::{Page, View};

/// The demo's configuration; `@STORE@`, `@PLATFORM@` and `@SHOP@` stand for what is known at the start.
pub const CONFIG: &str = include_str!("demo.toml");

/// The environment variable that the configuration names.
pub const TOKEN_VARIABLE: &str = "AFTERWORD_DEMO_TOKEN";

/// Where the demo's parts are, as origins: `http://127.0.0.1:8080`.
#[derive(Clone, Debug)]
pub struct Places {
    /// The shop.
    pub shop: String,
    /// Afterword's server.
    pub server: String,
    /// The sandbox in the platform's place.
    pub sandbox: String,
    /// The operators' listener.
    pub admin: String,
}

#[derive(Deserialize)]
struct Wish {
    lang: Option<String>,
}

/// The shop's routes.
pub fn shop(places: Places) -> Router {
    let style = async || ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], shop::STYLE);
    let order = async |places, wish, headers| page(places, wish, headers, Page::Order);
    let delivery = async |places, wish, headers| page(places, wish, headers, Page::Delivery);
    Router::new()
        .route("/", get(order))
        .route("/delivery", get(delivery))
        .route("/shop.css", get(style))
        .with_state(Arc::new(places))
}

#[expect(clippy::needless_pass_by_value, reason = "extractors come by value")]
fn page(
    State(places): State<Arc<Places>>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
    page: Page,
) -> Response {
    let offered: Vec<Language> = shop::LANGUAGES.iter().filter_map(|tag| Language::matching(tag)).collect();
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let accepted = accepted.unwrap_or_default().split(',').filter_map(|part| part.split(';').next());
    let language = Language::negotiate(wish.lang.as_deref().into_iter().chain(accepted), &offered);
    let view = View {
        server: &places.server,
        language: language.unwrap_or(offered[0]),
        page,
        arrivals: &format!("{}/", places.sandbox),
        status: &format!("{}/", places.admin),
    };
    let policy = [(header::CONTENT_SECURITY_POLICY, shop::csp(&places.server))];
    (policy, Html(shop::page(&view).into_string())).into_response()
}
