//! A response whole, for reports: Hello Customer API overview, section 9.
//!
//! The page shows the values of scores and texts only. Whatever else an answer has under `answer_…` counts as its value
//! as well, so that no kind of question is lost.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use shared::Language;

use super::get_questions::AskedKind;

/// One respondent's answers.
#[derive(Clone, Default, PartialEq)]
pub struct Answered {
    /// The platform's own name for the response; empty if it has none.
    pub id: String,
    /// When it was answered, as the platform writes it.
    pub at: String,
    /// The language, by its code, or the platform's GUID for it if it is unknown.
    pub language: String,
    /// Who answered: name and value of what is known.
    pub respondent: Vec<(&'static str, String)>,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
    /// The answers, in the platform's order.
    pub answers: Vec<AnsweredQuestion>,
}

/// One answer.
#[derive(Clone, PartialEq)]
pub struct AnsweredQuestion {
    /// The question's GUID, one for each language, in lower case.
    pub question: String,
    /// The same for one question in all its languages, in lower case.
    pub sibling: String,
    /// What was asked.
    pub text: String,
    /// What was answered, as the platform writes it; several values are joined.
    pub value: String,
    /// The options that were chosen.
    pub chosen: Vec<String>,
    /// How it is answered.
    pub kind: AskedKind,
    /// Its place in the survey.
    pub order: f64,
}

/// What was said stays out.
impl std::fmt::Debug for Answered {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Answered").field("id", &self.id).field("at", &self.at).finish_non_exhaustive()
    }
}

/// What was said stays out.
impl std::fmt::Debug for AnsweredQuestion {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AnsweredQuestion").field("question", &self.question).finish_non_exhaustive()
    }
}

/// What is known of a respondent, by our names for it.
pub const RESPONDENT: [&str; 5] = ["first_name", "last_name", "email", "phone", "id"];

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Raw {
    #[serde(rename = "uniqueID")]
    id: Value,
    date_answer: Value,
    #[serde(rename = "language_UniqueID")]
    language: Value,
    first_name: Value,
    last_name: Value,
    email: Value,
    phone_number: Value,
    #[serde(rename = "custom_UniqueID")]
    custom_id: Value,
    #[serde(deserialize_with = "or_default")]
    key_values: Map<String, Value>,
    #[serde(deserialize_with = "or_default")]
    answer_questions: Vec<Map<String, Value>>,
}

impl Answered {
    /// Reads a response as the platform sent it. The error says where it differs, without what was answered.
    pub fn read(json: &str) -> Result<Self, String> {
        let raw: Raw = serde_json::from_str(json)
            .map_err(|error| format!("{:?} error at column {}", error.classify(), error.column()))?;
        let person = [raw.first_name, raw.last_name, raw.email, raw.phone_number, raw.custom_id];
        let person = RESPONDENT.into_iter().zip(person.iter().map(text));
        let language = text(&raw.language);
        Ok(Self {
            id: text(&raw.id),
            at: text(&raw.date_answer),
            language: Language::with_guid(&language).map_or(language, |it| it.to_string()),
            respondent: person.filter(|(_, value)| !value.is_empty()).collect(),
            metadata: raw.key_values.iter().map(|(key, value)| (key.clone(), text(value))).collect(),
            answers: raw.answer_questions.iter().map(AnsweredQuestion::of).collect(),
        })
    }
}

impl AnsweredQuestion {
    fn of(raw: &Map<String, Value>) -> Self {
        let of = |key: &str| raw.get(key).map(text).unwrap_or_default();
        let values = raw.iter().filter(|(key, _)| key.starts_with("answer_") && *key != "answer_Date");
        let values: Vec<String> =
            values.map(|(_, value)| text(value)).filter(|text| !text.is_empty()).collect();
        Self {
            question: of("question_UniqueID").to_ascii_lowercase(),
            sibling: of("question_SiblingUniqueID").to_ascii_lowercase(),
            text: of("question_Text"),
            value: values.join("; "),
            chosen: raw.values().find_map(Value::as_array).into_iter().flatten().map(text).collect(),
            kind: kind(raw),
            order: raw.get("question_SortOrder").and_then(Value::as_f64).unwrap_or(f64::MAX),
        }
    }
}

/// How a question is answered, by its marks.
fn kind(raw: &Map<String, Value>) -> AskedKind {
    let has =
        |what: &str| raw.get(&format!("question_Has{what}Answer")).and_then(Value::as_bool) == Some(true);
    if has("NpsValue") {
        AskedKind::Score { min: 0, max: 10 }
    } else if has("CsatScore") {
        AskedKind::Score { min: 1, max: 5 }
    } else if has("CesScore") {
        AskedKind::Score { min: 1, max: 7 }
    } else if has("Score") {
        AskedKind::Score { min: 0, max: 10 }
    } else if has("Boolean") {
        AskedKind::YesNo
    } else if has("MultipleChoice") {
        AskedKind::Choice { several: false }
    } else if has("Text") {
        AskedKind::Text
    } else {
        AskedKind::Unknown
    }
}

/// Null counts as nothing said.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A value as a text; numbers as they were written.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            values.iter().map(text).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_read_as_the_page_writes_it() {
        let json = r#"{"firstName":"John","lastName":"","email":"john.doe@example.com","phoneNumber":null,
            "language_UniqueID":"1b5c1275-4f92-422f-b1fc-799bf8e30598","dateAnswer":"2020-09-29T13:42:37Z",
            "custom_UniqueID":"7","keyValues":{"shop":"1","pieces":8},"new":[1],
            "answerQuestions":[
                {"answer_Date":"2020-09-29T13:42:37Z","answer_Value":6,"question_UniqueID":"AB",
                 "question_SiblingUniqueID":"CD","question_Text":"Hoe?"},
                {"answer_Text":"Het is heel vriendelijk personeel","prediction":{"items":[]}},
                {"answer_Boolean":false},{"answer_Options":["Web","Winkel"]},{"answer_Value":7.5},{}],
            "uniqueID":"36e2"}"#;
        let answered = Answered::read(json).unwrap();
        assert_eq!(
            (answered.id.as_str(), answered.at.as_str(), answered.language.as_str()),
            ("36e2", "2020-09-29T13:42:37Z", "nl")
        );
        let person: Vec<_> =
            answered.respondent.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(person, [("first_name", "John"), ("email", "john.doe@example.com"), ("id", "7")]);
        assert_eq!((answered.metadata["shop"].as_str(), answered.metadata["pieces"].as_str()), ("1", "8"));
        let values: Vec<_> = answered.answers.iter().map(|answer| answer.value.as_str()).collect();
        assert_eq!(values, ["6", "Het is heel vriendelijk personeel", "false", "Web; Winkel", "7.5", ""]);
        let first = &answered.answers[0];
        assert_eq!(
            (first.question.as_str(), first.sibling.as_str(), first.text.as_str()),
            ("ab", "cd", "Hoe?")
        );
    }

    #[test]
    fn what_is_no_response_is_told_without_its_words() {
        assert_eq!(Answered::read("{}").unwrap(), Answered::default());
        assert_eq!(
            Answered::read(r#"{"keyValues":null,"answerQuestions":null}"#).unwrap(),
            Answered::default()
        );
        let error = Answered::read(r#"{"answerQuestions":"geheim"}"#).unwrap_err();
        assert!(!error.contains("geheim") && error.contains("column"), "{error}");
    }
}
