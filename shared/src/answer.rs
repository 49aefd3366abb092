//! Answers, and the one rule book for them.
//!
//! The widget asks [`fault`] before it lets a visitor go on; the server asks [`check`] before it
//! accepts a submission. Both look at the same rules, so what the widget lets through, the server
//! takes.

use std::fmt;

use crate::condition;
use crate::id::{OptionId, QuestionId};
use crate::limits;
use crate::submission::WireAnswer;
use crate::survey::{Choice, Kind, Question};

/// One answer to one question.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The question.
    pub question: QuestionId,
    /// What was answered.
    pub value: Value,
}

/// What was answered.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// A step of a scale.
    Score(i32),
    /// Words; never empty.
    Text(String),
    /// Yes (`true`) or no.
    Boolean(bool),
    /// Options.
    Options(Chosen),
}

/// The options chosen of a list.
#[derive(Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The options in the question's order; never empty, no id twice.
    pub ids: Vec<OptionId>,
    /// What the one called "other" means, if the visitor said so; never blank.
    pub other: Option<String>,
}

impl From<Vec<OptionId>> for Chosen {
    fn from(ids: Vec<OptionId>) -> Self {
        Self { ids, other: None }
    }
}

/// What is wrong with one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The survey has no such question.
    UnknownQuestion,
    /// The question was answered before in the same submission.
    AnsweredTwice,
    /// The question is not asked, given the other answers.
    Hidden,
    /// None of the four values is there.
    NoValue,
    /// More than one of the four values is there.
    SeveralValues,
    /// The value is of another kind than the question.
    WrongKind,
    /// A score off its scale.
    OffScale {
        /// The lowest step.
        min: i32,
        /// The highest step.
        max: i32,
    },
    /// A text without a visible character, or an empty list.
    Empty,
    /// A text that is too long.
    TooLong {
        /// The longest text, in Unicode scalar values.
        max: u32,
    },
    /// A text with control characters.
    ControlCharacter,
    /// The question has no such option.
    UnknownOption,
    /// An option is there twice.
    OptionTwice,
    /// Several options where one is allowed.
    SeveralOptions,
    /// Fewer options than have to be chosen.
    TooFew {
        /// The fewest.
        min: u32,
    },
    /// More options than may be chosen.
    TooMany {
        /// The most.
        max: u32,
    },
    /// Words for "other" where no such option was chosen.
    NotOther,
    /// A required question has no answer.
    Required,
}

impl Fault {
    /// Every fault, with some bounds where it has any.
    pub const ALL: [Self; 17] = [
        Self::UnknownQuestion,
        Self::AnsweredTwice,
        Self::Hidden,
        Self::NoValue,
        Self::SeveralValues,
        Self::WrongKind,
        Self::OffScale { min: 0, max: 1 },
        Self::Empty,
        Self::TooLong { max: 1 },
        Self::ControlCharacter,
        Self::UnknownOption,
        Self::OptionTwice,
        Self::SeveralOptions,
        Self::TooFew { min: 1 },
        Self::TooMany { max: 1 },
        Self::NotOther,
        Self::Required,
    ];

    /// A short, stable name for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownQuestion => "unknown_question",
            Self::AnsweredTwice => "answered_twice",
            Self::Hidden => "hidden",
            Self::NoValue => "no_value",
            Self::SeveralValues => "several_values",
            Self::WrongKind => "wrong_kind",
            Self::OffScale { .. } => "off_scale",
            Self::Empty => "empty",
            Self::TooLong { .. } => "too_long",
            Self::ControlCharacter => "control_character",
            Self::UnknownOption => "unknown_option",
            Self::OptionTwice => "option_twice",
            Self::SeveralOptions => "several_options",
            Self::TooFew { .. } => "too_few_options",
            Self::TooMany { .. } => "too_many_options",
            Self::NotOther => "not_other",
            Self::Required => "required",
        }
    }
}

impl Fault {
    /// True for what is right where the question has, or had, other rules.
    fn may_be_of_another_definition(self) -> bool {
        use Fault::{OffScale, SeveralOptions, TooLong, UnknownOption, WrongKind};
        matches!(self, WrongKind | OffScale { .. } | TooLong { .. } | UnknownOption | SeveralOptions)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownQuestion => out.write_str("the survey has no such question"),
            Self::AnsweredTwice => out.write_str("the question is answered twice"),
            Self::Hidden => out.write_str("the question is not asked, given the other answers"),
            Self::NotOther => out.write_str("no option was chosen that takes words"),
            Self::NoValue => out.write_str("one of score, text, boolean and options has to be there"),
            Self::SeveralValues => out.write_str("only one of score, text, boolean and options may be there"),
            Self::WrongKind => out.write_str("the value does not fit the question's kind"),
            Self::OffScale { min, max } => write!(out, "the score has to be from {min} to {max}"),
            Self::Empty => out.write_str("the answer is empty; leave it out instead"),
            Self::TooLong { max } => write!(out, "the text has more than {max} characters"),
            Self::ControlCharacter => out.write_str("the text holds a control character"),
            Self::UnknownOption => out.write_str("the question has no such option"),
            Self::OptionTwice => out.write_str("an option is chosen twice"),
            Self::SeveralOptions => out.write_str("only one option may be chosen"),
            Self::TooFew { min } => write!(out, "at least {min} options have to be chosen"),
            Self::TooMany { max } => write!(out, "at most {max} options may be chosen"),
            Self::Required => out.write_str("the question has to be answered"),
        }
    }
}

/// A fault and its place in the submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// JSON pointer (RFC 6901) into the submission: `/answers/2/score`, or `/answers` for what is
    /// missing there.
    pub pointer: String,
    /// The question, where it is known.
    pub question: Option<QuestionId>,
    /// What is wrong.
    pub fault: Fault,
}

/// What [`check`] accepted.
#[derive(Clone, PartialEq, Eq)]
pub struct Checked {
    /// The answers in the survey's order.
    pub answers: Vec<Answer>,
    /// How many answers of an old definition were dropped; see [`Stale`].
    pub dropped: usize,
}

/// How to take answers to questions that are gone or hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// The visitor answered this very definition: such an answer is a fault.
    Refuse,
    /// The visitor answered an older definition: such an answer is dropped and counted, and so is one that the question
    /// took before it had its present kind, scale or options. A question that has become required may be missing, a text
    /// may be longer than it now should, a list may have fewer or more options than it now should, and options that are gone
    /// and words for "other" may be dropped.
    Drop,
}

/// What is wrong with a value as the answer to a question, if anything.
pub fn fault(question: &Question, value: &Value) -> Option<Fault> {
    match (&question.kind, value) {
        (Kind::Score(scale), Value::Score(score)) => (!(scale.min..=scale.max).contains(score))
            .then_some(Fault::OffScale { min: scale.min, max: scale.max }),
        (Kind::Text(text), Value::Text(written)) => text_fault(written, text.max_length),
        (Kind::YesNo, Value::Boolean(_)) => None,
        (Kind::Choice(choice), Value::Options(chosen)) => {
            options_fault(choice, &chosen.ids).or_else(|| other_fault(choice, chosen))
        }
        _ => Some(Fault::WrongKind),
    }
}

fn options_fault(choice: &Choice, chosen: &[OptionId]) -> Option<Fault> {
    if chosen.is_empty() {
        Some(Fault::Empty)
    } else if !chosen.iter().all(|id| choice.has(id)) {
        Some(Fault::UnknownOption)
    } else if chosen.iter().enumerate().any(|(at, id)| chosen[..at].contains(id)) {
        Some(Fault::OptionTwice)
    } else if chosen.len() > 1 && !choice.several {
        Some(Fault::SeveralOptions)
    } else {
        let few = choice.min.filter(|min| chosen.len() < *min as usize);
        let many = choice.max.filter(|max| chosen.len() > *max as usize);
        few.map(|min| Fault::TooFew { min }).or(many.map(|max| Fault::TooMany { max }))
    }
}

fn other_fault(choice: &Choice, chosen: &Chosen) -> Option<Fault> {
    let other = chosen.other.as_ref()?;
    if choice.takes_words(&chosen.ids) { text_fault(other, limits::OTHER) } else { Some(Fault::NotOther) }
}

fn text_fault(written: &str, max: u32) -> Option<Fault> {
    if written.trim().is_empty() {
        Some(Fault::Empty)
    } else if written.chars().any(limits::is_forbidden) {
        Some(Fault::ControlCharacter)
    } else {
        (written.chars().count() > max as usize).then_some(Fault::TooLong { max })
    }
}

/// The text as it may be handed in: one kind of line end, no control characters, nothing blank
/// around it. May be empty.
pub fn tidy_text(written: &str) -> String {
    let mut tidy = String::with_capacity(written.len());
    let mut before = '\0';
    for character in written.chars() {
        match character {
            '\n' if before == '\r' => {}
            '\r' => tidy.push('\n'),
            _ if limits::is_forbidden(character) => {}
            _ => tidy.push(character),
        }
        before = character;
    }
    tidy.trim().to_owned()
}

/// Checks a whole submission's answers against a survey's questions.
///
/// Returns the accepted answers in the survey's order, or every problem found.
pub fn check(questions: &[Question], wire: &[WireAnswer], stale: Stale) -> Result<Checked, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut dropped = 0;
    let mut found: Vec<(usize, usize, Answer)> = Vec::with_capacity(wire.len());
    for (at, answer) in wire.iter().enumerate() {
        let Some(position) = questions.iter().position(|question| question.id.as_str() == answer.question)
        else {
            // No definition ever had a question whose name is no id.
            if stale == Stale::Drop && answer.question.parse::<QuestionId>().is_ok() {
                dropped += 1;
            } else {
                problems.push(problem(at, "/question", None, Fault::UnknownQuestion));
            }
            continue;
        };
        let question = &questions[position];
        if found.iter().any(|(_, other, _)| *other == position) {
            problems.push(problem(at, "", Some(question), Fault::AnsweredTwice));
            continue;
        }
        match value(question, answer, stale) {
            Ok(value) => found.push((at, position, Answer { question: question.id.clone(), value })),
            Err((_, fault)) if stale == Stale::Drop && fault.may_be_of_another_definition() => dropped += 1,
            Err((place, fault)) => problems.push(problem(at, place, Some(question), fault)),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }

    let given: Vec<Answer> = found.iter().map(|(_, _, answer)| answer.clone()).collect();
    let shown = condition::visible(questions, &given);
    found.retain(|(at, position, _)| {
        let visible = shown.contains(position);
        if !visible && stale == Stale::Drop {
            dropped += 1;
        } else if !visible {
            problems.push(problem(*at, "", Some(&questions[*position]), Fault::Hidden));
        }
        visible
    });
    if stale == Stale::Refuse {
        let missing = |position: &usize| {
            questions[*position].required && !found.iter().any(|(_, answered, _)| answered == position)
        };
        problems.extend(shown.iter().copied().filter(missing).map(|position| Problem {
            pointer: "/answers".into(),
            question: Some(questions[position].id.clone()),
            fault: Fault::Required,
        }));
    }
    if found.is_empty() && problems.is_empty() {
        problems.push(Problem { pointer: "/answers".into(), question: None, fault: Fault::Empty });
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    found.sort_by_key(|(_, position, _)| *position);
    Ok(Checked { answers: found.into_iter().map(|(_, _, answer)| answer).collect(), dropped })
}

fn problem(at: usize, place: &str, question: Option<&Question>, fault: Fault) -> Problem {
    Problem {
        pointer: format!("/answers/{at}{place}"),
        question: question.map(|question| question.id.clone()),
        fault,
    }
}

/// The one value of a wire answer, checked; or the place below the answer, and the fault.
fn value(question: &Question, wire: &WireAnswer, stale: Stale) -> Result<Value, (&'static str, Fault)> {
    let values = [wire.score.is_some(), wire.text.is_some(), wire.boolean.is_some(), wire.options.is_some()];
    match values.iter().filter(|there| **there).count() {
        0 => return Err(("", Fault::NoValue)),
        1 => {}
        _ => return Err(("", Fault::SeveralValues)),
    }
    let (place, value) = if let Some(score) = wire.score {
        ("/score", Value::Score(score))
    } else if let Some(text) = &wire.text {
        ("/text", Value::Text(text.clone()))
    } else if let Some(boolean) = wire.boolean {
        ("/boolean", Value::Boolean(boolean))
    } else {
        let chosen = wire.options.iter().flatten().map(|id| id.parse());
        let chosen = chosen.collect::<Result<_, _>>().map_err(|_| ("/options", Fault::UnknownOption))?;
        ("/options", Value::Options(Chosen { ids: chosen, other: wire.other.clone() }))
    };
    if wire.other.is_some() && wire.options.is_none() {
        return Err(("/other", Fault::WrongKind));
    }
    let (Kind::Choice(choice), Value::Options(mut chosen)) = (&question.kind, value.clone()) else {
        return match (fault(question, &value), &value) {
            (None, _) => Ok(value),
            (Some(Fault::TooLong { .. }), Value::Text(written))
                if stale == Stale::Drop && text_fault(written, limits::TEXT_MAX).is_none() =>
            {
                Ok(value)
            }
            (Some(fault), _) => Err((place, fault)),
        };
    };
    if stale == Stale::Drop && chosen.ids.iter().any(|id| choice.has(id)) {
        chosen.ids.retain(|id| choice.has(id));
    }
    match options_fault(choice, &chosen.ids) {
        Some(Fault::TooFew { .. } | Fault::TooMany { .. }) if stale == Stale::Drop => {}
        Some(fault) => return Err((place, fault)),
        None => {}
    }
    match other_fault(choice, &chosen) {
        Some(Fault::NotOther) if stale == Stale::Drop => chosen.other = None,
        Some(fault) => return Err(("/other", fault)),
        None => {}
    }
    Ok(Value::Options(in_order(choice, chosen)))
}

/// Options follow the question's order, so that the same choice is the same answer.
fn in_order(choice: &Choice, chosen: Chosen) -> Chosen {
    let known = choice.options.iter().map(|option| &option.id);
    Chosen { ids: known.filter(|id| chosen.ids.contains(id)).cloned().collect(), other: chosen.other }
}

impl From<&Answer> for WireAnswer {
    fn from(answer: &Answer) -> Self {
        let mut wire = Self { question: answer.question.as_str().to_owned(), ..Self::default() };
        match &answer.value {
            Value::Score(score) => wire.score = Some(*score),
            Value::Text(text) => wire.text = Some(text.clone()),
            Value::Boolean(boolean) => wire.boolean = Some(*boolean),
            Value::Options(options) => {
                wire.options = Some(options.ids.iter().map(|id| id.as_str().to_owned()).collect());
                wire.other.clone_from(&options.other);
            }
        }
        wire
    }
}

/// Only the question: answers do not belong in a log.
impl fmt::Debug for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Answer({})", self.question)
    }
}

/// Only the kind: answers do not belong in a log.
impl fmt::Debug for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Score(_) => "Score",
            Self::Text(_) => "Text",
            Self::Boolean(_) => "Boolean",
            Self::Options(_) => "Options",
        })
    }
}

#[cfg(test)]
mod tests;
