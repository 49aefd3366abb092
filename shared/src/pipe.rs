//! Names between braces in a text: `{n}` in the widget's own words, `{recommend}` for the answer to a question.

use crate::id::QuestionId;

/// The text with what `value` gives in the place of each `{name}`; what it does not know stays as it is.
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, name, after)) = placeholder(rest) {
        filled.push_str(before);
        match value(name) {
            Some(value) => filled.push_str(&value),
            None => filled.push_str(rest.get(before.len()..rest.len() - after.len()).unwrap_or_default()),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// The names in a text that are shaped like the id of a question.
pub fn piped(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    let names = std::iter::from_fn(move || {
        let (_, name, after) = placeholder(rest)?;
        rest = after;
        Some(name)
    });
    names.filter(|name| name.parse::<QuestionId>().is_ok())
}

/// The first `{name}` with what stands before and after it.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, open) = text.split_once('{')?;
    let (name, after) = open.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_any_order_and_strangers_stay() {
        let numbers = |name: &str| match name {
            "n" => Some("1".to_owned()),
            "total" => Some("4".to_owned()),
            _ => None,
        };
        assert_eq!(fill("{n} of {total}", numbers), "1 of 4");
        assert_eq!(fill("{total} / {n} / {n}", numbers), "4 / 1 / 1");
        assert_eq!(fill("1 {من} {n", numbers), "1 {من} {n");
        assert_eq!(fill("", numbers), "");
    }

    #[test]
    fn only_ids_repeat_an_answer() {
        let names: Vec<&str> = piped("Why {recommend}? { plain } {Not} {} {again} {open").collect();
        assert_eq!(names, ["recommend", "again"]);
    }
}
