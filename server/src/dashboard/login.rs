//! `/login` and `/logout`: the admin token once, and a session from then on.

use axum::body::Bytes;
use axum::extract::{Extension, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use super::form::Parameters;
use super::session::{Operator, Refused, Sessions};
use super::{Dashboard, form, session, time};
use crate::page::{self, Tone};

/// The largest form: a token and a path.
const LARGEST: usize = 16 << 10;

/// Where to log in, and go on to a page.
pub(super) fn address(next: &str) -> String {
    let next = Some(next).filter(|next| *next != "/");
    form::address("/login", next.map(|next| ("next", next.to_owned())))
}

pub(super) async fn ask(State(dashboard): State<Dashboard>, Parameters(asked): Parameters) -> Response {
    if dashboard.live.config().admin_token.is_none() {
        return Redirect::to("/").into_response();
    }
    page(asked.get("next").unwrap_or_default(), None)
}

pub(super) async fn enter(State(dashboard): State<Dashboard>, request: Request) -> Response {
    let Some(token) = dashboard.live.config().admin_token.clone() else {
        return Redirect::to("/").into_response();
    };
    let (peer, headers) = (session::peer(&request), request.headers().clone());
    let Ok(body) = axum::body::to_bytes(request.into_body(), LARGEST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let fields = form::Fields::read(&body);
    let next = fields.get("next").unwrap_or_default();
    let shown = fields.get("token").unwrap_or_default().trim();
    match dashboard.sessions.check(&token, shown, peer) {
        Ok(()) => {
            let cookie = Sessions::begin(&token, &headers, dashboard.clock.now());
            ([(header::SET_COOKIE, cookie)], Redirect::to(own(next))).into_response()
        }
        Err(Refused::Unknown) => {
            let words = html! { "This is not the admin token. It is the secret that " code { "admin_token_env" } " or " code { "admin_token_file" } " names." };
            (StatusCode::UNAUTHORIZED, page(next, Some(&words))).into_response()
        }
        Err(Refused::Throttled(wait)) => {
            let words = html! { "Too many wrong tokens came from this address. Wait for " (time::duration(wait)) "." };
            let after = [(header::RETRY_AFTER, wait.as_secs().max(1).to_string())];
            (StatusCode::TOO_MANY_REQUESTS, after, page(next, Some(&words))).into_response()
        }
    }
}

pub(super) async fn leave(
    State(dashboard): State<Dashboard>,
    Extension(operator): Extension<Operator>,
    headers: axum::http::HeaderMap,
    body: Bytes,
) -> Response {
    let token = dashboard.live.config().admin_token.clone();
    let (Ok(_), Some(token)) = (form::Fields::of(&operator, &body), token) else {
        return Redirect::to("/").into_response();
    };
    let cookie = dashboard.sessions.end(&token, &headers, dashboard.clock.now());
    ([(header::SET_COOKIE, cookie)], Redirect::to("/login")).into_response()
}

/// A path of this listener; the first page for anything else, which may lead to a stranger.
fn own(next: &str) -> &str {
    let rest = next.strip_prefix('/').unwrap_or("/");
    let safe = !rest.starts_with(['/', '\\']) && next.bytes().all(|byte| byte.is_ascii_graphic());
    if safe { next } else { "/" }
}

fn page(next: &str, wrong: Option<&Markup>) -> Response {
    let body = html! {
        section.card.login {
            h1 { (page::logo()) "Afterword" }
            form method="post" action="/login" {
                @if let Some(wrong) = wrong { (page::notice(Tone::Bad, wrong)) }
                label for="token" { "Admin token" }
                input #token type="password" name="token" required autofocus autocomplete="current-password"
                    aria-invalid=[wrong.map(|_| "true")];
                input type="hidden" name="next" value=(own(next));
                button.loud { "Log in" }
            }
        }
    };
    page::respond("Afterword: log in", None, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_elsewhere_after_logging_in() {
        for (next, leads) in [
            ("/letters?state=dead", "/letters?state=dead"),
            ("", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nset-cookie: x", "/"),
        ] {
            assert_eq!(own(next), leads, "{next:?}");
        }
        assert_eq!(address("/letters?a=b&c=d"), "/login?next=%2Fletters%3Fa%3Db%26c%3Dd");
        assert_eq!(address("/"), "/login");
    }
}
