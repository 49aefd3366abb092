//! Yes or no.

use shared::Value;

use super::{Item, Listing};
use crate::wire::Definition;

/// Two large entries, yes first.
pub(super) fn listing(value: Option<&Value>, definition: &Definition) -> Listing {
    let chosen = match value {
        Some(Value::Boolean(yes)) => vec![usize::from(!yes)],
        _ => Vec::new(),
    };
    Listing {
        layout: "pair",
        several: false,
        tones: false,
        order: Vec::new(),
        items: vec![Item::plain(definition.word("yes")), Item::plain(definition.word("no"))],
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
