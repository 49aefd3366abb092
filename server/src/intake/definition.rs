//! Each survey in each of its languages, as it goes to the browser; built once.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use shared::{
    Choice, Contact, Definition, Direction, Field, Intro, Kind, Language, Link, Offered, Question, Score,
    SurveyId, Text, Thanks, Words, survey,
};

use super::compress::Compressible;
use super::rules::rules;
use super::sampled::Sampled;
use super::style;
use crate::config::{self, Config, Layout, PerLanguage, Survey};
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
            one_page: survey.layout == Layout::Page,
            languages: if survey.language_switch { offered(survey) } else { Vec::new() },
            digits: language.digits().map(str::to_owned),
            contact: survey.contact.as_ref().map(|contact| self::contact(contact, language)),
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
    let any =
        |which: fn(&config::Kind) -> bool| survey.questions.iter().any(|question| which(&question.kind));
    let asks = |field| {
        let fields = survey.contact.iter().flat_map(|contact| &contact.fields);
        fields.into_iter().any(|asked| asked.field == field)
    };
    let search = any(|kind| matches!(kind, config::Kind::Choice { search: true, .. }));
    let mut words = words.clone();
    for (needed, word) in [
        (any(|kind| matches!(kind, config::Kind::Choice { min: Some(_), .. })), &mut words.too_few),
        (any(|kind| matches!(kind, config::Kind::Choice { max: Some(_), .. })), &mut words.too_many),
        (search, &mut words.search),
        (search, &mut words.nothing),
        (any(|kind| kind.other().is_some()), &mut words.specify),
        (survey.layout == Layout::Page, &mut words.check),
        (survey.language_switch, &mut words.language),
        (asks(Field::FirstName), &mut words.first_name),
        (asks(Field::LastName), &mut words.last_name),
        (asks(Field::Email), &mut words.email),
        (asks(Field::Email), &mut words.wrong_email),
        (asks(Field::Phone), &mut words.phone),
        (survey.contact.is_some(), &mut words.missing),
    ] {
        if !needed {
            word.clear();
        }
    }
    words
}

/// The languages of a survey, for the visitor to choose from.
fn offered(survey: &Survey) -> Vec<Offered> {
    let languages = survey.languages.iter();
    let offer = |language: &Language| Offered { tag: language.tag().into(), name: language.endonym().into() };
    languages.map(offer).collect()
}

/// Names a content by its bytes.
pub fn version(content: &[u8]) -> String {
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

fn link(link: &config::Link, language: Language) -> Link {
    Link { url: in_language(&link.url, language), text: in_language(&link.text, language) }
}

fn contact(contact: &config::Contact, language: Language) -> Contact {
    let text = |texts: &PerLanguage<String>| in_language(texts, language);
    Contact {
        show_if: contact.show_if.clone(),
        title: text(&contact.title),
        text: contact.text.as_ref().map(text),
        consent: text(&contact.consent),
        link: contact.link.as_ref().map(|way| link(way, language)),
        fields: contact.fields.clone(),
    }
}

fn thanks(ending: &config::Thanks, language: Language) -> Thanks {
    let text = |texts: &PerLanguage<String>| in_language(texts, language);
    Thanks {
        show_if: ending.show_if.clone(),
        title: text(&ending.title),
        text: ending.text.as_ref().map(text),
        link: ending.link.as_ref().map(|way| link(way, language)),
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
        config::Kind::Choice { several, min, max, shuffle, search, options } => {
            let option = |option: &config::ChoiceOption| survey::ChoiceOption {
                id: option.id.clone(),
                text: text(&option.text),
                fixed: option.fixed,
                other: option.other.is_some(),
            };
            Kind::Choice(Choice {
                several: *several,
                min: *min,
                max: *max,
                shuffle: *shuffle,
                search: *search,
                options: options.iter().map(option).collect(),
            })
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
