//! Yes or no.

use shared::{Value, Words};

use super::{Item, Listing};

/// Two large entries, yes first.
pub(super) fn listing(value: Option<&Value>, words: &Words) -> Listing {
    let chosen = match value {
        Some(Value::Boolean(yes)) => vec![usize::from(!yes)],
        _ => Vec::new(),
    };
    Listing {
        layout: "pair",
        several: false,
        tones: false,
        order: Vec::new(),
        items: vec![Item::plain(&words.yes), Item::plain(&words.no)],
        chosen,
        ends: Default::default(),
    }
}

/// True for the first position.
pub(super) fn value(chosen: &[usize]) -> Option<Value> {
    chosen.first().map(|position| Value::Boolean(*position == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_is_first() {
        assert!(value(&[0]) == Some(Value::Boolean(true)));
        assert!(value(&[1]) == Some(Value::Boolean(false)));
        assert!(value(&[]).is_none());
    }
}
