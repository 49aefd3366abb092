//! The survey's definition and the submission, as JSON; by hand, see [`crate::json`].
//!
//! The shapes are those of [`shared`]; the tests below hold them to serde's.

use shared::survey::ChoiceOption;
use shared::{
    Answer, Choice, Chosen, Condition, Kind, Literal, Look, Mode, Question, Score, ShowIf, Test, Text, Value,
    WireAnswer,
};

use crate::FULL;
use crate::json::{Json, Object, array, quote};

/// A survey in one language: its questions, and the rest as it came ([`shared::Definition`] says what there is). To
/// read that only where it is used costs a third of what it costs to read it into types of its own.
#[derive(Debug)]
pub(crate) struct Definition {
    /// The questions in their order; empty once the flow has taken them.
    pub(crate) questions: Vec<Question>,
    json: Json,
}

impl Definition {
    /// Reads a definition; `None` if it lacks what every survey has, or a question cannot be read.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let json = Json::read(text)?;
        let named = |key: &&str| json.get(key).text().is_some();
        let questions: Option<Vec<_>> = json.get("questions").list().iter().map(question).collect();
        let questions = questions.filter(|questions| !questions.is_empty())?;
        ["survey", "language", "version"].iter().all(named).then_some(Self { questions, json })
    }

    /// What it has under a key; `Null` if nothing.
    pub(crate) fn get(&self, key: &str) -> &Json {
        self.json.get(key)
    }

    /// A text of it; empty if there is none.
    pub(crate) fn text(&self, key: &str) -> &str {
        text(&self.json, key)
    }

    /// One of the widget's own words.
    pub(crate) fn word(&self, key: &str) -> &str {
        text(self.get("words"), key)
    }

    /// What stands at the end, in the place of the widget's own thanks, given what holds; `Null` if nothing does.
    pub(crate) fn ending(&self, holds: impl Fn(&ShowIf) -> bool) -> &Json {
        let endings = self.get("thanks").list();
        // What cannot be read is not for everybody.
        let fits = |ending: &&Json| is_for(ending, &holds);
        endings.iter().find(fits).unwrap_or(&Json::Null)
    }
}

/// Whether something at the end is shown: without a condition always, with one that cannot be read never.
pub(crate) fn is_for(json: &Json, holds: impl Fn(&ShowIf) -> bool) -> bool {
    match json.get("show_if") {
        Json::Null => true,
        show_if => self::show_if(show_if).is_some_and(|show_if| holds(&show_if)),
    }
}

/// A text of an object; empty if there is none.
pub(crate) fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json.get(key).text().unwrap_or_default()
}

fn question(json: &Json) -> Option<Question> {
    Some(Question {
        id: json.get("id").text()?.parse().ok()?,
        text: optional(json, "text")?,
        hint: optional(json, "hint"),
        required: json.get("required").is_true(),
        show_if: match json.get("show_if") {
            Json::Null => None,
            show_if => Some(self::show_if(show_if)?),
        },
        kind: kind(json.get("kind"))?,
    })
}

fn kind(json: &Json) -> Option<Kind> {
    if json.text() == Some("yes_no") {
        return Some(Kind::YesNo);
    }
    let (name, of) = json.entries().first()?;
    Some(match name.as_str() {
        "score" => Kind::Score(Score {
            min: number(of.get("min"))?,
            max: number(of.get("max"))?,
            low: optional(of, "low"),
            high: optional(of, "high"),
            labels: of
                .get("labels")
                .list()
                .iter()
                .filter_map(|label| label.text().map(str::to_owned))
                .collect(),
            look: match of.get("look").text() {
                Some("stars") => Look::Stars,
                Some("smileys") => Look::Smileys,
                Some("list") => Look::List,
                _ => Look::Numbers,
            },
            colors: of.get("colors").is_true(),
        }),
        "text" => Kind::Text(Text { max_length: count(of.get("max_length"))? }),
        "choice" => Kind::Choice(Choice {
            several: of.get("several").is_true(),
            min: count(of.get("min")),
            max: count(of.get("max")),
            shuffle: of.get("shuffle").is_true(),
            search: FULL && of.get("search").is_true(),
            options: of.get("options").list().iter().map(option).collect::<Option<_>>()?,
        }),
        _ => return None,
    })
}

fn option(json: &Json) -> Option<ChoiceOption> {
    let (id, text) = (json.get("id").text()?.parse().ok()?, optional(json, "text")?);
    let other = FULL && json.get("other").is_true();
    Some(ChoiceOption { id, text, fixed: json.get("fixed").is_true(), other })
}

fn optional(json: &Json, key: &str) -> Option<String> {
    json.get(key).text().map(str::to_owned)
}

fn count(json: &Json) -> Option<u32> {
    u32::try_from(json.number()?).ok()
}

fn number(json: &Json) -> Option<i32> {
    i32::try_from(json.number()?).ok()
}

fn show_if(json: &Json) -> Option<ShowIf> {
    let mode = match json.get("mode").text()? {
        "all" => Mode::All,
        "any" => Mode::Any,
        _ => return None,
    };
    let of = json.get("of").list().iter().map(condition).collect::<Option<_>>()?;
    Some(ShowIf { mode, of })
}

fn condition(json: &Json) -> Option<Condition> {
    let (name, of) = json.get("test").entries().first()?;
    let test = match name.as_str() {
        "at_least" => Test::AtLeast(number(of)?),
        "at_most" => Test::AtMost(number(of)?),
        "includes" => Test::Includes(of.text()?.parse().ok()?),
        "answered" => Test::Answered(of.is_true()),
        "is" => {
            let (name, of) = of.entries().first()?;
            Test::Is(match name.as_str() {
                "score" => Literal::Score(number(of)?),
                "boolean" => Literal::Boolean(of.is_true()),
                "option" => Literal::Option(of.text()?.parse().ok()?),
                _ => return None,
            })
        }
        _ => return None,
    };
    Some(Condition { question: json.get("question").text()?.parse().ok()?, test })
}

/// What is handed in: a [`shared::Submission`] in the making.
pub(crate) struct Outgoing<'a> {
    /// The submission's UUID.
    pub(crate) submission: &'a str,
    /// The language that the visitor saw.
    pub(crate) language: &'a str,
    /// The answers.
    pub(crate) answers: Vec<WireAnswer>,
    /// What the page says: a JSON object with `metadata`, and `respondent` perhaps.
    pub(crate) said: &'a str,
    /// Where and when the visitor answered: the JSON of [`shared::Context`].
    pub(crate) context: &'a str,
    /// The version of the definition that was answered.
    pub(crate) definition: &'a str,
}

impl Outgoing<'_> {
    /// The submission's JSON.
    pub(crate) fn written(&self) -> String {
        let own = Object::new()
            .text("submission", self.submission)
            .text("language", self.language)
            .raw("answers", &array(self.answers.iter().map(answer)))
            .raw("context", self.context)
            .text("definition", self.definition)
            .end();
        with_members(own, self.said)
    }
}

/// An object with the members of another; both have been written without spaces, or are empty.
fn with_members(mut object: String, of: &str) -> String {
    if let Some(members) = of.strip_prefix('{').filter(|members| members.len() > 1) {
        object.pop();
        object.push(',');
        object.push_str(members);
    }
    object
}

/// Answers as a JSON array; `None` for none.
pub(crate) fn answers_written(answers: &[Answer]) -> Option<String> {
    (!answers.is_empty()).then(|| array(answers.iter().map(|one| answer(&WireAnswer::from(one)))))
}

/// Reads answers, and leaves out what is none.
pub(crate) fn answers(json: &Json) -> Vec<Answer> {
    let read = |json: &Json| {
        Some(Answer { question: json.get("question").text()?.parse().ok()?, value: value(json)? })
    };
    json.list().iter().filter_map(read).collect()
}

fn value(json: &Json) -> Option<Value> {
    if let Some(score) = number(json.get("score")) {
        return Some(Value::Score(score));
    }
    if let Some(text) = json.get("text").text() {
        return Some(Value::Text(text.to_owned()));
    }
    if let Json::Bool(boolean) = json.get("boolean") {
        return Some(Value::Boolean(*boolean));
    }
    let options = json.get("options").list().iter().map(|id| id.text()?.parse().ok());
    let other = if FULL { optional(json, "other") } else { None };
    Some(Value::Options(Chosen { ids: options.collect::<Option<_>>()?, other }))
}

fn answer(answer: &WireAnswer) -> String {
    let mut object =
        Object::new().text("question", &answer.question).optional("text", answer.text.as_deref());
    if let Some(score) = answer.score {
        object = object.raw("score", &score.to_string());
    }
    if let Some(boolean) = answer.boolean {
        object = object.raw("boolean", if boolean { "true" } else { "false" });
    }
    if let Some(options) = &answer.options {
        let quoted = options.iter().map(|id| {
            let mut json = String::new();
            quote(&mut json, id);
            json
        });
        object = object.raw("options", &array(quoted));
    }
    if FULL {
        object = object.optional("other", answer.other.as_deref());
    }
    object.end()
}

#[cfg(test)]
pub(crate) mod tests;
