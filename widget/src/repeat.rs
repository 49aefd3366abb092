//! Earlier answers in texts: `{recommend}`.

use shared::{Kind, Question, Value, pipe};

use crate::flow::figures;
use crate::full;
use crate::survey::Inner;

/// A text with the answers that it repeats, each kept apart from the direction of the letters around it.
pub(crate) fn repeated(inner: &Inner, text: &str) -> String {
    pipe::fill(text, |name| {
        let questions = inner.flow.questions();
        let position = questions.iter().position(|question| question.id.as_str() == name)?;
        let words = words(inner, questions.get(position)?, inner.flow.value(position));
        Some(["\u{2068}", &words, "\u{2069}"].concat())
    })
}

/// An answer as the visitor saw it.
fn words(inner: &Inner, question: &Question, value: Option<&Value>) -> String {
    let definition = &inner.definition;
    match (&question.kind, value) {
        (Kind::Score(scale), Some(Value::Score(step))) => {
            let meaning = scale.meaning(*step).filter(|_| !scale.labels.is_empty());
            meaning.map_or_else(|| figures(definition, &step.to_string()), str::to_owned)
        }
        (Kind::YesNo, Some(Value::Boolean(yes))) => {
            definition.word(if *yes { "yes" } else { "no" }).to_owned()
        }
        (Kind::Choice(choice), Some(Value::Options(chosen))) => {
            let options = choice.options.iter().filter(|option| chosen.ids.contains(&option.id));
            let texts = options.map(|option| match &chosen.other {
                Some(other) if option.other => other.replace('\n', " "),
                _ => option.text.clone(),
            });
            full::listed(definition.text("language"), &texts.collect::<Vec<_>>().join("\n"))
        }
        // On one page what is repeated may still be open.
        _ => "…".to_owned(),
    }
}
