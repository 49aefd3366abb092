//! API call 3, get responses: Hello Customer API overview, section 9.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::{Client, Outcome, reply};
use crate::config::Guid;

/// The platform refuses windows that are longer.
const LONGEST_WINDOW: Duration = Duration::from_hours(31 * 24);

/// One respondent's answers, as far as this program reads them; everything else is ignored.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Response {
    /// The metadata of the answers.
    pub key_values: BTreeMap<String, Value>,
    /// When it was answered, as the platform writes it.
    pub date_answer: Option<String>,
    /// The platform's own name for the response.
    #[serde(rename = "uniqueID")]
    pub id: Option<String>,
    /// Its answers.
    pub answer_questions: Vec<AnswerQuestion>,
}

/// One answer of a response.
#[derive(Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AnswerQuestion {
    /// The question's GUID, one for each language.
    #[serde(rename = "question_UniqueID")]
    pub question: Option<String>,
    /// The same for one question in all its languages.
    #[serde(rename = "question_SiblingUniqueID")]
    pub sibling: Option<String>,
    /// A score.
    #[serde(rename = "answer_Value")]
    pub value: Option<f64>,
    /// Words.
    #[serde(rename = "answer_Text")]
    pub text: Option<String>,
}

/// Responses could not be had.
#[derive(Debug, thiserror::Error)]
pub enum GetAllError {
    /// The window is empty or longer than 31 days; ask for parts.
    #[error("a window of responses is 1 second to 31 days long")]
    Window,
    /// The call failed, or the platform refused.
    #[error("the platform did not answer with responses: {0:?}")]
    Call(Outcome),
    /// The reply is no list of responses.
    #[error("the platform's reply cannot be read")]
    Read(#[source] serde_json::Error),
}

impl Client {
    /// The responses from one moment up to another, in whole seconds, UTC; at most 31 days apart.
    pub async fn get_all(
        &self,
        touchpoint: &Guid,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Response>, GetAllError> {
        let length = Duration::try_from(to.duration_since(from)).map_err(|_| GetAllError::Window)?;
        if length.is_zero() || length > LONGEST_WINDOW {
            return Err(GetAllError::Window);
        }
        let (from, to) = (date(from), date(to));
        let url = format!("{}/campaign/{touchpoint}/answers/getall/{from}/{to}", self.base_url);
        let response = match self.http.get(url).send().await {
            Ok(response) if response.status().is_success() => response,
            other => {
                let private = reply::Private::new(&self.token, Vec::new());
                return Err(GetAllError::Call(reply::outcome(other, &private).await));
            }
        };
        let body = response
            .bytes()
            .await
            .map_err(|error| GetAllError::Call(Outcome::Lost(error.without_url().to_string())))?;
        serde_json::from_slice(&body).map_err(GetAllError::Read)
    }
}

/// `yyyyMMddHHmmss`, UTC ("Hello Customer API overview", section 3).
fn date(time: Timestamp) -> String {
    time.strftime("%Y%m%d%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_paths_are_as_the_page_writes_them() {
        assert_eq!(date("2018-12-15T15:00:00.9Z".parse().unwrap()), "20181215150000");
    }

    #[test]
    fn a_response_is_read_whatever_else_is_in_it() {
        let text = r#"[{"keyValues":{"submission":"u"},"dateAnswer":"2020-09-29T13:42:37Z","new":[1],
            "answerQuestions":[{"answer_Value":6,"question_UniqueID":"q"},{"answer_Text":"t"}],"uniqueID":"r"}, {}]"#;
        let read: Vec<Response> = serde_json::from_str(text).unwrap();
        assert_eq!(read[0].key_values["submission"], "u");
        assert_eq!(read[0].answer_questions[0].value, Some(6.0));
        assert!(read[1] == Response::default());
    }
}
