//! The survey's definition and the submission, as JSON; by hand, see [`crate::json`].
//!
//! The shapes are those of [`shared`]; the tests below hold them to serde's.

use std::cell::Cell;

use shared::survey::ChoiceOption;
use shared::{
    Answer, Choice, Condition, Definition, Intro, Kind, Link, Literal, Look, Mode, Question, Score, ShowIf,
    Test, Text, Thanks, Value, WireAnswer, Words,
};

use crate::json::{Json, Object, array, quote};

/// Reads a definition; `None` if anything that it needs is missing or of another kind.
pub(crate) fn definition(text: &str) -> Option<Definition> {
    let json = Json::read(text)?;
    let reader = Reader { complete: Cell::new(true) };
    let definition = Definition {
        survey: json.get("survey").text()?.parse().ok()?,
        language: reader.text(&json, "language"),
        rtl: json.get("rtl").is_true(),
        version: reader.text(&json, "version"),
        autoprogress: json.get("autoprogress").is_true(),
        intro: intro(json.get("intro")),
        thanks: json.get("thanks").list().iter().filter_map(thanks).collect(),
        questions: json
            .get("questions")
            .list()
            .iter()
            .map(|json| reader.question(json))
            .collect::<Option<_>>()?,
        words: reader.words(json.get("words")),
        theme: optional(&json, "theme"),
        style: optional(&json, "style").unwrap_or_default(),
    };
    (reader.complete.get() && !definition.questions.is_empty()).then_some(definition)
}

/// Reads on past what is missing and remembers that; an early return at each of twenty words is
/// what makes a derived reader large.
struct Reader {
    complete: Cell<bool>,
}

impl Reader {
    fn text(&self, json: &Json, key: &str) -> String {
        let text = json.get(key).text();
        self.complete.set(self.complete.get() && text.is_some());
        text.unwrap_or_default().to_owned()
    }

    fn question(&self, json: &Json) -> Option<Question> {
        Some(Question {
            id: json.get("id").text()?.parse().ok()?,
            text: self.text(json, "text"),
            hint: optional(json, "hint"),
            required: json.get("required").is_true(),
            show_if: match json.get("show_if") {
                Json::Null => None,
                show_if => Some(self::show_if(show_if)?),
            },
            kind: self.kind(json.get("kind"))?,
        })
    }

    fn kind(&self, json: &Json) -> Option<Kind> {
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
                options: of
                    .get("options")
                    .list()
                    .iter()
                    .map(|json| self.option(json))
                    .collect::<Option<_>>()?,
            }),
            _ => return None,
        })
    }

    fn option(&self, json: &Json) -> Option<ChoiceOption> {
        let (id, text) = (json.get("id").text()?.parse().ok()?, self.text(json, "text"));
        Some(ChoiceOption { id, text, fixed: json.get("fixed").is_true() })
    }

    fn words(&self, json: &Json) -> Words {
        let word = |key| self.text(json, key);
        Words {
            survey: word("survey"),
            next: word("next"),
            back: word("back"),
            send: word("send"),
            yes: word("yes"),
            no: word("no"),
            progress: word("progress"),
            optional: word("optional"),
            several: word("several"),
            count: word("count"),
            choose: word("choose"),
            write: word("write"),
            too_long: word("too_long"),
            too_few: optional(json, "too_few").unwrap_or_default(),
            too_many: optional(json, "too_many").unwrap_or_default(),
            sending: word("sending"),
            kept: word("kept"),
            kept_page: word("kept_page"),
            again: word("again"),
            refused: word("refused"),
            thanks: word("thanks"),
            thanks_more: word("thanks_more"),
            close: word("close"),
        }
    }
}

fn intro(json: &Json) -> Option<Intro> {
    Some(Intro {
        title: optional(json, "title")?,
        text: optional(json, "text"),
        button: optional(json, "button")?,
    })
}

/// `None` for what cannot be read, and so would thank the wrong visitors.
fn thanks(json: &Json) -> Option<Thanks> {
    let link = json.get("link");
    Some(Thanks {
        show_if: match json.get("show_if") {
            Json::Null => None,
            show_if => Some(self::show_if(show_if)?),
        },
        title: optional(json, "title")?,
        text: optional(json, "text"),
        link: optional(link, "url").zip(optional(link, "text")).map(|(url, text)| Link { url, text }),
    })
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
    Some(Value::Options(options.collect::<Option<_>>()?))
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
    object.end()
}

#[cfg(test)]
mod tests;
