//! When a question is asked: `show_if`.
//!
//! A condition looks back at earlier questions only, so one pass in the survey's order decides
//! everything, and there are no loops. A question that is itself hidden counts as not answered.

use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Value};
use crate::id::{OptionId, QuestionId};
use crate::survey::Question;

/// The conditions of one question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShowIf {
    /// How the conditions combine.
    pub mode: Mode,
    /// The conditions; never empty.
    pub of: Vec<Condition>,
}

/// How several conditions combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Every condition holds.
    All,
    /// At least one condition holds.
    Any,
}

/// One look at one earlier question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// The earlier question.
    pub question: QuestionId,
    /// What its answer has to be.
    pub test: Test,
}

/// What an earlier answer has to be. Without an answer only `Answered(false)` holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// A score of this or more.
    AtLeast(i32),
    /// A score of this or less.
    AtMost(i32),
    /// Exactly this.
    Is(Literal),
    /// The options chosen include this one.
    Includes(OptionId),
    /// There is an answer (`true`), or there is none (`false`).
    Answered(bool),
}

/// A value that an answer may equal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Literal {
    /// A score.
    Score(i32),
    /// Yes (`true`) or no.
    Boolean(bool),
    /// The one option chosen.
    Option(OptionId),
}

impl ShowIf {
    /// True when the question is to be asked, given the answers to the questions shown before it.
    pub fn holds(&self, answers: &[&Answer]) -> bool {
        let holds = |condition: &Condition| {
            let value = answers.iter().find(|a| a.question == condition.question).map(|a| &a.value);
            condition.test.holds(value)
        };
        match self.mode {
            Mode::All => self.of.iter().all(holds),
            Mode::Any => self.of.iter().any(holds),
        }
    }
}

impl Test {
    fn holds(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Answered(wanted), value) => value.is_some() == *wanted,
            (Self::AtLeast(least), Some(Value::Score(score))) => score >= least,
            (Self::AtMost(most), Some(Value::Score(score))) => score <= most,
            (Self::Is(Literal::Score(wanted)), Some(Value::Score(score))) => score == wanted,
            (Self::Is(Literal::Boolean(wanted)), Some(Value::Boolean(boolean))) => boolean == wanted,
            (Self::Is(Literal::Option(wanted)), Some(Value::Options(chosen))) => {
                matches!(chosen.ids.as_slice(), [one] if one == wanted)
            }
            (Self::Includes(wanted), Some(Value::Options(chosen))) => chosen.ids.contains(wanted),
            // No answer, or one of another kind.
            _ => false,
        }
    }
}

/// Which questions are asked, by their position, given all answers made so far.
///
/// Answers to questions that are hidden count as not given, in the survey's order.
pub fn visible(questions: &[Question], answers: &[Answer]) -> Vec<usize> {
    let mut shown = Vec::with_capacity(questions.len());
    let mut counted: Vec<&Answer> = Vec::with_capacity(answers.len());
    for (position, question) in questions.iter().enumerate() {
        if question.show_if.as_ref().is_some_and(|show_if| !show_if.holds(&counted)) {
            continue;
        }
        shown.push(position);
        counted.extend(answers.iter().filter(|a| a.question == question.id));
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::answer::Chosen;

    fn answer(question: &str, value: Value) -> Answer {
        Answer { question: question.parse().unwrap(), value }
    }

    #[expect(clippy::needless_pass_by_value, reason = "the cases read better")]
    fn test(value: Option<Value>, test: &Test) -> bool {
        test.holds(value.as_ref())
    }

    #[test]
    fn each_test_holds_for_its_own_kind_only() {
        let options = |ids: &[&str]| {
            Some(Value::Options(Chosen::from(ids.iter().map(|id| id.parse().unwrap()).collect::<Vec<_>>())))
        };
        let id = |id: &str| id.parse::<OptionId>().unwrap();
        assert!(test(Some(Value::Score(6)), &Test::AtMost(6)));
        assert!(!test(Some(Value::Score(7)), &Test::AtMost(6)));
        assert!(test(Some(Value::Score(7)), &Test::AtLeast(7)));
        assert!(!test(Some(Value::Score(6)), &Test::AtLeast(7)));
        assert!(test(Some(Value::Score(3)), &Test::Is(Literal::Score(3))));
        assert!(test(Some(Value::Boolean(false)), &Test::Is(Literal::Boolean(false))));
        assert!(!test(Some(Value::Boolean(true)), &Test::Is(Literal::Boolean(false))));
        assert!(test(options(&["web"]), &Test::Is(Literal::Option(id("web")))));
        assert!(!test(options(&["web", "shop"]), &Test::Is(Literal::Option(id("web")))));
        assert!(test(options(&["web", "shop"]), &Test::Includes(id("shop"))));
        assert!(!test(Some(Value::Text("7".into())), &Test::AtLeast(1)));
    }

    #[test]
    fn without_an_answer_only_answered_false_holds() {
        assert!(test(None, &Test::Answered(false)));
        for held in [Test::Answered(true), Test::AtMost(6), Test::Is(Literal::Boolean(false))] {
            assert!(!test(None, &held), "{held:?}");
        }
    }

    #[test]
    fn all_wants_every_condition_and_any_wants_one() {
        let conditions = vec![
            Condition { question: "a".parse().unwrap(), test: Test::AtMost(6) },
            Condition { question: "b".parse().unwrap(), test: Test::Answered(true) },
        ];
        let answers = [answer("a", Value::Score(2))];
        assert!(!ShowIf { mode: Mode::All, of: conditions.clone() }.holds(&answers.each_ref()));
        assert!(ShowIf { mode: Mode::Any, of: conditions }.holds(&answers.each_ref()));
    }

    #[test]
    fn an_answer_to_a_hidden_question_shows_nothing_further_on() {
        let question = |id: &str, show_if: Option<(&str, Test)>| Question {
            id: id.parse().unwrap(),
            text: String::new(),
            hint: None,
            required: false,
            show_if: show_if.map(|(question, test)| ShowIf {
                mode: Mode::All,
                of: vec![Condition { question: question.parse().unwrap(), test }],
            }),
            kind: crate::Kind::YesNo,
        };
        let questions = [
            question("a", None),
            question("b", Some(("a", Test::Is(Literal::Boolean(true))))),
            question("c", Some(("b", Test::Answered(true)))),
        ];
        let answers = [answer("a", Value::Boolean(false)), answer("b", Value::Boolean(true))];
        assert_eq!(visible(&questions, &answers), [0]);
    }
}
