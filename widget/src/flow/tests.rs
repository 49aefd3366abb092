//! The visitor's way, by example.

use shared::{Condition, Mode, Score, ShowIf, Test, Text};

use super::*;

fn question(id: &str, required: bool, kind: Kind) -> Question {
    Question { id: id.parse().unwrap(), text: id.into(), hint: None, required, show_if: None, kind }
}

/// A score, `why` where it is at most 6, and a last question that may be left out.
fn flow() -> Flow {
    let scale = Score::of(0, 10);
    let mut why = question("why", true, Kind::Text(Text { max_length: 5 }));
    why.show_if = Some(ShowIf {
        mode: Mode::All,
        of: vec![Condition { question: "recommend".parse().unwrap(), test: Test::AtMost(6) }],
    });
    Flow::new(vec![
        question("recommend", false, Kind::Score(scale)),
        why,
        question("again", false, Kind::YesNo),
    ])
}

fn id(flow: &Flow) -> &str {
    flow.question().unwrap().id.as_str()
}

#[test]
fn the_path_follows_the_answers() {
    let mut flow = flow();
    assert_eq!(flow.place(flow.at()), Place { step: 1, total: 2 });
    flow.answer(flow.at(), Some(Value::Score(3)));
    assert_eq!(flow.place(flow.at()), Place { step: 1, total: 3 });
    assert_eq!(flow.advance(), Ok(Advance::Question));
    assert_eq!(id(&flow), "why");
    assert_eq!(flow.place(flow.at()), Place { step: 2, total: 3 });
}

#[test]
fn a_required_question_holds_the_visitor() {
    let mut flow = flow();
    flow.answer(flow.at(), Some(Value::Score(3)));
    assert_eq!(flow.advance(), Ok(Advance::Question));
    assert_eq!(flow.advance(), Err(Fault::Required));
    flow.answer(flow.at(), Some(Value::Text("too long".into())));
    assert_eq!(flow.advance(), Err(Fault::TooLong { max: 5 }));
    flow.answer(flow.at(), Some(Value::Text("short".into())));
    assert_eq!(flow.advance(), Ok(Advance::Question));
}

#[test]
fn a_hidden_questions_answer_is_kept_but_not_handed_in() {
    let mut flow = flow();
    flow.answer(flow.at(), Some(Value::Score(3)));
    assert_eq!(flow.advance(), Ok(Advance::Question));
    flow.answer(flow.at(), Some(Value::Text("late".into())));
    flow.back();
    flow.answer(flow.at(), Some(Value::Score(9)));
    assert_eq!(flow.advance(), Ok(Advance::Question));
    assert_eq!(id(&flow), "again");
    assert_eq!(flow.advance(), Ok(Advance::Send));
    assert_eq!(flow.wire().len(), 1);
    flow.back();
    flow.answer(flow.at(), Some(Value::Score(2)));
    assert_eq!(flow.advance(), Ok(Advance::Question));
    assert!(flow.value(flow.at()) == Some(&Value::Text("late".into())));
}

#[test]
fn a_survey_without_an_answer_is_not_sent() {
    let mut flow = flow();
    assert_eq!(flow.advance(), Ok(Advance::Question));
    assert_eq!(flow.advance(), Err(Fault::Required));
    flow.answer(flow.at(), Some(Value::Boolean(false)));
    assert_eq!(flow.advance(), Ok(Advance::Send));
    flow.answer(flow.at(), None);
    assert_eq!(flow.advance(), Err(Fault::Required));
}

#[test]
fn back_stays_at_the_first_question() {
    let mut flow = flow();
    flow.back();
    assert_eq!(id(&flow), "recommend");
}

#[test]
fn a_refusal_leads_to_the_question_it_names() {
    let mut flow = flow();
    assert_eq!(flow.advance(), Ok(Advance::Question));
    flow.go_to("recommend");
    assert_eq!(id(&flow), "recommend");
    for hidden_or_unknown in ["why", "nope"] {
        flow.go_to(hidden_or_unknown);
        assert_eq!(id(&flow), "recommend");
    }
}

#[test]
fn a_survey_without_a_question_does_not_panic() {
    let mut flow = Flow::new(Vec::new());
    flow.answer(flow.at(), Some(Value::Score(1)));
    flow.back();
    assert_eq!(flow.advance(), Err(Fault::Required));
    assert_eq!(flow.place(flow.at()), Place { step: 0, total: 0 });
}

#[test]
fn numbers_are_written_in_the_languages_own_digits() {
    let definition = crate::wire::tests::definition("");
    let numbers = [("n", 1), ("total", 40)];
    assert_eq!(fill(&definition, "{n} of {total}", &numbers), "1 of 40");
    let definition = crate::wire::tests::definition(r#","digits":"٠١٢٣٤٥٦٧٨٩""#);
    assert_eq!(fill(&definition, "{n} / {total} {من}", &numbers), "١ / ٤٠ {من}");
    assert_eq!(figures(&definition, "-3"), "-٣");
}

#[test]
fn an_ending_looks_at_the_answers_on_the_path_only() {
    let if_ = |question: &str, test| ShowIf {
        mode: Mode::All,
        of: vec![Condition { question: question.parse().unwrap(), test }],
    };
    let mut flow = flow();
    flow.answer(flow.at(), Some(Value::Score(2)));
    flow.advance().unwrap();
    flow.answer(flow.at(), Some(Value::Text("late".into())));
    flow.back();
    flow.answer(flow.at(), Some(Value::Score(9)));
    assert_eq!(flow.advance(), Ok(Advance::Question));
    assert_eq!(flow.advance(), Ok(Advance::Send));
    assert!(flow.ends_with(&if_("recommend", Test::AtLeast(9))));
    assert!(!flow.ends_with(&if_("why", Test::Answered(true))), "it is not asked any more");
}

#[test]
fn answers_given_ahead_lead_to_the_first_question_without_one() {
    let answer = |question: &str, value| Answer { question: question.parse().unwrap(), value };
    let mut flow = flow();
    flow.resume(vec![answer("recommend", Value::Score(9))], None);
    assert_eq!(id(&flow), "again");
    flow.resume(vec![answer("recommend", Value::Score(3)), answer("again", Value::Boolean(true))], None);
    assert_eq!(id(&flow), "why", "what follows is answered already");
    flow.resume(
        vec![answer("recommend", Value::Score(11)), answer("why", Value::Text("hidden".into()))],
        None,
    );
    assert_eq!(id(&flow), "recommend");
    let all = vec![answer("recommend", Value::Score(9)), answer("again", Value::Boolean(true))];
    flow.resume(all, None);
    assert_eq!(id(&flow), "again", "the last one waits for the visitor to send it");
}

#[test]
fn a_page_tells_all_that_is_wrong_with_what_it_asks() {
    let mut flow = flow();
    assert_eq!(flow.faults(), [(0, Fault::Required)], "nothing at all is not worth sending");
    assert!(!flow.asks(1));
    flow.answer(0, Some(Value::Score(3)));
    assert_eq!(flow.faults(), [(1, Fault::Required)]);
    assert!(flow.asks(1));
    flow.answer(1, Some(Value::Text("too long".into())));
    assert_eq!(flow.faults(), [(1, Fault::TooLong { max: 5 })]);
    assert_eq!(flow.answered(), Place { step: 2, total: 3 });
    flow.answer(0, Some(Value::Score(9)));
    assert_eq!(flow.faults(), []);
    assert_eq!(flow.answered(), Place { step: 1, total: 2 });
}
