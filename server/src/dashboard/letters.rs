//! `/letters`: what waits for an operator, to be read, sent again or given up, one by one or together.
//!
//! What cannot be undone is asked twice: a page says what would go, and wants to hear that it is meant. What came
//! into its state after the operator looked is left alone.

mod change;
mod wish;

use axum::Router;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use maud::{Markup, html};

use super::form::{self, Parameters};
use super::frame::{self, Place};
use super::session::Operator;
use super::{Dashboard, entry, state, time};
use crate::operator::{self, ListRequest, Listing, OperatorError, Row};
use crate::page::{self, Tone};
pub(super) use change::change;
use wish::Wish;

/// Entries on one page.
const LISTED: u32 = 50;
/// A form with every entry of a page selected, and some more.
pub(super) const LARGEST: usize = 1 << 20;
/// What the filter offers, as parameters of an address.
const STATES: [(&str, &str); 6] = [
    ("dead,parked", "Dead letters and parked"),
    ("dead", "Dead letters"),
    ("parked", "Parked"),
    ("unknown", "Looked up"),
    ("delayed", "To be tried again"),
    ("waiting,delayed,sending,unknown,parked,dead", "All that is open"),
];

pub(super) fn routes() -> Router<Dashboard> {
    Router::new().route("/letters", get(list)).route("/letters/{submission}", get(entry::page))
}

async fn list(
    State(dashboard): State<Dashboard>,
    Extension(operator): Extension<Operator>,
    Parameters(asked): Parameters,
) -> Response {
    let wish = match Wish::read(asked.pairs()) {
        Ok(wish) => wish,
        Err(wrong) => return unreadable(&dashboard, &operator, &wrong),
    };
    let request =
        ListRequest { selection: wish.selection.clone(), limit: LISTED, after: wish.after, newest: false };
    let body = match operator::list(&*dashboard.queue, &request).await {
        Ok(listing) => body(&dashboard, &operator, &wish, &listing),
        Err(OperatorError::Queue(error)) => frame::broken("Letters", &error),
        Err(error) => return unreadable(&dashboard, &operator, &error.to_string()),
    };
    frame::live(&dashboard, &operator, Place::Letters, "Letters", &body)
}

fn unreadable(dashboard: &Dashboard, operator: &Operator, wrong: &str) -> Response {
    refused(dashboard, operator, wrong, ("All letters", "/letters"))
}

fn refused(
    dashboard: &Dashboard,
    operator: &Operator,
    wrong: &str,
    (name, address): (&str, &str),
) -> Response {
    let words = html! { (wrong) ". " a href=(address) { (name) } };
    let status = (StatusCode::UNPROCESSABLE_ENTITY, "Letters");
    frame::refusal(dashboard, operator, Place::Letters, status, &words)
}

fn body(dashboard: &Dashboard, operator: &Operator, wish: &Wish, listing: &Listing) -> Markup {
    let now = dashboard.clock.now();
    html! {
        div.head {
            h1 { "Letters" }
            p.quiet { "Dead letters were refused by the platform; parked ones may have arrived. Both stay until you send them again or give them up." }
        }
        @if let Some(done) = &wish.done { (page::notice(done.tone(), html! { (done.said()) })) }
        (filters(dashboard, wish))
        @if listing.entries.is_empty() {
            section.card.empty {
                h2 { (page::pill(Tone::Good, "nothing here")) }
                p {
                    @if wish.is_usual() { "Nothing waits for you." } @else { "No entry is like this." }
                    @for unknown in wish.unknown(dashboard) { " " (unknown) " is configured." }
                    @if !wish.is_usual() { " " a href="/letters" { "All letters" } }
                    @if wish.after.is_some() { " " a href=(wish.address(None)) { "To the first" } }
                }
            }
        } @else {
            form.card method="post" action="/letters/change" {
                (form::key(operator))
                input type="hidden" name="as_of" value=(now);
                @for (name, value) in wish.selection.pairs() { input type="hidden" name=(name) value=(value); }
                div.scroll.first { table.cards {
                    thead { tr {
                        th { span.hidden { "Select" } } th { "Submission" } th { "Survey" } th { "State" }
                        th.number { "Calls" } th.number { "Ago" } th { "Why" }
                    } }
                    tbody { @for row in &listing.entries { (self::row(row, now)) } }
                } }
                div.row {
                    div.actions {
                        button.loud name="do" value="retry" { "Send selected again" }
                        button name="do" value="discard" { "Discard selected …" }
                    }
                    div.actions {
                        button name="do" value="retry-all" { "Send all of these again …" }
                        button name="do" value="discard-all" { "Discard all of these …" }
                    }
                    @if let Some(last) = listing.entries.last().filter(|_| listing.more) {
                        a.next href=(wish.address(Some(("after", last.submission.to_string())))) { "Next " (LISTED) }
                    }
                }
            }
        }
    }
}

fn filters(dashboard: &Dashboard, wish: &Wish) -> Markup {
    let config = dashboard.live.config();
    let pairs = wish.selection.pairs();
    let has = |name: &str| pairs.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str());
    let (state, survey, lane) = (has("state"), has("survey"), has("lane"));
    html! {
        form.card.filter method="get" action="/letters" {
            div { label for="state" { "State" } select #state name="state" {
                @for (value, name) in STATES { option value=(value) selected[state == Some(value)] { (name) } }
            } }
            div { label for="survey" { "Survey" } select #survey name="survey" {
                option value="" { "Any" }
                @for each in &config.surveys { option selected[survey == Some(each.id.as_str())] { (each.id) } }
            } }
            @if config.platforms.len() > 1 {
                div { label for="lane" { "Lane" } select #lane name="lane" {
                    option value="" { "Any" }
                    @for each in &config.platforms { option selected[lane == Some(each.name.as_str())] { (each.name) } }
                } }
            }
            div.wide { label for="words" { "Words of the platform" }
                input #words type="search" name="error_contains" value=[has("error_contains")];
            }
            button { "Filter" }
        }
    }
}

fn row(row: &Row, now: jiff::Timestamp) -> Markup {
    let since = row.settled_at.unwrap_or(row.accepted_at);
    html! {
        tr id={ "e" (row.submission) } {
            td { label.check { input type="checkbox" name="submission" value=(row.submission);
                span.hidden { "Select " (row.submission) } } }
            td.name { a href={ "/letters/" (row.submission) } { code { (row.submission) } } }
            td { (row.survey) }
            td { (state::pill(row.state.0)) }
            td.number data-name="Calls" { (row.attempts) }
            td.number data-name="Ago" { (time::span(now, since)) }
            td.wide { (row.last_error.as_deref().unwrap_or("–")) }
        }
    }
}
