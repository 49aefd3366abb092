//! One or several of a list.

use shared::{Choice, Value};

use super::{Item, Listing};

/// A column of options.
pub(super) fn listing(choice: &Choice, value: Option<&Value>) -> Listing {
    let options = choice.options.iter();
    let items = options.clone().map(|option| Item { text: option.text.clone(), label: None }).collect();
    let chosen = match value {
        Some(Value::Options(ids)) => {
            let chosen = options.enumerate().filter(|(_, option)| ids.contains(&option.id));
            chosen.map(|(position, _)| position).collect()
        }
        _ => Vec::new(),
    };
    Listing { layout: "list", several: choice.several, items, chosen, ends: Default::default() }
}

/// The options at the positions, in the question's order.
pub(super) fn value(choice: &Choice, chosen: &[usize]) -> Option<Value> {
    let ids = choice.options.iter().enumerate().filter(|(position, _)| chosen.contains(position));
    let ids: Vec<_> = ids.map(|(_, option)| option.id.clone()).collect();
    (!ids.is_empty()).then_some(Value::Options(ids))
}

#[cfg(test)]
mod tests {
    use shared::survey::ChoiceOption;

    use super::*;

    #[test]
    fn options_come_in_the_questions_order_and_none_is_no_answer() {
        let option = |id: &str| ChoiceOption { id: id.parse().unwrap(), text: id.into() };
        let choice = Choice { several: true, options: vec![option("web"), option("shop"), option("friend")] };
        let both = value(&choice, &[2, 0]);
        assert!(both == Some(Value::Options(vec!["web".parse().unwrap(), "friend".parse().unwrap()])));
        assert_eq!(listing(&choice, both.as_ref()).chosen, [0, 2]);
        assert!(value(&choice, &[]).is_none());
        assert!(value(&choice, &[9]).is_none());
    }
}
