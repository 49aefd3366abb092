//! A step of a scale.

use shared::{Look, Score, Value};

use super::{Item, Listing};
use crate::flow::figures;
use crate::wire::Definition;

/// A row of steps, or a column of what they mean. The ends also say what they mean; where every step does, its
/// own words are shown once it is chosen.
pub(super) fn listing(scale: &Score, value: Option<&Value>, definition: &Definition) -> Listing {
    let steps = scale.max - scale.min;
    let item = |step: i32| {
        let number = figures(definition, &step.to_string());
        let meaning = scale.meaning(step);
        let heard = meaning.map(|meaning| [&number, ", ", meaning].concat());
        let (text, label) = match (scale.look, meaning) {
            // There it is read as well.
            (Look::List, Some(meaning)) if !scale.labels.is_empty() => (meaning.to_owned(), None),
            (Look::List, Some(_)) => (heard.unwrap_or(number), None),
            _ => (number, heard),
        };
        let seen = scale.colors || scale.look == Look::Smileys;
        // To the nearest of five.
        let mood = seen.then(|| ((step - scale.min) * 8 + steps) / (2 * steps));
        Item { text, label, mood }
    };
    let chosen = match value {
        Some(Value::Score(score)) => usize::try_from(score - scale.min).into_iter().collect(),
        _ => Vec::new(),
    };
    let end = |step| match scale.look {
        Look::List => String::new(),
        _ => scale.meaning(step).unwrap_or_default().to_owned(),
    };
    let layout = match scale.look {
        Look::Numbers if steps > 6 => "scale long",
        Look::Numbers => "scale",
        Look::Stars => "scale stars",
        Look::Smileys => "scale smileys",
        Look::List => "list",
    };
    Listing {
        layout,
        several: false,
        tones: scale.colors,
        order: Vec::new(),
        items: (scale.min..=scale.max).map(item).collect(),
        chosen,
        ends: (end(scale.min), end(scale.max)),
    }
}

/// The step at a position.
pub(super) fn value(scale: &Score, chosen: &[usize]) -> Option<Value> {
    let position = i32::try_from(*chosen.first()?).ok()?;
    Some(Value::Score(scale.min + position))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::tests::definition;

    fn labelled(look: Look) -> Score {
        let labels = ["Bad", "So-so", "Good"].map(str::to_owned).into();
        Score { labels, look, ..Score::of(1, 3) }
    }

    fn seen_and_heard(scale: &Score) -> Vec<(String, Option<String>)> {
        listing(scale, None, &definition("")).items.into_iter().map(|item| (item.text, item.label)).collect()
    }

    #[test]
    fn positions_and_steps_agree_on_any_scale() {
        for (min, max) in [(0, 10), (1, 5), (-3, 3)] {
            let scale = Score { low: Some("low".into()), ..Score::of(min, max) };
            for step in min..=max {
                let listing = listing(&scale, Some(&Value::Score(step)), &definition(""));
                assert_eq!(listing.items[listing.chosen[0]].text, step.to_string());
                assert!(value(&scale, &listing.chosen) == Some(Value::Score(step)));
            }
        }
    }

    #[test]
    fn the_ends_say_what_they_mean() {
        let (low, high) = (Some("Very hard".into()), Some("Very easy".into()));
        let listing = listing(&Score { low, high, ..Score::of(1, 5) }, None, &definition(""));
        let labels: Vec<_> = listing.items.iter().map(|item| item.label.as_deref()).collect();
        assert_eq!(labels, [Some("1, Very hard"), None, None, None, Some("5, Very easy")]);
        assert_eq!(listing.ends, ("Very hard".to_owned(), "Very easy".to_owned()));
    }

    #[test]
    fn every_step_says_what_it_means_where_it_means_something() {
        let stars = seen_and_heard(&labelled(Look::Stars));
        assert_eq!(stars[1], ("2".to_owned(), Some("2, So-so".to_owned())));
        assert_eq!(
            listing(&labelled(Look::Stars), None, &definition("")).ends,
            ("Bad".to_owned(), "Good".to_owned())
        );
    }

    #[test]
    fn a_list_is_read_as_it_is_heard() {
        let list = seen_and_heard(&labelled(Look::List));
        assert_eq!(list[2], ("Good".to_owned(), None));
        let ends = Score { low: Some("Bad".into()), look: Look::List, ..Score::of(0, 2) };
        let texts: Vec<_> = seen_and_heard(&ends).into_iter().map(|(text, _)| text).collect();
        assert_eq!(texts, ["0, Bad", "1", "2"]);
        assert_eq!(listing(&ends, None, &definition("")).ends, Default::default());
    }

    #[test]
    fn moods_go_from_the_saddest_to_the_gladdest() {
        let moods = |max| {
            let scale = Score { look: Look::Smileys, ..Score::of(1, max) };
            listing(&scale, None, &definition(""))
                .items
                .into_iter()
                .filter_map(|item| item.mood)
                .collect::<Vec<_>>()
        };
        assert_eq!(moods(2), [0, 4]);
        assert_eq!(moods(3), [0, 2, 4]);
        assert_eq!(moods(5), [0, 1, 2, 3, 4]);
        assert_eq!(moods(7), [0, 1, 1, 2, 3, 3, 4]);
        assert!(
            listing(&Score::of(1, 5), None, &definition("")).items.iter().all(|item| item.mood.is_none())
        );
    }
}
