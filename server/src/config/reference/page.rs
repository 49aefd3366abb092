//! `docs/reference.md`: every key on one page.

use std::fmt::Write as _;

use super::keys::{CONDITION, ROOT, TEST};
use super::{Key, Section, Value, Without};

const HEAD: &str = "\
# Every key of the configuration

This page is made from the server's own code by `afterword config reference`, and checked against it; how the keys play
together is in [configuration.md](configuration.md). `afterword config example` prints a file with all of them,
`afterword config schema` a JSON schema, which editors take to complete and check what you write.

A value is needed where nothing stands under \"without it\".
";

/// The whole page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    section(&mut page, &ROOT, "The file");
    nested(&mut page, &ROOT, "");
    section(&mut page, &CONDITION, "A condition");
    page
}

/// The tables in a table, each with a heading of its own.
fn nested(page: &mut String, of: &Section, path: &str) {
    for key in of.keys {
        let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        for (section, list) in sections(&key.value) {
            let path = match &key.value {
                Value::Named(..) => format!("{path}.NAME"),
                _ => path.clone(),
            };
            let variant = if section.variant.is_empty() {
                String::new()
            } else {
                format!(" with `{}`", section.variant)
            };
            let brackets = if list { format!("[[{path}]]") } else { format!("[{path}]") };
            self::section(page, section, &format!("`{brackets}`{variant}"));
            nested(page, section, &path);
        }
    }
}

/// The tables that a value may be; true for those of a list.
fn sections(value: &Value) -> Vec<(&'static Section, bool)> {
    match value {
        Value::Table(section) => vec![(*section, false)],
        Value::Tables(sections) => sections.iter().map(|section| (*section, true)).collect(),
        // Conditions have a section of their own.
        Value::List(Value::Table(section)) if !std::ptr::eq(*section, &raw const TEST) => {
            vec![(*section, true)]
        }
        Value::Named(_, value) => sections(value),
        Value::Either(values) => values.iter().flat_map(sections).collect(),
        _ => Vec::new(),
    }
}

fn section(page: &mut String, section: &Section, heading: &str) {
    let Section { doc, keys, .. } = section;
    // Writing into a String cannot fail.
    write!(page, "\n## {heading}\n\n{doc}\n\n| key | takes | without it | |\n|---|---|---|---|\n").ok();
    for key in *keys {
        let Key { name, value, without, doc, .. } = key;
        let without = match without {
            Without::Wrong => String::new(),
            Without::Default(default) => format!("`{default}`"),
            Without::Otherwise(words) => (*words).to_owned(),
        };
        writeln!(page, "| `{name}` | {} | {} | {} |", cell(&words(value)), cell(&without), cell(doc)).ok();
    }
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// What a value is, in words.
fn words(value: &Value) -> String {
    match value {
        Value::Text(words) => (*words).to_owned(),
        Value::Words(words) => {
            words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
        }
        Value::Boolean => "`true` or `false`".to_owned(),
        Value::Integer(least, most) if *most >= i64::from(i32::MAX) && *least < 0 => {
            "a whole number".to_owned()
        }
        Value::Integer(least, most) => format!("a whole number, {least} to {most}"),
        Value::Limit(least, most) => format!("a whole number, {least} to {most}, or `false`"),
        Value::Span(least, most) => format!("a span of time, `\"{least}\"` to `\"{most}\"`"),
        Value::Guid => "a GUID".to_owned(),
        Value::PerLanguage(value) => format!("for each language {}", words(value)),
        Value::List(value) => format!("a list: {}", words(value)),
        Value::Either(values) => values.iter().map(words).collect::<Vec<_>>().join(", or "),
        Value::Table(section) if section.variant.is_empty() => "a table".to_owned(),
        Value::Table(section) => format!("a table with `{}`", section.variant),
        Value::Tables(_) => "tables".to_owned(),
        Value::Named(name, value) => format!("by {name} {}", words(value)),
        Value::Condition => "a [condition](#a-condition)".to_owned(),
    }
}
