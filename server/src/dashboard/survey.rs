//! `/surveys/{survey}`: what was answered, in numbers; how far visitors come; and what the platform makes of it.

mod numbers;
mod score;
mod wish;

use std::time::Duration;

use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use maud::{Markup, html};

use super::Dashboard;
use super::form::Parameters;
use super::frame::{self, Place};
use super::session::Operator;
use crate::config::Survey;
use crate::history;
use crate::page::{self, Tone};
use crate::queue::{Kind, QueueError, Series, Wanted};
use crate::snippet;
use numbers::Figures;
pub(super) use score::{Asked, ask};
use wish::Wish;

const DAY: Duration = Duration::from_hours(24);

pub(super) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Parameters(asked): Parameters,
) -> Response {
    let mut wish = Wish::read(&asked);
    let config = dashboard.live.config();
    let Some(survey) = config.survey(&id) else { return unknown(&dashboard, &operator, &id) };
    let today = history::day(dashboard.clock.now());
    let first = today.checked_sub(DAY * u32::from(wish.days() - 1)).unwrap_or(today);
    let counts = match counts(&dashboard, survey, first).await {
        Ok(counts) => counts,
        Err(error) => {
            let body = frame::broken(survey.id.as_str(), &error);
            return frame::live(&dashboard, &operator, Place::Surveys, survey.id.as_str(), &body);
        }
    };
    let without = wish.check(&asked, survey, &counts.0);
    let days: Vec<Timestamp> =
        (0..wish.days()).filter_map(|day| first.checked_add(DAY * u32::from(day)).ok()).collect();
    let figures = Figures { wish: &wish, survey, days, answers: counts.0, steps: counts.1 };
    let body = html! {
        p.quiet { a href="/surveys" { "Surveys" } }
        @for words in without { (page::notice(Tone::Warn, words)) }
        (figures.head())
        (figures.accepted())
        @for question in figures.scored() { (figures.nps(question)) }
        (dashboard.asked.card(&operator, survey, &wish, dashboard.clock.now()))
        (figures.questions())
        (figures.funnel())
        (on_a_page(config.public_url.as_deref(), survey))
    };
    frame::live(&dashboard, &operator, Place::Surveys, survey.id.as_str(), &body)
}

fn unknown(dashboard: &Dashboard, operator: &Operator, id: &str) -> Response {
    let words = html! { "There is no survey “" (id) "”. " a href="/surveys" { "All surveys" } };
    frame::refusal(dashboard, operator, Place::Surveys, (StatusCode::NOT_FOUND, "Survey"), &words)
}

type Counts = Vec<(Kind, u64)>;

async fn counts(
    dashboard: &Dashboard,
    survey: &Survey,
    since: Timestamp,
) -> Result<(Counts, Counts), QueueError> {
    let of = |series| Wanted::of(series, since).about(survey.id.as_str());
    let answers = dashboard.queue.counted(&of(Series::Answer)).await?;
    let steps = if survey.counts { dashboard.queue.counted(&of(Series::Step)).await? } else { Vec::new() };
    Ok((answers, steps))
}

/// A score, with a minus of its own.
fn rounded(nps: f64) -> String {
    format!("{nps:.0}").replace('-', "−")
}

fn on_a_page(server: Option<&str>, survey: &Survey) -> Markup {
    html! {
        section.card {
            h2 { "On a page" }
            @match server {
                Some(server) => pre tabindex="0" aria-label="Snippet" { (snippet::tag(server, survey)) },
                None => p.quiet { "Say in the configuration where browsers reach the server (" code { "public_url" } "), and the snippet stands here." },
            }
            @if snippet::page_keys(survey).next().is_some() {
                p.quiet { "The page puts what it knows in the place of each " code { "VALUE" } "." }
            }
            p.quiet { code { "afterword embed" } " has it for tag managers, React, Vue and WordPress as well." }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn the_snippet_is_the_one_that_embed_prints() {
        let config = config::tests::good();
        let survey = config.survey("checkout").unwrap();
        let shown = on_a_page(Some("https://feedback.example.com"), survey).into_string();
        let tag = snippet::tag("https://feedback.example.com", survey);
        assert!(
            tag.contains("data-meta-pieces") && shown.contains(&html! { (tag) }.into_string()),
            "{shown}"
        );
    }
}
