//! `afterword check --online`: a survey beside what its touchpoint asks.
//!
//! Pure: what is configured and what is asked go in, differences come out.

use shared::Language;

use crate::config::{Guid, Kind, Question, Survey};
use crate::platform::{AskedKind, AskedQuestion, InLanguage};

/// Something that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// The platform will refuse answers for it, or miss them.
    Wrong(String),
    /// It may be meant so.
    Other(String),
}

/// Compares a survey with what its touchpoint asks.
pub(super) fn compare(survey: &Survey, asked: &[AskedQuestion]) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut used = Vec::new();
    for question in &survey.questions {
        for (language, guid) in &question.guid {
            one(&question.id.to_string(), *language, guid, asked, &mut differences, |asked, found| {
                used.push(asked.sibling.clone());
                let mut differences = kind(question, asked, found, *language);
                let text = question.text.get(language).map(|text| text.trim());
                if text.is_some_and(|text| text != found.text.trim()) {
                    differences.push(Difference::Other(format!(
                        "{} ({language}): the platform asks {:?}",
                        question.id,
                        found.text.trim()
                    )));
                }
                differences
            });
        }
        for (language, guid) in question.kind.other().into_iter().flatten() {
            let name = format!("{}, the words for other", question.id);
            one(&name, *language, guid, asked, &mut differences, |asked, _| {
                used.push(asked.sibling.clone());
                if asked.kind == AskedKind::Text {
                    return Vec::new();
                }
                vec![Difference::Wrong(format!("{name} ({language}): the platform's question is no text"))]
            });
        }
    }
    for question in asked.iter().filter(|question| !used.contains(&question.sibling)) {
        let text = question.languages.first().map(|it| it.text.trim()).unwrap_or_default();
        let words = format!("the platform also asks {text:?}");
        differences.push(if question.mandatory {
            Difference::Wrong(format!("{words}, and nobody may leave it out there"))
        } else {
            Difference::Other(words)
        });
    }
    differences
}

/// Looks one GUID up, and has what is found compared.
fn one(
    name: &str,
    language: Language,
    guid: &Guid,
    asked: &[AskedQuestion],
    differences: &mut Vec<Difference>,
    compare: impl FnOnce(&AskedQuestion, &InLanguage) -> Vec<Difference>,
) {
    let all = asked.iter().flat_map(|asked| asked.languages.iter().map(move |found| (asked, found)));
    let found = all.into_iter().find(|(_, found)| guid.as_str().eq_ignore_ascii_case(&found.guid));
    match found {
        None => differences
            .push(Difference::Wrong(format!("{name} ({language}): the touchpoint has no question {guid}"))),
        Some((_, found)) if Language::matching(&found.language) != Some(language) => {
            differences.push(Difference::Wrong(format!(
                "{name} ({language}): {guid} is the platform's question in {}",
                found.language
            )));
        }
        Some((asked, found)) => differences.extend(compare(asked, found)),
    }
}

fn kind(
    question: &Question,
    asked: &AskedQuestion,
    found: &InLanguage,
    language: Language,
) -> Vec<Difference> {
    let wrong = |words: String| vec![Difference::Wrong(format!("{} ({language}): {words}", question.id))];
    match (&question.kind, asked.kind) {
        // What is not known here cannot be held against it.
        (_, AskedKind::Unknown) | (Kind::Text { .. }, AskedKind::Text) | (Kind::YesNo, AskedKind::YesNo) => {
            Vec::new()
        }
        (Kind::Score { min, max, .. }, AskedKind::Score { min: least, max: most }) => {
            if (*min, *max) == (least, most) {
                return Vec::new();
            }
            wrong(format!("its scale is {min} to {max}, and {least} to {most} at the platform"))
        }
        (Kind::Choice { options, several, .. }, AskedKind::Choice { several: theirs }) => {
            let mut differences = Vec::new();
            if *several && !theirs {
                differences
                    .extend(wrong("several options may be chosen here, and one at the platform".into()));
            }
            if !found.labels.is_empty() {
                let values = options.iter().filter_map(|option| option.value.get(&language));
                let unknown = values.filter(|value| !found.labels.contains(value));
                differences.extend(
                    unknown
                        .flat_map(|value| wrong(format!("the platform does not list the option {value:?}"))),
                );
            }
            differences
        }
        _ => wrong(format!("the platform's question is {}", in_words(asked.kind))),
    }
}

fn in_words(kind: AskedKind) -> &'static str {
    match kind {
        AskedKind::Score { .. } => "a score",
        AskedKind::Text => "a text",
        AskedKind::YesNo => "one of yes and no",
        AskedKind::Choice { .. } => "a choice",
        AskedKind::Unknown => "of a kind that is not known here",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::good;

    /// What the platform would have to ask for the survey to be right.
    fn asked(survey: &Survey) -> Vec<AskedQuestion> {
        let of = |question: &Question| {
            let languages = question.guid.iter().map(|(language, guid)| InLanguage {
                language: language.to_string(),
                guid: guid.to_string().to_lowercase(),
                text: question.text[language].clone(),
                labels: match &question.kind {
                    Kind::Choice { options, .. } => {
                        options.iter().map(|option| option.value[language].clone()).collect()
                    }
                    _ => Vec::new(),
                },
            });
            AskedQuestion {
                sibling: question.id.to_string(),
                kind: match &question.kind {
                    Kind::Score { min, max, .. } => AskedKind::Score { min: *min, max: *max },
                    Kind::Text { .. } => AskedKind::Text,
                    Kind::YesNo => AskedKind::YesNo,
                    Kind::Choice { several, .. } => AskedKind::Choice { several: *several },
                },
                mandatory: false,
                languages: languages.collect(),
            }
        };
        survey.questions.iter().map(of).collect()
    }

    fn differences(change: impl FnOnce(&mut Vec<AskedQuestion>)) -> Vec<String> {
        let config = good();
        let mut asked = asked(&config.surveys[0]);
        change(&mut asked);
        let told = |difference| match difference {
            Difference::Wrong(words) => format!("wrong: {words}"),
            Difference::Other(words) => words,
        };
        compare(&config.surveys[0], &asked).into_iter().map(told).collect()
    }

    #[test]
    fn a_survey_that_is_the_same_differs_in_nothing() {
        assert_eq!(differences(|_| {}), [""; 0]);
    }

    #[test]
    fn every_difference_is_told() {
        let told =
            differences(|asked| asked[0].languages[0].guid = "00000000-0000-4000-8000-000000000000".into());
        assert!(told[0].starts_with("wrong: recommend (") && told[0].contains("has no question"), "{told:?}");
        let told = differences(|asked| asked[0].kind = AskedKind::Score { min: 1, max: 5 });
        assert!(told[0].contains("0 to 10, and 1 to 5"), "{told:?}");
        let told = differences(|asked| asked[1].kind = AskedKind::YesNo);
        assert!(told[0].contains("one of yes and no"), "{told:?}");
        let told = differences(|asked| asked[0].languages[0].text = "Anders?".into());
        assert!(
            told.len() == 1 && told[0].contains("asks \"Anders?\"") && !told[0].contains("wrong"),
            "{told:?}"
        );
        let told = differences(|asked| asked[3].languages[0].labels[0] = "Elders".into());
        assert!(told[0].contains("does not list the option"), "{told:?}");
        let more = |mandatory| {
            differences(|asked| {
                let mut new = AskedQuestion { sibling: "new".into(), mandatory, ..asked[0].clone() };
                new.languages[0].guid = "new".into();
                new.languages.truncate(1);
                asked.push(new);
            })
        };
        assert!(more(true)[0].starts_with("wrong: the platform also asks"), "{:?}", more(true));
        assert!(more(false)[0].starts_with("the platform also asks"), "{:?}", more(false));
    }
}
