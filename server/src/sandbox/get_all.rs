//! Hands stored answers back ("Hello Customer API overview", section 9).
//!
//! The page shows the values of scores and texts only; `answer_Boolean` and `answer_Options` are
//! our guess for the other kinds. A score is an NPS from 0 to 10, a CSAT from 1 to 5 and a CES from
//! 1 to 7. What the page leaves open is empty text, as in its example, and GUIDs that it makes up
//! come from the arrival's number, so that they are the same each time.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::reply::{Problem, Reply};
use super::{Answer, Kind, Question, Reports, Sandbox, Touchpoint};

/// The longest range of one call.
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

/// Answers a call for a touchpoint and a range as the path has it.
pub(super) fn get_all(
    sandbox: &Sandbox,
    touchpoint: &Touchpoint,
    range: &(String, String),
    now: Instant,
) -> Reply {
    let reports = sandbox.reports();
    if reports.refused {
        return Reply::bare(StatusCode::UNAUTHORIZED, "reading answers back is refused");
    }
    let (start, end) = match window(range, Some(LONGEST)) {
        Ok(window) => window,
        Err(problem) => return Reply::refusal(StatusCode::BAD_REQUEST, vec![problem]),
    };
    let shown = |answer: &Answer| {
        let due = now.saturating_duration_since(answer.at) >= reports.lag;
        let date = dated(answer, &reports);
        due && answer.touchpoint == touchpoint.guid && (start..=end).contains(&date)
    };
    let answers = sandbox.answers().into_iter().filter(shown);
    Reply::json(&answers.map(|answer| respondent(touchpoint, &answer, &reports)).collect())
}

/// The two ends of a range, to the second, both included; at most so long, if there is a bound.
pub(super) fn window(
    (start, end): &(String, String),
    longest: Option<SignedDuration>,
) -> Result<(Timestamp, Timestamp), Problem> {
    let message = "The format of the date is not valid: yyyyMMddHHmmss";
    let date = |text: &str| moment(text).ok_or_else(|| Problem::new(message, format!("{text:?} is no date")));
    let (start, end) = (date(start)?, date(end)?);
    let span = end.duration_since(start);
    if span.is_negative() {
        return Err(Problem::new("The end date is before the start date", "the range is reversed"));
    }
    if longest.is_some_and(|longest| span > longest) {
        let message = "The start date and the end date cannot be more than 31 days apart";
        return Err(Problem::new(message, format!("the range is {} hours long", span.as_hours())));
    }
    Ok((start, end))
}

fn moment(text: &str) -> Option<Timestamp> {
    if text.len() != 14 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i8>().ok();
    let date = DateTime::new(
        text.get(..4)?.parse().ok()?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?,
        0,
    );
    TimeZone::UTC.to_timestamp(date.ok()?).ok()
}

/// When an answer was given, as the platform's own clock shows it.
pub(super) fn dated(answer: &Answer, reports: &Reports) -> Timestamp {
    local(answer.time, reports)
}

/// A time as the platform's own clock shows it, to the second.
fn local(time: Timestamp, reports: &Reports) -> Timestamp {
    let seconds = time.as_second().saturating_add(reports.ahead);
    Timestamp::from_second(seconds).unwrap_or(time)
}

/// One element of the response: a respondent with all answers.
fn respondent(touchpoint: &Touchpoint, answer: &Answer, reports: &Reports) -> Value {
    let body = &*answer.json;
    let text = |key: &str| body["respondent"][key].as_str().unwrap_or_default();
    let guid = |what: u16| made_up(what, answer.arrival);
    let date = dated(answer, reports).to_string();
    let metadata = if reports.without_metadata { json!({}) } else { body["metadata"].clone() };
    let answers = body["answers"].as_array().into_iter().flatten().enumerate();
    let questions = answers.filter_map(|(place, given)| {
        let id = made_up(u16::try_from(place).unwrap_or(u16::MAX).saturating_add(16), answer.arrival);
        question(touchpoint, given, &date, &guid(3), &id)
    });
    json!({
        "firstName": text("FirstName"),
        "lastName": text("LastName"),
        "privateIp": "127.0.0.1",
        "publicIp": "127.0.0.1:0",
        "email": text("Email"),
        "phoneNumber": text("Phone"),
        "campaign_UniqueID": touchpoint.guid.to_ascii_lowercase(),
        "language_UniqueID": answer.language.guid().to_ascii_lowercase(),
        "respondent_UniqueID": guid(2),
        "survey_UniqueID": guid(3),
        "hasBeenContacted": false,
        "hasBeenForwarded": false,
        "dateSurveyed": date,
        "dateAnswer": date,
        "custom_UniqueID": text("UniqueID"),
        "keyValues": metadata,
        "answerQuestions": questions.collect::<Vec<_>>(),
        "answerTags": [],
        "forwardedMessages": [],
        "repliedMessages": [],
        "notes": [],
        "hasBeenDisabledForReview": false,
        "uniqueID": guid(1),
    })
}

/// One element of `answerQuestions`; only the value that there is has a key.
fn question(touchpoint: &Touchpoint, given: &Value, date: &str, survey: &str, id: &str) -> Option<Value> {
    let (place, question) = touchpoint.question(given["QuestionItemUniqueID"].as_str()?)?;
    let earlier = &touchpoint.questions[..=place];
    let order = earlier.iter().filter(|other| other.language == question.language).count();
    let scale = match question.kind {
        Kind::Score { min, max } => Some((min, max)),
        _ => None,
    };
    let mut value = Map::new();
    for (theirs, ours) in [
        ("Score", "answer_Value"),
        ("Text", "answer_Text"),
        ("Boolean", "answer_Boolean"),
        ("Options", "answer_Options"),
    ] {
        if !given[theirs].is_null() {
            value.insert(ours.into(), given[theirs].clone());
        }
    }
    let rest = json!({
        "answer_Date": date,
        "survey_UniqueID": survey,
        "question_UniqueID": question.guid.to_ascii_lowercase(),
        "question_SiblingUniqueID": sibling(question),
        "question_Text": question.text,
        "question_SortOrder": order,
        "question_HasScoreAnswer": scale.is_some(),
        "question_HasNpsValueAnswer": scale == Some((0, 10)),
        "question_HasTextAnswer": question.kind == Kind::Text,
        "question_HasBooleanAnswer": question.kind == Kind::YesNo,
        "question_HasCesScoreAnswer": scale == Some((1, 7)),
        "question_HasCsatScoreAnswer": scale == Some((1, 5)),
        "question_HasMultipleChoiceAnswer": matches!(question.kind, Kind::Choice { .. }),
        "uniqueID": id,
    });
    value.extend(rest.as_object().cloned().unwrap_or_default());
    if question.kind == Kind::Text {
        value.insert("prediction".into(), json!({ "items": [] }));
    }
    Some(Value::Object(value))
}

/// The sibling as a GUID; one is made from any other text.
pub(super) fn sibling(question: &Question) -> String {
    let made = || {
        let hash = question.sibling.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        made_up(0, hash)
    };
    Uuid::try_parse(&question.sibling).map_or_else(|_| made(), |guid| guid.to_string())
}

/// A GUID of our own making, the same for the same thing.
pub(super) fn made_up(what: u16, number: u64) -> String {
    let bytes = (u128::from(0xaf7e_u16) << 112) | (u128::from(what) << 64) | u128::from(number);
    uuid::Builder::from_random_bytes(bytes.to_be_bytes()).into_uuid().to_string()
}
