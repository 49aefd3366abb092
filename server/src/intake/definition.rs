//! Each survey in each of its languages, as it goes to the browser; built once.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use shared::{
    Choice, Definition, Direction, Intro, Kind, Language, Link, Question, Score, SurveyId, Text, Thanks,
    Words, survey,
};

use super::assets::{Compressible, Sampled};
use super::rules::rules;
use super::style;
use crate::config::{self, Config, PerLanguage, Survey};
use crate::words::words;

/// A definition and its JSON.
#[derive(Debug)]
pub struct ServedDefinition {
    /// What a submission is checked against.
    pub definition: Definition,
    /// What the browser gets.
    json: Sampled,
    /// The quoted ETag, where everybody is asked.
    pub etag: String,
}

/// Every definition that is served.
#[derive(Debug)]
pub(super) struct Definitions(HashMap<(SurveyId, Language), ServedDefinition>);

impl Definitions {
    pub(super) fn new(config: &Config) -> Self {
        let each = config.surveys.iter().flat_map(|survey| {
            let pair = |language: &Language| {
                ((survey.id.clone(), *language), ServedDefinition::new(survey, *language))
            };
            survey.languages.iter().map(pair)
        });
        Self(each.collect())
    }

    /// The definition of a survey in one of its own languages.
    pub(super) fn get(&self, survey: &SurveyId, language: Language) -> Option<&ServedDefinition> {
        self.0.get(&(survey.clone(), language))
    }
}

impl ServedDefinition {
    /// The definition of a survey in one of its own languages.
    pub fn new(survey: &Survey, language: Language) -> Self {
        let mut definition = Definition {
            survey: survey.id.clone(),
            language: language.tag().to_owned(),
            rtl: language.direction() == Direction::RightToLeft,
            version: String::new(),
            autoprogress: survey.autoprogress,
            intro: survey.intro.as_ref().map(|intro| self::intro(intro, language)),
            thanks: survey.thanks.iter().map(|ending| thanks(ending, language)).collect(),
            questions: survey.questions.iter().map(|asked| question(asked, language)).collect(),
            words: needed(words(language), survey),
            theme: survey.style.theme.map(|theme| theme.name().to_owned()),
            style: style::sheet(survey),
        };
        definition.version = version(&written(&definition, survey, 100));
        let json = Sampled::new(written(&definition, survey, 100));
        let etag = etag(&definition.version);
        Self { definition, json, etag }
    }

    /// The JSON and its ETag for a share of visitors; the definition's version stays the same.
    pub(super) fn at(&self, survey: &Survey, share: u8) -> (Arc<Compressible>, String) {
        let json = self.json.at(share, || written(&self.definition, survey, share));
        let version = &self.definition.version;
        (json, if share == 100 { self.etag.clone() } else { etag(&format!("{version}-{share}")) })
    }
}

/// The JSON of a definition, with the survey's rules as `show`: for loaders that came without them.
fn written(definition: &Definition, survey: &Survey, share: u8) -> Vec<u8> {
    let json = serde_json::to_value(definition).map(|mut json| {
        json["show"] = rules(survey, share);
        json.to_string()
    });
    json.unwrap_or_default().into()
}

/// The words that a survey has use for: a browser loads them with it.
fn needed(words: &Words, survey: &Survey) -> Words {
    let mut words = words.clone();
    let bounded =
        |question: &config::Question, which: fn(Option<u32>, Option<u32>) -> bool| match question.kind {
            config::Kind::Choice { min, max, .. } => which(min, max),
            _ => false,
        };
    if !survey.questions.iter().any(|question| bounded(question, |min, _| min.is_some())) {
        words.too_few.clear();
    }
    if !survey.questions.iter().any(|question| bounded(question, |_, max| max.is_some())) {
        words.too_many.clear();
    }
    words
}

/// Names a content by its bytes.
pub(super) fn version(content: &[u8]) -> String {
    Sha256::digest(content)[..8].iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        write!(text, "{byte:02x}").ok();
        text
    })
}

/// A version as an ETag.
pub(super) fn etag(version: &str) -> String {
    format!("\"{version}\"")
}

/// A text in a language: the configuration has made sure that every text is there in every language.
fn in_language(texts: &PerLanguage<String>, language: Language) -> String {
    texts.get(&language).cloned().unwrap_or_default()
}

fn intro(intro: &config::Intro, language: Language) -> Intro {
    let text = |texts: &PerLanguage<String>| in_language(texts, language);
    Intro { title: text(&intro.title), text: intro.text.as_ref().map(text), button: text(&intro.button) }
}

fn thanks(ending: &config::Thanks, language: Language) -> Thanks {
    let text = |texts: &PerLanguage<String>| in_language(texts, language);
    Thanks {
        show_if: ending.show_if.clone(),
        title: text(&ending.title),
        text: ending.text.as_ref().map(text),
        link: ending.link.as_ref().map(|link| Link { url: text(&link.url), text: text(&link.text) }),
    }
}

fn question(asked: &config::Question, language: Language) -> Question {
    let text = |texts: &PerLanguage<String>| in_language(texts, language);
    let optional = |texts: &Option<PerLanguage<String>>| texts.as_ref().map(text);
    let kind = match &asked.kind {
        config::Kind::Score { min, max, low, high, labels, look, colors } => Kind::Score(Score {
            min: *min,
            max: *max,
            low: optional(low),
            high: optional(high),
            labels: labels.iter().map(text).collect(),
            look: *look,
            colors: *colors,
        }),
        config::Kind::Text { max_length } => Kind::Text(Text { max_length: *max_length }),
        config::Kind::YesNo => Kind::YesNo,
        config::Kind::Choice { several, min, max, shuffle, options } => {
            let option = |option: &config::ChoiceOption| survey::ChoiceOption {
                id: option.id.clone(),
                text: text(&option.text),
                fixed: option.fixed,
            };
            let options = options.iter().map(option).collect();
            Kind::Choice(Choice { several: *several, min: *min, max: *max, shuffle: *shuffle, options })
        }
    };
    Question {
        id: asked.id.clone(),
        text: text(&asked.text),
        hint: optional(&asked.hint),
        required: asked.required,
        show_if: asked.show_if.clone(),
        kind,
    }
}
