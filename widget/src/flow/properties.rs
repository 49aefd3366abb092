//! The visitor's way through any survey: what the widget lets through, the server takes, and there is always a way on.

use proptest::prelude::*;
use shared::answer::{Stale, check};
use shared::testing::{any_survey, value_from};
use shared::{Choice, Chosen, Kind};

use super::*;

/// What a visitor does.
#[derive(Clone, Debug)]
enum Act {
    /// Answers as well as it goes: where the number lies, with these words.
    Answer(u32, String),
    /// Answers as nobody should: too much, too little, too long.
    Spoil(u32),
    /// Takes the answer back.
    Forget,
    /// Presses Next.
    Advance,
    /// Presses Back.
    Back,
}

impl Act {
    /// Does it at the question on screen; gives what pressing Next came to.
    fn perform(self, flow: &mut Flow) -> Option<Result<Advance, Fault>> {
        let at = flow.at();
        let kind = flow.kind(at).cloned()?;
        match self {
            Self::Answer(seed, words) => flow.answer(at, value_from(&kind, seed, &words)),
            Self::Spoil(seed) => flow.answer(at, spoilt(&kind, seed)),
            Self::Forget => flow.answer(at, None),
            Self::Advance => return Some(flow.advance()),
            Self::Back => flow.back(),
        }
        None
    }
}

fn any_act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (any::<u32>(), ".{0,60}").prop_map(|(seed, words)| Act::Answer(seed, words)),
        1 => any::<u32>().prop_map(Act::Spoil),
        1 => Just(Act::Forget),
        4 => Just(Act::Advance),
        2 => Just(Act::Back),
    ]
}

/// An answer that fields and boxes allow, and that no rule does, if the kind has one.
fn spoilt(kind: &Kind, seed: u32) -> Option<Value> {
    match kind {
        Kind::Text(text) => Some(Value::Text("x".repeat(text.max_length as usize + 1))),
        Kind::Choice(Choice { several: true, options, .. }) => {
            let ids = options.iter().enumerate().filter(|(at, _)| seed >> at & 1 == 1);
            let ids: Vec<_> = ids.map(|(_, option)| option.id.clone()).collect();
            let other = ids.iter().any(|id| id.as_str() == "friend").then(|| "x".repeat(201));
            (!ids.is_empty()).then_some(Value::Options(Chosen { ids, other }))
        }
        _ => None,
    }
}

fn passes(questions: &[Question], flow: &Flow) -> bool {
    check(questions, &flow.wire(), Stale::Refuse).is_ok()
}

proptest! {
    #[test]
    fn what_the_widget_sends_the_server_takes_whatever_the_visitor_did(
        questions in any_survey(),
        acts in prop::collection::vec(any_act(), 0..40),
    ) {
        let mut flow = Flow::new(questions.clone());
        for act in acts {
            let sends = act.perform(&mut flow) == Some(Ok(Advance::Send));
            prop_assert!(!sends || passes(&questions, &flow), "{:?}", questions);
            let place = flow.place(flow.at());
            prop_assert!((1..=place.total).contains(&place.step), "never off the path: {place:?}");
            prop_assert!(flow.asks(flow.at()));
            // A page of the same questions says that something is wrong exactly where the server would.
            prop_assert_eq!(flow.faults().is_empty(), passes(&questions, &flow));
        }
    }

    #[test]
    fn from_wherever_a_visitor_is_there_is_a_way_to_the_end(
        questions in any_survey(),
        acts in prop::collection::vec(any_act(), 0..20),
        seeds in prop::collection::vec(any::<u32>(), 16),
    ) {
        let mut flow = Flow::new(questions.clone());
        for act in acts {
            act.perform(&mut flow);
        }
        let mut sent = false;
        for seed in seeds.iter().take(questions.len()) {
            let at = flow.at();
            // A visitor who gives a good answer, whatever it is, gets on. Nothing chosen is none.
            let value = value_from(&questions[at].kind, *seed, "x").or(value_from(&questions[at].kind, 1, "x"));
            flow.answer(at, value);
            let advance = flow.advance();
            prop_assert!(advance.is_ok(), "{advance:?} at {:?}", questions[at]);
            sent = advance == Ok(Advance::Send);
            if sent {
                break;
            }
        }
        prop_assert!(sent, "every question once is enough");
        prop_assert!(passes(&questions, &flow));
    }

    #[test]
    fn a_draft_is_taken_up_where_it_was_left_or_before(
        questions in any_survey(),
        acts in prop::collection::vec(any_act(), 0..20),
    ) {
        let mut flow = Flow::new(questions.clone());
        for act in acts {
            act.perform(&mut flow);
        }
        let mut again = Flow::new(questions.clone());
        again.resume(flow.answers().to_vec(), Some(questions[flow.at()].id.as_str()));
        prop_assert!(again.at() <= flow.at() && again.asks(again.at()));
        prop_assert!(again.wire() == flow.wire(), "no answer is lost");
    }
}
