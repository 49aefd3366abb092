//! The body of "add answer": Hello Customer API overview, section 11, casing as it is there.

use std::collections::BTreeMap;

use serde::Serialize;
use shared::{Language, OptionId, QuestionId};

use crate::accepted::{Accepted, StoredRespondent, StoredValue};
use crate::config::{Kind, Survey};

/// The JSON of one answer. All keys are always sent, null where unknown.
#[derive(Serialize)]
pub struct AddAnswer<'a> {
    #[serde(rename = "cultureInfo")]
    culture: &'static str,
    #[serde(rename = "languageUniqueId")]
    language: &'static str,
    metadata: &'a BTreeMap<String, String>,
    respondent: Respondent<'a>,
    #[serde(rename = "CompanyUniqueID")]
    company: &'a str,
    answers: Vec<Answer<'a>>,
    #[serde(rename = "campaign_UniqueID")]
    touchpoint: &'a str,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Respondent<'a> {
    #[serde(rename = "UniqueID")]
    id: Option<&'a str>,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    email: Option<&'a str>,
    phone: Option<&'a str>,
}

/// Exactly one of the four values is there.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    #[serde(rename = "QuestionItemUniqueID")]
    question: &'a str,
    score: Option<i32>,
    text: Option<&'a str>,
    boolean: Option<bool>,
    options: Option<Vec<&'a str>>,
}

/// A stored submission does not fit the present configuration. Once that is mended, it may.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// The language is none of the platform's.
    #[error(
        "the language {0:?} is none of the platform's; this version cannot send it, a newer one may: then retry"
    )]
    Language(String),
    /// The survey has lost a question, its kind has changed, or a language has no GUID.
    #[error("the survey has no GUID for question {0:?} in {1}; add it to the configuration, then retry")]
    Question(QuestionId, Language),
    /// The survey has lost an option.
    #[error("question {0:?} has lost an option that was chosen; add it to the configuration, then retry")]
    Option(QuestionId),
    /// The survey no longer says where the words for "other" go.
    #[error(
        "question {0:?} has no `other` with a GUID in {1} any more; add it to the configuration, then retry"
    )]
    Other(QuestionId, Language),
}

impl<'a> AddAnswer<'a> {
    /// Maps ids to the platform's GUIDs and values.
    pub fn new(survey: &'a Survey, accepted: &'a Accepted) -> Result<Self, MapError> {
        let language = Language::matching(&accepted.language)
            .ok_or_else(|| MapError::Language(accepted.language.clone()))?;
        let mut answers = Vec::with_capacity(accepted.answers.len());
        for answer in &accepted.answers {
            answers.push(map(survey, language, &answer.question, &answer.value)?);
            if let StoredValue::OptionsWithWords(_, words) = &answer.value {
                answers.push(map_words(survey, language, &answer.question, words)?);
            }
        }
        Ok(Self {
            culture: language.culture(),
            language: language.guid(),
            metadata: &accepted.metadata,
            respondent: accepted.respondent.as_ref().map(Respondent::from).unwrap_or_default(),
            company: survey.company.as_str(),
            answers,
            touchpoint: survey.touchpoint.as_str(),
        })
    }
}

impl AddAnswer<'_> {
    /// What the visitor wrote or is: a refusal may repeat it, and nobody is to read it there.
    pub(super) fn visitors_words(&self) -> Vec<&str> {
        let Respondent { id, first_name, last_name, email, phone } = &self.respondent;
        let person = [id, first_name, last_name, email, phone].into_iter().copied().flatten();
        person.chain(self.answers.iter().filter_map(|answer| answer.text)).collect()
    }
}

fn map<'a>(
    survey: &'a Survey,
    language: Language,
    id: &'a QuestionId,
    stored: &'a StoredValue,
) -> Result<Answer<'a>, MapError> {
    let missing = || MapError::Question(id.clone(), language);
    let question = survey.question(id).ok_or_else(missing)?;
    let guid = question.guid.get(&language).ok_or_else(missing)?.as_str();
    let answer = Answer { question: guid, ..Answer::default() };
    match (stored, &question.kind) {
        (StoredValue::Score(score), Kind::Score { .. }) => Ok(Answer { score: Some(*score), ..answer }),
        (StoredValue::Text(text), Kind::Text { .. }) => Ok(Answer { text: Some(text), ..answer }),
        (StoredValue::Boolean(boolean), Kind::YesNo) => Ok(Answer { boolean: Some(*boolean), ..answer }),
        (
            StoredValue::Options(chosen) | StoredValue::OptionsWithWords(chosen, _),
            Kind::Choice { options, .. },
        ) => {
            let value = |id: &OptionId| {
                let option = options.iter().find(|option| option.id == *id)?;
                option.value.get(&language).map(String::as_str)
            };
            let values: Option<Vec<_>> = chosen.iter().map(value).collect();
            let values = values.ok_or_else(|| MapError::Option(id.clone()))?;
            Ok(Answer { options: Some(values), ..answer })
        }
        _ => Err(missing()),
    }
}

/// What the visitor said about an option called "other": the answer to a text question of its own, since the platform
/// knows a list's values beforehand.
fn map_words<'a>(
    survey: &'a Survey,
    language: Language,
    id: &'a QuestionId,
    words: &'a str,
) -> Result<Answer<'a>, MapError> {
    let guid = survey.question(id).and_then(|question| question.kind.other()?.get(&language));
    let guid = guid.ok_or_else(|| MapError::Other(id.clone(), language))?;
    Ok(Answer { question: guid.as_str(), text: Some(words), ..Answer::default() })
}

impl<'a> From<&'a StoredRespondent> for Respondent<'a> {
    fn from(stored: &'a StoredRespondent) -> Self {
        Self {
            id: stored.id.as_deref(),
            first_name: stored.first_name.as_deref(),
            last_name: stored.last_name.as_deref(),
            email: stored.email.as_deref(),
            phone: stored.phone.as_deref(),
        }
    }
}
