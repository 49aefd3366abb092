//! `[[survey.question]]`: what is asked, in every language, and the platform's GUID for each.

mod choice;
mod condition;
mod pipe;
mod scale;

use shared::{Language, Look, OptionId, QuestionId, ShowIf, limits};

use super::reader::{Table, Value, words};
use super::survey::ID_HINT;
use super::text::{GUID_HINT, Guid, Languages, PerLanguage, per_language};

/// One question in all languages of its survey.
#[derive(Clone, Debug)]
pub struct Question {
    /// Its id.
    pub id: QuestionId,
    /// True when it has to be answered, where it is shown.
    pub required: bool,
    /// When it is shown.
    pub show_if: Option<ShowIf>,
    /// How it is answered.
    pub kind: Kind,
    /// What is asked.
    pub text: PerLanguage<String>,
    /// A second, quieter line.
    pub hint: Option<PerLanguage<String>>,
    /// The platform's GUID.
    pub guid: PerLanguage<Guid>,
}

/// How a question is answered.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A step of a scale.
    Score {
        /// The lowest step.
        min: i32,
        /// The highest step.
        max: i32,
        /// What the lowest step means.
        low: Option<PerLanguage<String>>,
        /// What the highest step means.
        high: Option<PerLanguage<String>>,
        /// What every step means, from the lowest; empty if only the ends say so.
        labels: Vec<PerLanguage<String>>,
        /// What the steps look like.
        look: Look,
        /// True when the steps go from red over yellow to green.
        colors: bool,
    },
    /// The visitor's own words.
    Text {
        /// The longest answer, in Unicode scalar values.
        max_length: u32,
    },
    /// Yes or no.
    YesNo,
    /// One or several of a list.
    Choice {
        /// True when several may be chosen.
        several: bool,
        /// The fewest that may be chosen, where any is.
        min: Option<u32>,
        /// The most that may be chosen.
        max: Option<u32>,
        /// True when each visitor gets the options in an order of their own.
        shuffle: bool,
        /// True when the visitor can search the list.
        search: bool,
        /// The options in their order.
        options: Vec<ChoiceOption>,
    },
}

/// One option of a list.
#[derive(Clone, Debug)]
pub struct ChoiceOption {
    /// Its id.
    pub id: OptionId,
    /// What the visitor reads.
    pub text: PerLanguage<String>,
    /// What the platform gets.
    pub value: PerLanguage<String>,
    /// True when it stays in its place where the others are shuffled.
    pub fixed: bool,
    /// The platform's GUIDs of the text question that takes the words of visitors who say what they mean by it.
    pub other: Option<PerLanguage<Guid>>,
}

impl Kind {
    /// The platform's GUIDs of what the visitor says about an option called "other", if there is one.
    pub fn other(&self) -> Option<&PerLanguage<Guid>> {
        match self {
            Self::Choice { options, .. } => options.iter().find_map(|option| option.other.as_ref()),
            _ => None,
        }
    }
}

/// When something at the end of a survey is shown: it may look at every question.
pub(super) use condition::read_at_the_end as read_show_if_at_the_end;
/// Whether what is repeated in the texts at the end of a survey has been answered by then.
pub(super) use pipe::check as check_pipes;

pub(super) fn read_all(value: &Value<'_>, languages: &Languages) -> Option<Vec<Question>> {
    let entries = value.array()?;
    if entries.is_empty() || entries.len() > limits::QUESTIONS {
        value.problem(
            format!("a survey has 1 to {} questions", limits::QUESTIONS),
            "add a [[survey.question]]",
        );
        return None;
    }
    // Problems with an id are told where the question itself is read.
    let ids: Vec<Option<&str>> = entries.iter().map(declared_id).collect();
    let mut questions: Vec<Question> = Vec::new();
    let mut kinds: Vec<(QuestionId, Kind)> = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        if ids[..at].contains(&ids[at]) && ids[at].is_some() {
            entry.problem(
                format!("there are two questions {:?}", ids[at].unwrap_or_default()),
                "give each its own id",
            );
        }
        let scope = Scope { languages, earlier: &kinds, before: &ids[..at], all: &ids };
        let (question, kind) = read(entry, &scope);
        kinds.extend(kind);
        if let Some(question) = question {
            same_guid(entry, &questions, &question);
            let texts = [Some(&question.text), question.hint.as_ref()];
            pipe::check(entry, texts, question.show_if.as_ref(), &questions);
            questions.push(question);
        }
    }
    let length = |(_, kind): &(QuestionId, Kind)| match kind {
        Kind::Text { max_length } => *max_length,
        kind if kind.other().is_some() => limits::OTHER,
        _ => 0,
    };
    let total: u32 = kinds.iter().map(length).sum();
    if total > limits::TEXT_TOTAL {
        let hint = format!("lower `max_length`: all of them together may be {}", limits::TEXT_TOTAL);
        value.problem(
            format!("the texts of this survey may get {total} characters long, too much to send"),
            hint,
        );
    }
    (questions.len() == entries.len()).then_some(questions)
}

fn declared_id<'a>(entry: &Value<'a>) -> Option<&'a str> {
    // A look ahead that must not add problems: only well-formed entries are asked.
    entry.is_table().then(|| entry.table()).flatten()?.peek("id")
}

fn same_guid(entry: &Value<'_>, questions: &[Question], question: &Question) {
    let mut seen: Vec<(&QuestionId, Language, &Guid)> = Vec::new();
    for other in questions.iter().chain([question]) {
        for (language, guid) in other.guid.iter().chain(other.kind.other().into_iter().flatten()) {
            let twin = seen.iter().find(|(_, _, twin)| *twin == guid);
            if let (Some((twin, twin_language, _)), true) = (twin, other.id == question.id) {
                entry.problem(
                    format!("the GUID {guid} ({language}) is also that of {twin:?} ({twin_language})"),
                    "each question has its own GUID in each language",
                );
            }
            seen.push((&other.id, *language, guid));
        }
    }
}

struct Scope<'a> {
    languages: &'a Languages,
    /// The questions before this one whose kind could be read.
    earlier: &'a [(QuestionId, Kind)],
    /// The ids written before this one.
    before: &'a [Option<&'a str>],
    /// The ids written in the whole survey.
    all: &'a [Option<&'a str>],
}

/// The question, and its kind by itself: conditions can be held against that even where something
/// else about the question is wrong.
fn read(value: &Value<'_>, scope: &Scope<'_>) -> (Option<Question>, Option<(QuestionId, Kind)>) {
    let Some(table) = value.table() else { return (None, None) };
    let texts = |value: &Value<'_>, what: &str| per_language(value, scope.languages, what, words);
    let id = table.required("id", "add id = \"recommend\"").and_then(|value| value.parse(ID_HINT));
    let required = table.flag("required");
    let text = table
        .required("text", &format!("add text = {}", scope.languages.sample("…")))
        .and_then(|value| texts(&value, "text"));
    let hint = table.optional("hint", |value| texts(value, "hint"));
    let guid = read_guids(&table, scope, "the platform has one for each language");
    let show_if = table.optional("show_if", |value| condition::read(value, scope));
    let word = table
        .required("kind", "add kind = \"score\", \"text\", \"yes_no\" or \"choice\"")
        .and_then(|value| Some((value.one_of(&KINDS)?, value)));
    let kind = word.as_ref().and_then(|(word, value)| read_kind(*word, value, &table, scope));
    // Which keys a question may have depends on its kind.
    if word.is_some() {
        table.finish();
    }
    let named_kind = id.clone().zip(kind.clone());
    let whole = || {
        let (required, show_if, hint) = (required?, show_if.ok()?, hint.ok()?);
        Some(Question { id: id?, required, show_if, kind: kind?, text: text?, hint, guid: guid? })
    };
    (whole(), named_kind)
}

/// The platform's GUID in each language, which has to be there.
fn read_guids(table: &Table<'_>, scope: &Scope<'_>, hint: &str) -> Option<PerLanguage<Guid>> {
    let value = table.required("guid", &format!("add guid = {}: {hint}", scope.languages.sample("…")))?;
    per_language(&value, scope.languages, "GUID", |value| value.parse(GUID_HINT))
}

/// The word that stands for a kind.
#[derive(Clone, Copy)]
enum Word {
    Score,
    Text,
    YesNo,
    Choice,
}

const KINDS: [(&str, Word); 4] =
    [("score", Word::Score), ("text", Word::Text), ("yes_no", Word::YesNo), ("choice", Word::Choice)];

fn read_kind(word: Word, value: &Value<'_>, table: &Table<'_>, scope: &Scope<'_>) -> Option<Kind> {
    match word {
        Word::Score => scale::read(value, table, scope),
        Word::Text => {
            let bounds = 1..=i32::try_from(limits::TEXT_MAX).unwrap_or(i32::MAX);
            let max_length = table.get("max_length").map_or(Some(limits::TEXT_DEFAULT), |value| {
                let length = value.integer()?;
                if !bounds.contains(&length) {
                    value.problem(format!("a length is 1 to {}", limits::TEXT_MAX), "");
                    return None;
                }
                u32::try_from(length).ok()
            })?;
            Some(Kind::Text { max_length })
        }
        Word::YesNo => Some(Kind::YesNo),
        Word::Choice => choice::read(table, scope),
    }
}
