//! Where a visitor is in a survey, and what was answered so far.
//!
//! Pure: no DOM, no clock. The position always lies on the path, the questions that are shown given
//! the answers. Answers to questions that have become hidden stay, in case the visitor goes back,
//! but are never handed in.

use shared::answer::fault;
use shared::condition::visible;
use shared::{Answer, Fault, Kind, Question, ShowIf, Value, WireAnswer, pipe};

use crate::wire::Definition;

/// What [`Flow::advance`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advance {
    /// The next question is due.
    Question,
    /// All questions are through: the answers can be sent.
    Send,
}

/// Where the visitor is on the path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The question's number, from 1.
    pub(crate) step: usize,
    /// How many questions the path has, as far as the answers tell.
    pub(crate) total: usize,
}

/// One visitor's way through one survey.
pub(crate) struct Flow {
    questions: Vec<Question>,
    answers: Vec<Answer>,
    at: usize,
}

impl Flow {
    /// Starts at the first question, which is always shown.
    pub(crate) fn new(questions: Vec<Question>) -> Self {
        Self { questions, answers: Vec::new(), at: 0 }
    }

    /// The question on screen; `None` for a survey without any.
    pub(crate) fn question(&self) -> Option<&Question> {
        self.questions.get(self.at)
    }

    /// The position of the question on screen.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// All questions, hidden ones included.
    pub(crate) fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// How the question at a position is answered.
    pub(crate) fn kind(&self, position: usize) -> Option<&Kind> {
        self.questions.get(position).map(|question| &question.kind)
    }

    /// The answer to the question at a position.
    pub(crate) fn value(&self, position: usize) -> Option<&Value> {
        let id = &self.questions.get(position)?.id;
        self.answers.iter().find(|answer| answer.question == *id).map(|answer| &answer.value)
    }

    /// Answers the question at a position, or takes its answer back.
    pub(crate) fn answer(&mut self, position: usize, value: Option<Value>) {
        let Some(question) = self.questions.get(position).map(|question| question.id.clone()) else { return };
        self.answers.retain(|answer| answer.question != question);
        self.answers.extend(value.map(|value| Answer { question, value }));
    }

    /// All that was answered, hidden questions included.
    pub(crate) fn answers(&self) -> &[Answer] {
        &self.answers
    }

    /// Takes up where a visitor was, or at the first question before it that has no good answer; without an `at`
    /// at the first that has none at all. Answers that do not fit are dropped, but for those that can be mended.
    pub(crate) fn resume(&mut self, answers: Vec<Answer>, at: Option<&str>) {
        let fits = |answer: &Answer| {
            let question = self.questions.iter().find(|question| question.id == answer.question)?;
            Some(fault(question, &answer.value).is_none_or(can_be_mended))
        };
        self.answers = answers.into_iter().filter(|answer| fits(answer) == Some(true)).collect();
        self.go_to(at.unwrap_or_default());
        let wanted = std::mem::take(&mut self.at);
        let passes = |flow: &Self| match at {
            None => flow.value(flow.at).is_some(),
            Some(_) => flow.at < wanted,
        };
        while passes(self) && self.advance() == Ok(Advance::Question) {}
    }

    /// Where the question at a position is.
    pub(crate) fn place(&self, position: usize) -> Place {
        let path = visible(&self.questions, &self.answers);
        let step = path.iter().filter(|other| **other <= position).count();
        Place { step, total: path.len() }
    }

    /// Goes on, if the question on screen is answered as it has to be.
    ///
    /// At the end, a survey without a single answer is not worth sending: `Required`.
    pub(crate) fn advance(&mut self) -> Result<Advance, Fault> {
        if let Some(fault) = self.fault(self.at) {
            return Err(fault);
        }
        let path = visible(&self.questions, &self.answers);
        if let Some(next) = path.into_iter().find(|position| *position > self.at) {
            self.at = next;
            return Ok(Advance::Question);
        }
        if self.shown().is_empty() { Err(Fault::Required) } else { Ok(Advance::Send) }
    }

    /// What is wrong with the answer to the question at a position, if anything.
    pub(crate) fn fault(&self, position: usize) -> Option<Fault> {
        let question = self.questions.get(position)?;
        match self.value(position) {
            Some(value) => fault(question, value),
            None => question.required.then_some(Fault::Required),
        }
    }

    /// What is wrong on the whole path: positions and faults. A survey without a single answer is not worth sending.
    pub(crate) fn faults(&self) -> Vec<(usize, Fault)> {
        let path = visible(&self.questions, &self.answers);
        let first = path.first().copied();
        let wrong = path.into_iter().filter_map(|position| Some((position, self.fault(position)?)));
        let mut wrong: Vec<_> = wrong.collect();
        if wrong.is_empty() && self.shown().is_empty() {
            wrong.extend(first.map(|position| (position, Fault::Required)));
        }
        wrong
    }

    /// Whether the question at a position is asked, given the answers.
    pub(crate) fn asks(&self, position: usize) -> bool {
        visible(&self.questions, &self.answers).contains(&position)
    }

    /// How many questions of the path are answered, and how many it has.
    pub(crate) fn answered(&self) -> Place {
        Place { step: self.shown().len(), total: visible(&self.questions, &self.answers).len() }
    }

    /// Goes back to the question before; stays at the first.
    pub(crate) fn back(&mut self) {
        let path = visible(&self.questions, &self.answers);
        self.at = path.into_iter().rev().find(|position| *position < self.at).unwrap_or(self.at);
    }

    /// Goes to a question by its id, if it is on the path; otherwise stays.
    pub(crate) fn go_to(&mut self, id: &str) {
        let path = visible(&self.questions, &self.answers);
        let found = path.into_iter().find(|position| self.questions[*position].id.as_str() == id);
        self.at = found.unwrap_or(self.at);
    }

    /// Whether something stands at the end, given the answers to the questions on the path.
    pub(crate) fn ends_with(&self, show_if: &ShowIf) -> bool {
        show_if.holds(&self.shown())
    }

    /// The answers to the questions on the path, in the survey's order.
    fn shown(&self) -> Vec<&Answer> {
        let path = visible(&self.questions, &self.answers);
        let answered = |position: usize| {
            let id = &self.questions[position].id;
            self.answers.iter().find(|answer| answer.question == *id)
        };
        path.into_iter().filter_map(answered).collect()
    }

    /// The same as they are handed in.
    pub(crate) fn wire(&self) -> Vec<WireAnswer> {
        self.shown().into_iter().map(WireAnswer::from).collect()
    }
}

/// Whether the visitor can shorten, or choose more or fewer.
fn can_be_mended(fault: Fault) -> bool {
    matches!(fault, Fault::TooLong { .. } | Fault::TooFew { .. } | Fault::TooMany { .. })
}

/// What to tell the visitor about a fault.
pub(crate) fn message(definition: &Definition, kind: &Kind, fault: Fault) -> String {
    match (fault, kind) {
        (Fault::TooLong { max }, _) => {
            fill(definition, definition.word("too_long"), &[("max", max as usize)])
        }
        (Fault::TooFew { min }, _) => fill(definition, definition.word("too_few"), &[("min", min as usize)]),
        (Fault::TooMany { max }, _) => {
            fill(definition, definition.word("too_many"), &[("max", max as usize)])
        }
        (_, Kind::Text(_)) => definition.word("write").to_owned(),
        _ => definition.word("choose").to_owned(),
    }
}

/// Puts numbers into one of the widget's own texts: `{n} of {total}`.
pub(crate) fn fill(definition: &Definition, text: &str, numbers: &[(&str, usize)]) -> String {
    pipe::fill(text, |name| {
        let known = numbers.iter().find(|(known, _)| *known == name);
        known.map(|(_, number)| figures(definition, &number.to_string()))
    })
}

/// A number in the language's own digits.
pub(crate) fn figures(definition: &Definition, plain: &str) -> String {
    let digits = definition.text("digits");
    let own = |digit: char| digit.to_digit(10).and_then(|digit| digits.chars().nth(digit as usize));
    plain.chars().map(|digit| own(digit).unwrap_or(digit)).collect()
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
