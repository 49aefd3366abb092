//! What serde writes is read, and what is written serde reads, for anything that the types hold.

use std::collections::BTreeMap;

use proptest::prelude::*;
use shared::{Context, Link, Submission, Thanks};

use super::*;

fn any_id<T: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    "[a-z0-9][a-z0-9_-]{0,8}".prop_map(|id| id.parse().unwrap())
}

fn any_look() -> impl Strategy<Value = Look> {
    prop_oneof![Just(Look::Numbers), Just(Look::Stars), Just(Look::Smileys), Just(Look::List)]
}

fn any_kind() -> impl Strategy<Value = Kind> {
    let option = (any_id(), any::<(String, bool, bool)>())
        .prop_map(|(id, (text, fixed, other))| ChoiceOption { id, text, fixed, other });
    prop_oneof![
        (any::<(i32, i32, Option<String>, Option<String>, Vec<String>, bool)>(), any_look()).prop_map(
            |((min, max, low, high, labels, colors), look)| {
                Kind::Score(Score { min, max, low, high, labels, look, colors })
            }
        ),
        any::<u32>().prop_map(|max_length| Kind::Text(Text { max_length })),
        Just(Kind::YesNo),
        (any::<(bool, Option<u32>, Option<u32>, bool, bool)>(), prop::collection::vec(option, 0..4))
            .prop_map(|((several, min, max, shuffle, search), options)| {
                Kind::Choice(Choice { several, min, max, shuffle, search, options })
            }),
    ]
}

fn any_test() -> impl Strategy<Value = Test> {
    prop_oneof![
        any::<i32>().prop_map(Test::AtLeast),
        any::<i32>().prop_map(Test::AtMost),
        any::<i32>().prop_map(|score| Test::Is(Literal::Score(score))),
        any::<bool>().prop_map(|boolean| Test::Is(Literal::Boolean(boolean))),
        any_id().prop_map(|id| Test::Is(Literal::Option(id))),
        any_id().prop_map(Test::Includes),
        any::<bool>().prop_map(Test::Answered),
    ]
}

fn any_show_if() -> impl Strategy<Value = ShowIf> {
    let condition = (any_id(), any_test()).prop_map(|(question, test)| Condition { question, test });
    (any::<bool>(), prop::collection::vec(condition, 1..3))
        .prop_map(|(all, of)| ShowIf { mode: if all { Mode::All } else { Mode::Any }, of })
}

fn any_thanks() -> impl Strategy<Value = Thanks> {
    let link = any::<(String, String)>().prop_map(|(url, text)| Link { url, text });
    (prop::option::of(any_show_if()), any::<(String, Option<String>)>(), prop::option::of(link))
        .prop_map(|(show_if, (title, text), link)| Thanks { show_if, title, text, link })
}

fn any_question() -> impl Strategy<Value = Question> {
    let parts = (
        any_id(),
        any::<String>(),
        any::<Option<String>>(),
        any::<bool>(),
        prop::option::of(any_show_if()),
        any_kind(),
    );
    parts.prop_map(|(id, text, hint, required, show_if, kind)| Question {
        id,
        text,
        hint,
        required,
        show_if,
        kind,
    })
}

/// What every definition has, with questions and whatever else comes.
fn json(questions: &str, more: &str) -> String {
    format!(r#"{{"survey":"s","language":"nl","version":"1","questions":[{questions}]{more}}}"#)
}

const QUESTION: &str = r#"{"id":"q","text":"Q","kind":"yes_no"}"#;

/// A definition of one question.
pub(crate) fn definition(more: &str) -> Definition {
    Definition::read(&json(QUESTION, more)).unwrap()
}

proptest! {
    #[test]
    fn questions_are_read_as_the_server_writes_them(
        questions in prop::collection::vec(any_question(), 1..5),
        (language, style) in any::<(String, String)>(),
    ) {
        let written = serde_json::json!({
            "survey": "s", "language": &language, "version": "1", "style": &style, "questions": &questions,
        });
        let definition = Definition::read(&written.to_string()).unwrap();
        prop_assert_eq!(&definition.questions, &questions);
        prop_assert_eq!((definition.text("language"), definition.text("style")), (&*language, &*style));
    }

    #[test]
    fn the_first_ending_that_fits_is_found(
        endings in prop::collection::vec(any_thanks(), 0..4),
        fits in any::<u8>(),
    ) {
        let more = format!(r#","thanks":{}"#, serde_json::to_string(&endings).unwrap());
        // Whether a condition holds hangs on the condition alone.
        let holds = |show_if: &ShowIf| (fits >> (show_if.of.len() + usize::from(show_if.mode == Mode::All))) & 1 == 1;
        let wanted = endings.iter().find(|ending| ending.show_if.as_ref().is_none_or(holds));
        let definition = definition(&more);
        let found = definition.ending(holds);
        prop_assert_eq!(found.get("title").text(), wanted.map(|ending| &*ending.title));
        prop_assert_eq!(found.get("text").text(), wanted.and_then(|ending| ending.text.as_deref()));
        let url = wanted.and_then(|ending| Some(&*ending.link.as_ref()?.url));
        prop_assert_eq!(found.get("link").get("url").text(), url);
    }

    #[test]
    fn a_submission_is_written_as_the_server_reads_it(
        bytes in any::<[u8; 16]>(),
        (language, definition, answered_at) in any::<(String, String, String)>(),
        answers in prop::collection::vec(
            any::<(String, Option<i32>, Option<String>, Option<bool>, Option<Vec<String>>, Option<String>)>(),
            0..4,
        ),
        metadata in any::<BTreeMap<String, String>>(),
        (page_url, referrer) in any::<(Option<String>, Option<String>)>(),
    ) {
        let submission = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let answers: Vec<_> = answers
            .into_iter()
            .map(|(question, score, text, boolean, options, other)| {
                WireAnswer { question, score, text, boolean, options, other }
            })
            .collect();
        let context = Context { page_url, referrer, answered_at: Some(answered_at) };
        let outgoing = Outgoing {
            submission: &submission.to_string(),
            language: &language,
            answers: answers.clone(),
            said: &serde_json::json!({ "metadata": &metadata }).to_string(),
            context: &serde_json::to_string(&context).unwrap(),
            definition: &definition,
        };
        let written = outgoing.written();
        let wanted = Submission {
            submission,
            language,
            answers,
            metadata,
            respondent: None,
            context: Some(context),
            definition: Some(definition),
        };
        prop_assert!(serde_json::from_str::<Submission>(&written).unwrap() == wanted);
    }
}

#[test]
fn a_definition_of_a_newer_server_is_read() {
    let questions = r#"{"newer":[1.5,{"a":null}],"id":"q","text":"Q","kind":"yes_no"}"#;
    let definition =
        Definition::read(&json(questions, r#","newer":{},"words":{"next":"Volgende"}"#)).unwrap();
    assert_eq!(definition.word("next"), "Volgende");
    assert_eq!(definition.word("newer"), "");
    assert_eq!(definition.questions[0].kind, Kind::YesNo);
}

#[test]
fn a_definition_that_lacks_something_is_refused() {
    let whole = json(QUESTION, "");
    assert!(Definition::read(&whole).is_some());
    for lacking in ["survey", "language", "version", "questions", "id", "text", "kind"] {
        let broken = whole.replace(&format!("\"{lacking}\":"), "\"other\":");
        assert_ne!(broken, whole);
        assert!(Definition::read(&broken).is_none(), "{lacking}");
    }
    assert!(Definition::read(&whole.replace("\"yes_no\"", "\"of_next_year\"")).is_none());
    assert!(Definition::read(&json("", "")).is_none());
}

#[test]
fn an_ending_whose_condition_cannot_be_read_is_for_nobody() {
    let definition = definition(r#","thanks":[{"show_if":{"mode":"none"},"title":"a"},{"title":"b"}]"#);
    assert_eq!(definition.ending(|_| true).get("title").text(), Some("b"));
}
