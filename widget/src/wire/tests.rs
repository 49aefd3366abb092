//! What serde writes is read, and what is written serde reads, for anything that the types hold.

use std::collections::BTreeMap;

use proptest::prelude::*;
use shared::{Context, Submission};

use super::*;

fn any_id<T: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    "[a-z0-9][a-z0-9_-]{0,8}".prop_map(|id| id.parse().unwrap())
}

fn any_look() -> impl Strategy<Value = Look> {
    prop_oneof![Just(Look::Numbers), Just(Look::Stars), Just(Look::Smileys), Just(Look::List)]
}

fn any_kind() -> impl Strategy<Value = Kind> {
    let option = (any_id(), any::<String>(), any::<bool>()).prop_map(|(id, text, fixed)| ChoiceOption {
        id,
        text,
        fixed,
    });
    prop_oneof![
        (any::<(i32, i32, Option<String>, Option<String>, Vec<String>, bool)>(), any_look()).prop_map(
            |((min, max, low, high, labels, colors), look)| {
                Kind::Score(Score { min, max, low, high, labels, look, colors })
            }
        ),
        any::<u32>().prop_map(|max_length| Kind::Text(Text { max_length })),
        Just(Kind::YesNo),
        (any::<(bool, Option<u32>, Option<u32>, bool)>(), prop::collection::vec(option, 0..4)).prop_map(
            |((several, min, max, shuffle), options)| {
                Kind::Choice(Choice { several, min, max, shuffle, options })
            }
        ),
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

fn any_intro() -> impl Strategy<Value = Option<Intro>> {
    let intro = any::<(String, Option<String>, String)>();
    prop::option::of(intro.prop_map(|(title, text, button)| Intro { title, text, button }))
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

/// All words, each its own name.
fn words() -> String {
    let names = [
        "survey",
        "next",
        "back",
        "send",
        "yes",
        "no",
        "progress",
        "optional",
        "several",
        "count",
        "choose",
        "write",
        "too_long",
        "sending",
        "kept",
        "kept_page",
        "again",
        "refused",
        "thanks",
        "thanks_more",
        "close",
    ];
    let words: BTreeMap<_, _> = names.into_iter().map(|name| (name, name)).collect();
    serde_json::to_string(&words).unwrap()
}

proptest! {
    #[test]
    fn a_definition_is_read_as_the_server_writes_it(
        survey in any_id(),
        (language, version, style) in any::<(String, String, String)>(),
        theme in any::<Option<String>>(),
        (rtl, autoprogress) in any::<(bool, bool)>(),
        questions in prop::collection::vec(any_question(), 1..5),
        (intro, thanks) in (any_intro(), prop::collection::vec(any_thanks(), 0..3)),
    ) {
        let words = serde_json::from_str(&words()).unwrap();
        let definition = Definition {
            survey, language, rtl, version, autoprogress, intro, questions, thanks, words, theme, style,
        };
        let written = serde_json::to_string(&definition).unwrap();
        prop_assert_eq!(super::definition(&written), Some(definition));
    }

    #[test]
    fn a_submission_is_written_as_the_server_reads_it(
        bytes in any::<[u8; 16]>(),
        (language, definition, answered_at) in any::<(String, String, String)>(),
        answers in prop::collection::vec(
            any::<(String, Option<i32>, Option<String>, Option<bool>, Option<Vec<String>>)>(),
            0..4,
        ),
        metadata in any::<BTreeMap<String, String>>(),
        (page_url, referrer) in any::<(Option<String>, Option<String>)>(),
    ) {
        let submission = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let answers: Vec<_> = answers
            .into_iter()
            .map(|(question, score, text, boolean, options)| WireAnswer { question, score, text, boolean, options })
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
    let questions = r#"[{"newer":[1.5,{"a":null}],"id":"q","text":"Q","kind":"yes_no"}]"#;
    let text = [
        r#"{"newer":{},"survey":"s","language":"nl","version":"1","questions":"#,
        questions,
        r#","words":"#,
        &words(),
        "}",
    ]
    .concat();
    let definition = definition(&text).unwrap();
    assert_eq!(definition.words.thanks_more, "thanks_more");
    assert_eq!(definition.questions[0].kind, Kind::YesNo);
}

#[test]
fn a_definition_that_lacks_something_is_refused() {
    let whole = [
        r#"{"survey":"s","language":"nl","version":"1","questions":[{"id":"q","text":"Q","kind":"yes_no"}],"words":"#,
        &words(),
        "}",
    ]
    .concat();
    assert!(definition(&whole).is_some());
    for lacking in ["survey", "language", "version", "questions", "id", "text", "kind", "words", "kept_page"]
    {
        let broken = whole.replace(&format!("\"{lacking}\":"), "\"other\":");
        assert_ne!(broken, whole);
        assert_eq!(definition(&broken), None, "{lacking}");
    }
    assert_eq!(definition(&whole.replace("\"yes_no\"", "\"of_next_year\"")), None);
}
