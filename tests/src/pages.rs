//! Pages that embed surveys, on an origin of their own.

use std::sync::{Arc, RwLock};

use anyhow::Result;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

/// A page's policy in the strictest form that the widget is made for; `SERVER` is its origin. The nonce
/// is for the page's own [`EAR`].
const POLICY: &str =
    "default-src 'none'; script-src SERVER 'wasm-unsafe-eval' 'nonce-ear'; connect-src SERVER";

/// Keeps what the console is told, and what fails, for engines whose drivers do not give it out.
const EAR: &str = "<script nonce=\"ear\">window.said = [];
    for (const level of ['debug', 'log', 'info', 'warn', 'error']) {
        const own = console[level];
        console[level] = (...words) => { said.push([level, words.join(' ')]); own.apply(console, words); };
    }
    const fails = (name, text) => addEventListener(name, event => said.push(['error', text(event)]), true);
    fails('error', event => event.message || `${event.target.src} does not load`);
    fails('unhandledrejection', event => String(event.reason));
    fails('securitypolicyviolation', event => `${event.violatedDirective} forbids ${event.blockedURI}`);
    </script>";

/// A web server with a few pages. `/{language}/{survey}` has the recommended tag; see the code for
/// the others.
pub struct Pages {
    /// The origin of the pages.
    pub origin: String,
    listener: Option<TcpListener>,
    server: Arc<RwLock<String>>,
}

impl Pages {
    /// Takes a port.
    pub async fn open() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        Ok(Self { origin, listener: Some(listener), server: Arc::default() })
    }

    /// Serves pages that embed the surveys of this server.
    pub fn serve(&mut self, server: &str) {
        if let Ok(mut own) = self.server.write() {
            server.clone_into(&mut own);
        }
        let Some(listener) = self.listener.take() else { return };
        let pages = Router::new()
            .route("/{language}/{survey}", get(tag))
            .route("/strict/{language}/{survey}", get(strict))
            .route("/element/{language}/{survey}", get(element))
            .route("/head/{language}/{survey}", get(head))
            .route("/long/{language}/{survey}", get(long))
            .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
            .with_state(Arc::clone(&self.server));
        tokio::spawn(async move { axum::serve(listener, pages).await });
    }

    /// The address of a page.
    pub fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.origin)
    }
}

type Server = State<Arc<RwLock<String>>>;
type Wanted = Path<(String, String)>;

fn origin(server: &RwLock<String>) -> String {
    server.read().map(|server| server.clone()).unwrap_or_default()
}

fn document(language: &str, head: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>Shop</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{EAR}{head}</head>\
         <body><main><h1>Shop</h1>{body}</main></body></html>"
    )
}

async fn tag(State(server): Server, Path((language, survey)): Wanted) -> Html<String> {
    let server = origin(&server);
    let tag =
        format!("<script async src=\"{server}/widget.js?survey={survey}\" data-meta-pieces=\"3\"></script>");
    Html(document(&language, "", &tag))
}

async fn strict(State(server): Server, Path((language, survey)): Wanted) -> Response {
    let server = origin(&server);
    let policy = POLICY.replace("SERVER", &server);
    let tag = format!("<script async src=\"{server}/widget.js?survey={survey}\"></script>");
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(document(&language, "", &tag))).into_response()
}

async fn element(State(server): Server, Path((language, survey)): Wanted) -> Html<String> {
    let tag = format!("<script async src=\"{}/widget.js\"></script>", origin(&server));
    let element = format!(
        "<afterword-survey survey=\"{survey}\" lang=\"{language}\" meta-pieces=\"3\"></afterword-survey>"
    );
    Html(document("en", &tag, &element))
}

/// A long page with a shop's own buttons; the address's query becomes the tag's attributes.
async fn long(
    State(server): Server,
    Path((language, survey)): Wanted,
    Query(attributes): Query<Vec<(String, String)>>,
) -> Html<String> {
    let attribute =
        |(name, value): &(String, String)| format!(" {name}=\"{}\"", value.replace('"', "&quot;"));
    let attributes: String = attributes.iter().map(attribute).collect();
    let server = origin(&server);
    // What happens is written down before the loader is there.
    let head = "<script>window.heard = []; window.fetched = [];
        const real = fetch;
        window.fetch = (...wanted) => (fetched.push(String(wanted[0])), real(...wanted));
        for (const name of ['ready', 'shown', 'answered', 'submitted', 'closed', 'error'])
            document.addEventListener('afterword:' + name, e => heard.push([name, e.detail]));
        (window.afterword = window.afterword || []).push(api => window.early = Object.keys(api));</script>";
    let tag = format!("<script async src=\"{server}/widget.js?survey={survey}\"{attributes}></script>");
    let body = format!(
        "<button id=\"own\">Basket</button><p style=\"height:3000px\">Things to buy.</p>{tag}<footer>Footer</footer>"
    );
    Html(document(&language, head, &body))
}

async fn head(State(server): Server, Path((language, survey)): Wanted) -> Html<String> {
    let tag =
        format!("<script async src=\"{}/widget.js\" data-survey=\"{survey}\"></script>", origin(&server));
    Html(document(&language, &tag, "<p>Thanks for your order.</p>"))
}
