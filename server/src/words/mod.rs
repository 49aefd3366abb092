//! The widget's own words in the platform's 29 languages.
//!
//! They live in `words.toml`, one table per language, compiled in and parsed once. The tests here
//! hold every translation to the rules that its head tells translators. What a survey asks is no
//! business of this module: those texts come from the configuration.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use shared::{Language, Words};

const SOURCE: &str = include_str!("words.toml");

static BY_TAG: LazyLock<BTreeMap<String, Words>> =
    LazyLock::new(|| toml::from_str(SOURCE).expect("words.toml is compiled in and parsed by the tests"));

/// The widget's words in this language; there are words for every one of the 29.
pub fn words(language: Language) -> &'static Words {
    &BY_TAG[language.tag()]
}

#[cfg(test)]
mod tests;
