//! Lists a touchpoint's questions, as the platform's mobile SDKs get them; the API page does not have this call.
//!
//! The options of a choice are its labels, of which there are seven at most. What the platform says to a company that is
//! not the touchpoint's is not known: here it is the same as for an answer.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::add_answer::WRONG_COMPANY;
use super::get_all::sibling;
use super::reply::{Problem, Reply};
use super::{Kind, Question, Touchpoint};

/// Labels of a question.
const LABELS: usize = 7;

pub(super) fn get_questions(touchpoint: &Touchpoint, company: Option<&str>) -> Reply {
    let company = company.unwrap_or_default();
    if !company.eq_ignore_ascii_case(&touchpoint.company) {
        let reason = format!("the path's company {company} is not {}", touchpoint.company);
        return Reply::refusal(StatusCode::BAD_REQUEST, vec![Problem::new(WRONG_COMPANY, reason)]);
    }
    let items: Vec<Value> = touchpoint.questions.iter().map(|question| item(touchpoint, question)).collect();
    Reply::json(&json!([{
        "campaign_UniqueID": touchpoint.guid.to_ascii_lowercase(),
        "hasbeenArchived": false,
        "sortOrder": 1,
        "campaign_CampaignType_ID": 1,
        "items": items,
    }]))
}

fn item(touchpoint: &Touchpoint, question: &Question) -> Value {
    let earlier = touchpoint.questions.iter().take_while(|other| *other != question);
    let order = earlier.filter(|other| other.language == question.language).count() + 1;
    let name = match &question.kind {
        Kind::Score { min: 0, max: 10 } => "NPS Score - 0-10 Question".to_owned(),
        Kind::Score { min: 1, max: 5 } => "CSAT Score - 1-5 Question".to_owned(),
        Kind::Score { min: 1, max: 7 } => "CES Score - 1-7 Question".to_owned(),
        Kind::Score { min, max } => format!("Score - {min}-{max} Question"),
        Kind::Text => "Open Question".to_owned(),
        Kind::YesNo => "Yes/No Question".to_owned(),
        Kind::Choice { several: true, .. } => "Multiple Choice Question".to_owned(),
        Kind::Choice { several: false, .. } => "Single Choice Question".to_owned(),
    };
    let rest = json!({
        "language_UniqueID": question.language.guid().to_ascii_lowercase(),
        "language_Culture": question.language.culture(),
        "text": question.text,
        "siblingUniqueID": sibling(question),
        "hasbeenArchived": false,
        "rateType": 0,
        "sortOrder": order,
        "type": {
            "name": name,
            "hasScore": matches!(question.kind, Kind::Score { .. }),
            "hasText": question.kind == Kind::Text,
            "hasBoolean": question.kind == Kind::YesNo,
        },
        "isMandatory": question.mandatory,
        "campaign_UniqueID": touchpoint.guid.to_ascii_lowercase(),
        "uniqueID": question.guid,
    });
    let labels = if let Kind::Choice { values, .. } = &question.kind { values } else { &question.labels };
    let label = |place: usize| {
        (format!("label{}", place + 1), json!(labels.get(place).filter(|label| !label.is_empty())))
    };
    let mut item: Map<String, Value> = (0..LABELS).map(label).collect();
    item.extend(rest.as_object().cloned().unwrap_or_default());
    Value::Object(item)
}
