//! What came of a call, as far as the caller can know.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use secrecy::{ExposeSecret, SecretString};

/// Longest text of the platform that is kept, in bytes.
const WORDS: usize = 2_048;

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The platform answered.
    Reply(Reply),
    /// The connection failed before a byte of the call was written: it cannot have arrived.
    NotSent(String),
    /// Something failed after writing began: it may have arrived.
    Lost(String),
}

/// The platform's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// How long the platform asks to wait.
    pub retry_after: Option<Duration>,
    /// The platform's words about a refusal; empty after a success.
    pub words: String,
}

/// Reads a reply. The status decides; a body that cannot be read is no words.
pub(super) async fn outcome(
    result: Result<reqwest::Response, reqwest::Error>,
    token: &SecretString,
) -> Outcome {
    let mut response = match result {
        Ok(response) => response,
        Err(error) if error.is_connect() || error.is_builder() => return Outcome::NotSent(chain(error)),
        Err(error) => return Outcome::Lost(chain(error)),
    };
    let status = response.status();
    let retry_after =
        response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(seconds);
    let mut body = Vec::new();
    if !status.is_success() {
        while body.len() < WORDS {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                _ => break,
            }
        }
    }
    Outcome::Reply(Reply { status: status.as_u16(), retry_after, words: words(&body, token.expose_secret()) })
}

/// Seconds of a Retry-After, at most a day. The form with a date is left to our own delay: it would
/// need the platform's clock.
fn seconds(value: &str) -> Option<Duration> {
    const DAY: u64 = 86_400;
    value.trim().parse().ok().map(|seconds: u64| Duration::from_secs(seconds.min(DAY)))
}

/// The error and its causes; without the address, which a log line has anyway.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// The platform's words as a person reads them: an array's strings, or any other text as it is.
/// A platform that repeats our token has it taken out.
fn words(body: &[u8], token: &str) -> String {
    let list: Option<Vec<String>> = serde_json::from_slice(body).ok();
    let text = list.map_or_else(|| String::from_utf8_lossy(body).into_owned(), |list| list.join("; "));
    let text = text.replace(token, "[token]");
    let readable = |c: char| if c.is_control() { ' ' } else { c };
    let mut text: String = text.chars().map(readable).collect();
    while text.len() > WORDS {
        text.pop();
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_platforms_words_are_kept_whatever_their_shape() {
        for (body, text) in [
            (
                r#"["The campaign is not set to production.","Twice"]"#,
                "The campaign is not set to production.; Twice",
            ),
            (r#"{"Message":"no"}"#, r#"{"Message":"no"}"#),
            ("plain\r\ntext", "plain  text"),
            ("", ""),
            (r#"["you sent basic c2VjcmV0"]"#, "you sent basic [token]"),
        ] {
            assert_eq!(words(body.as_bytes(), "c2VjcmV0"), text);
        }
        assert!(words(&[0xff, b'a'], "t").ends_with('a'));
        assert!(words("é".repeat(5_000).as_bytes(), "t").len() <= WORDS);
    }

    #[test]
    fn retry_after_is_read_in_seconds() {
        assert_eq!(seconds("7"), Some(Duration::from_secs(7)));
        assert_eq!(seconds("99999999"), Some(Duration::from_hours(24)));
        assert_eq!(seconds("Wed, 21 Oct 2026 07:28:00 GMT"), None);
        assert_eq!(seconds("-1"), None);
    }
}
