//! One or several of a list.

use shared::{Choice, Chosen, Value};

use super::{Item, Listing};

/// A column of options; `seed` is the visitor's, and always gives the same order where they are shuffled.
pub(super) fn listing(choice: &Choice, value: Option<&Value>, seed: u32) -> Listing {
    let options = choice.options.iter();
    let items = options.clone().map(|option| Item::plain(&option.text)).collect();
    let chosen = match value {
        Some(Value::Options(Chosen { ids, .. })) => {
            let chosen = options.enumerate().filter(|(_, option)| ids.contains(&option.id));
            chosen.map(|(position, _)| position).collect()
        }
        _ => Vec::new(),
    };
    Listing {
        layout: "list",
        several: choice.several,
        tones: false,
        order: order(choice, seed),
        items,
        chosen,
        ends: Default::default(),
    }
}

/// The positions in the order in which they are shown, where that is not the question's own: all but the fixed ones
/// change places.
fn order(choice: &Choice, seed: u32) -> Vec<usize> {
    let mut order = Vec::new();
    if choice.shuffle {
        order.extend(0..choice.options.len());
        let moves = |place: usize| choice.options.get(place).is_some_and(|option| !option.fixed);
        let mut state = u64::from(seed) << 1 | 1;
        for place in (1..order.len()).rev().filter(|place| moves(*place)) {
            let other = loop {
                // A step of a multiplicative generator, of which the upper half is good; the remainder prefers none
                // by more than a ten-millionth.
                state = state.wrapping_mul(0xd134_2543_de82_ef95);
                let other = (state >> 32) as usize % (place + 1);
                if moves(other) {
                    break other;
                }
            };
            order.swap(place, other);
        }
    }
    order
}

/// The options at the positions, in the question's order.
pub(super) fn value(choice: &Choice, chosen: &[usize]) -> Option<Value> {
    let ids = choice.options.iter().enumerate().filter(|(position, _)| chosen.contains(position));
    let ids: Vec<_> = ids.map(|(_, option)| option.id.clone()).collect();
    (!ids.is_empty()).then_some(Value::Options(ids.into()))
}

#[cfg(test)]
mod tests {
    use shared::survey::ChoiceOption;

    use super::*;

    fn option(id: &str) -> ChoiceOption {
        ChoiceOption { id: id.parse().unwrap(), text: id.into(), fixed: false, other: false }
    }

    fn shuffled() -> Choice {
        let options = ["a", "b", "c", "d", "e"].map(option).into();
        let mut choice = Choice { shuffle: true, ..Choice::of(false, options) };
        choice.options[4].fixed = true;
        choice
    }

    #[test]
    fn shuffled_options_stay_as_they_are_for_one_visitor() {
        assert_eq!(order(&shuffled(), 7), order(&shuffled(), 7));
        assert!(order(&Choice { shuffle: false, ..shuffled() }, 7).is_empty());
    }

    #[test]
    fn every_order_comes_about_as_often_as_any_other_and_what_is_fixed_stays() {
        let mut seen = std::collections::BTreeMap::new();
        for seed in 0..24_000_u32 {
            let order = order(&shuffled(), seed.wrapping_mul(0x9e37_79b9));
            assert_eq!(order[4], 4);
            *seen.entry(order).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), 24, "four options have 24 orders");
        assert!(seen.values().all(|times| (850..1_150).contains(times)), "{seen:?}");
    }

    #[test]
    fn options_come_in_the_questions_order_and_none_is_no_answer() {
        let choice = Choice::of(true, vec![option("web"), option("shop"), option("friend")]);
        let both = value(&choice, &[2, 0]);
        assert!(both == Some(Value::Options(vec!["web".parse().unwrap(), "friend".parse().unwrap()].into())));
        assert_eq!(listing(&choice, both.as_ref(), 0).chosen, [0, 2]);
        assert!(value(&choice, &[]).is_none());
        assert!(value(&choice, &[9]).is_none());
    }
}
