//! The small types of a configuration: GUIDs, origins, texts in several languages.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use shared::Language;

use super::reader::Value;

/// A GUID of the platform: kept as written, compared without regard to case.
#[derive(Clone, serde::Deserialize, serde::Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Guid(Box<str>);

impl Guid {
    /// The GUID as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Guid {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hyphenated = text.len() == 36 && uuid::Uuid::try_parse(text).is_ok();
        if hyphenated { Ok(Self(text.into())) } else { Err("not a GUID") }
    }
}

impl TryFrom<String> for Guid {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Guid> for String {
    fn from(guid: Guid) -> Self {
        guid.0.into()
    }
}

/// What a GUID looks like.
pub(super) const GUID_HINT: &str =
    "a GUID has 32 hexadecimal digits in groups of 8-4-4-4-12, as the platform's settings show it";

impl PartialEq for Guid {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Guid {}

impl fmt::Display for Guid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A web origin as a browser sends it: scheme, host, and port unless it is the scheme's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin(Box<str>);

impl Origin {
    /// The origin's ASCII form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = reqwest::Url::parse(text).map_err(|_| "not an origin")?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err("an origin starts with https:// or http:// and a host");
        }
        if url.host_str().is_some_and(|host| host.contains('*')) {
            return Err("an origin has no wildcard; list each host");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an origin has no user name");
        }
        // `Url` adds a path of `/` by itself.
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !bare || text.ends_with(['/', '?', '#']) {
            return Err("an origin has no path, query or fragment");
        }
        Ok(Self(url.origin().ascii_serialization().into()))
    }
}

/// One value for each language of a survey.
pub type PerLanguage<T> = BTreeMap<Language, T>;

/// The languages of a survey that could be read.
pub(super) struct Languages {
    /// In their order; the first is the fallback.
    pub(super) read: Vec<Language>,
    /// False if there is something wrong with the list: then others may be meant to be in it.
    pub(super) complete: bool,
}

impl Languages {
    /// Its first language in a hint: `{ nl = "…" }`.
    pub(super) fn sample(&self, value: &str) -> String {
        let first = self.read.first().map_or("nl", |language| language.tag());
        format!("{{ {first} = \"{value}\" }}")
    }

    /// The whole list, if nothing is wrong with it.
    pub(super) fn whole(self) -> Option<Vec<Language>> {
        self.complete.then_some(self.read)
    }
}

/// Reads `{ nl = …, fr = … }`, and says which languages have none.
pub(super) fn per_language<T>(
    value: &Value<'_>,
    languages: &Languages,
    what: &str,
    read: impl Fn(&Value<'_>) -> Option<T>,
) -> Option<PerLanguage<T>> {
    let mut found = PerLanguage::new();
    let mut complete = true;
    for (tag, entry) in value.table()?.entries() {
        match Language::matching(tag).filter(|language| language.tag() == tag) {
            // The list of languages has had its message.
            None if !languages.complete => {}
            Some(language) if !languages.complete && !languages.read.contains(&language) => {}
            None => {
                entry.problem(
                    format!("{tag:?} is none of the platform's 29 languages"),
                    "use a two-letter code: nl, fr, en, …",
                );
                complete = false;
            }
            Some(language) if !languages.read.contains(&language) => {
                let hint = format!("add {tag:?} to `languages`, or remove it here");
                entry.problem(format!("the survey is not in {}", language.name()), hint);
                complete = false;
            }
            Some(language) => match read(&entry) {
                Some(read) => _ = found.insert(language, read),
                None => complete = false,
            },
        }
    }
    // A value that is there but wrong has had its message.
    let given: Vec<_> = value.table()?.entries().iter().map(|(tag, _)| *tag).collect();
    for language in languages.read.iter().filter(|language| !given.contains(&language.tag())) {
        let hint = format!("add {} = \"…\"", language.tag());
        value.problem(format!("no {what} in {} ({language})", language.name()), hint);
        complete = false;
    }
    complete.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        for (written, sent) in [
            ("https://shop.example", "https://shop.example"),
            ("https://SHOP.example:443", "https://shop.example"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ] {
            assert_eq!(written.parse::<Origin>().unwrap().as_str(), sent);
        }
        for wrong in [
            "https://shop.example/",
            "https://shop.example/a",
            "shop.example",
            "ftp://a",
            "null",
            "*",
            "https://*.shop.example",
        ] {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn guids_are_kept_as_written_and_compared_without_case() {
        let upper: Guid = "CFD52369-B323-4CF3-BA11-9ACD0983B01D".parse().unwrap();
        let lower: Guid = "cfd52369-b323-4cf3-ba11-9acd0983b01d".parse().unwrap();
        assert_eq!(upper, lower);
        assert_eq!(upper.as_str(), "CFD52369-B323-4CF3-BA11-9ACD0983B01D");
        for wrong in ["", "cfd52369b3234cf3ba119acd0983b01d", "{cfd52369-b323-4cf3-ba11-9acd0983b01d}", "x"] {
            assert!(wrong.parse::<Guid>().is_err(), "{wrong}");
        }
    }
}
