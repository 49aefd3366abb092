//! The table of arrivals: each call with its answers in words.

use maud::{Markup, html};
use serde_json::Value;
use shared::Language;

use super::{Arrival, Sandbox};
use crate::page::{self, Tone};

/// The table, in the order in which the arrivals come.
pub(super) fn table<'a>(sandbox: &Sandbox, arrivals: impl Iterator<Item = &'a Arrival>) -> Markup {
    html! {
        table.cards {
            thead { tr {
                th.number { "No." }
                th.number { "Time (UTC)" }
                th.number { "Gap (ms)" }
                th { "Touchpoint" }
                th { "What it says" }
                th { "Answered" }
            } }
            tbody { @for arrival in arrivals { (row(sandbox, arrival)) } }
        }
    }
}

fn row(sandbox: &Sandbox, arrival: &Arrival) -> Markup {
    let touchpoint = arrival.touchpoint.as_deref();
    let known = touchpoint.and_then(|guid| sandbox.touchpoint(guid));
    let name = known.as_ref().map(|known| known.name.as_str()).or(touchpoint);
    let json = arrival.json.as_deref();
    let language = json.and_then(|json| json["languageUniqueId"].as_str()).and_then(Language::with_guid);
    html! {
        tr id={ "arrival-" (arrival.number) } {
            td.number { strong { (arrival.number) } }
            td.number { (arrival.time.strftime("%H:%M:%S%.3f").to_string()) }
            td.number data-name="gap" { (gap(arrival)) }
            td.name {
                strong { (name.unwrap_or("–")) }
                div.quiet {
                    (arrival.call) @if let Some(language) = language { " · " (language.name()) }
                }
            }
            td.wide { div.stack { (says(sandbox, arrival)) } }
            td.last { (answered(arrival)) }
        }
    }
}

fn gap(arrival: &Arrival) -> Markup {
    html! {
        @match arrival.gap {
            Some(gap) if arrival.early => { (page::pill(Tone::Warn, page::milliseconds(gap))) span.hidden { " too early" } }
            Some(gap) => { (page::milliseconds(gap)) }
            None if arrival.token.is_some() => { span.quiet { "first" } }
            None => { span.quiet { "–" } }
        }
    }
}

fn answered(arrival: &Arrival) -> Markup {
    match arrival.status {
        Some(status @ 200..300) if arrival.fault.is_none() => page::pill(Tone::Good, status),
        Some(status @ (200..300 | 429)) => page::pill(Tone::Warn, status),
        Some(status) => page::pill(Tone::Bad, status),
        None if arrival.done => page::pill(Tone::Bad, "nothing"),
        None => page::pill(Tone::Quiet, "at work"),
    }
}

/// The answers and metadata in words, and what was wrong.
fn says(sandbox: &Sandbox, arrival: &Arrival) -> Markup {
    let json = arrival.json.as_deref();
    let answers = json.and_then(|json| json["answers"].as_array()).map(Vec::as_slice).unwrap_or_default();
    let metadata = json.and_then(|json| json["metadata"].as_object()).into_iter().flatten();
    let metadata: Vec<_> = metadata.map(|(key, value)| (key, plain(value))).collect();
    html! {
        @if let Some(fault) = &arrival.fault {
            p { (page::pill(Tone::Warn, "misbehaved")) " " (fault.words()) @if arrival.stored { "; stored" } }
        }
        @for message in &arrival.messages { p.wrong { (message) } }
        @for reason in &arrival.reasons { p.quiet { (reason) } }
        @if !answers.is_empty() {
            dl.pairs { @for answer in answers { (pair(sandbox, arrival, answer)) } }
        }
        @if !metadata.is_empty() {
            ul.chips { @for (key, value) in metadata { li { b { (key) } " " span dir="auto" { (value) } } } }
        }
        @if let Some(body) = &arrival.body {
            details id={ "body-" (arrival.number) } {
                summary { "Body, " (page::grouped(body.len() as u64)) " bytes" }
                pre { @match json {
                    Some(json) => { (serde_json::to_string_pretty(json).unwrap_or_default()) }
                    None => { (body) }
                } }
            }
        } @else if arrival.done {
            p.quiet { code { (arrival.method) " " (arrival.path) } }
        }
    }
}

/// A question and its answer.
fn pair(sandbox: &Sandbox, arrival: &Arrival, answer: &Value) -> Markup {
    let guid = answer["QuestionItemUniqueID"].as_str().unwrap_or("no question");
    let touchpoint = arrival.touchpoint.as_deref().and_then(|guid| sandbox.touchpoint(guid));
    let question = touchpoint.as_ref().and_then(|touchpoint| touchpoint.question(guid));
    let text = question.map_or(guid, |(_, question)| question.text.as_str());
    let values = ["Score", "Text", "Boolean", "Options"].map(|key| &answer[key]);
    let values = values.into_iter().filter(|value| !value.is_null()).map(plain);
    html! {
        div {
            dt dir="auto" { (text) }
            dd dir="auto" { (values.collect::<Vec<_>>().join(", ")) }
        }
    }
}

/// A JSON value as people write it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "Yes".into(),
        Value::Bool(false) => "No".into(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
