//! Keeps other sites' pages away from the operators' listener.
//!
//! A browser that can reach it runs strangers' pages as well. What they could make it send is
//! refused by its host, its origin and its type, before any route sees it.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{Code, Problem};
use super::{FORMS, WAY_IN};
use crate::live::Live;
use crate::{preview, stranger};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether the listener asks for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asks {
    /// A name that is rebound to this address gets nowhere: the browser has no token for it.
    Token,
    /// Everybody who reaches the address is let in, so the address has to be called by its number.
    Nothing,
}

/// Lets a request pass, or says what is wrong with it.
pub(super) async fn keep_strangers_out(State(live): State<Live>, request: Request, next: Next) -> Response {
    let asks = if live.config().admin_token.is_some() { Asks::Token } else { Asks::Nothing };
    let method = if rehearses(request.uri().path()) { &Method::GET } else { request.method() };
    let body = if takes_a_form(request.uri().path()) { Body::Form } else { Body::Json };
    match judge(asks, method, request.headers(), body) {
        Ok(()) => next.run(request).await,
        Err((code, words)) => Problem::new(code, words).into_response(),
    }
}

/// What a request that changes something has to bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// JSON: a type that no page can send to another site without asking first.
    Json,
    /// A form of the operators' own pages: any site can send one, so it carries a key that only those pages have.
    Form,
}

/// True for the address of a form's route.
fn takes_a_form(path: &str) -> bool {
    std::iter::once(WAY_IN).chain(FORMS).any(|(route, _)| leads_to(route, path))
}

fn leads_to(route: &str, path: &str) -> bool {
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let fits = |(route, path): (&&str, &&str)| route == path || route.starts_with('{') && !path.is_empty();
    route.len() == path.len() && route.iter().zip(&path).all(fits)
}

/// What is handed in at a preview changes nothing, whoever sends it.
fn rehearses(path: &str) -> bool {
    path.strip_prefix(preview::DOOR).is_some_and(|rest| rest.starts_with('/'))
}

fn judge(asks: Asks, method: &Method, headers: &HeaderMap, body: Body) -> Result<(), (Code, &'static str)> {
    if asks == Asks::Nothing && !stranger::is_address(stranger::host(headers)) {
        let words = "call the listener by its IP address or as localhost, or give it an admin token";
        return Err((Code::Host, words));
    }
    if method.is_safe() {
        return Ok(());
    }
    // Browsers tell the site to addresses that they trust; elsewhere the origin has to do.
    let foreign = match headers.get(SEC_FETCH_SITE) {
        Some(site) => site != "same-origin" && site != "none",
        None => stranger::has_foreign_origin(headers),
    };
    if foreign {
        return Err((Code::Origin, "other sites' pages change nothing here"));
    }
    let (kind, words) = match body {
        Body::Json => ("application/json", "send application/json"),
        Body::Form => ("application/x-www-form-urlencoded", "send application/x-www-form-urlencoded"),
    };
    if !is(kind, headers) {
        return Err((Code::ContentType, words));
    }
    Ok(())
}

fn is(kind: &str, headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    given.split(';').next().is_some_and(|essence| essence.trim().eq_ignore_ascii_case(kind))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn status(asks: Asks, method: &Method, headers: &[(&'static str, &'static str)]) -> u16 {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        match judge(asks, method, &headers.collect(), Body::Json) {
            Ok(()) => 200,
            Err((code, _)) => code.status().as_u16(),
        }
    }

    const LOCAL: (&str, &str) = ("host", "127.0.0.1:9090");
    const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");

    #[test]
    fn without_a_token_a_name_that_leads_here_is_refused() {
        for host in ["127.0.0.1:9090", "[::1]:9090", "localhost:9090", "localhost"] {
            assert_eq!(status(Asks::Nothing, &Method::GET, &[("host", host)]), 200, "{host}");
        }
        for host in ["evil.example:9090", "localhost.evil.example", "127.0.0.1.evil.example", ""] {
            assert_eq!(status(Asks::Nothing, &Method::GET, &[("host", host)]), 403, "{host}");
            assert_eq!(status(Asks::Token, &Method::GET, &[("host", host)]), 200, "{host}");
        }
        assert_eq!(status(Asks::Nothing, &Method::GET, &[]), 403);
    }

    #[test]
    fn another_sites_page_changes_nothing_and_may_be_followed_from() {
        for site in ["cross-site", "same-site", ""] {
            let sent = [LOCAL, JSON, ("sec-fetch-site", site)];
            assert_eq!(status(Asks::Token, &Method::POST, &sent), 403, "{site:?}");
            assert_eq!(status(Asks::Token, &Method::GET, &sent), 200, "a link from elsewhere");
        }
        for origin in ["https://evil.example", "http://127.0.0.1:8080", "null"] {
            let sent = [LOCAL, JSON, ("origin", origin)];
            assert_eq!(status(Asks::Token, &Method::DELETE, &sent), 403, "{origin}");
        }
    }

    #[test]
    fn a_form_is_taken_by_the_pages_own_routes_only() {
        for path in ["/login", "/logout", "/letters/change", "/surveys/checkout/nps"] {
            assert!(takes_a_form(path), "{path}");
        }
        for path in
            ["/", "/queue/retry", "/letters", "/letters/x", "/calls/main", "/surveys/nps/x", "/login/x"]
        {
            assert!(!takes_a_form(path), "{path}");
        }
        let with = |kind: &'static str, site: &'static str| {
            let headers = [("host", "127.0.0.1:9090"), ("content-type", kind), ("sec-fetch-site", site)];
            let headers = headers
                .into_iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
            judge(Asks::Token, &Method::POST, &headers.collect(), Body::Form)
                .map_err(|(code, _)| code.status().as_u16())
        };
        assert_eq!(with("application/x-www-form-urlencoded", "same-origin"), Ok(()));
        assert_eq!(with("application/x-www-form-urlencoded", "cross-site"), Err(403));
        assert_eq!(with("application/json", "same-origin"), Err(415));
    }

    #[test]
    fn only_what_is_handed_in_at_a_preview_may_be_of_any_type() {
        assert!(rehearses("/preview-door/v1/surveys/checkout/answers"));
        for path in
            ["/preview-door", "/preview-doorman/x", "/queue/retry", "/x/preview-door/y", "/preview/checkout"]
        {
            assert!(!rehearses(path), "{path}");
        }
    }

    #[test]
    fn own_pages_and_programs_change_things_with_json_only() {
        let senders: [&[(&str, &str)]; 4] = [
            &[LOCAL],
            &[LOCAL, ("origin", "http://127.0.0.1:9090")],
            &[LOCAL, ("sec-fetch-site", "same-origin"), ("origin", "https://behind-a-proxy.example")],
            &[LOCAL, ("sec-fetch-site", "none")],
        ];
        for sender in senders {
            assert_eq!(status(Asks::Nothing, &Method::POST, &[sender, &[JSON]].concat()), 200, "{sender:?}");
            assert_eq!(status(Asks::Nothing, &Method::POST, sender), 415, "{sender:?}");
            for simple in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
                let sent = [sender, &[("content-type", simple)]].concat();
                assert_eq!(status(Asks::Nothing, &Method::POST, &sent), 415, "{simple}");
            }
        }
    }
}
