//! `afterword check --online`: a survey beside what its touchpoint asks.
//!
//! Pure: what is configured and what is asked go in, differences come out. The list of questions does not name the
//! company: a wrong one shows only where the platform refuses it, or has nothing for it.

use shared::Language;

use crate::config::{ChoiceOption, Guid, Kind, PerLanguage, Question, Survey};
use crate::platform::{AskedKind, AskedQuestion, InLanguage, MOST_LABELS};

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
    if asked.is_empty() {
        return vec![Difference::Wrong(
            "the platform has no questions for this company and touchpoint: compare both with the platform's settings"
                .into(),
        )];
    }
    let mut differences = languages(survey, asked);
    let mut used = Vec::new();
    for question in &survey.questions {
        let mut mandatory = false;
        for (language, guid) in &question.guid {
            one(&question.id.to_string(), *language, guid, asked, &mut differences, |asked, found| {
                used.push(asked.sibling.clone());
                mandatory |= asked.mandatory;
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
        if mandatory && !question.required {
            differences.push(Difference::Other(format!(
                "{}: nobody may leave it out at the platform, and everybody may here: add required = true",
                question.id
            )));
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

/// The languages in which only the touchpoint asks.
fn languages(survey: &Survey, asked: &[AskedQuestion]) -> Vec<Difference> {
    let mut more = Vec::new();
    for in_language in asked.iter().flat_map(|question| &question.languages) {
        let ours = Language::matching(&in_language.language).is_some_and(|it| survey.languages.contains(&it));
        if !ours && !more.contains(&in_language.language) {
            more.push(in_language.language.clone());
        }
    }
    let words = || format!("the platform also asks in {}: languages does not have it", more.join(", "));
    if more.is_empty() { Vec::new() } else { vec![Difference::Other(words())] }
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
        (Kind::Score { min, max, low, high, labels, .. }, AskedKind::Score { min: least, max: most }) => {
            if (*min, *max) != (least, most) {
                return wrong(format!("its scale is {min} to {max}, and {least} to {most} at the platform"));
            }
            let ours = steps([low.as_ref(), high.as_ref()], labels, language);
            let words = labelled(&ours, &found.labels);
            words.map(|words| other(question, language, &words)).into_iter().collect()
        }
        (Kind::Choice { options, several, .. }, AskedKind::Choice { several: theirs }) => {
            let mut differences = Vec::new();
            if *several && !theirs {
                differences
                    .extend(wrong("several options may be chosen here, and one at the platform".into()));
            }
            differences.extend(listed(question, options, found, language));
            differences
        }
        _ => wrong(format!("the platform's question is {}", in_words(asked.kind))),
    }
}

fn other(question: &Question, language: Language, words: &str) -> Difference {
    Difference::Other(format!("{} ({language}): {words}", question.id))
}

/// What the steps are called here: each of them, or the two ends, or nothing.
fn steps<'a>(
    ends: [Option<&'a PerLanguage<String>>; 2],
    labels: &'a [PerLanguage<String>],
    language: Language,
) -> Vec<&'a str> {
    let of = |label: &'a PerLanguage<String>| label.get(&language).map_or("", |it| it.trim());
    if labels.is_empty() {
        ends.map(|end| end.map_or("", of)).to_vec()
    } else {
        labels.iter().map(of).collect()
    }
}

/// How the platform calls the steps, if that is not what they are called here. A list that names the ends only says
/// nothing of the steps between them.
fn labelled(ours: &[&str], theirs: &[String]) -> Option<String> {
    let theirs: Vec<&str> = theirs.iter().map(|label| label.trim()).collect();
    let each = theirs.len() == ours.len() && theirs.iter().all(|label| !label.is_empty());
    let same = if each { ours == theirs } else { ends(ours) == ends(&theirs) };
    if theirs.is_empty() || same {
        return None;
    }
    let named: Vec<String> =
        theirs.into_iter().filter(|label| !label.is_empty()).map(|label| format!("{label:?}")).collect();
    Some(format!("the platform calls its steps {}", named.join(", ")))
}

/// The first and the last; one alone is the first.
fn ends<'a>(labels: &[&'a str]) -> [&'a str; 2] {
    let last = labels.get(1..).and_then(|rest| rest.last());
    [labels.first(), last].map(|label| label.copied().unwrap_or_default())
}

/// The options that only one side has. A list whose places are all used may be cut: what it lacks is not wrong then.
fn listed(
    question: &Question,
    options: &[ChoiceOption],
    found: &InLanguage,
    language: Language,
) -> Vec<Difference> {
    if found.labels.is_empty() {
        return Vec::new();
    }
    let values: Vec<&String> = options.iter().filter_map(|option| option.value.get(&language)).collect();
    let quoted =
        |values: Vec<&String>| -> Vec<String> { values.iter().map(|value| format!("{value:?}")).collect() };
    let unknown = quoted(values.iter().copied().filter(|value| !found.labels.contains(value)).collect());
    let more =
        quoted(found.labels.iter().filter(|label| !label.is_empty() && !values.contains(label)).collect());
    let mut differences = Vec::new();
    if found.labels.len() >= MOST_LABELS && !unknown.is_empty() {
        differences.push(other(
            question,
            language,
            &format!(
                "the platform lists {MOST_LABELS} options at most, so whether it has {} cannot be seen",
                unknown.join(", ")
            ),
        ));
    } else {
        let wrong =
            |value| format!("{} ({language}): the platform does not list the option {value}", question.id);
        differences.extend(unknown.into_iter().map(wrong).map(Difference::Wrong));
    }
    differences.extend(
        more.iter()
            .map(|label| other(question, language, &format!("only the platform has the option {label}"))),
    );
    differences
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
                    Kind::Score { low: Some(low), .. } => vec![low[language].clone()],
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
                mandatory: question.required,
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

    #[test]
    fn what_only_the_platform_has_is_said_and_fails_nothing() {
        let one = |change: fn(&mut Vec<AskedQuestion>)| {
            let told = differences(change);
            assert!(told.len() == 1 && !told[0].starts_with("wrong"), "{told:?}");
            told[0].clone()
        };
        let mandatory = one(|asked| asked[1].mandatory = true);
        assert!(mandatory.starts_with("why: nobody may leave it out at the platform"), "{mandatory}");
        assert_eq!(differences(|asked| asked[0].mandatory = false), [""; 0]);
        let languages = one(|asked| {
            for question in asked {
                let german =
                    InLanguage { language: "de".into(), guid: "x".into(), ..question.languages[0].clone() };
                question.languages.push(german);
            }
        });
        assert!(languages.starts_with("the platform also asks in de:"), "{languages}");
        let option = one(|asked| asked[3].languages[0].labels.push("Krant".into()));
        assert!(option.ends_with("(nl): only the platform has the option \"Krant\""), "{option}");
    }

    #[test]
    fn the_words_of_a_scale_are_compared_where_the_platform_has_them() {
        for (theirs, tells) in [
            (&[][..], None),
            (&["Nooit"], None),
            (&["Zelden"], Some("\"Zelden\"")),
            (&["Nooit", "", "Altijd"], Some("\"Nooit\", \"Altijd\"")),
        ] {
            let labels: Vec<String> = theirs.iter().map(|label| (*label).to_owned()).collect();
            let told = differences(|asked| asked[0].languages[0].labels = labels);
            let expected = tells.map(|tells| format!("recommend (nl): the platform calls its steps {tells}"));
            assert_eq!(told, Vec::from_iter(expected));
        }
        let theirs = ["slecht", "", "goed"].map(str::to_owned);
        assert_eq!(labelled(&["slecht", "goed"], &theirs), None);
        assert_eq!(
            labelled(&["slecht", "matig", "redelijk", "goed"], &theirs),
            None,
            "the ends are the same"
        );
        assert_eq!(labelled(&["slecht", "matig", "goed"], &theirs), None, "of the middle nothing is said");
        assert!(labelled(&["", ""], &theirs).is_some());
        let theirs = ["slecht", "zozo", "goed"].map(str::to_owned);
        assert!(labelled(&["slecht", "matig", "goed"], &theirs).is_some());
    }

    #[test]
    fn an_option_beyond_a_full_list_is_not_wrong() {
        let told = differences(|asked| {
            let labels = &mut asked[3].languages[0].labels;
            labels.truncate(1);
            labels.extend((2..=MOST_LABELS).map(|place| format!("Optie {place}")));
        });
        assert!(told[0].contains("lists 7 options at most") && told[0].contains("\"Winkel\""), "{told:?}");
        assert!(told.len() == MOST_LABELS && !told.concat().contains("wrong"), "{told:?}");
    }

    #[test]
    fn a_platform_without_questions_points_at_company_and_touchpoint() {
        let told = differences(Vec::clear);
        assert!(told.len() == 1 && told[0].starts_with("wrong:") && told[0].contains("company"), "{told:?}");
    }
}
