//! Whatever survey `check` passes: a visitor gets to its end, and the platform's body can be made of what was answered.

use std::path::Path;

use proptest::prelude::*;
use shared::answer::{self, Answer, Stale};
use shared::testing::value_from;
use shared::{Language, condition};

use server::accepted::{Accepted, StoredAnswer};
use server::config::Config;
use server::intake::ServedDefinition;
use server::platform::AddAnswer;

/// All but the questions.
const HEAD: &str = r#"
public_url = "https://feedback.example.com/"
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
store = "sqlite:queue.db"

[platform.main]
token_env = "TOKEN"

[[survey]]
id = "random"
platform = "main"
company = "ec28d381-4883-4731-9462-74c3dc82aff1"
touchpoint = "f30f55f0-a770-4096-aa9f-8bc2a2aff25f"
origins = ["https://shop.example"]
languages = ["nl"]
"#;

/// The lines of a question's own keys, some of them wrong.
fn any_kind() -> impl Strategy<Value = String> {
    let choice = (any::<bool>(), 0..5_u32, 0..5_u32, 1..5_usize, any::<(bool, bool, bool)>());
    prop_oneof![
        prop::sample::select(vec!["nps", "csat", "ces"])
            .prop_map(|scale| format!("kind = \"score\"\nscale = \"{scale}\"")),
        (-3..3_i32, -3..9_i32).prop_map(|(min, max)| format!("kind = \"score\"\nmin = {min}\nmax = {max}")),
        (0..30_i32).prop_map(|max| format!("kind = \"text\"\nmax_length = {max}")),
        Just("kind = \"yes_no\"".to_owned()),
        choice.prop_map(|(several, min, max, count, (bounded, shuffle, other))| {
            let option = |at: usize| {
                let other = if other && at == 0 { "other = { guid = { nl = \"@GUID@\" } }, " } else { "" };
                format!("{{ id = \"o{at}\", {other}text = {{ nl = \"{at}\" }} }},")
            };
            let options: String = (0..count).map(option).collect();
            let bounds = if bounded { format!("min = {min}\nmax = {max}\n") } else { String::new() };
            format!(
                "kind = \"choice\"\nseveral = {several}\nshuffle = {shuffle}\nsearch = {shuffle}\n{bounds}options = [{options}]"
            )
        }),
    ]
}

/// A condition on the question at a position.
fn any_condition() -> impl Strategy<Value = (prop::sample::Index, String)> {
    let test = prop_oneof![
        (-2..8_i32).prop_map(|at| format!("at_least = {at}")),
        (-2..8_i32).prop_map(|at| format!("at_most = {at}")),
        any::<bool>().prop_map(|answered| format!("answered = {answered}")),
        any::<bool>().prop_map(|yes| format!("is = {yes}")),
        Just("includes = \"o1\"".to_owned()),
        Just("is = \"o0\"".to_owned()),
    ];
    (any::<prop::sample::Index>(), test)
}

fn any_configuration() -> impl Strategy<Value = String> {
    let question =
        (any_kind(), any::<bool>(), prop::option::of(any_condition()), any::<prop::sample::Index>());
    (prop::collection::vec(question, 1..6), any::<(bool, bool)>()).prop_map(|(questions, (page, repeats))| {
        let mut text = [HEAD, if page { "layout = \"page\"\n" } else { "" }].concat();
        for (at, (kind, required, condition, earlier)) in questions.into_iter().enumerate() {
            let mut guids = (0..).map(|n: u32| format!("{at:08}-0000-4000-8000-{n:012}"));
            let mut guid = || guids.next().unwrap_or_default();
            let kind = kind.replace("@GUID@", &guid());
            let told = if repeats && at > 0 { format!(" {{q{}}}", earlier.index(at)) } else { String::new() };
            let head = format!("\n[[survey.question]]\nid = \"q{at}\"\nrequired = {required}\n{kind}\n");
            let words = format!("text = {{ nl = \"Vraag{told}?\" }}\nguid = {{ nl = \"{}\" }}\n", guid());
            text += &[head, words].concat();
            if let Some((back, test)) = condition.filter(|_| at > 0) {
                let show_if = format!("show_if = {{ question = \"q{}\", {test} }}\n", back.index(at));
                text += &show_if;
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 20_000, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn no_survey_that_check_passes_leaves_a_visitor_without_a_way_on(
        text in any_configuration(),
        seeds in prop::collection::vec((any::<u32>(), "[a-z]{1,40}", any::<bool>()), 6),
    ) {
        let environment = |name: &str| (name == "TOKEN").then(|| "c2VjcmV0".to_owned());
        let config = Config::parse(&text, "random.toml", Path::new(""), &environment);
        prop_assume!(config.is_ok());
        let Ok(config) = config else { return Ok(()) };
        let survey = &config.surveys[0];
        let dutch = Language::matching("nl").unwrap_or(survey.languages[0]);
        let questions = ServedDefinition::new(survey, dutch).definition.questions;

        let mut answers: Vec<Answer> = Vec::new();
        for (at, question) in questions.iter().enumerate() {
            if !condition::visible(&questions, &answers).contains(&at) {
                continue;
            }
            let (seed, words, skips) = &seeds[at];
            if *skips && !question.required {
                continue;
            }
            // A number of no option chooses nothing; 1 the first.
            let value = value_from(&question.kind, *seed, words).or_else(|| value_from(&question.kind, 1, words));
            prop_assert!(value.is_some(), "nobody can answer {question:?}\n{text}");
            let value = value.into_iter().inspect(|value| {
                assert_eq!(answer::fault(question, value), None, "{question:?}\n{text}");
            });
            answers.extend(value.map(|value| Answer { question: question.id.clone(), value }));
        }
        if answers.is_empty() {
            // Who leaves everything out is asked for one answer, and the first question is always there.
            prop_assert!(condition::visible(&questions, &[]).contains(&0));
            return Ok(());
        }
        let wire: Vec<_> = answers.iter().map(shared::WireAnswer::from).collect();
        let checked = answer::check(&questions, &wire, Stale::Refuse);
        prop_assert!(checked.is_ok(), "{:?}\n{text}", checked.err());
        let accepted = Accepted {
            language: "nl".into(),
            answers: answers.into_iter().map(StoredAnswer::from).collect(),
            metadata: std::collections::BTreeMap::default(),
            respondent: None,
            answered_at: jiff::Timestamp::UNIX_EPOCH,
        };
        let body = AddAnswer::new(survey, &accepted);
        prop_assert!(body.is_ok(), "{:?}\n{text}", body.err());
    }
}
