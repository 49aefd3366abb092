//! API call 3, get responses: Hello Customer API overview, section 9.

use std::marker::PhantomData;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use reqwest::header::AUTHORIZATION;
use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::{Client, Outcome, reply};
use crate::config::Guid;

/// The platform refuses windows that are longer.
pub const LONGEST_WINDOW: Duration = Duration::from_hours(31 * 24);
/// How many times a call's time-out a reply may take as a whole; a silence is still one time-out long.
const LONGEST_REPLY: u32 = 10;
/// Chunks of a reply that may wait for the reader.
const CHUNKS: usize = 8;

/// One respondent's answers, as far as a look-up reads them. It reads whatever comes: what one respondent has in an unusual
/// shape must not hide the others.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Value")]
pub struct Response {
    /// The metadata of the answers.
    pub key_values: Map<String, Value>,
}

impl From<Value> for Response {
    fn from(mut response: Value) -> Self {
        let key_values = response.get_mut("keyValues").map(Value::take);
        Self { key_values: key_values.and_then(|value| value.as_object().cloned()).unwrap_or_default() }
    }
}

/// What the platform was asked for could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The window is empty or longer than 31 days; ask for parts.
    #[error("a window of responses is 1 second to 31 days long")]
    Window,
    /// The call failed, or the platform refused.
    #[error("the platform did not answer with what it was asked for: {0}")]
    Call(Outcome),
    /// The reply is not what was asked for, or breaks off.
    #[error("the platform's reply cannot be read: {0}")]
    Read(String),
}

impl ReportError {
    /// A reply that cannot be understood. The error's own words may repeat what a visitor wrote.
    pub(super) fn unreadable(error: &serde_json::Error) -> Self {
        Self::Read(format!("{:?} error at column {}", error.classify(), error.column()))
    }
}

/// The platform has begun to answer with responses.
pub struct Responses {
    reply: reqwest::Response,
    silence: Duration,
}

impl Client {
    /// Asks for the responses from one moment up to another, in whole seconds, UTC; at most 31 days
    /// apart. Returns when the platform begins to answer.
    pub async fn get_all(
        &self,
        touchpoint: &Guid,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Responses, ReportError> {
        let length = Duration::try_from(to.duration_since(from)).map_err(|_| ReportError::Window)?;
        if length.is_zero() || length > LONGEST_WINDOW {
            return Err(ReportError::Window);
        }
        let (from, to) = (date(from), date(to));
        let url = format!("{}/campaign/{touchpoint}/answers/getall/{from}/{to}", self.base_url);
        // A month's responses may take longer than a call that adds one.
        let request = self.reports.get(url).header(AUTHORIZATION, self.authorization.clone());
        let request = request.timeout(self.timeout.saturating_mul(LONGEST_REPLY));
        let Ok(result) = tokio::time::timeout(self.timeout, request.send()).await else {
            return Err(ReportError::Call(Outcome::Lost("the platform did not answer in time".into())));
        };
        match result {
            Ok(reply) if reply.status().is_success() => Ok(Responses { reply, silence: self.timeout }),
            other => {
                let private = reply::Private::new(&self.token, Vec::new());
                Err(ReportError::Call(reply::outcome(other, &private).await))
            }
        }
    }
}

/// What they hold stays out.
impl std::fmt::Debug for Responses {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Responses").field("silence", &self.silence).finish_non_exhaustive()
    }
}

impl Responses {
    /// Responses that somebody hands on as they come from the platform, and is never silent for so long.
    pub fn handed_on(reply: reqwest::Response, silence: Duration) -> Self {
        Self { reply, silence }
    }

    /// The reply as it comes; ends with an error where it breaks off.
    pub fn bytes(self) -> impl futures::Stream<Item = Result<Bytes, ReportError>> + Send {
        futures::stream::unfold(Some(self), async |responses| {
            let mut responses = responses?;
            match responses.chunk().await {
                Ok(chunk) => Some((Ok(chunk?), Some(responses))),
                Err(lost) => Some((Err(lost), None)),
            }
        })
    }

    /// The next part of the reply; `None` at its end.
    async fn chunk(&mut self) -> Result<Option<Bytes>, ReportError> {
        let lost = |reason: String| ReportError::Call(Outcome::Lost(reason));
        match tokio::time::timeout(self.silence, self.reply.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| lost(error.without_url().to_string())),
            Err(_) => Err(lost("the platform fell silent".into())),
        }
    }

    /// Hands on each response as it comes; the list is never in memory as a whole.
    pub async fn each<T: DeserializeOwned>(
        mut self,
        each: impl FnMut(T) + Send + 'static,
    ) -> Result<(), ReportError> {
        let (chunks, received) = mpsc::channel(CHUNKS);
        let coming = Chunks { received, chunk: Bytes::new() };
        let reading = tokio::task::spawn_blocking(move || read_each(coming, each));
        let broken = loop {
            match self.chunk().await {
                Ok(Some(chunk)) => {
                    if chunks.send(chunk).await.is_err() {
                        break None;
                    }
                }
                Ok(None) => break None,
                Err(lost) => break Some(lost),
            }
        };
        drop(chunks);
        let read = reading.await.map_err(|error| ReportError::Read(error.to_string()))?;
        broken.map_or(read, Err)
    }
}

/// Reads a list of responses, and hands on each as soon as it is whole.
pub fn read_each<T: DeserializeOwned>(
    from: impl std::io::Read,
    each: impl FnMut(T),
) -> Result<(), ReportError> {
    let mut json = serde_json::Deserializer::from_reader(from);
    Each(each, PhantomData)
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| ReportError::unreadable(&error))
}

/// A reply's chunks as they come, for a reader that may block.
struct Chunks {
    received: mpsc::Receiver<Bytes>,
    chunk: Bytes,
}

impl std::io::Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.chunk.is_empty() {
            let Some(chunk) = self.received.blocking_recv() else { return Ok(0) };
            self.chunk = chunk;
        }
        let taken = self.chunk.split_to(buffer.len().min(self.chunk.len()));
        buffer[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
}

/// Reads a list, and hands each response on.
struct Each<F, T>(F, PhantomData<T>);

impl<'de, T: Deserialize<'de>, F: FnMut(T)> DeserializeSeed<'de> for Each<F, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(T)> Visitor<'de> for Each<F, T> {
    type Value = ();

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a list of responses")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(response) = list.next_element()? {
            self.0(response);
        }
        Ok(())
    }
}

/// `yyyyMMddHHmmss`, UTC ("Hello Customer API overview", section 3).
pub(super) fn date(time: Timestamp) -> String {
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
    fn a_response_is_read_whatever_else_is_in_it_and_hides_no_other() {
        let text = r#"[{"keyValues":{"submission":"u"},"dateAnswer":"2020-09-29T13:42:37Z","new":[1],
            "answerQuestions":[{"answer_Value":"yes","question_UniqueID":"q"},{"answer_Text":["t"]}]},
            {}, {"keyValues":null,"answerQuestions":null}, {"keyValues":[]}, null, 1, {"keyValues":{"submission":"v"}}]"#;
        let mut seen = Vec::new();
        read_each(text.as_bytes(), |response: Response| {
            seen.push(response.key_values.get("submission").cloned());
        })
        .unwrap();
        let shown: Vec<Value> = seen.iter().flatten().cloned().collect();
        assert_eq!((seen.len(), shown), (7, vec![Value::from("u"), Value::from("v")]));
    }
}
