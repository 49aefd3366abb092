//! `/letters/{submission}`: all that is known of one submission, and what an operator can do about it.

use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use uuid::Uuid;

use super::frame::{self, Place};
use super::session::Operator;
use super::{Dashboard, form, state, time};
use crate::accepted::{Accepted, StoredValue};
use crate::operator::{self, OperatorError, Order, Shown};
use crate::page;

pub(super) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(operator): Extension<Operator>,
    Path(submission): Path<String>,
) -> Response {
    let shows = dashboard.live.config().admin_answers;
    let found = match submission.parse::<Uuid>() {
        Ok(id) => operator::show(&*dashboard.queue, id, shows).await,
        Err(_) => Ok(None),
    };
    let body = match found {
        Ok(Some(entry)) => body(&dashboard, &operator, &entry),
        Ok(None) => {
            let words = html! { "The queue has no submission “" (submission) "”; what arrived is forgotten after 30 days. " a href="/letters" { "All letters" } };
            let status = (StatusCode::NOT_FOUND, "Letter");
            return frame::refusal(&dashboard, &operator, Place::Letters, status, &words);
        }
        Err(OperatorError::Queue(error)) => frame::broken("Letter", &error),
        Err(error) => {
            let status = (StatusCode::UNPROCESSABLE_ENTITY, "Letter");
            let words = html! { (error.to_string()) };
            return frame::refusal(&dashboard, &operator, Place::Letters, status, &words);
        }
    };
    frame::live(&dashboard, &operator, Place::Letters, "Letter", &body)
}

fn body(dashboard: &Dashboard, operator: &Operator, shown: &Shown) -> Markup {
    let (entry, now) = (&shown.entry, dashboard.clock.now());
    let state = entry.state.0;
    let takes = |order: Order| order.takes().contains(&state);
    let (retries, discards) = (takes(Order::Retry), takes(Order::Discard));
    html! {
        p.quiet { a href="/letters" { "Letters" } }
        section.card {
            h1.id { code { (entry.submission) } " " (state::pill(state)) }
            dl.figures {
                (page::figure("Survey", entry.survey.as_str()))
                (page::figure("Lane", &entry.lane))
                (page::figure("Calls", entry.attempts))
                (page::figure("Age", time::span(now, entry.accepted_at)))
            }
            p.quiet {
                "Accepted " (time::moment(entry.accepted_at)) "."
                @if let Some(at) = entry.settled_at { " In this state since " (time::moment(at)) "." }
                @if let Some(at) = shown.unsure_since { " It may have arrived " (time::moment(at)) "." }
            }
            @if let Some(error) = &entry.last_error { pre { (error) } }
            @if retries || discards {
                form method="post" action="/letters/change" {
                    (form::key(operator))
                    input type="hidden" name="submission" value=(entry.submission);
                    input type="hidden" name="state" value=(entry.state);
                    input type="hidden" name="as_of" value=(now);
                    div.actions {
                        @if retries { button.loud name="do" value="retry" { "Send again" } }
                        @if discards { button name="do" value="discard" { "Discard …" } }
                    }
                }
            }
        }
        section.card {
            h2 { "Calls" }
            @if shown.history.is_empty() {
                p.quiet { "No call has failed, or what was known of them is forgotten." }
            } @else {
                div.scroll { table.cards {
                    thead { tr { th { "When" } th { "Verdict" } th.number { "Status" } th { "The platform's words" } } }
                    tbody { @for call in &shown.history { tr {
                        td { (time::moment(call.at)) }
                        td { (call.verdict) }
                        td.number data-name="Status" { @match call.status { Some(status) => (status), None => "–" } }
                        td.wide { (call.error.as_deref().unwrap_or("–")) }
                    } } }
                } }
            }
        }
        section.card {
            h2 { "Answers" }
            (answers(dashboard, shown))
        }
    }
}

fn answers(dashboard: &Dashboard, shown: &Shown) -> Markup {
    if !dashboard.live.config().admin_answers {
        return html! { p.quiet { "These pages do not show what visitors answered; " code { "admin_answers = true" } " lets them." } };
    }
    let accepted = shown.stored.clone().and_then(|stored| serde_json::from_value::<Accepted>(stored).ok());
    let Some(accepted) = accepted else {
        return html! { p.quiet { "What the visitor sent is not stored any more." } };
    };
    html! {
        p.quiet { "Answered " (time::moment(accepted.answered_at)) " in " (accepted.language) "." }
        dl.pairs { @for answer in &accepted.answers { div { dt { (answer.question) } dd { (said(&answer.value)) } } } }
        @if !accepted.metadata.is_empty() {
            h3 { "Metadata" }
            dl.pairs { @for (key, value) in &accepted.metadata { div { dt { (key) } dd { (value) } } } }
        }
    }
}

fn said(value: &StoredValue) -> String {
    let list =
        |options: &[shared::OptionId]| options.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match value {
        StoredValue::Score(score) => score.to_string(),
        StoredValue::Text(text) => text.clone(),
        StoredValue::Boolean(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        StoredValue::Options(options) => list(options),
        StoredValue::OptionsWithWords(options, words) => format!("{} (“{words}”)", list(options)),
    }
}
