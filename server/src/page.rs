//! The operators' pages: one layout, one look, one script that keeps a page fresh.
//!
//! Every page is whole without the script and loads nothing from elsewhere; its policy allows its
//! own style sheet, script and icon only. This module knows nothing of what the pages show, and
//! whoever serves a page also serves [`assets`].

use std::time::Duration;

use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::{HeaderName, HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, Render, html};

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

const STYLE: &str = r#":root {
  color-scheme: light dark;
  --page: #f3f4f9; --card: #fff; --ink: #14161d; --ink-2: #565d70; --line: #dcdfe9; --edge: #8b92a8;
  --brand: #3b5bdb; --on-brand: #fff; --tint: #edf1fe; --ring: #9fb1f3; --sunk: #f7f8fc;
  --good: #17663b; --good-tint: #e5f5ec; --warn: #7d4d00; --warn-tint: #fdf1d8; --bad: #a5241b; --bad-tint: #fdebe9;
  --shadow: 0 1px 2px rgb(20 22 40 / .06), 0 8px 24px rgb(20 22 40 / .06);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0b0d13; --card: #171a23; --ink: #f1f2f6; --ink-2: #a5abbd; --line: #2b3040; --edge: #6b7288;
    --brand: #91a4ff; --on-brand: #10142b; --tint: #212844; --ring: #4f62b5; --sunk: #12151d;
    --good: #7fd6a2; --good-tint: #14301f; --warn: #f0c36a; --warn-tint: #352913; --bad: #ff9f95; --bad-tint: #3c1b19;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 64px; display: grid; gap: 20px; grid-template-columns: minmax(0, 1fr); }
h1 { margin: 0; font-size: 24px; line-height: 1.25; font-weight: 650; letter-spacing: -.01em; text-wrap: balance; }
h2 { margin: 0; font-size: 17px; line-height: 1.3; font-weight: 650; display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; }
p { margin: 0; max-width: 75ch; }
a { color: var(--brand); text-underline-offset: 2px; }
code, pre { font: 13px/1.5 ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; }
code { overflow-wrap: anywhere; }
td code { white-space: nowrap; }
pre { margin: 0; padding: 12px 16px; background: var(--sunk); border: 1px solid var(--line); border-radius: 8px; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 420px; }
.quiet { color: var(--ink-2); font-size: 14px; }
.head { display: flex; flex-wrap: wrap; align-items: center; gap: 12px; }
.head .quiet { flex: 1 1 100%; max-width: none; }
.logo svg { display: block; width: 32px; height: 32px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; box-shadow: var(--shadow); padding: 24px; display: grid; gap: 16px; grid-template-columns: minmax(0, 1fr); align-content: start; }
.figures { margin: 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(112px, 1fr)); gap: 16px; }
.figures dt { color: var(--ink-2); font-size: 13px; }
.figures dd { margin: 0; font-size: 22px; line-height: 1.3; font-weight: 650; font-variant-numeric: tabular-nums; }
.figures dd small { font-size: 14px; font-weight: 400; color: var(--ink-2); }
.scroll { overflow-x: auto; margin: 0 -24px -24px; border-top: 1px solid var(--line); border-radius: 0 0 14px 14px; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th { text-align: start; font-size: 13px; font-weight: 500; color: var(--ink-2); padding: 10px 12px; white-space: nowrap; }
td { padding: 12px; vertical-align: top; border-top: 1px solid var(--line); }
th:first-child, td:first-child { padding-inline-start: 24px; }
th:last-child, td:last-child { padding-inline-end: 24px; }
.number { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap; }
.time { font-variant-numeric: tabular-nums; white-space: nowrap; }
.pill { display: inline-flex; align-items: center; gap: 6px; padding: 2px 10px 2px 8px; border-radius: 999px; font-size: 13px; line-height: 20px; font-weight: 600; white-space: nowrap; font-variant-numeric: tabular-nums; }
.mark { width: 14px; height: 14px; flex: none; fill: none; stroke: currentColor; stroke-width: 2.2; stroke-linecap: round; stroke-linejoin: round; }
.plain { color: var(--ink-2); background: var(--sunk); box-shadow: inset 0 0 0 1px var(--line); }
.good { color: var(--good); background: var(--good-tint); }
.warn { color: var(--warn); background: var(--warn-tint); }
.bad { color: var(--bad); background: var(--bad-tint); }
.notice { display: flex; gap: 12px; padding: 12px 16px; border-radius: 10px; font-size: 14px; overflow-wrap: anywhere; }
.notice > .mark { width: 18px; height: 18px; margin-top: 2px; }
.notice > div { flex: 1; min-width: 0; color: var(--ink); }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 16px; }
.row > p { flex: 1 1 200px; max-width: none; }
.notice.plain { background: var(--tint); box-shadow: none; }
.chips { display: flex; flex-wrap: wrap; gap: 4px 6px; margin: 0; padding: 0; list-style: none; }
.chips li { padding: 1px 8px; border-radius: 6px; background: var(--sunk); box-shadow: inset 0 0 0 1px var(--line); font-size: 13px; overflow-wrap: anywhere; }
.chips b { font-weight: 500; color: var(--ink-2); }
.pairs { margin: 0; display: grid; gap: 6px; }
.pairs > div { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 0 16px; }
.pairs dt { color: var(--ink-2); }
.pairs dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.stack { display: grid; gap: 8px; grid-template-columns: minmax(0, 1fr); }
details[open] > summary { margin-bottom: 8px; }
.wrong { font-weight: 600; color: var(--bad); }
.problems { margin: 8px 0 0; padding-inline-start: 20px; display: grid; gap: 4px; }
.plain-list { padding-inline-start: 20px; display: grid; gap: 4px; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; }
form { margin: 0; }
button { min-height: 44px; padding: 8px 16px; border-radius: 10px; border: 1px solid var(--edge); background: var(--card); color: var(--ink); font: inherit; font-size: 14px; font-weight: 600; cursor: pointer; }
button:hover { border-color: var(--brand); background: var(--tint); }
button.loud { background: var(--brand); border-color: var(--brand); color: var(--on-brand); }
button.loud:hover { filter: brightness(1.08); }
:focus-visible { outline: 3px solid var(--ring); outline-offset: 2px; }
summary { cursor: pointer; color: var(--ink-2); font-size: 13px; padding: 4px 0; border-radius: 6px; width: fit-content; }
summary:hover { color: var(--ink); }
.empty { padding: 40px 24px; text-align: center; display: grid; gap: 8px; justify-items: center; }
.empty p { text-wrap: balance; }
.empty pre { text-align: start; margin-top: 8px; max-width: 100%; }
h2 .quiet { font-weight: 400; }
.lost { position: sticky; top: 0; z-index: 1; max-width: none; text-align: center; font-size: 14px; font-weight: 600; color: var(--bad); background: var(--bad-tint); }
.lost:not(:empty) { padding: 10px 24px; border-bottom: 1px solid var(--bad); }
.lost:not(:empty) ~ main { filter: grayscale(1); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 640px) {
  main { padding: 20px 12px 48px; gap: 12px; }
  .card { padding: 16px; }
  .pairs > div { grid-template-columns: minmax(0, 1fr); }
  .scroll { margin: 0 -16px -16px; }
  th:first-child, td:first-child { padding-inline-start: 16px; }
  th:last-child, td:last-child { padding-inline-end: 16px; }
}
/* A table.cards becomes a list of cards where it has no room; td[data-name] keeps its heading. */
@media (max-width: 760px) {
  table.cards, table.cards tbody { display: block; }
  table.cards thead { display: none; }
  table.cards tr { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; padding: 16px; border-top: 1px solid var(--line); }
  table.cards tbody tr:first-child { border-top: 0; }
  table.cards td { border: 0; padding: 0; text-align: start; }
  table.cards td.last { margin-inline-start: auto; }
  table.cards td.name { flex: 1 1 100%; order: 1; }
  table.cards td.wide { flex: 1 1 100%; order: 2; padding-top: 4px; }
  table.cards td[data-name]::before { content: attr(data-name) " "; color: var(--ink-2); font-weight: 400; }
}
"#;

const LIVE: &str = r#"// Keeps the page fresh: fetches it again and swaps <main> only where its content has changed.
// Keeps focus, open <details>, the place on the page and a selection; rests while nobody looks.
"use strict";
(() => {
  const every = Number(document.body.dataset.live);
  const lost = document.querySelector(".lost");
  const parser = new DOMParser();
  // Only ever this very page, parsed and not run. Browsers without trusted types take the text.
  const rules = { createHTML: (text) => text };
  const trusted = window.trustedTypes ? trustedTypes.createPolicy("live", rules) : rules;
  let shown = document.querySelector("main").innerHTML;
  let heard = new Date();
  let timer;

  const busy = () => {
    const selection = document.getSelection();
    return (selection && !selection.isCollapsed) || document.activeElement.matches("input, select, textarea");
  };

  const swap = (fresh) => {
    const main = document.querySelector("main");
    const open = [...main.querySelectorAll("details[open][id]")].map((it) => it.id);
    const focus = [...main.querySelectorAll("a, button, summary")];
    const at = focus.indexOf(document.activeElement);
    const key = at < 0 ? null : document.activeElement.closest("[id]");
    const nth = key ? [...key.querySelectorAll("a, button, summary")].indexOf(document.activeElement) : at;
    const scrolled = [...main.querySelectorAll(".scroll")].map((it) => it.scrollLeft);
    const anchor = scrollY > 0 ? [...main.querySelectorAll("tr[id]")].find((it) => it.getBoundingClientRect().bottom > 0) : null;
    const top = anchor && anchor.getBoundingClientRect().top;

    main.replaceChildren(...fresh.childNodes);

    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (at >= 0) {
      const home = (key && document.getElementById(key.id)) || main;
      home.querySelectorAll("a, button, summary")[nth]?.focus({ preventScroll: true });
    }
    [...main.querySelectorAll(".scroll")].forEach((it, n) => { it.scrollLeft = scrolled[n] || 0; });
    const same = anchor && document.getElementById(anchor.id);
    if (same && top < innerHeight) scrollBy({ top: same.getBoundingClientRect().top - top, behavior: "instant" });
  };

  const refresh = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(10000) });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = parser.parseFromString(trusted.createHTML(await answer.text()), "text/html").querySelector("main");
      const text = page.innerHTML;
      heard = new Date();
      if (lost.textContent) lost.textContent = "";
      if (text !== shown && !busy()) { swap(page); shown = text; }
    } catch {
      const words = `The server does not answer. This is what it said at ${heard.toLocaleTimeString()}.`;
      if (lost.textContent !== words) lost.textContent = words;
    }
    clearTimeout(timer);
    timer = setTimeout(refresh, every);
  };

  document.addEventListener("visibilitychange", refresh);
  timer = setTimeout(refresh, every);
})();
"#;

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
        assert!(!text.contains("style=") && !text.contains("<style") && !text.contains("<script>"));
        for path in ["/style.css", "/live.js", "/icon.svg"] {
            assert!(asset(path).is_some(), "{path}");
        }
        assert!(asset("/other").is_none());
    }
}
