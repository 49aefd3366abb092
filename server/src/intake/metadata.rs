//! A visit's metadata: what the page says is held against the survey's list, the rest is added.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use shared::{Context, Language, Submission, limits};

use super::problem::{Detail, Flaw};
use crate::clock;
use crate::config::{ContextKey, MetadataSource, Survey};
use crate::http::pointer;

/// What the server knows about a visit.
pub(super) struct Visit<'a> {
    pub(super) survey: &'a Survey,
    pub(super) submission: &'a Submission,
    pub(super) language: Language,
    pub(super) user_agent: &'a str,
    pub(super) answered_at: Timestamp,
}

/// The platform's keys and values; or what is wrong with the page's.
pub(super) fn resolve(visit: &Visit<'_>) -> Result<BTreeMap<String, String>, Vec<Detail>> {
    let given = &visit.submission.metadata;
    let mut problems = Vec::new();
    let mut resolved = BTreeMap::new();
    for rule in &visit.survey.metadata {
        let value = match &rule.source {
            MetadataSource::Fixed(value) => Some(value.clone()),
            MetadataSource::Context(key) => context(*key, visit),
            MetadataSource::Page { key, required } => match given.get(key) {
                Some(value) => Some(value.clone()),
                None if *required => {
                    let words = format!("the key {key:?} is missing");
                    problems.push(Detail::new("/metadata", Flaw::MetadataRequired, words));
                    None
                }
                None => None,
            },
        };
        if let Some(value) = value {
            resolved.insert(rule.key.clone(), value);
        }
    }
    let listed = |key: &str| {
        let is_page =
            |source: &MetadataSource| matches!(source, MetadataSource::Page { key: own, .. } if own == key);
        visit.survey.metadata.iter().any(|rule| is_page(&rule.source))
    };
    for (key, value) in given {
        let mut refuse = |flaw, words: String| {
            problems.push(Detail::new(format!("/metadata{}", pointer::step(key)), flaw, words));
        };
        if !listed(key) {
            refuse(Flaw::MetadataKey, "the survey does not list this key".into());
        } else if value.chars().count() > limits::METADATA_VALUE {
            let words = format!("a value has at most {} characters", limits::METADATA_VALUE);
            refuse(Flaw::MetadataValue, words);
        } else if value.chars().any(limits::is_forbidden) {
            refuse(Flaw::MetadataValue, "the value holds a control character".into());
        }
    }
    if problems.is_empty() { Ok(resolved) } else { Err(problems) }
}

fn context(key: ContextKey, visit: &Visit<'_>) -> Option<String> {
    let page = visit.submission.context.as_ref();
    match key {
        ContextKey::PageUrl => bare_url(page?.page_url.as_deref()?),
        ContextKey::Referrer => bare_url(page?.referrer.as_deref()?),
        ContextKey::Device => Some(device(visit.user_agent).to_owned()),
        ContextKey::Language => Some(visit.language.tag().to_owned()),
        ContextKey::AnsweredAt => Some(visit.answered_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        ContextKey::Submission => Some(visit.submission.submission.to_string()),
    }
}

/// A web address without user, query and fragment, which may hold personal data.
fn bare_url(text: &str) -> Option<String> {
    let mut url = reqwest::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_query(None);
    url.set_fragment(None);
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    let url = String::from(url);
    (url.len() <= limits::URL).then_some(url)
}

/// The kind of device that a `User-Agent` claims.
fn device(user_agent: &str) -> &'static str {
    let has = |word: &str| user_agent.contains(word);
    if has("iPad") || has("Tablet") || (has("Android") && !has("Mobile")) {
        "tablet"
    } else if has("Mobi") {
        "mobile"
    } else {
        "desktop"
    }
}

/// When it was answered: the visitor's clock where it is believable, else the server's.
pub(super) fn answered_at(context: Option<&Context>, accepted_at: Timestamp) -> Timestamp {
    /// An outbox holds answers for that long.
    const OLDEST: Duration = Duration::from_hours(8 * 24);
    const AHEAD: Duration = Duration::from_mins(1);
    let claimed = context.and_then(|context| context.answered_at.as_deref()?.parse::<Timestamp>().ok());
    let believable = |claimed: &Timestamp| {
        *claimed <= clock::later(accepted_at, AHEAD) && clock::later(*claimed, OLDEST) >= accepted_at
    };
    claimed.filter(believable).unwrap_or(accepted_at)
}

/// When it was answered elsewhere: what is said about it, unless that is still to come.
pub(super) fn answered_before(context: Option<&Context>, accepted_at: Timestamp) -> Timestamp {
    let claimed = context.and_then(|context| context.answered_at.as_deref()?.parse::<Timestamp>().ok());
    claimed.map_or(accepted_at, |claimed| claimed.min(accepted_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_loses_its_query_fragment_and_user() {
        for (given, kept) in [
            ("https://shop.example/a?mail=x#y", Some("https://shop.example/a")),
            ("https://jef:secret@shop.example/", Some("https://shop.example/")),
            ("file:///etc/passwd", None),
            ("javascript:alert(1)", None),
            ("no address", None),
        ] {
            assert_eq!(bare_url(given).as_deref(), kept, "{given}");
        }
    }

    #[test]
    fn a_device_is_read_from_the_user_agent() {
        assert_eq!(device("Mozilla/5.0 (X11; Linux x86_64) Chrome/150"), "desktop");
        assert_eq!(device("Mozilla/5.0 (Linux; Android 15) Chrome/150 Mobile Safari"), "mobile");
        assert_eq!(device("Mozilla/5.0 (iPhone; CPU iPhone OS 19) Mobile/15E148"), "mobile");
        assert_eq!(device("Mozilla/5.0 (Linux; Android 15; Tab) Chrome/150 Safari"), "tablet");
        assert_eq!(device(""), "desktop");
    }

    #[test]
    fn a_wrong_clock_is_not_believed() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let at = |text: &str| {
            answered_at(Some(&Context { answered_at: Some(text.into()), ..Context::default() }), now)
                .to_string()
        };
        assert_eq!(at("2026-11-23T11:59:00Z"), "2026-11-23T11:59:00Z");
        assert_eq!(at("2026-11-23T13:30:00+01:00"), "2026-11-23T12:00:00Z", "it is half an hour ahead");
        for wrong in ["2026-11-24T00:00:00Z", "1970-01-01T00:00:00Z", "yesterday", ""] {
            assert_eq!(at(wrong), now.to_string());
        }
        assert_eq!(answered_at(None, now), now);
    }
}
