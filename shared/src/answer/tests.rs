//! The rule book by example, and by property: what the widget can make, the server takes.

use proptest::prelude::*;

use super::*;
use crate::condition::{Condition, Mode, ShowIf, Test};
use crate::survey::{Choice, ChoiceOption, Score, Text};
use crate::testing::{any_survey, value_from};

fn question(id: &str, required: bool, kind: Kind) -> Question {
    Question { id: id.parse().unwrap(), text: id.into(), hint: None, required, show_if: None, kind }
}

fn choice(several: bool) -> Kind {
    let options = ["web", "shop", "friend"]
        .map(|id| ChoiceOption {
            id: id.parse().unwrap(),
            text: id.into(),
            fixed: false,
            other: id == "friend",
        })
        .to_vec();
    Kind::Choice(Choice::of(several, options))
}

fn bounded(min: u32, max: u32) -> Kind {
    let Kind::Choice(choice) = choice(true) else { unreachable!() };
    Kind::Choice(Choice { min: Some(min), max: Some(max), ..choice })
}

#[test]
fn a_choice_keeps_its_bounds_where_there_is_one() {
    let fault = |min, max, ids: &[&str]| {
        let chosen: Vec<_> = ids.iter().map(|id| id.parse().unwrap()).collect();
        fault(&question("found", false, bounded(min, max)), &Value::Options(chosen.into()))
    };
    assert_eq!(fault(2, 2, &["web"]), Some(Fault::TooFew { min: 2 }));
    assert_eq!(fault(2, 2, &["web", "shop"]), None);
    assert_eq!(fault(2, 2, &["web", "shop", "friend"]), Some(Fault::TooMany { max: 2 }));
    assert_eq!(fault(2, 3, &[]), Some(Fault::Empty));
}

#[test]
fn bounds_that_were_added_later_cost_nobody_an_answer() {
    let survey = [question("found", true, bounded(2, 2))];
    let one =
        WireAnswer { question: "found".into(), options: Some(vec!["web".into()]), ..WireAnswer::default() };
    assert!(check(&survey, std::slice::from_ref(&one), Stale::Refuse).is_err());
    assert!(check(&survey, &[one], Stale::Drop).is_ok_and(|checked| checked.answers.len() == 1));
}

#[test]
fn words_for_other_need_the_option_that_takes_them() {
    let survey = [question("found", false, choice(true))];
    let with = |ids: &[&str], other: &str| {
        let wire = WireAnswer { other: Some(other.into()), ..options("found", ids) };
        check(&survey, &[wire], Stale::Refuse)
            .map_err(|problems| (problems[0].pointer.clone(), problems[0].fault))
    };
    let words = |checked: Checked| match checked.answers[0].value.clone() {
        Value::Options(chosen) => chosen.other,
        _ => None,
    };
    assert!(with(&["web", "friend"], "an aunt").map(words) == Ok(Some("an aunt".into())));
    let wrong = |fault| Some(("/answers/0/other".to_owned(), fault));
    assert_eq!(with(&["web"], "an aunt").err(), wrong(Fault::NotOther));
    assert_eq!(with(&["friend"], " ").err(), wrong(Fault::Empty));
    assert_eq!(with(&["friend"], "a\u{0}").err(), wrong(Fault::ControlCharacter));
    assert_eq!(with(&["friend"], &"é".repeat(200)).err(), None);
    assert_eq!(with(&["friend"], &"é".repeat(201)).err(), wrong(Fault::TooLong { max: 200 }));
    let mut score = score("found", 1);
    score.other = Some("an aunt".into());
    let problems = check(&survey, &[score], Stale::Refuse).err().unwrap();
    assert_eq!((problems[0].pointer.as_str(), problems[0].fault), ("/answers/0/other", Fault::WrongKind));
}

#[test]
fn words_for_an_option_that_takes_none_any_more_cost_nobody_an_answer() {
    let survey = [question("found", false, choice(true))];
    let wire = [WireAnswer { other: Some("a banner".into()), ..options("found", &["web"]) }];
    let checked = check(&survey, &wire, Stale::Drop).unwrap();
    assert!(checked.answers[0].value == Value::Options(vec!["web".parse().unwrap()].into()));
}

fn survey() -> Vec<Question> {
    let mut why = question("why", true, Kind::Text(Text { max_length: 10 }));
    why.show_if = Some(ShowIf {
        mode: Mode::All,
        of: vec![Condition { question: "recommend".parse().unwrap(), test: Test::AtMost(6) }],
    });
    vec![
        question("recommend", true, Kind::Score(Score::of(0, 10))),
        why,
        question("again", false, Kind::YesNo),
        question("found", false, choice(true)),
        question("one", false, choice(false)),
    ]
}

fn score(question: &str, score: i32) -> WireAnswer {
    WireAnswer { question: question.into(), score: Some(score), ..WireAnswer::default() }
}

fn text(question: &str, text: &str) -> WireAnswer {
    WireAnswer { question: question.into(), text: Some(text.into()), ..WireAnswer::default() }
}

fn options(question: &str, ids: &[&str]) -> WireAnswer {
    let ids = ids.iter().map(|id| (*id).into()).collect();
    WireAnswer { question: question.into(), options: Some(ids), ..WireAnswer::default() }
}

fn faults(wire: &[WireAnswer]) -> Vec<(String, Fault)> {
    match check(&survey(), wire, Stale::Refuse) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|problem| (problem.pointer, problem.fault)).collect(),
    }
}

#[test]
fn answers_come_back_in_the_surveys_order() {
    let wire = [options("found", &["friend", "web"]), score("recommend", 9)];
    let checked = check(&survey(), &wire, Stale::Refuse).unwrap();
    let options = vec!["web".parse().unwrap(), "friend".parse().unwrap()];
    assert!(checked.answers[0].value == Value::Score(9));
    assert!(checked.answers[1].value == Value::Options(options.into()));
}

#[test]
fn every_wrong_answer_is_named_with_its_place() {
    let two_values =
        WireAnswer { question: "again".into(), boolean: Some(true), score: Some(1), ..Default::default() };
    let none = WireAnswer { question: "again".into(), ..WireAnswer::default() };
    let good = score("recommend", 9);
    for (wrong, pointer, fault) in [
        (score("nope", 1), "/answers/1/question", Fault::UnknownQuestion),
        (score("recommend", 3), "/answers/1", Fault::AnsweredTwice),
        (text("why", "late"), "/answers/1", Fault::Hidden),
        (none, "/answers/1", Fault::NoValue),
        (two_values, "/answers/1", Fault::SeveralValues),
        (score("again", 1), "/answers/1/score", Fault::WrongKind),
        (options("found", &["moon"]), "/answers/1/options", Fault::UnknownOption),
        (options("found", &["NOT AN ID"]), "/answers/1/options", Fault::UnknownOption),
        (options("found", &["web", "web"]), "/answers/1/options", Fault::OptionTwice),
        (options("found", &[]), "/answers/1/options", Fault::Empty),
        (options("one", &["web", "shop"]), "/answers/1/options", Fault::SeveralOptions),
    ] {
        assert_eq!(faults(&[good.clone(), wrong]), [(pointer.to_owned(), fault)]);
    }
    let off = Fault::OffScale { min: 0, max: 10 };
    assert_eq!(faults(&[score("recommend", 11)]), [("/answers/0/score".to_owned(), off)]);
    let low = score("recommend", 6);
    for (written, fault) in [
        (" \n ", Fault::Empty),
        ("a\u{0}b", Fault::ControlCharacter),
        ("a\rb", Fault::ControlCharacter),
        ("elf signs!!", Fault::TooLong { max: 10 }),
    ] {
        assert_eq!(faults(&[low.clone(), text("why", written)]), [("/answers/1/text".to_owned(), fault)]);
    }
}

#[test]
fn several_problems_come_together() {
    let found = faults(&[score("nope", 1), score("recommend", -1), options("found", &[])]);
    assert_eq!(found.len(), 3);
}

#[test]
fn a_required_question_is_missed_only_where_it_is_shown() {
    assert_eq!(faults(&[score("recommend", 7)]), []);
    assert_eq!(faults(&[score("recommend", 6)]), [("/answers".to_owned(), Fault::Required)]);
    assert_eq!(faults(&[]), [("/answers".to_owned(), Fault::Required)]);
}

#[test]
fn a_length_counts_characters_and_not_bytes() {
    assert_eq!(faults(&[score("recommend", 0), text("why", "ééééééé😀😀😀")]), []);
}

#[test]
fn an_old_definitions_leftovers_are_dropped_and_counted() {
    let wire = [score("gone", 1), score("recommend", 9), text("why", "hidden")];
    let checked = check(&survey(), &wire, Stale::Drop).unwrap();
    assert_eq!((checked.answers.len(), checked.dropped), (1, 2));
    assert!(check(&survey(), &[score("gone", 1)], Stale::Drop).is_err(), "nothing is left to accept");
}

#[test]
fn what_a_question_took_before_it_was_changed_costs_no_other_answer() {
    let why = text("why", "longer than ten characters");
    let right = [score("recommend", 4), why.clone()];
    assert!(check(&survey(), &right, Stale::Refuse).is_err());
    let kept = check(&survey(), &right, Stale::Drop).unwrap();
    assert!(kept.dropped == 0 && kept.answers[1].value == Value::Text("longer than ten characters".into()));
    let endless = text("why", &"a".repeat(limits::TEXT_MAX as usize + 1));
    let (found, one) = (options("found", &["web"]), options("one", &["web"]));
    for (old, right) in [
        (score("again", 1), found.clone()),
        (score("recommend", 11), found.clone()),
        (options("one", &["web", "shop"]), found),
        (options("found", &["gone"]), one),
        (endless, score("recommend", 6)),
    ] {
        let wire = [right, old];
        assert!(check(&survey(), &wire, Stale::Refuse).is_err());
        let checked = check(&survey(), &wire, Stale::Drop).unwrap();
        assert_eq!((checked.answers.len(), checked.dropped), (1, 1));
    }
    let part = check(&survey(), &[options("found", &["gone", "web"])], Stale::Drop).unwrap();
    assert!(part.answers[0].value == Value::Options(vec!["web".parse().unwrap()].into()));
    let broken = [score("recommend", 4), text("why", "a\u{0}")];
    assert!(check(&survey(), &broken, Stale::Drop).is_err(), "no definition ever took this");
}

#[test]
fn debug_output_holds_no_answer() {
    let answer = Answer { question: "why".parse().unwrap(), value: Value::Text("secret".into()) };
    assert_eq!(format!("{answer:?} {:?}", answer.value), "Answer(why) Text");
}

proptest! {
    /// Walks a random survey as the widget does: a shown question is answered, or skipped where it
    /// may be; earlier answers change what is shown; only shown answers are handed in.
    #[test]
    fn any_answer_that_the_widget_can_make_passes_the_server(
        questions in any_survey(),
        moves in prop::collection::vec((any::<u32>(), ".{0,60}", any::<bool>()), 8),
    ) {
        let mut answers: Vec<Answer> = Vec::new();
        for (at, question) in questions.iter().enumerate() {
            if !condition::visible(&questions, &answers).contains(&at) {
                continue;
            }
            let (seed, written, skip) = &moves[at];
            match value_from(&question.kind, *seed, written) {
                Some(value) if question.required || !skip => {
                    prop_assert_eq!(fault(question, &value), None);
                    answers.push(Answer { question: question.id.clone(), value });
                }
                // The widget does not let go on here.
                None if question.required => return Ok(()),
                _ => {}
            }
        }
        if !answers.is_empty() {
            let wire: Vec<WireAnswer> = answers.iter().map(WireAnswer::from).collect();
            let checked = check(&questions, &wire, Stale::Refuse);
            prop_assert!(checked.is_ok_and(|checked| checked.answers == answers));
        }
    }

    #[test]
    fn no_submission_panics(
        questions in any_survey(),
        wire in prop::collection::vec(
            ("q?[0-9a-z]{0,2}", any::<Option<i32>>(), any::<Option<String>>(), any::<Option<bool>>(),
             any::<Option<Vec<String>>>(), any::<Option<String>>()),
            0..6,
        ),
        drop in any::<bool>(),
    ) {
        let wire: Vec<WireAnswer> = wire
            .into_iter()
            .map(|(question, score, text, boolean, options, other)| {
                WireAnswer { question, score, text, boolean, options, other }
            })
            .collect();
        check(&questions, &wire, if drop { Stale::Drop } else { Stale::Refuse }).ok();
    }

    #[test]
    fn a_tidied_text_holds_nothing_that_the_server_refuses(written in "(?s).{0,40}") {
        let tidy = tidy_text(&written);
        prop_assert!(!tidy.chars().any(limits::is_forbidden));
        prop_assert_eq!(tidy_text(&tidy), tidy.clone());
    }
}

#[test]
fn the_list_of_faults_has_every_fault() {
    // A new one has to be placed here, and so in the list.
    let place = |fault| match fault {
        Fault::UnknownQuestion => 0,
        Fault::AnsweredTwice => 1,
        Fault::Hidden => 2,
        Fault::NoValue => 3,
        Fault::SeveralValues => 4,
        Fault::WrongKind => 5,
        Fault::OffScale { .. } => 6,
        Fault::Empty => 7,
        Fault::TooLong { .. } => 8,
        Fault::ControlCharacter => 9,
        Fault::UnknownOption => 10,
        Fault::OptionTwice => 11,
        Fault::SeveralOptions => 12,
        Fault::TooFew { .. } => 13,
        Fault::TooMany { .. } => 14,
        Fault::NotOther => 15,
        Fault::Required => 16,
    };
    assert!(Fault::ALL.into_iter().map(place).eq(0..17));
}
