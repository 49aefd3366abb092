//! What came of a call, as far as the caller can know.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::ReportError;

/// Longest text of the platform that is kept, in bytes.
const WORDS: usize = 2_048;

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The platform answered.
    Reply(Reply),
    /// The connection failed before a byte of the call was written: it cannot have arrived.
    NotSent(String),
    /// Something failed after writing began: it may have arrived.
    Lost(String),
}

impl Outcome {
    /// True if the platform said that calls come too fast.
    pub fn is_throttled(&self) -> bool {
        matches!(self, Self::Reply(Reply { status: 429, .. }))
    }
}

/// In words, with those of the platform.
impl std::fmt::Display for Outcome {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Reply(reply) if reply.words.is_empty() => {
                write!(out, "the platform answered {}", reply.status)
            }
            Self::Reply(reply) => write!(out, "the platform answered {}: {}", reply.status, reply.words),
            Self::NotSent(reason) => write!(out, "not sent: {reason}"),
            Self::Lost(reason) => write!(out, "the connection failed during the call: {reason}"),
        }
    }
}

/// The platform's answer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// How long the platform asks to wait; whole seconds on the wire.
    #[serde(with = "seconds")]
    pub retry_after: Option<Duration>,
    /// The platform's words about a refusal; empty after a success.
    pub words: String,
}

/// A span of time as whole seconds.
mod seconds {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "serde's own form")]
    pub(super) fn serialize<S: Serializer>(span: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        span.map(|span| span.as_secs()).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::deserialize(from)?.map(Duration::from_secs))
    }
}

/// Most bytes of a refusal that are read.
const READ: usize = 4 * WORDS;

/// Reads a reply. The status decides; a body that cannot be read is no words. `private` is what must
/// not be kept of the platform's words.
pub(super) async fn outcome(
    result: Result<reqwest::Response, reqwest::Error>,
    private: &Private<'_>,
) -> Outcome {
    let mut response = match result {
        Ok(response) => response,
        Err(error) if error.is_connect() || error.is_builder() => return Outcome::NotSent(chain(error)),
        Err(error) => return Outcome::Lost(chain(error)),
    };
    let status = response.status();
    let retry_after = retry_after(response.headers());
    let mut body = Vec::new();
    if !status.is_success() {
        while body.len() < READ {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                _ => break,
            }
        }
    }
    Outcome::Reply(Reply { status: status.as_u16(), retry_after, words: words(&body, private) })
}

/// Reads the body of a success, up to a number of bytes.
pub(super) async fn body(mut reply: reqwest::Response, most: usize) -> Result<Vec<u8>, ReportError> {
    let mut body = Vec::new();
    loop {
        match reply.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > most => {
                return Err(ReportError::Read(format!("it is longer than {most} bytes")));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(ReportError::Call(Outcome::Lost(chain(error)))),
        }
    }
}

/// What must not be kept of the platform's words: our token in each form, and the visitor's words.
pub struct Private<'a> {
    token: &'a SecretString,
    visitor: Vec<&'a str>,
}

impl<'a> Private<'a> {
    /// The token of the call, and what the visitor wrote that is in it.
    pub fn new(token: &'a SecretString, visitor: Vec<&'a str>) -> Self {
        Self { token, visitor }
    }

    /// Each as it would stand in a text for people, with what is to stand there instead; longer ones
    /// before what may be a part of them.
    fn each(&self) -> Vec<(String, &'static str)> {
        let token = self.token.expose_secret();
        // A token is base64 of a user and a password, as a rule.
        let decoded = BASE64_STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = decoded.iter().flat_map(|decoded| decoded.split(':'));
        let ours = [token].into_iter().chain(decoded.as_deref()).chain(parts);
        let theirs = self.visitor.iter().map(|words| (readable(words), "[visitor]"));
        let mut each: Vec<_> = ours.map(|secret| (readable(secret), "[token]")).chain(theirs).collect();
        each.retain(|(words, _)| words.len() >= TELLING);
        each.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        each
    }

    fn taken_out_of(&self, mut text: String) -> String {
        let each = self.each();
        for (words, instead) in &each {
            text = text.replace(words.as_str(), instead);
        }
        // What was read may end in the middle of it.
        for (words, instead) in &each {
            let starts = words.char_indices().map(|(at, _)| at).filter(|at| *at >= TELLING);
            if let Some(at) = starts.rev().find(|at| text.ends_with(&words[..*at])) {
                text.truncate(text.len() - at);
                text.push_str(instead);
            }
        }
        text
    }
}

/// Shorter words tell nothing, and would be found in the middle of others.
const TELLING: usize = 4;

/// A `Retry-After` in seconds or as a date, at most a day. A date is held against the platform's own
/// clock, the `Date` of the same reply: ours may be wrong.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    const DAY: Duration = Duration::from_hours(24);
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds).min(DAY));
    }
    let (until, now) = (httpdate::parse_http_date(asked).ok()?, httpdate::parse_http_date(text(DATE)?).ok()?);
    Some(until.duration_since(now).unwrap_or_default().min(DAY))
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

/// The platform's words as a person reads them: the strings of any JSON, or any other text as it is;
/// at most 2 KiB, on one line, without what is private.
pub fn words(body: &[u8], private: &Private<'_>) -> String {
    let mut strings = Vec::new();
    match serde_json::from_slice::<Value>(body) {
        Ok(json) => collect(&json, &mut strings),
        Err(_) => strings.push(unescaped(String::from_utf8_lossy(body).trim_end_matches('\u{fffd}'))),
    }
    let mut text = private.taken_out_of(readable(&strings.join("; ")));
    while text.len() > WORDS {
        text.pop();
    }
    text.trim().to_owned()
}

/// Without line ends and other controls.
fn readable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The beginning of a JSON text without its escapes, which would hide what is private; any other text
/// as it is.
fn unescaped(text: &str) -> String {
    if !text.trim_start().starts_with(['{', '[', '"']) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        // A surrogate pair is two escapes.
        let length = [12, 6, 2].into_iter().find_map(|length| {
            let escape = escape.get(..length - 1)?;
            let one = serde_json::from_str::<String>(&format!("\"\\{escape}\"")).ok()?;
            (one.chars().count() == 1).then_some((length, one))
        });
        rest = match length {
            Some((length, one)) => {
                out.push_str(&one);
                &escape[length - 1..]
            }
            // It was cut, or is none.
            None if escape.len() < 11 => "",
            None => escape,
        };
    }
    out.push_str(rest);
    out
}

fn collect(json: &Value, strings: &mut Vec<String>) {
    match json {
        Value::String(text) => strings.push(text.clone()),
        Value::Array(list) => list.iter().for_each(|item| collect(item, strings)),
        Value::Object(map) => {
            for (key, item) in map {
                let mut inner = Vec::new();
                collect(item, &mut inner);
                strings.push(format!("{key}: {}", inner.join(", ")));
            }
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => strings.push(json.to_string()),
    }
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
            (r#"{"Message":"no","Codes":[7]}"#, "Codes: 7; Message: no"),
            ("plain\r\ntext", "plain  text"),
            ("", ""),
        ] {
            assert_eq!(kept(body.as_bytes()), text);
        }
        assert!(kept(&[0xff, b'a']).ends_with('a'));
        assert!(kept("é".repeat(5_000).as_bytes()).len() <= WORDS);
    }

    /// The token is `user:password123` in base64.
    fn kept(body: &[u8]) -> String {
        let token = SecretString::from("dXNlcjpwYXNzd29yZDEyMw==".to_owned());
        words(body, &Private::new(&token, vec!["jef@example.com", "te laat", "9"]))
    }

    #[test]
    fn what_is_private_is_taken_out_of_the_platforms_words() {
        for (body, text) in [
            (r#"["you sent basic dXNlcjpwYXNzd29yZDEyMw=="]"#, "you sent basic [token]"),
            (r#"{"m":"dXNlcjpwYXNzd29yZDEyMw\u003d\u003d"}"#, "m: [token]"),
            (r#"["user:password123", "password123"]"#, "[token]; [token]"),
            (
                r#"["The respondent email jef@example.com is invalid"]"#,
                "The respondent email [visitor] is invalid",
            ),
            ("te laat: 9", "[visitor]: 9"),
        ] {
            assert_eq!(kept(body.as_bytes()), text);
        }
        let long = format!("{}dXNlcjpwYXNzd29yZDEyMw==", "x".repeat(WORDS - 5));
        assert!(!kept(long.as_bytes()).contains("dXNl"), "it is taken out before the words are cut");
    }

    #[test]
    fn what_is_private_is_taken_out_of_what_was_cut_or_escaped_too() {
        let token = SecretString::from("dXNlcjpwYXNzIHdvcmQxMjM=".to_owned());
        let written = "line one\nline two, which is \"long\" ".repeat(400);
        let private = Private::new(&token, vec![&written]);
        let echo = |text: &str| serde_json::json!({ "Message": text }).to_string();
        for text in [
            echo("dXNlcjpwYXNzIHdvcmQxMjM=").replace('=', "\\u003D")[..40].to_owned(),
            "[\"it was dXNlcjpwYXNzI".to_owned(),
            "it was pass\nword123".to_owned(),
            echo(&written)[..READ].to_owned(),
            echo(&written)[..READ - 1].to_owned(),
            format!("you wrote: {written}")[..READ].to_owned(),
        ] {
            let kept = words(text.as_bytes(), &private);
            for leak in ["dXNl", "word123", "line one", "long"] {
                assert!(!kept.contains(leak), "{kept}");
            }
        }
        assert_eq!(words(br#"{"m": "\ud83d\ude42 a\/b \x \u00"#, &private), r#"{"m": "🙂 a/b"#);
        assert_eq!(words(br"see C:\new", &private), r"see C:\new");
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        let read = |asked: &str, date: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, asked.parse().unwrap());
            date.map(|date| headers.insert(DATE, date.parse().unwrap()));
            retry_after(&headers)
        };
        let (noon, later) = ("Wed, 21 Oct 2026 12:00:00 GMT", "Wed, 21 Oct 2026 12:01:30 GMT");
        assert_eq!(read("7", None), Some(Duration::from_secs(7)));
        assert_eq!(read("99999999", None), Some(Duration::from_hours(24)));
        assert_eq!(read(later, Some(noon)), Some(Duration::from_secs(90)));
        assert_eq!(read(noon, Some(later)), Some(Duration::ZERO), "the time is over");
        assert_eq!(read(later, None), None, "whose clock is meant is not known");
        assert_eq!(read("-1", None), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
