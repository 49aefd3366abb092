//! The operators' pages: one layout, one look, one script that keeps a page fresh.
//!
//! Every page is whole without the script and loads nothing from elsewhere; its policy allows its
//! own style sheet, script and icon only. This module knows where the pages are and what all of them say of the
//! configuration, and nothing else of what they show; whoever serves a page also serves [`assets`].

mod in_force;
mod places;

use std::time::Duration;

use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::{HeaderName, HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, Render, html};

pub use places::{Place, bar};

/// How good the news is; always shown with a mark too, so that colour is never alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Neither good nor bad.
    Quiet,
    /// Worth a look; it may mend itself.
    Warn,
    /// Somebody has to do something.
    Bad,
}

impl Tone {
    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Quiet => "plain",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    fn mark(self) -> Markup {
        let path = match self {
            Self::Good => "M3.5 8.5l3 3 6-7",
            Self::Quiet => "M4 8h8",
            Self::Warn => "M8 3v6M8 12v.5",
            Self::Bad => "M4 4l8 8M12 4l-8 8",
        };
        html! { svg.mark viewBox="0 0 16 16" aria-hidden="true" { path d=(path) {} } }
    }
}

/// A whole page; with `live` it fetches itself again that often, as long as it can be seen.
pub fn layout(title: &str, live: Option<Duration>, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/style.css";
                @if live.is_some() { script src="/live.js" defer {} }
            }
            body data-live=[live.map(|every| every.as_millis())] {
                p.lost role="status" {}
                // For the script to show: without it nothing moves.
                @if live.is_some() { section.live aria-label="Updates" hidden { button type="button" {} } }
                main { (body) }
            }
        }
    }
}

/// A whole page as an answer, with every header of [`secure`].
pub fn respond(title: &str, live: Option<Duration>, body: &Markup) -> Response {
    secure(Html(layout(title, live, body).into_string()).into_response())
}

/// The routes of the style sheet, the script and the icon.
pub fn assets<S: Clone + Send + Sync + 'static>() -> Router<S> {
    ["/style.css", "/live.js", "/icon.svg"].into_iter().fold(Router::new(), |router, path| {
        router.route(
            path,
            get(move || async move { asset(path).unwrap_or(StatusCode::NOT_FOUND.into_response()) }),
        )
    })
}

/// What [`assets`] serves at a path.
pub fn asset(path: &str) -> Option<Response> {
    let (kind, text) = match path {
        "/style.css" => ("text/css; charset=utf-8", STYLE),
        "/live.js" => ("text/javascript; charset=utf-8", LIVE),
        "/icon.svg" => ("image/svg+xml", ICON),
        _ => return None,
    };
    Some(secure(([(header::CONTENT_TYPE, kind)], text).into_response()))
}

/// Adds what keeps a page to itself: a strict policy, no sniffing, no frame, no window or page of
/// another origin that shares its process, no referrer, no store.
///
/// The referrer policy is `same-origin`: under `no-referrer` a browser sends `Origin: null` with
/// the page's own forms, and nobody could tell them from a stranger's.
pub fn secure(mut response: Response) -> Response {
    let headers: [(HeaderName, &'static str); 7] = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in headers {
        // Who has said something else means it.
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A word or two about a state, with a mark.
pub fn pill(tone: Tone, text: impl Render) -> Markup {
    html! { span class={ "pill " (tone.class()) } { (tone.mark()) (text) } }
}

/// A box that says what is the matter and what to do.
pub fn notice(tone: Tone, body: impl Render) -> Markup {
    html! { div class={ "notice " (tone.class()) } { (tone.mark()) div { (body) } } }
}

/// One figure of a `dl.figures`.
pub fn figure(name: &str, value: impl Render) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// A number with a narrow space between groups of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 * 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// A time in milliseconds with one digit behind the point.
pub fn milliseconds(time: Duration) -> String {
    let tenths = u64::try_from(time.as_micros() / 100).unwrap_or(u64::MAX);
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

/// The mark of the house.
pub fn logo() -> Markup {
    html! { span.logo aria-hidden="true" { (PreEscaped(ICON)) } }
}

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types live";

const ICON: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#3b5bdb"/><path d="M8 11.5h16M8 16.5h10" stroke="#fff" stroke-width="2.6" stroke-linecap="round" opacity=".55"/><path d="M8 22.2l3.2 2.8 5.4-5.6" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round"/></svg>"##;

const STYLE: &str = include_str!("page/style.css");

const LIVE: &str = include_str!("page/live.js");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        for (number, shown) in
            [(0, "0"), (999, "999"), (1_000, "1\u{202f}000"), (1_234_567, "1\u{202f}234\u{202f}567")]
        {
            assert_eq!(grouped(number), shown);
        }
    }

    #[test]
    fn a_page_has_a_policy_and_no_inline_code_or_style() {
        let page = respond("A <title>", Some(Duration::from_secs(1)), &html! { h1 { "x" } });
        assert_eq!(page.headers()["content-security-policy"], POLICY);
        assert_eq!(page.headers()["cache-control"], "no-store");
        let text = layout("A <title>", Some(Duration::from_secs(1)), &html! { (pill(Tone::Good, "ok")) })
            .into_string();
        assert!(text.contains("A &lt;title&gt;") && text.contains(r#"data-live="1000""#));
        assert!(text.contains(r#"<section class="live" aria-label="Updates" hidden>"#), "a way to pause");
        let still = layout("Still", None, &html! {}).into_string();
        assert!(!still.contains("live"), "nothing to pause: {still}");
        assert!(!text.contains("style=") && !text.contains("<style") && !text.contains("<script>"));
        for path in ["/style.css", "/live.js", "/icon.svg"] {
            assert!(asset(path).is_some(), "{path}");
        }
        assert!(asset("/other").is_none());
    }
}
