//! What all operators' pages have around them: the way to the others, and what became of the configuration's file.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};

use super::Dashboard;
use super::session::Operator;
use crate::page::{self, Tone};
use crate::queue::QueueError;

pub(super) use crate::page::Place;

/// How often the pages of a place look for news: where much has to be read for them, less often.
fn pace(place: Place) -> Duration {
    Duration::from_secs(match place {
        Place::Status => 2,
        Place::Letters => 5,
        Place::Surveys | Place::Preview => 15,
    })
}

/// A whole page that keeps itself fresh.
pub(super) fn live(
    dashboard: &Dashboard,
    operator: &Operator,
    place: Place,
    title: &str,
    body: &Markup,
) -> Response {
    whole(dashboard, operator, place, title, Some(pace(place)), body)
}

/// A whole page that stays as it is.
pub(super) fn still(
    dashboard: &Dashboard,
    operator: &Operator,
    place: Place,
    title: &str,
    body: &Markup,
) -> Response {
    whole(dashboard, operator, place, title, None, body)
}

/// A whole page that says what cannot be done.
pub(super) fn refusal(
    dashboard: &Dashboard,
    operator: &Operator,
    place: Place,
    (status, title): (StatusCode, &str),
    words: &Markup,
) -> Response {
    let body = html! { h1 { (title) } (page::notice(Tone::Bad, words)) };
    let mut response = still(dashboard, operator, place, title, &body);
    *response.status_mut() = status;
    response
}

/// Refuses a form whose page was open for longer than the session that it was made for.
pub(super) fn outlived(
    dashboard: &Dashboard,
    operator: &Operator,
    place: Place,
    (title, address): (&str, &str),
) -> Response {
    let words =
        html! { "The page was open for longer than your session. " a href=(address) { "Open it again" } };
    refusal(dashboard, operator, place, (StatusCode::FORBIDDEN, title), &words)
}

/// What a page says while the store cannot be read.
pub(super) fn broken(title: &str, error: &QueueError) -> Markup {
    html! {
        h1 { (title) }
        (page::notice(Tone::Bad, html! {
            strong { "The store cannot be read. " } (error.to_string())
            ". Submissions are refused until it works again; visitors' browsers keep theirs meanwhile."
        }))
    }
}

fn whole(
    dashboard: &Dashboard,
    operator: &Operator,
    place: Place,
    title: &str,
    live: Option<Duration>,
    body: &Markup,
) -> Response {
    let way_out = operator.may_leave.then(|| {
        html! {
            form method="post" action="/logout" {
                (super::form::key(operator))
                button.plain-button { "Log out" }
            }
        }
    });
    let content = html! {
        (page::bar(place, way_out.as_ref()))
        (dashboard.live.now().notice())
        (body)
    };
    page::respond(&format!("Afterword: {}", title.to_lowercase()), live, &content)
}
