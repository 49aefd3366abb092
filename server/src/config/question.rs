//! `[[survey.question]]`: what is asked, in every language, and the platform's GUID for each.

use shared::{Condition, Language, Literal, Look, Mode, OptionId, QuestionId, ShowIf, Test, limits};

use super::reader::{Table, Value, words};
use super::survey::ID_HINT;
use super::text::{GUID_HINT, Guid, PerLanguage, per_language};

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
}

pub(super) fn read_all(value: &Value<'_>, languages: &[Language]) -> Option<Vec<Question>> {
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
            questions.push(question);
        }
    }
    let length = |(_, kind): &(QuestionId, Kind)| match kind {
        Kind::Text { max_length } => *max_length,
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
        for (language, guid) in &other.guid {
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
    languages: &'a [Language],
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
    let required = table.get("required").map_or(Some(false), |value| value.boolean());
    let text = table.required("text", "add text = { nl = \"…\" }").and_then(|value| texts(&value, "text"));
    let hint = table.get("hint").map_or(Some(None), |value| texts(&value, "hint").map(Some));
    let guid = table
        .required("guid", "add guid = { nl = \"…\" }: the platform has one for each language")
        .and_then(|value| per_language(&value, scope.languages, "GUID", |value| value.parse(GUID_HINT)));
    let show_if = table.get("show_if").map_or(Some(None), |value| read_show_if(&value, scope).map(Some));
    let kind = table
        .required("kind", "add kind = \"score\", \"text\", \"yes_no\" or \"choice\"")
        .and_then(|value| read_kind(&value, &table, scope));
    table.finish();
    let named_kind = id.clone().zip(kind.clone());
    let whole = || {
        let (required, show_if) = (required?, show_if?);
        Some(Question { id: id?, required, show_if, kind: kind?, text: text?, hint: hint?, guid: guid? })
    };
    (whole(), named_kind)
}

fn read_kind(value: &Value<'_>, table: &Table<'_>, scope: &Scope<'_>) -> Option<Kind> {
    match value.one_of(&[("score", 0), ("text", 1), ("yes_no", 2), ("choice", 3)])? {
        0 => read_score(value, table, scope),
        1 => {
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
        2 => Some(Kind::YesNo),
        _ => read_choice(table, scope),
    }
}

fn read_choice(table: &Table<'_>, scope: &Scope<'_>) -> Option<Kind> {
    let several = table.get("several").map_or(Some(false), |value| value.boolean());
    let options = table
        .required("options", "add options = [{ id = \"web\", text = { nl = \"…\" } }]")
        .and_then(|value| read_options(&value, scope.languages));
    let bound = |key| match table.get(key) {
        Some(value) => read_bound(&value, several?, options.as_ref()?.len()).map(Some),
        None => Some(None),
    };
    let (min, max) = (bound("min"), bound("max"));
    if let (Some(Some(least)), Some(Some(most)), Some(value)) = (min, max, table.get("min"))
        && least > most
    {
        value.problem(format!("nobody can choose at least {least} and at most {most}"), "lower `min`");
        return None;
    }
    let shuffle = table.get("shuffle").map_or(Some(false), |value| value.boolean());
    let (several, min, max) = (several?, min?, max?);
    Some(Kind::Choice { several, min, max, shuffle: shuffle?, options: options? })
}

/// How many of the options have to be, or may be, chosen.
fn read_bound(value: &Value<'_>, several: bool, options: usize) -> Option<u32> {
    let bound = u32::try_from(value.integer()?).unwrap_or_default();
    if !several {
        value.problem("only one may be chosen anyway", "add several = true, or remove it");
        return None;
    }
    if bound == 0 || bound as usize > options {
        value.problem(format!("of {options} options, 1 to {options} may be chosen"), "");
        return None;
    }
    Some(bound)
}

fn read_score(kind: &Value<'_>, table: &Table<'_>, scope: &Scope<'_>) -> Option<Kind> {
    let scale = table.get("scale");
    let (min, max) = (table.get("min"), table.get("max"));
    let bounds = match (&scale, &min, &max) {
        (Some(scale), None, None) => scale.one_of(&[("nps", (0, 10)), ("csat", (1, 5)), ("ces", (1, 7))]),
        (None, Some(min), Some(max)) => min.integer().zip(max.integer()).and_then(|(low, high)| {
            let steps = i64::from(high) - i64::from(low) + 1;
            if !(2..=i64::from(limits::SCORE_STEPS)).contains(&steps) {
                max.problem(format!("a scale has 2 to {} steps", limits::SCORE_STEPS), "");
                return None;
            }
            Some((low, high))
        }),
        _ => {
            kind.problem(
                "a score needs a scale",
                "add scale = \"nps\" (0-10), \"csat\" (1-5) or \"ces\" (1-7), or both min and max",
            );
            None
        }
    };
    let label = |key| {
        table
            .get(key)
            .map_or(Some(None), |value| per_language(&value, scope.languages, "label", words).map(Some))
    };
    let (low, high) = (label("low"), label("high"));
    let labels = table.get("labels").map_or(Some(Vec::new()), |value| {
        if let Some(end) = table.get("low").or_else(|| table.get("high")) {
            end.problem("`labels` is there too", "`labels` says it of every step: remove `low` and `high`");
        }
        read_labels(&value, scope.languages, bounds)
    });
    let look = table.get("look").map_or(Some(Look::Numbers), |value| {
        let look = read_look(&value, bounds)?;
        let ends = table.get("low").is_some() && table.get("high").is_some();
        if look == Look::Smileys && !ends && table.get("labels").is_none() {
            let hint = "add `labels`, or `low` and `high`: who does not see them has to hear which is which";
            value.problem("smileys without words", hint);
        }
        Some(look)
    });
    let colors = table.get("colors").map_or(Some(false), |value| value.boolean());
    let (min, max) = bounds?;
    Some(Kind::Score { min, max, low: low?, high: high?, labels: labels?, look: look?, colors: colors? })
}

/// What each step means; `bounds` are absent where they could not be read.
fn read_labels(
    value: &Value<'_>,
    languages: &[Language],
    bounds: Option<(i32, i32)>,
) -> Option<Vec<PerLanguage<String>>> {
    let entries = value.array()?;
    if let Some((min, max)) = bounds
        && usize::try_from(max - min + 1) != Ok(entries.len())
    {
        value.problem(
            format!("{} labels for the {} steps from {min} to {max}", entries.len(), max - min + 1),
            "write one for each step, the lowest first",
        );
        return None;
    }
    let labels: Vec<_> = entries.iter().map(|entry| per_language(entry, languages, "label", words)).collect();
    labels.into_iter().collect()
}

fn read_look(value: &Value<'_>, bounds: Option<(i32, i32)>) -> Option<Look> {
    let looks = [
        ("numbers", Look::Numbers),
        ("stars", Look::Stars),
        ("smileys", Look::Smileys),
        ("list", Look::List),
    ];
    let look = value.one_of(&looks)?;
    let (what, most) = match look {
        Look::Numbers | Look::List => return Some(look),
        Look::Stars => ("stars", limits::STARS),
        Look::Smileys => ("smileys", limits::SMILEYS),
    };
    if let (Look::Stars, Some((min, _))) = (look, bounds)
        && min != 1
    {
        value.problem(format!("the first star would stand for {min}"), "write min = 1");
        return None;
    }
    if let Some((min, max)) = bounds
        && max - min >= most
    {
        let hint = format!("a scale of {what} has at most {most}: use `list` or `numbers`, or fewer steps");
        value.problem(format!("{} {what} are too many", max - min + 1), hint);
        return None;
    }
    Some(look)
}

fn read_options(value: &Value<'_>, languages: &[Language]) -> Option<Vec<ChoiceOption>> {
    let entries = value.array()?;
    if !(2..=limits::OPTIONS).contains(&entries.len()) {
        value.problem(format!("a choice has 2 to {} options", limits::OPTIONS), "");
        return None;
    }
    let mut options: Vec<ChoiceOption> = Vec::new();
    for entry in &entries {
        let Some(option) = read_option(entry, languages) else { continue };
        if options.iter().any(|other| other.id == option.id) {
            entry.problem(format!("there are two options {:?}", option.id.as_str()), "give each its own id");
        }
        options.push(option);
    }
    (options.len() == entries.len()).then_some(options)
}

fn read_option(value: &Value<'_>, languages: &[Language]) -> Option<ChoiceOption> {
    let table = value.table()?;
    let id = table.required("id", "add id = \"web\"").and_then(|value| value.parse(ID_HINT));
    let text = table
        .required("text", "add text = { nl = \"…\" }")
        .and_then(|value| per_language(&value, languages, "text", words));
    let given = table.get("value");
    let own = given.map(|value| per_language(&value, languages, "value", words));
    let fixed = table.get("fixed").map_or(Some(false), |value| value.boolean());
    table.finish();
    let text = text?;
    let value = own.unwrap_or_else(|| Some(text.clone()))?;
    Some(ChoiceOption { id: id?, text, value, fixed: fixed? })
}

fn read_show_if(value: &Value<'_>, scope: &Scope<'_>) -> Option<ShowIf> {
    let table = value.table()?;
    let (all, any) = (table.get("all"), table.get("any"));
    let (mode, list) = match (all, any) {
        (None, None) => {
            let condition = read_condition(value, scope)?;
            return Some(ShowIf { mode: Mode::All, of: vec![condition] });
        }
        (Some(list), None) => (Mode::All, list),
        (None, Some(list)) => (Mode::Any, list),
        (Some(_), Some(any)) => {
            any.problem("`all` is there too", "keep one of the two");
            return None;
        }
    };
    table.finish();
    let entries = list.array()?;
    if entries.is_empty() {
        list.problem("there is no condition", "add one, or remove show_if");
        return None;
    }
    let of: Vec<_> = entries.iter().map(|entry| read_condition(entry, scope)).collect();
    Some(ShowIf { mode, of: of.into_iter().collect::<Option<_>>()? })
}

/// When something stands at the end: it may look at every question.
pub(super) fn read_show_if_at_the_end(value: &Value<'_>, questions: &[Question]) -> Option<ShowIf> {
    let ids: Vec<Option<&str>> = questions.iter().map(|question| Some(question.id.as_str())).collect();
    let kinds: Vec<(QuestionId, Kind)> =
        questions.iter().map(|question| (question.id.clone(), question.kind.clone())).collect();
    read_show_if(value, &Scope { languages: &[], earlier: &kinds, before: &ids, all: &ids })
}

fn read_condition(value: &Value<'_>, scope: &Scope<'_>) -> Option<Condition> {
    let table = value.table()?;
    let asked = table.required("question", "add question = \"…\", the id of an earlier question");
    let tests = ["at_least", "at_most", "is", "includes", "answered"]
        .map(|key| table.get(key).map(|value| (key, value)));
    table.finish();
    let mut tests = tests.into_iter().flatten();
    let (Some((key, test)), None) = (tests.next(), tests.next()) else {
        value.problem("a condition has one test", "use at_least, at_most, is, includes or answered");
        return None;
    };
    let asked = asked?;
    let name = asked.string()?;
    if !scope.before.contains(&Some(name)) {
        let (message, hint) = if scope.all.contains(&Some(name)) {
            (
                format!("{name:?} is not asked before this question"),
                "a condition looks back only: move one of the two",
            )
        } else {
            (format!("there is no question {name:?}"), "use the id of an earlier question of this survey")
        };
        asked.problem(message, hint);
        return None;
    }
    // A question that could not be read has its own messages.
    let (id, kind) = scope.earlier.iter().find(|(id, _)| id.as_str() == name)?;
    Some(Condition { question: id.clone(), test: read_test(key, &test, id, kind)? })
}

fn read_test(key: &str, value: &Value<'_>, id: &QuestionId, kind: &Kind) -> Option<Test> {
    let step = |min: i32, max: i32| {
        let score = value.integer()?;
        if !(min..=max).contains(&score) {
            value.problem(format!("{:?} is answered from {min} to {max}", id.as_str()), "");
            return None;
        }
        Some(score)
    };
    let option = |options: &[ChoiceOption]| {
        let chosen = value.string()?;
        let found = options.iter().find(|option| option.id.as_str() == chosen);
        if found.is_none() {
            let ids: Vec<_> = options.iter().map(|option| option.id.as_str()).collect();
            let message = format!("{:?} has no option {chosen:?}", id.as_str());
            value.problem(message, format!("its options: {}", ids.join(", ")));
        }
        found.map(|option| option.id.clone())
    };
    match (key, kind) {
        ("answered", _) => value.boolean().map(Test::Answered),
        ("at_least", Kind::Score { min, max, .. }) => step(*min, *max).map(Test::AtLeast),
        ("at_most", Kind::Score { min, max, .. }) => step(*min, *max).map(Test::AtMost),
        ("is", Kind::Score { min, max, .. }) => step(*min, *max).map(|score| Test::Is(Literal::Score(score))),
        ("is", Kind::YesNo) => value.boolean().map(|boolean| Test::Is(Literal::Boolean(boolean))),
        ("is", Kind::Choice { options, .. }) => option(options).map(|id| Test::Is(Literal::Option(id))),
        ("includes", Kind::Choice { options, .. }) => option(options).map(Test::Includes),
        _ => {
            let hint = "at_least, at_most: score; is: score, yes_no, choice; includes: choice; answered: all";
            value.problem(format!("`{key}` does not fit the kind of {:?}", id.as_str()), hint);
            None
        }
    }
}
