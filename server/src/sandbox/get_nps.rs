//! Computes a Net Promoter Score of stored answers ("Hello Customer API overview", section 10).
//!
//! Every score from 0 to 10 counts: 9 and 10 promote, 0 to 6 detract. As in the page's example the score is a whole
//! number without its fraction, the shares have two places, and the passive ones are the rest. An answer counts where
//! its metadata has one of the values of every key; without any answer everything is 0. The page says nothing of a
//! longest range, so there is none.

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::add_answer::MODEL;
use super::get_all::{dated, made_up, window};
use super::reply::{Problem, Reply};
use super::{Answer, Kind, Sandbox, Touchpoint};

/// Answers a call for a touchpoint, a range as the path has it, and a body, if there is one.
pub(super) fn get_nps(
    sandbox: &Sandbox,
    touchpoint: &Touchpoint,
    range: &(String, String),
    body: Option<&Value>,
    now: Instant,
) -> Reply {
    let wrong = |problem| Reply::refusal(StatusCode::BAD_REQUEST, vec![problem]);
    let (start, end) = match window(range, None) {
        Ok(window) => window,
        Err(problem) => return wrong(problem),
    };
    let filters = match body.map_or(Ok(Vec::new()), filters) {
        Ok(filters) => filters,
        Err(reason) => return wrong(Problem::new(MODEL, reason)),
    };
    let reports = sandbox.reports();
    let counts = |answer: &Answer| {
        let passes = |(key, values): &(String, Vec<String>)| {
            answer.metadata(key).is_some_and(|value| values.iter().any(|wanted| wanted == value))
        };
        let due = now.saturating_duration_since(answer.at) >= reports.lag;
        due && answer.touchpoint == touchpoint.guid
            && (start..=end).contains(&dated(answer, &reports))
            && filters.iter().all(passes)
    };
    let answers = sandbox.answers();
    let scores: Vec<i64> = answers
        .iter()
        .filter(|answer| counts(answer))
        .flat_map(|answer| scores(touchpoint, answer))
        .collect();
    let share = |from: i64, to: i64| {
        let of = scores.iter().filter(|score| (from..=to).contains(*score)).count();
        // In hundredths of a percent.
        (of * 10_000).checked_div(scores.len()).unwrap_or(0)
    };
    let (detractors, promoters) = (share(0, 6), share(9, 10));
    let passive = if scores.is_empty() { 0 } else { 10_000 - detractors - promoters };
    #[expect(clippy::cast_precision_loss, reason = "at most 10,000")]
    let percent = |hundredths: usize| hundredths as f64 / 100.0;
    #[expect(clippy::cast_possible_wrap, reason = "at most 10,000")]
    let nps = (promoters as i64 - detractors as i64) / 100;
    Reply::json(&json!({
        "nps": nps,
        "detractors": percent(detractors),
        "passive": percent(passive),
        "promoters": percent(promoters),
        "date": sandbox.time(now).strftime("%Y-%m-%dT%H:%M:%S.%7f+00:00").to_string(),
        "uniqueID": made_up(4, sandbox.counts().arrived),
    }))
}

/// What is to be filtered by: each key with its values.
fn filters(body: &Value) -> Result<Vec<(String, Vec<String>)>, &'static str> {
    let list = body.as_array().ok_or("the body is no list")?;
    let filter = |filter: &Value| {
        let object = filter.as_object().ok_or("a filter is no object")?;
        let known = ["key", "filterValues"];
        if object.len() != known.len() || !known.iter().all(|key| object.contains_key(*key)) {
            return Err("a filter has other keys than key and filterValues");
        }
        let key = filter["key"].as_str().ok_or("key is no text")?;
        let values = filter["filterValues"].as_array().ok_or("filterValues is no list")?;
        let values: Option<Vec<String>> =
            values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        Ok((key.to_owned(), values.ok_or("filterValues are no texts")?))
    };
    list.iter().map(filter).collect()
}

/// The scores from 0 to 10 of an answer.
fn scores(touchpoint: &Touchpoint, answer: &Answer) -> Vec<i64> {
    let given = answer.json["answers"].as_array().into_iter().flatten();
    let nps = given.filter(|given| {
        let guid = given["QuestionItemUniqueID"].as_str().unwrap_or_default();
        let question = touchpoint.question(guid);
        question.is_some_and(|(_, question)| question.kind == Kind::Score { min: 0, max: 10 })
    });
    nps.filter_map(|given| given["Score"].as_i64()).collect()
}
