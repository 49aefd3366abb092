//! Random surveys, and what a visitor can do at their questions: for property tests on both sides.

use std::str::FromStr;

use proptest::prelude::*;

use crate::answer::{Chosen, Value, tidy_text};
use crate::condition::{Condition, Literal, Mode, ShowIf, Test};
use crate::id::{IdError, QuestionId};
use crate::limits;
use crate::survey::{Choice, ChoiceOption, Kind, Question, Score, Text};

fn parsed<T: FromStr<Err = IdError>>(id: &str) -> T {
    id.parse().expect("an id")
}

fn choice(several: bool) -> Kind {
    let options = ["web", "shop", "friend"]
        .map(|id| ChoiceOption { id: parsed(id), text: id.into(), fixed: false, other: id == "friend" })
        .to_vec();
    Kind::Choice(Choice::of(several, options))
}

fn bounded(min: u32, max: u32) -> Kind {
    let Kind::Choice(choice) = choice(true) else { unreachable!() };
    Kind::Choice(Choice { min: Some(min), max: Some(max), ..choice })
}

fn any_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        (-5..5i32, 1..10i32).prop_map(|(min, steps)| Kind::Score(Score::of(min, min + steps))),
        (1..50u32).prop_map(|max_length| Kind::Text(Text { max_length })),
        Just(Kind::YesNo),
        any::<bool>().prop_map(choice),
        (1..=3u32, 1..=3u32).prop_map(|(one, other)| bounded(one.min(other), one.max(other))),
    ]
}

fn any_test() -> impl Strategy<Value = Test> {
    prop_oneof![
        (-5..10i32).prop_map(Test::AtLeast),
        (-5..10i32).prop_map(Test::AtMost),
        any::<bool>().prop_map(Test::Answered),
        any::<bool>().prop_map(|boolean| Test::Is(Literal::Boolean(boolean))),
        Just(Test::Includes(parsed("web"))),
        Just(Test::Is(Literal::Option(parsed("shop")))),
    ]
}

/// A survey whose conditions look back, and that may be impossible to leave unanswered.
pub fn any_survey() -> impl Strategy<Value = Vec<Question>> {
    let rule = (any::<prop::sample::Index>(), any_test());
    let rules = (any::<bool>(), prop::collection::vec(rule, 1..3));
    let parts = (any_kind(), any::<bool>(), prop::option::of(rules));
    prop::collection::vec(parts, 1..8).prop_map(|parts| {
        let id = |at: usize| -> QuestionId { parsed(&format!("q{at}")) };
        let build = |(at, (kind, required, rules)): (usize, (Kind, bool, Option<_>))| {
            let (id_of_this, text) = (id(at), format!("Question {at}?"));
            let mut question = Question { id: id_of_this, text, hint: None, required, show_if: None, kind };
            let rules: Option<(bool, Vec<(prop::sample::Index, Test)>)> = rules;
            question.show_if = rules.filter(|_| at > 0).map(|(all, of)| ShowIf {
                mode: if all { Mode::All } else { Mode::Any },
                of: of
                    .into_iter()
                    .map(|(back, test)| Condition { question: id(back.index(at)), test })
                    .collect(),
            });
            question
        };
        parts.into_iter().enumerate().map(build).collect()
    })
}

/// A good answer to a question, as `seed` and `written` have it; `None` where they come to nothing.
pub fn value_from(kind: &Kind, seed: u32, written: &str) -> Option<Value> {
    let value = match kind {
        Kind::Score(scale) => {
            let steps = scale.max - scale.min + 1;
            Value::Score(scale.min + i32::try_from(seed).unwrap_or(0).rem_euclid(steps))
        }
        Kind::Text(text) => {
            let tidy = tidy_text(written);
            Value::Text(tidy_text(&tidy.chars().take(text.max_length as usize).collect::<String>()))
        }
        Kind::YesNo => Value::Boolean(seed.is_multiple_of(2)),
        Kind::Choice(choice) if choice.several => {
            let (wanted, others): (Vec<_>, Vec<_>) =
                choice.options.iter().enumerate().partition(|(at, _)| seed >> at & 1 == 1);
            let fewest = if wanted.is_empty() { 0 } else { choice.min.unwrap_or_default() as usize };
            let most = choice.max.map_or(usize::MAX, |max| max as usize);
            let lacking = fewest.saturating_sub(wanted.len());
            let mut chosen: Vec<_> =
                wanted.into_iter().take(most).chain(others.into_iter().take(lacking)).collect();
            chosen.sort_unstable_by_key(|(at, _)| *at);
            let other = chosen.iter().any(|(_, option)| option.other);
            let ids = chosen.into_iter().map(|(_, option)| option.id.clone()).collect();
            Value::Options(Chosen { ids, other: words_from(other, written) })
        }
        Kind::Choice(choice) => {
            let option = &choice.options[seed as usize % choice.options.len()];
            Value::Options(Chosen { ids: vec![option.id.clone()], other: words_from(option.other, written) })
        }
    };
    let empty = matches!(&value, Value::Text(text) if text.is_empty())
        || matches!(&value, Value::Options(options) if options.ids.is_empty());
    (!empty).then_some(value)
}

fn words_from(taken: bool, written: &str) -> Option<String> {
    let tidy: String = tidy_text(written).chars().take(limits::OTHER as usize).collect();
    (taken && !tidy.trim().is_empty()).then_some(tidy)
}
