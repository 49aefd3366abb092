//! A step of a scale.

use shared::{Score, Value};

use super::{Item, Listing};

/// A row of steps. The first and the last also say what they mean.
pub(super) fn listing(scale: &Score, value: Option<&Value>) -> Listing {
    let item = |step: i32| {
        let text = step.to_string();
        let end = if step == scale.min {
            scale.low.as_deref()
        } else if step == scale.max {
            scale.high.as_deref()
        } else {
            None
        };
        let label = end.map(|end| [&text, ", ", end].concat());
        Item { text, label }
    };
    let chosen = match value {
        Some(Value::Score(score)) => usize::try_from(score - scale.min).into_iter().collect(),
        _ => Vec::new(),
    };
    let ends = (scale.low.clone().unwrap_or_default(), scale.high.clone().unwrap_or_default());
    let steps = scale.max - scale.min + 1;
    let layout = if steps > 7 { "scale long" } else { "scale" };
    Listing { layout, several: false, items: (scale.min..=scale.max).map(item).collect(), chosen, ends }
}

/// The step at a position.
pub(super) fn value(scale: &Score, chosen: &[usize]) -> Option<Value> {
    let position = i32::try_from(*chosen.first()?).ok()?;
    Some(Value::Score(scale.min + position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_and_steps_agree_on_any_scale() {
        for (min, max) in [(0, 10), (1, 5), (-3, 3)] {
            let scale = Score { min, max, low: Some("low".into()), high: None };
            for step in min..=max {
                let listing = listing(&scale, Some(&Value::Score(step)));
                assert_eq!(listing.items[listing.chosen[0]].text, step.to_string());
                assert!(value(&scale, &listing.chosen) == Some(Value::Score(step)));
            }
        }
    }

    #[test]
    fn the_ends_say_what_they_mean() {
        let scale = Score { min: 1, max: 5, low: Some("Very hard".into()), high: Some("Very easy".into()) };
        let listing = listing(&scale, None);
        let labels: Vec<_> = listing.items.iter().map(|item| item.label.as_deref()).collect();
        assert_eq!(labels, [Some("1, Very hard"), None, None, None, Some("5, Very easy")]);
    }
}
