//! Pages that embed surveys, on an origin of their own.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use anyhow::Result;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;

/// A page's policy in the strictest form that the widget is made for; `SERVER` is its origin. The nonce
/// is for the page's own [`EAR`].
const POLICY: &str = "default-src 'none'; script-src SERVER 'wasm-unsafe-eval' 'nonce-ear'; connect-src SERVER; \
     require-trusted-types-for 'script'; trusted-types 'none'";

/// What a shop may bring along that nothing should break: rules for everything that look important, a layer
/// above all others, a key for every command, and what old libraries, like Prototype and MooTools, put on everybody's
/// prototypes and in the place of what browsers have by the same name. The loaders come later, as a tag manager would
/// put them in: `inject(address, attributes)`.
const HOSTILE: &str = "<style>
    * { margin: 0 !important; padding: 0 !important; border: 0 !important; box-sizing: content-box !important;
        font: 9px/3 cursive !important; color: red !important; letter-spacing: 0.5em !important;
        text-transform: uppercase !important; position: static !important; }
    input, textarea, label, form, fieldset, dialog, progress, section, .card, .frame, .next, .close {
        display: none !important; }
    #above { position: fixed !important; inset: 0; z-index: 2147483647 !important; }
    </style><script>
    window.pressed = 0;
    for (const key of 'abcdefghijklmnopqrstuvwxyz0123456789/?. ')
        document.addEventListener('keydown', event => {
            if (event.key === key) { pressed += 1; event.preventDefault(); }
        });
    Array.prototype.toJSON = function () { return 'patched'; };
    Array.prototype.flatten = function () { return []; };
    Array.from = items => Array.prototype.slice.call(items);
    window.Window = function () {};
    Object.prototype.inherited = 'patched';
    const parse = JSON.parse;
    JSON.parse = text => parse(text);
    window.inject = (address, attributes) => {
        const tag = document.createElement('script');
        tag.async = true;
        for (const name of Object.keys(attributes)) tag.setAttribute(name, attributes[name]);
        tag.onload = () => window.loaded = (window.loaded || 0) + 1;
        tag.src = address;
        document.head.append(tag);
    };
    </script>";

/// Counts what would outlive a survey: listeners on what stays, timers, elements, the memory of WebAssembly.
const COUNTS: &str = "<script>
    const listeners = new Map(), timers = new Set();
    const stays = target => target === window || target === document || target === document.documentElement;
    const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
    EventTarget.prototype.addEventListener = function (name, run, options) {
        const target = this || window;
        // A signal that was given already lets nothing in.
        if (stays(target) && !(options && options.signal && options.signal.aborted)) {
            listeners.set(run, name);
            if (options && options.signal)
                add.call(options.signal, 'abort', () => listeners.delete(run));
        }
        return add.call(target, name, run, options);
    };
    EventTarget.prototype.removeEventListener = function (name, run, options) {
        listeners.delete(run);
        return remove.call(this || window, name, run, options);
    };
    const { setTimeout: later, clearTimeout: never, setInterval: often, clearInterval: stop } = window;
    window.setTimeout = (run, time) => {
        const timer = later(() => (timers.delete(timer), run()), time);
        // WebKit's driver watches its scripts with timers of its own.
        if (!String(run).includes('JavaScriptTimeout')) timers.add(timer);
        return timer;
    };
    window.setInterval = (run, time) => {
        const timer = often(run, time);
        timers.add(timer);
        return timer;
    };
    window.clearTimeout = timer => (timers.delete(timer), never(timer));
    window.clearInterval = timer => (timers.delete(timer), stop(timer));
    let memory;
    for (const name of ['instantiate', 'instantiateStreaming']) {
        const own = WebAssembly[name];
        WebAssembly[name] = async (...given) => {
            const made = await own.apply(WebAssembly, given);
            const { exports } = made.instance || made;
            memory = Object.values(exports).find(value => value instanceof WebAssembly.Memory);
            return made;
        };
    }
    window.counts = () => ({
        listeners: [...listeners.values()].sort(), timers: timers.size,
        elements: document.querySelectorAll('*').length, memory: memory.buffer.byteLength,
    });
    // Shows ten surveys at once and takes them away again. They lie over each other: one that is shown would else push
    // those behind it out of sight, where they are not due.
    window.cycle = async () => {
        const elements = Array.from({ length: 10 }, () => document.createElement('afterword-survey'));
        for (const element of elements) {
            element.setAttribute('survey', location.pathname.split('/').pop());
            Object.assign(element.style, { position: 'absolute', top: 0, left: 0 });
            document.body.append(element);
        }
        const late = performance.now() + 55000;
        const missing = () => elements.filter(element => !element.shadowRoot.querySelector('[data-question]'));
        while (missing().length) {
            if (performance.now() > late) throw new Error(`${missing().length} were never shown`);
            await new Promise(next => requestAnimationFrame(next));
        }
        elements.forEach(element => element.remove());
        await new Promise(next => requestAnimationFrame(next));
    };
    </script>";

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
    shop: Arc<Shop>,
}

/// What the pages are made of.
#[derive(Default)]
struct Shop {
    /// The server's origin.
    server: RwLock<String>,
    /// What tests have put there, by name.
    own: RwLock<HashMap<String, String>>,
}

impl Pages {
    /// Takes a port.
    pub async fn open() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        Ok(Self { origin, listener: Some(listener), shop: Arc::default() })
    }

    /// Serves pages that embed the surveys of this server.
    pub fn serve(&mut self, server: &str) {
        if let Ok(mut own) = self.shop.server.write() {
            server.clone_into(&mut own);
        }
        let Some(listener) = self.listener.take() else { return };
        let pages = Router::new()
            .route("/{language}/{survey}", get(tag))
            .route("/strict/{language}/{survey}", get(strict))
            .route("/element/{language}/{survey}", get(element))
            .route("/head/{language}/{survey}", get(head))
            .route("/long/{language}/{survey}", get(long))
            .route("/hostile/{language}/{survey}", get(hostile))
            .route("/framing/{*path}", get(framing))
            .route("/sandboxed/{*path}", get(sandboxed))
            .route("/loader/{language}/{survey}", get(loader))
            .route("/counting/{language}/{survey}", get(counting))
            .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
            .route("/own/{name}", get(own))
            .with_state(Arc::clone(&self.shop));
        tokio::spawn(async move { axum::serve(listener, pages).await });
    }

    /// Puts a page of a test's own at `own/NAME`.
    pub fn put(&self, name: &str, head: &str, body: &str) {
        self.put_file(name, document("nl", head, body));
    }

    /// Puts a file there; a script where the name ends so.
    pub fn put_file(&self, name: &str, content: String) {
        if let Ok(mut own) = self.shop.own.write() {
            own.insert(name.to_owned(), content);
        }
    }

    /// The address of a page.
    pub fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.origin)
    }
}

type Server = State<Arc<Shop>>;
type Wanted = Path<(String, String)>;

fn origin(shop: &Shop) -> String {
    shop.server.read().map(|server| server.clone()).unwrap_or_default()
}

fn document(language: &str, head: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>Shop</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{EAR}{head}</head>\
         <body><main><h1>Shop</h1>{body}</main></body></html>"
    )
}

/// The recommended tag, with attributes.
fn recommended(server: &str, survey: &str, attributes: &[(String, String)]) -> String {
    let one = |(name, value): &(String, String)| format!(" {name}=\"{}\"", value.replace('"', "&quot;"));
    let attributes: String = attributes.iter().map(one).collect();
    format!("<script async src=\"{server}/widget.js?survey={survey}\"{attributes}></script>")
}

/// A tag of a loader that comes without rules.
fn plain(server: &str) -> String {
    format!("<script async src=\"{server}/widget.js\"></script>")
}

async fn tag(State(server): Server, Path((language, survey)): Wanted) -> Html<String> {
    let pieces = [("data-meta-pieces".to_owned(), "3".to_owned())];
    Html(document(&language, "", &recommended(&origin(&server), &survey, &pieces)))
}

/// Under [`POLICY`], and isolated from other origins.
async fn strict(
    State(server): Server,
    Path((language, survey)): Wanted,
    Query(attributes): Query<Vec<(String, String)>>,
) -> Response {
    let server = origin(&server);
    let headers = [
        ("content-security-policy", POLICY.replace("SERVER", &server)),
        ("cross-origin-opener-policy", "same-origin".to_owned()),
        ("cross-origin-embedder-policy", "require-corp".to_owned()),
    ];
    (headers, Html(document(&language, "", &recommended(&server, &survey, &attributes)))).into_response()
}

/// A page that breaks what it can; see [`HOSTILE`].
async fn hostile(Path((language, _)): Wanted) -> Html<String> {
    let body = "<button id=\"own\">Basket</button><div id=\"above\"></div><p>Things to buy.</p>";
    Html(document(&language, HOSTILE, body))
}

/// A page that counts; see [`COUNTS`].
async fn counting(State(server): Server, Path((language, _)): Wanted) -> Html<String> {
    Html(document(&language, &[COUNTS, &plain(&origin(&server))].concat(), ""))
}

/// The loader at an address of its own, with a digest that it has to have; an element takes its survey.
async fn loader(
    Path((language, survey)): Wanted,
    Query(tag): Query<HashMap<String, String>>,
) -> Html<String> {
    let of = |name: &str| tag.get(name).map_or("", String::as_str);
    let (src, integrity) = (of("src"), of("integrity"));
    let tag =
        format!("<script async src=\"{src}\" integrity=\"{integrity}\" crossorigin=\"anonymous\"></script>");
    Html(document(&language, &tag, &format!("<afterword-survey survey=\"{survey}\"></afterword-survey>")))
}

/// A page that has another in a frame. Asked for as `localhost`, it is of another site than what it frames.
async fn framing(uri: Uri, headers: HeaderMap) -> Html<String> {
    framed(&uri, &headers, "")
}

/// The same, in a frame that may run scripts and may not submit forms.
async fn sandboxed(uri: Uri, headers: HeaderMap) -> Html<String> {
    framed(&uri, &headers, "sandbox=\"allow-scripts allow-same-origin\"")
}

/// What comes behind the first part of an address, in a frame with attributes.
fn framed(uri: &Uri, headers: &HeaderMap, attributes: &str) -> Html<String> {
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let inside = host.replace("localhost", "127.0.0.1");
    let path = uri.path_and_query().and_then(|path| path.as_str().splitn(3, '/').nth(2)).unwrap_or_default();
    let path = path.replace('&', "&amp;");
    let frame =
        format!("<iframe src=\"http://{inside}/{path}\" {attributes} width=\"700\" height=\"600\"></iframe>");
    Html(document("nl", "", &frame))
}

async fn element(State(server): Server, Path((language, survey)): Wanted) -> Html<String> {
    let element = format!(
        "<afterword-survey survey=\"{survey}\" lang=\"{language}\" meta-pieces=\"3\"></afterword-survey>"
    );
    Html(document("en", &plain(&origin(&server)), &element))
}

/// A long page with a shop's own buttons; the address's query becomes the tag's attributes.
async fn long(
    State(server): Server,
    Path((language, survey)): Wanted,
    Query(attributes): Query<Vec<(String, String)>>,
) -> Html<String> {
    // What happens is written down before the loader is there.
    let head = "<script>window.heard = []; window.fetched = [];
        const real = fetch;
        window.fetch = (...wanted) => (fetched.push(String(wanted[0])), real(...wanted));
        for (const name of ['ready', 'shown', 'answered', 'submitted', 'closed', 'error'])
            document.addEventListener('afterword:' + name, e => heard.push([name, e.detail]));
        (window.afterword = window.afterword || []).push(api => window.early = Object.keys(api));</script>";
    let tag = recommended(&origin(&server), &survey, &attributes);
    let body = format!(
        "<button id=\"own\">Basket</button><p style=\"height:3000px\">Things to buy.</p>{tag}<footer>Footer</footer>"
    );
    Html(document(&language, head, &body))
}

/// What a test has put there.
async fn own(State(shop): Server, Path(name): Path<String>) -> Response {
    let content = shop.own.read().ok().and_then(|own| own.get(&name).cloned());
    let script = std::path::Path::new(&name).extension().is_some_and(|extension| extension == "js");
    match content {
        Some(content) if script => ([("content-type", "text/javascript")], content).into_response(),
        Some(content) => Html(content).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn head(State(server): Server, Path((language, survey)): Wanted) -> Html<String> {
    let tag =
        format!("<script async src=\"{}/widget.js\" data-survey=\"{survey}\"></script>", origin(&server));
    Html(document(&language, &tag, "<p>Thanks for your order.</p>"))
}
