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
    assert_eq!(flow.place(), Place { step: 1, total: 2 });
    flow.answer(Some(Value::Score(3)));
    assert_eq!(flow.place(), Place { step: 1, total: 3 });
    assert_eq!(flow.advance(), Ok(Advance::Question));
    assert_eq!(id(&flow), "why");
    assert_eq!(flow.place(), Place { step: 2, total: 3 });
}

#[test]
fn a_required_question_holds_the_visitor() {
    let mut flow = flow();
    flow.answer(Some(Value::Score(3)));
    assert_eq!(flow.advance(), Ok(Advance::Question));
    assert_eq!(flow.advance(), Err(Fault::Required));
    flow.answer(Some(Value::Text("too long".into())));
    assert_eq!(flow.advance(), Err(Fault::TooLong { max: 5 }));
    flow.answer(Some(Value::Text("short".into())));
    assert_eq!(flow.advance(), Ok(Advance::Question));
}

#[test]
fn a_hidden_questions_answer_is_kept_but_not_handed_in() {
    let mut flow = flow();
    flow.answer(Some(Value::Score(3)));
    assert_eq!(flow.advance(), Ok(Advance::Question));
    flow.answer(Some(Value::Text("late".into())));
    flow.back();
    flow.answer(Some(Value::Score(9)));
    assert_eq!(flow.advance(), Ok(Advance::Question));
    assert_eq!(id(&flow), "again");
    assert_eq!(flow.advance(), Ok(Advance::Send));
    assert_eq!(flow.wire().len(), 1);
    flow.back();
    flow.answer(Some(Value::Score(2)));
    assert_eq!(flow.advance(), Ok(Advance::Question));
    assert!(flow.value() == Some(&Value::Text("late".into())));
}

#[test]
fn a_survey_without_an_answer_is_not_sent() {
    let mut flow = flow();
    assert_eq!(flow.advance(), Ok(Advance::Question));
    assert_eq!(flow.advance(), Err(Fault::Required));
    flow.answer(Some(Value::Boolean(false)));
    assert_eq!(flow.advance(), Ok(Advance::Send));
    flow.answer(None);
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
    flow.answer(Some(Value::Score(1)));
    flow.back();
    assert_eq!(flow.advance(), Err(Fault::Required));
    assert_eq!(flow.place(), Place { step: 0, total: 0 });
}

#[test]
fn numbers_fill_a_text_in_any_order_and_strangers_stay() {
    let numbers = [("n", 1), ("total", 4)];
    assert_eq!(fill("{n} of {total}", &numbers), "1 of 4");
    assert_eq!(fill("{total} / {n} / {n}", &numbers), "4 / 1 / 1");
    assert_eq!(fill("1 {من} {n", &numbers), "1 {من} {n");
    assert_eq!(fill("", &numbers), "");
}

#[test]
fn an_ending_looks_at_the_answers_on_the_path_only() {
    let if_ = |question: &str, test| ShowIf {
        mode: Mode::All,
        of: vec![Condition { question: question.parse().unwrap(), test }],
    };
    let mut flow = flow();
    flow.answer(Some(Value::Score(2)));
    flow.advance().unwrap();
    flow.answer(Some(Value::Text("late".into())));
    flow.back();
    flow.answer(Some(Value::Score(9)));
    assert_eq!(flow.advance(), Ok(Advance::Question));
    assert_eq!(flow.advance(), Ok(Advance::Send));
    assert!(flow.ends_with(&if_("recommend", Test::AtLeast(9))));
    assert!(!flow.ends_with(&if_("why", Test::Answered(true))), "it is not asked any more");
}
