//! `/surveys`: what is served, and how much of it was answered.

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, State};
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use maud::{Markup, html};

use super::frame::{self, Place};
use super::session::Operator;
use super::{Dashboard, survey};
use crate::config::Config;
use crate::history;
use crate::page;
use crate::queue::{Kind, Series, Wanted};

const MONTH: Duration = Duration::from_hours(30 * 24);

pub(super) fn routes() -> Router<Dashboard> {
    Router::new().route("/surveys", get(list)).route("/surveys/{survey}", get(survey::page))
}

async fn list(State(dashboard): State<Dashboard>, Extension(operator): Extension<Operator>) -> Response {
    let today = history::day(dashboard.clock.now());
    let since = today.checked_sub(MONTH).unwrap_or(Timestamp::MIN);
    let all = Wanted { item: Some(String::new()), ..Wanted::of(Series::Answer, since) };
    let body = match dashboard.queue.counted(&all).await {
        Ok(counts) => body(&dashboard.live.config(), &counts, today),
        Err(error) => frame::broken("Surveys", &error),
    };
    frame::live(&dashboard, &operator, Place::Surveys, "Surveys", &body)
}

fn body(config: &Config, counts: &[(Kind, u64)], today: Timestamp) -> Markup {
    let (mut month, mut day): (HashMap<&str, u64>, HashMap<&str, u64>) = (HashMap::new(), HashMap::new());
    for (kind, count) in counts {
        *month.entry(&kind.subject).or_default() += count;
        if kind.at == today {
            *day.entry(&kind.subject).or_default() += count;
        }
    }
    let of = |counts: &HashMap<&str, u64>, id: &str| counts.get(id).copied().unwrap_or_default();
    html! {
        div.head { h1 { "Surveys" } p.quiet { "What was accepted here, whoever forwards it. Days are those of UTC." } }
        section.card {
            div.scroll.first { table.cards {
                thead { tr {
                    th { "Survey" } th { "Lane" } th { "Touchpoint" } th { "Languages" } th.number { "Questions" }
                    th.number { "Today" } th.number { "30 days" } th { span.hidden { "Preview" } }
                } }
                tbody { @for survey in &config.surveys {
                    tr {
                        td.lead { strong { a href={ "/surveys/" (survey.id) } { (survey.id) } } }
                        td { (survey.platform) }
                        td { code { (survey.touchpoint) } }
                        td { (survey.languages.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")) }
                        td.number data-name="Questions" { (survey.questions.len()) }
                        td.number data-name="Today" { (page::grouped(of(&day, survey.id.as_str()))) }
                        td.number data-name="30 days" { (page::grouped(of(&month, survey.id.as_str()))) }
                        td { a href={ "/preview/" (survey.id) } { "Preview" } }
                    }
                } }
            } }
        }
    }
}
