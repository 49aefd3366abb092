//! What a touchpoint asks: as the platform's mobile SDKs fetch it, which its API page does not describe.
//!
//! Observed, and so read tolerantly: a list of surveys, each with its questions in all languages; `siblingUniqueID` is the
//! same for one question in all of them.

use reqwest::header::AUTHORIZATION;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::Language;

use super::response::{self, AnsweredQuestion, or_default};
use super::{Client, Private, ReportError, reply};
use crate::config::Guid;

/// Most bytes of the reply that are read.
const LARGEST: usize = 16 << 20;

/// The list has room for so many labels, or options, of a question.
pub const MOST_LABELS: usize = 7;

/// A question in all its languages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct AskedQuestion {
    /// The same for one question in all its languages, in lower case.
    pub sibling: String,
    /// How it is answered.
    pub kind: AskedKind,
    /// True if nobody may leave it out.
    pub mandatory: bool,
    /// In each language, in the platform's order.
    pub languages: Vec<InLanguage>,
}

/// A question in one language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct InLanguage {
    /// The language's code.
    pub language: String,
    /// Its GUID, as the platform writes it.
    pub guid: String,
    /// What is asked.
    pub text: String,
    /// What the steps of a scale, or the options, are called; empty where they have no words.
    pub labels: Vec<String>,
}

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedKind {
    /// A whole number.
    Score {
        /// The lowest.
        min: i32,
        /// The highest.
        max: i32,
    },
    /// Words.
    Text,
    /// Yes or no.
    YesNo,
    /// One or several of some options.
    Choice {
        /// Whether there may be more than one.
        several: bool,
    },
    /// Nothing that is known.
    Unknown,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Survey {
    #[serde(rename = "campaign_UniqueID")]
    touchpoint: Option<String>,
    #[serde(rename = "hasbeenArchived")]
    archived: Option<bool>,
    #[serde(deserialize_with = "or_default")]
    items: Vec<Item>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    #[serde(rename = "language_UniqueID")]
    language: Option<String>,
    #[serde(rename = "language_Culture")]
    culture: Option<String>,
    text: Option<String>,
    #[serde(rename = "siblingUniqueID")]
    sibling: Option<String>,
    #[serde(rename = "hasbeenArchived")]
    archived: Option<bool>,
    label1: Value,
    label2: Value,
    label3: Value,
    label4: Value,
    label5: Value,
    label6: Value,
    label7: Value,
    #[serde(rename = "sortOrder")]
    order: Option<f64>,
    #[serde(rename = "type", deserialize_with = "or_default")]
    kind: Type,
    #[serde(rename = "isMandatory")]
    mandatory: Option<bool>,
    #[serde(rename = "uniqueID")]
    guid: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Type {
    name: Option<String>,
    has_score: Option<bool>,
    has_text: Option<bool>,
    has_boolean: Option<bool>,
}

impl Client {
    /// Asks for a touchpoint's questions.
    pub async fn get_questions(
        &self,
        company: &Guid,
        touchpoint: &Guid,
    ) -> Result<Vec<AskedQuestion>, ReportError> {
        let base = &self.import_url;
        let url =
            format!("{base}/company/{company}/touchpoint/{touchpoint}/question/GetTouchpointSurveyQuestions");
        let call = self.http.get(url).header(AUTHORIZATION, self.authorization.clone()).timeout(self.timeout);
        match call.send().await {
            Ok(reply) if reply.status().is_success() => {
                let body = reply::body(reply, LARGEST).await?;
                let surveys: Vec<Survey> =
                    serde_json::from_slice(&body).map_err(|error| ReportError::unreadable(&error))?;
                Ok(join(surveys, touchpoint))
            }
            other => {
                let private = Private::new(&self.token, Vec::new());
                Err(ReportError::Call(reply::outcome(other, &private).await))
            }
        }
    }
}

/// The questions of a touchpoint's present survey, in its order.
fn join(surveys: Vec<Survey>, touchpoint: &Guid) -> Vec<AskedQuestion> {
    let ours = |survey: &Survey| {
        let other = |guid: &String| !guid.eq_ignore_ascii_case(touchpoint.as_str());
        survey.archived != Some(true) && !survey.touchpoint.as_ref().is_some_and(other)
    };
    let items = surveys.into_iter().filter(ours).flat_map(|survey| survey.items);
    let mut items: Vec<Item> = items.filter(|item| item.archived != Some(true)).collect();
    items.sort_by(|one, other| one.order.unwrap_or(f64::MAX).total_cmp(&other.order.unwrap_or(f64::MAX)));
    let mut questions = Vec::new();
    for item in items {
        let language = item.language.as_deref().and_then(Language::with_guid);
        let language = language.or_else(|| Language::matching(item.culture.as_deref()?));
        let (Some(language), Some(guid)) = (language, item.guid.clone()) else { continue };
        let in_language = InLanguage {
            language: language.to_string(),
            guid,
            text: item.text.clone().unwrap_or_default(),
            labels: item.labels(),
        };
        let sibling = item.sibling.as_deref().unwrap_or(&in_language.guid).to_ascii_lowercase();
        add(&mut questions, sibling, item.kind.kind(), item.mandatory == Some(true), in_language);
    }
    questions
}

/// Adds a language to the question that it belongs to.
fn add(
    questions: &mut Vec<AskedQuestion>,
    sibling: String,
    kind: AskedKind,
    mandatory: bool,
    in_language: InLanguage,
) {
    let known = questions.iter_mut().find(|question| question.sibling == sibling);
    match known {
        Some(question) => {
            if question.languages.iter().all(|other| other.language != in_language.language) {
                question.languages.push(in_language);
            }
        }
        None => questions.push(AskedQuestion { sibling, kind, mandatory, languages: vec![in_language] }),
    }
}

impl Item {
    /// The labels up to the last one that has words.
    fn labels(&self) -> Vec<String> {
        let all: [_; MOST_LABELS] = [
            &self.label1,
            &self.label2,
            &self.label3,
            &self.label4,
            &self.label5,
            &self.label6,
            &self.label7,
        ];
        let mut labels: Vec<String> =
            all.into_iter().map(|label| response::text(label).trim().to_owned()).collect();
        let last = labels.iter().rposition(|label| !label.is_empty()).map_or(0, |last| last + 1);
        labels.truncate(last);
        labels
    }
}

impl Type {
    fn kind(&self) -> AskedKind {
        let name = self.name.as_deref().unwrap_or_default().to_lowercase();
        if name.contains("choice") {
            return AskedKind::Choice { several: name.contains("multiple") || name.contains("multi-") };
        }
        match (self.has_score, self.has_boolean, self.has_text) {
            (Some(true), ..) => {
                let (min, max) = bounds(&name).unwrap_or((0, 10));
                AskedKind::Score { min, max }
            }
            (_, Some(true), _) => AskedKind::YesNo,
            (_, _, Some(true)) => AskedKind::Text,
            _ => AskedKind::Unknown,
        }
    }
}

/// The two ends of a scale in its name: `NPS Score - 0-10 Question`.
fn bounds(name: &str) -> Option<(i32, i32)> {
    let parts = name.split(|letter: char| !letter.is_ascii_digit() && letter != '-');
    let ends = parts.filter_map(|part| part.split_once('-'));
    ends.filter_map(|(min, max)| Some((min.parse().ok()?, max.parse().ok()?))).find(|(min, max)| min < max)
}

/// The questions that responses were given to, for a touchpoint whose questions may not be asked for. The labels of a
/// choice are the options that were chosen.
pub fn questions_of<'a>(
    responses: impl IntoIterator<Item = (&'a str, &'a [AnsweredQuestion])>,
) -> Vec<AskedQuestion> {
    let mut found: Vec<(f64, AskedQuestion)> = Vec::new();
    for (language, answers) in responses {
        for answer in answers {
            let sibling = if answer.sibling.is_empty() { &answer.question } else { &answer.sibling };
            if sibling.is_empty() || answer.question.is_empty() {
                continue;
            }
            let place = found.iter().position(|(_, question)| question.sibling == *sibling);
            let place = place.unwrap_or_else(|| {
                let question = AskedQuestion {
                    sibling: sibling.clone(),
                    kind: answer.kind,
                    mandatory: false,
                    languages: Vec::new(),
                };
                found.push((answer.order, question));
                found.len() - 1
            });
            let Some((_, question)) = found.get_mut(place) else { continue };
            let known = question.languages.iter().position(|other| other.language == language);
            let known = known.unwrap_or_else(|| {
                question.languages.push(InLanguage {
                    language: language.to_owned(),
                    guid: answer.question.clone(),
                    text: answer.text.clone(),
                    labels: Vec::new(),
                });
                question.languages.len() - 1
            });
            if let (AskedKind::Choice { several }, Some(in_language)) =
                (&mut question.kind, question.languages.get_mut(known))
            {
                *several |= answer.chosen.len() > 1;
                for option in &answer.chosen {
                    if !in_language.labels.contains(option) {
                        in_language.labels.push(option.clone());
                    }
                }
            }
        }
    }
    found.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    found.into_iter().map(|(_, question)| question).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOUCHPOINT: &str = "f30f55f0-a770-4096-aa9f-8bc2a2aff25f";

    fn read(json: &str) -> Vec<AskedQuestion> {
        join(serde_json::from_str(json).unwrap(), &TOUCHPOINT.parse().unwrap())
    }

    #[test]
    fn siblings_become_one_question_in_the_platforms_order() {
        let questions = read(
            r#"[{"campaign_UniqueID":"F30F55F0-A770-4096-AA9F-8BC2A2AFF25F","hasbeenArchived":false,"sortOrder":1,
            "campaign_CampaignType_ID":2,"items":[
            {"language_UniqueID":"DF88D743-1B99-44EF-B47F-260C78030EE7","language_Culture":"EN","text":"Why?",
             "siblingUniqueID":"S2","hasbeenArchived":false,"rateType":0,"sortOrder":2,
             "type":{"name":"Open Question","hasScore":false,"hasText":true,"hasBoolean":false},
             "isMandatory":false,"uniqueID":"G2"},
            {"language_Culture":"EN","text":"How likely?","siblingUniqueID":"S1","label1":"Not","label7":"","sortOrder":1,
             "type":{"name":"NPS Score - 0-10 Question","hasScore":true},"isMandatory":true,"uniqueID":"G1"},
            {"language_Culture":"NL","text":"Hoe waarschijnlijk?","siblingUniqueID":"s1","sortOrder":1,
             "type":{"name":"NPS Score - 0-10 Question","hasScore":true},"isMandatory":true,"uniqueID":"G1-NL"},
            {"language_Culture":"NL","text":"Oud","siblingUniqueID":"S9","hasbeenArchived":true,"uniqueID":"G9"}]},
            {"campaign_UniqueID":"other","items":[{"language_Culture":"NL","uniqueID":"X","text":"nee"}]}]"#,
        );
        let [score, text] = questions.as_slice() else { panic!("{questions:?}") };
        assert_eq!((score.kind, score.mandatory), (AskedKind::Score { min: 0, max: 10 }, true));
        let languages: Vec<_> =
            score.languages.iter().map(|it| (it.language.as_str(), it.guid.as_str())).collect();
        assert_eq!(languages, [("en", "G1"), ("nl", "G1-NL")]);
        assert_eq!(score.languages[0].labels, ["Not"]);
        assert_eq!((text.kind, text.languages[0].text.as_str()), (AskedKind::Text, "Why?"));
    }

    #[test]
    fn kinds_are_known_by_their_names_and_marks() {
        let kind = |name: &str, mark: &str| {
            let json = format!(r#"{{"name":"{name}","{mark}":true}}"#);
            serde_json::from_str::<Type>(&json).unwrap().kind()
        };
        assert_eq!(kind("CSAT Score - 1-5 Question", "hasScore"), AskedKind::Score { min: 1, max: 5 });
        assert_eq!(kind("CES Score - 1-7 Question", "hasScore"), AskedKind::Score { min: 1, max: 7 });
        assert_eq!(kind("Score", "hasScore"), AskedKind::Score { min: 0, max: 10 });
        assert_eq!(kind("Yes/No Question", "hasBoolean"), AskedKind::YesNo);
        assert_eq!(kind("Multiple Choice Question", "hasText"), AskedKind::Choice { several: true });
        assert_eq!(kind("Single Choice Question", "x"), AskedKind::Choice { several: false });
        assert_eq!(kind("", "x"), AskedKind::Unknown);
    }
}
