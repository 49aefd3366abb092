//! `show_if`: when something is shown.

use shared::{Condition, Literal, Mode, QuestionId, ShowIf, Test};

use super::super::reader::Value;
use super::super::text::Languages;
use super::{ChoiceOption, Kind, Question, Scope};

pub(super) fn read(value: &Value<'_>, scope: &Scope<'_>) -> Option<ShowIf> {
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
pub(in super::super) fn read_at_the_end(value: &Value<'_>, questions: &[Question]) -> Option<ShowIf> {
    let ids: Vec<Option<&str>> = questions.iter().map(|question| Some(question.id.as_str())).collect();
    let kinds: Vec<(QuestionId, Kind)> =
        questions.iter().map(|question| (question.id.clone(), question.kind.clone())).collect();
    let languages = Languages { read: Vec::new(), complete: true };
    read(value, &Scope { languages: &languages, earlier: &kinds, before: &ids, all: &ids })
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
