//! Checks the bodies of `respondent/add` and `respondent/addmultipletocache` ("Hello Customer API overview",
//! sections 5 to 8).
//!
//! The page asks for an e-mail address and a language, and shows first and last name, phone number and an own id in
//! its examples, of which the second leaves one out: here these four may be left out, and are texts where they are
//! there. Of a list with anything wrong in it nothing is taken. The page has no words for a touchpoint without
//! e-mail: [`NO_EMAIL`] is ours.

use serde_json::{Map, Value};
use shared::Language;

use super::Touchpoint;
use super::add_answer::{LANGUAGE_EMPTY, LANGUAGE_MALFORMED, LANGUAGE_NOT_PART, MODEL, mandatory};
use super::reply::Problem;

/// The page's word for a respondent of any other shape than section 7's.
pub(super) const RESPONDENT_MODEL: &str = "The model of the respondent is invalid";
/// Ours: sections 7 and 8 say that the call is for email-based touchpoints only.
pub(super) const NO_EMAIL: &str = "This call is only available for email-based touchpoints";

/// An address that is none.
pub(super) fn invalid_email(email: &str) -> String {
    format!("The respondent email {email} is invalid")
}

/// A language that the platform does not have.
pub(super) fn language_not_found(guid: &str) -> String {
    format!("Language with ID: {guid} not found")
}

/// A touchpoint that the platform does not have, or that is not the path's.
pub(super) fn touchpoint_not_found(guid: &str) -> String {
    format!("Touchpoint with ID: {guid} not found")
}

const NEEDED: [&str; 3] = ["email", "campaign_UniqueID", "language_UniqueID"];
const OPTIONAL: [&str; 4] = ["firstName", "lastName", "phoneNumber", "custom_UniqueID"];
const KEY_VALUES: &str = "keyValues";

/// The language of one respondent who is right in everything, or all that is wrong.
pub(super) fn check_one(touchpoint: &Touchpoint, body: &Value) -> Result<Language, Vec<Problem>> {
    let mut check = Check { touchpoint, problems: Vec::new(), what: "the respondent".into() };
    let language = check.respondent(body);
    check.ended(language)
}

/// The languages of several respondents who are right in everything, or all that is wrong.
pub(super) fn check_all(touchpoint: &Touchpoint, body: &Value) -> Result<Vec<Language>, Vec<Problem>> {
    let list = match body {
        Value::Array(list) if !list.is_empty() => list,
        Value::Array(_) => return Err(vec![Problem::new(MODEL, "the list is empty")]),
        _ => return Err(vec![Problem::new(MODEL, "the body is no list")]),
    };
    let mut check = Check { touchpoint, problems: Vec::new(), what: String::new() };
    let languages = list.iter().enumerate().map(|(place, respondent)| {
        check.what = format!("respondent {}", place + 1);
        check.respondent(respondent)
    });
    let languages: Option<Vec<Language>> = languages.collect::<Vec<_>>().into_iter().collect();
    check.ended(languages)
}

struct Check<'a> {
    touchpoint: &'a Touchpoint,
    problems: Vec<Problem>,
    /// Which respondent it is, for people.
    what: String,
}

impl Check<'_> {
    fn ended<T>(self, found: Option<T>) -> Result<T, Vec<Problem>> {
        match found {
            Some(found) if self.problems.is_empty() => Ok(found),
            _ => Err(self.problems),
        }
    }

    fn wrong(&mut self, message: impl Into<String>, reason: &str) {
        self.problems.push(Problem::new(message, format!("{}: {reason}", self.what)));
    }

    fn respondent(&mut self, respondent: &Value) -> Option<Language> {
        if !self.touchpoint.email {
            self.wrong(NO_EMAIL, "the touchpoint has no e-mail");
        }
        let Value::Object(respondent) = respondent else {
            self.wrong(RESPONDENT_MODEL, "it is no object");
            return None;
        };
        self.shape(respondent);
        self.email(respondent.get("email"));
        self.touchpoint(respondent.get("campaign_UniqueID"));
        self.key_values(respondent.get(KEY_VALUES));
        self.language(respondent.get("language_UniqueID"))
    }

    fn shape(&mut self, respondent: &Map<String, Value>) {
        for key in NEEDED.iter().filter(|key| !respondent.contains_key(**key)) {
            self.wrong(RESPONDENT_MODEL, &format!("{key} is missing"));
        }
        for (key, value) in respondent {
            let known = NEEDED.contains(&key.as_str()) || OPTIONAL.contains(&key.as_str());
            if key != KEY_VALUES && !known {
                self.wrong(RESPONDENT_MODEL, &format!("{key} is unknown"));
            } else if known && !value.is_string() {
                self.wrong(RESPONDENT_MODEL, &format!("{key} is no text"));
            }
        }
    }

    fn email(&mut self, email: Option<&Value>) {
        let Some(email) = email.and_then(Value::as_str) else { return };
        let parts = email.split_once('@');
        let good = parts.is_some_and(|(name, host)| {
            !name.is_empty()
                && host.contains('.')
                && !host.contains('@')
                && !email.contains(char::is_whitespace)
        });
        if !good {
            self.wrong(invalid_email(email), "email is no address");
        }
    }

    fn touchpoint(&mut self, guid: Option<&Value>) {
        let Some(guid) = guid.and_then(Value::as_str) else { return };
        if !guid.eq_ignore_ascii_case(&self.touchpoint.guid) {
            self.wrong(touchpoint_not_found(guid), "campaign_UniqueID is not the touchpoint of the path");
        }
    }

    fn key_values(&mut self, key_values: Option<&Value>) {
        let empty = Map::new();
        let key_values = match key_values {
            Some(Value::Object(key_values)) => key_values,
            Some(_) => {
                self.wrong(RESPONDENT_MODEL, "keyValues is no object");
                &empty
            }
            None => &empty,
        };
        for (key, _) in key_values.iter().filter(|(_, value)| !value.is_string()) {
            self.wrong(RESPONDENT_MODEL, &format!("keyValues {key} is no text"));
        }
        for key in &self.touchpoint.mandatory_metadata {
            if key_values.get(key).is_none_or(|value| value.as_str() == Some("")) {
                self.wrong(mandatory(key), &format!("keyValues {key} is missing or empty"));
            }
        }
    }

    fn language(&mut self, guid: Option<&Value>) -> Option<Language> {
        let guid = guid.and_then(Value::as_str)?;
        let parsed = uuid::Uuid::try_parse(guid).ok().filter(|_| guid.len() == 36);
        if guid.is_empty() || parsed.is_some_and(|guid| guid.is_nil()) {
            self.wrong(LANGUAGE_EMPTY, "language_UniqueID is empty");
            return None;
        }
        if parsed.is_none() {
            self.wrong(LANGUAGE_MALFORMED, "language_UniqueID is no GUID");
            return None;
        }
        let Some(language) = Language::with_guid(guid) else {
            self.wrong(language_not_found(guid), "language_UniqueID is none of section 4");
            return None;
        };
        if !self.touchpoint.languages.contains(&language) {
            self.wrong(LANGUAGE_NOT_PART, "language_UniqueID is no language of this touchpoint");
            return None;
        }
        Some(language)
    }
}
