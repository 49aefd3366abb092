//! Checks the body of `answers/add` ("Hello Customer API overview", sections 5 and 11).
//!
//! The page lists two messages each for a bad GUID of the language and of a question. Here the one
//! with "empty" answers null, an empty text and the GUID of zeros, and the other one everything
//! else that is no GUID. The page has no words for a foreign company, a question answered twice and
//! missing mandatory metadata: [`WRONG_COMPANY`], [`ANSWERED_TWICE`] and [`mandatory`] are ours.

use serde_json::{Map, Value};
use shared::Language;

use super::reply::Problem;
use super::{Kind, Question, Touchpoint};

/// The page's word for any other shape than section 11's.
pub(super) const MODEL: &str = "The JSON model is not correct";
/// No language.
pub(super) const LANGUAGE_EMPTY: &str = "The Guid of the language is empty or the format is incorrect";
/// A language that is no GUID.
pub(super) const LANGUAGE_MALFORMED: &str = "The format of the Guid of the language is not valid";
/// A language that the touchpoint is not offered in.
pub(super) const LANGUAGE_NOT_PART: &str = "The LanguageUniqueId is not part of this touchpoint";
/// No question.
pub(super) const QUESTION_EMPTY: &str = "The questionItemUniqueId is empty or the format is incorrect";
/// A question that is no GUID.
pub(super) const QUESTION_MALFORMED: &str = "The format of the Guid of the question item is not valid";
/// A question or a value that the touchpoint does not have in this language.
pub(super) const ANSWER_NOT_CORRECT: &str = "The questionItemUniqueId of an answer is not correct";
/// Ours: the company is not the touchpoint's.
pub(super) const WRONG_COMPANY: &str = "The CompanyUniqueID is not the company of this touchpoint";
/// Ours: two answers to one question.
pub(super) const ANSWERED_TWICE: &str = "The questionItemUniqueId of an answer is there twice";

/// Ours: a mandatory metadata key is missing or empty.
pub(super) fn mandatory(key: &str) -> String {
    format!("The metadata {key} is mandatory for this touchpoint")
}

const TOP: [&str; 7] = [
    "cultureInfo",
    "languageUniqueId",
    "metadata",
    "respondent",
    "CompanyUniqueID",
    "answers",
    "campaign_UniqueID",
];
const RESPONDENT: [&str; 5] = ["UniqueID", "FirstName", "LastName", "Email", "Phone"];
const ANSWER: [&str; 5] = ["QuestionItemUniqueID", "Score", "Text", "Boolean", "Options"];

/// The language of a body that is right in everything, or all that is wrong with it.
pub(super) fn check(touchpoint: &Touchpoint, body: &Value) -> Result<Language, Vec<Problem>> {
    let mut check = Check { touchpoint, problems: Vec::new() };
    let language = check.body(body);
    match language {
        Some(language) if check.problems.is_empty() => Ok(language),
        _ => Err(check.problems),
    }
}

struct Check<'a> {
    touchpoint: &'a Touchpoint,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn wrong(&mut self, message: impl Into<String>, reason: impl Into<String>) {
        self.problems.push(Problem::new(message, reason));
    }

    fn body(&mut self, body: &Value) -> Option<Language> {
        let body = self.object(body, "the body", &TOP)?;
        let language = body.get("languageUniqueId").and_then(|guid| self.language(guid));
        if let Some(culture) = body.get("cultureInfo") {
            self.culture(culture, language);
        }
        self.metadata(body.get("metadata"));
        if let Some(respondent) = body.get("respondent") {
            self.respondent(respondent);
        }
        self.company_and_touchpoint(body);
        match body.get("answers") {
            Some(Value::Array(answers)) => self.answers(answers, language),
            Some(_) => self.wrong(MODEL, "answers is no list"),
            None => {}
        }
        language
    }

    /// An object with exactly these keys; `None` only where it is no object.
    fn object<'v>(&mut self, value: &'v Value, what: &str, keys: &[&str]) -> Option<&'v Map<String, Value>> {
        let Value::Object(object) = value else {
            self.wrong(MODEL, format!("{what} is no object"));
            return None;
        };
        for key in keys.iter().filter(|key| !object.contains_key(**key)) {
            self.wrong(MODEL, format!("{what} has no {key}"));
        }
        for key in object.keys().filter(|key| !keys.contains(&key.as_str())) {
            self.wrong(MODEL, format!("{what} has an unknown {key}"));
        }
        Some(object)
    }

    fn language(&mut self, guid: &Value) -> Option<Language> {
        let guid = self.guid(guid, "languageUniqueId", LANGUAGE_EMPTY, LANGUAGE_MALFORMED)?;
        let language = Language::with_guid(guid).filter(|it| self.touchpoint.languages.contains(it));
        if language.is_none() {
            self.wrong(
                LANGUAGE_NOT_PART,
                format!("languageUniqueId {guid} is no language of this touchpoint"),
            );
        }
        language
    }

    fn culture(&mut self, culture: &Value, language: Option<Language>) {
        match (culture, language) {
            (Value::String(culture), Some(language)) if culture != language.culture() => {
                let wanted = language.culture();
                self.wrong(
                    MODEL,
                    format!("cultureInfo is {culture}, but languageUniqueId is that of {wanted}"),
                );
            }
            (Value::String(_), _) => {}
            _ => self.wrong(MODEL, "cultureInfo is no text"),
        }
    }

    fn metadata(&mut self, metadata: Option<&Value>) {
        let empty = Map::new();
        let metadata = match metadata {
            Some(Value::Object(metadata)) => metadata,
            Some(_) => {
                self.wrong(MODEL, "metadata is no object");
                &empty
            }
            None => &empty,
        };
        for (key, _) in metadata.iter().filter(|(_, value)| !value.is_string()) {
            self.wrong(MODEL, format!("metadata {key} is no text"));
        }
        let touchpoint = self.touchpoint;
        for key in &touchpoint.mandatory_metadata {
            if metadata.get(key).is_none_or(|value| value.as_str() == Some("")) {
                self.wrong(mandatory(key), format!("metadata {key} is missing or empty"));
            }
        }
    }

    fn respondent(&mut self, respondent: &Value) {
        let Some(respondent) = self.object(respondent, "respondent", &RESPONDENT) else { return };
        for (key, _) in respondent.iter().filter(|(_, value)| !value.is_string() && !value.is_null()) {
            self.wrong(MODEL, format!("respondent {key} is neither a text nor null"));
        }
    }

    fn company_and_touchpoint(&mut self, body: &Map<String, Value>) {
        let company = body.get("CompanyUniqueID");
        let company = company.and_then(|guid| self.guid(guid, "CompanyUniqueID", MODEL, MODEL));
        if let Some(company) = company.filter(|it| !it.eq_ignore_ascii_case(&self.touchpoint.company)) {
            self.wrong(
                WRONG_COMPANY,
                format!("CompanyUniqueID {company} is not {}", self.touchpoint.company),
            );
        }
        let touchpoint = body.get("campaign_UniqueID");
        let touchpoint = touchpoint.and_then(|guid| self.guid(guid, "campaign_UniqueID", MODEL, MODEL));
        if let Some(other) = touchpoint.filter(|it| !it.eq_ignore_ascii_case(&self.touchpoint.guid)) {
            self.wrong(MODEL, format!("campaign_UniqueID {other} is not the touchpoint of the path"));
        }
    }

    fn answers(&mut self, answers: &[Value], language: Option<Language>) {
        let mut seen = Vec::new();
        for (place, answer) in answers.iter().enumerate() {
            let what = format!("answer {}", place + 1);
            let Some(answer) = self.object(answer, &what, &ANSWER) else { continue };
            let value = self.value(answer, &what);
            let guid = answer.get("QuestionItemUniqueID");
            let guid = guid.and_then(|guid| self.guid(guid, &what, QUESTION_EMPTY, QUESTION_MALFORMED));
            let Some(guid) = guid.map(str::to_ascii_lowercase) else { continue };
            self.question(&guid, value, language, &what);
            if seen.contains(&guid) {
                self.wrong(ANSWERED_TWICE, format!("{what}: {guid} is there twice"));
            }
            seen.push(guid);
        }
    }

    /// The one value of an answer, with its key, where there is just one and it has its type.
    fn value<'v>(&mut self, answer: &'v Map<String, Value>, what: &str) -> Option<(&'v str, &'v Value)> {
        let values =
            answer.iter().filter(|(key, value)| ANSWER[1..].contains(&key.as_str()) && !value.is_null());
        let values: Vec<_> = values.map(|(key, value)| (key.as_str(), value)).collect();
        let [(key, value)] = values[..] else {
            self.wrong(MODEL, format!("{what} has {} values instead of one", values.len()));
            return None;
        };
        let typed = match key {
            "Score" => value.is_number(),
            "Text" => value.is_string(),
            "Boolean" => value.is_boolean(),
            _ => value.as_array().is_some_and(|options| options.iter().all(Value::is_string)),
        };
        if !typed {
            self.wrong(MODEL, format!("{what}: {key} has the wrong type"));
        }
        typed.then_some((key, value))
    }

    fn question(
        &mut self,
        guid: &str,
        value: Option<(&str, &Value)>,
        language: Option<Language>,
        what: &str,
    ) {
        let Some((_, question)) = self.touchpoint.question(guid) else {
            return self
                .wrong(ANSWER_NOT_CORRECT, format!("{what}: {guid} is no question of this touchpoint"));
        };
        if language.is_some_and(|language| language != question.language) {
            let theirs = question.language.name();
            return self.wrong(ANSWER_NOT_CORRECT, format!("{what}: {guid} is the question in {theirs}"));
        }
        if let Some((key, value)) = value.filter(|(key, value)| !suits(question, key, value)) {
            let reason = format!("{what}: {key} {value} does not suit the question {guid}");
            self.wrong(ANSWER_NOT_CORRECT, reason);
        }
    }

    fn guid<'v>(&mut self, value: &'v Value, what: &str, empty: &str, malformed: &str) -> Option<&'v str> {
        let text = match value {
            Value::String(text) => text.as_str(),
            Value::Null => "",
            _ => {
                self.wrong(MODEL, format!("{what} is no text"));
                return None;
            }
        };
        let guid = uuid::Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
        if text.is_empty() || guid.is_some_and(|guid| guid.is_nil()) {
            self.wrong(empty, format!("{what}: the GUID is empty"));
        } else if guid.is_none() {
            self.wrong(malformed, format!("{what}: {text:?} is no GUID"));
        } else {
            return Some(text);
        }
        None
    }
}

fn suits(question: &Question, key: &str, value: &Value) -> bool {
    match (&question.kind, key) {
        (Kind::Score { min, max }, "Score") => {
            value.as_i64().is_some_and(|score| (*min..=*max).contains(&score))
        }
        (Kind::Text, "Text") | (Kind::YesNo, "Boolean") => true,
        (Kind::Choice { several, values }, "Options") => {
            let chosen: Vec<&str> =
                value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let known = chosen.iter().all(|option| values.iter().any(|value| value == option));
            let once = (1..chosen.len()).all(|place| !chosen[..place].contains(&chosen[place]));
            known && once && (chosen.len() == 1 || *several && !chosen.is_empty())
        }
        _ => false,
    }
}
