//! Earlier answers in texts: `{recommend}`.
//!
//! What a text repeats has to be answered whenever the text is shown, or there would be a hole in it.

use shared::pipe::piped;
use shared::{Condition, Mode, ShowIf, Test};

use super::super::reader::Value;
use super::super::text::PerLanguage;
use super::{Kind, Question};

/// Adds what is wrong with the answers that texts repeat, given when they are shown and what was asked before.
pub(in super::super) fn check<'t>(
    value: &Value<'_>,
    texts: impl IntoIterator<Item = Option<&'t PerLanguage<String>>>,
    show_if: Option<&ShowIf>,
    before: &[Question],
) {
    let texts = texts.into_iter().flatten().flat_map(PerLanguage::values);
    let mut names: Vec<&str> = texts.flat_map(|text| piped(text)).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let Some(question) = before.iter().find(|question| question.id.as_str() == name) else {
            let hint =
                "between { and } stands the id of an earlier question; a blank behind { makes it plain text";
            value.problem(format!("{{{name}}} repeats no earlier answer"), hint);
            continue;
        };
        if matches!(question.kind, Kind::Text { .. }) {
            let hint =
                "only scores, yes_no and choices are repeated: what a visitor writes may be of any length";
            value.problem(format!("{{{name}}} repeats a text"), hint);
        } else if !is_answered(question, show_if) {
            let hint = format!(
                "make {name:?} required and remove its show_if, or show this only if it is answered: \
                 show_if = {{ question = {name:?}, answered = true }}"
            );
            value.problem(format!("{{{name}}} may have no answer to repeat"), hint);
        }
    }
}

/// True if a question has an answer whenever the condition holds.
fn is_answered(question: &Question, show_if: Option<&ShowIf>) -> bool {
    let asks =
        |condition: &Condition| condition.question == question.id && condition.test != Test::Answered(false);
    let shown = show_if.is_some_and(|show_if| match show_if.mode {
        Mode::All => show_if.of.iter().any(asks),
        Mode::Any => show_if.of.iter().all(asks),
    });
    shown || (question.required && question.show_if.is_none())
}
