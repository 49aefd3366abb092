//! That the description says what the readers do.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::example::{Content, Line, lines};
use super::keys::{CONDITION, ROOT};
use super::*;
use crate::config::reader::asked;
use crate::config::{Config, ConfigError};

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, "example.toml", Path::new(""), &|_| Some("c2VjcmV0".into()))
}

/// The example with some more of its keys in force.
fn with(lines: &[Line], in_force: impl Fn(usize, &Line) -> bool) -> String {
    let line = |(at, line): (usize, &Line)| match &line.content {
        Content::Head { text, .. } | Content::Key { text, .. } if line.needed || in_force(at, line) => {
            format!("{text}\n")
        }
        _ => String::new(),
    };
    lines.iter().enumerate().map(line).collect()
}

/// The tables that have to be there for one to be, itself included.
fn ancestors(lines: &[Line], table: usize) -> BTreeSet<usize> {
    let within: BTreeMap<usize, usize> = lines
        .iter()
        .filter_map(|line| match line.content {
            Content::Head { within, .. } => Some((line.table, within)),
            _ => None,
        })
        .collect();
    std::iter::successors(Some(table), |table| within.get(table).copied()).collect()
}

/// True for what a table needs where it is there.
fn comes_along(line: &Line) -> bool {
    match &line.content {
        Content::Head { .. } => true,
        // A contact asks for one field at least.
        Content::Key { key, .. } => matches!(key.without, Without::Wrong) || key.name == "email",
        Content::Words(_) | Content::Blank => false,
    }
}

/// Keys that cannot be tried alone, and why.
const NOT_ALONE: [(&str, &str); 10] = [
    ("store_password_env", "wants a database"),
    ("store_password_file", "wants a database, and a file"),
    ("store_ca_file", "wants a database, and a file"),
    ("admin_token_file", "wants a file"),
    ("surveys", "wants a folder"),
    ("token_file", "not beside token_env, and wants a file"),
    ("ca_file", "wants a file"),
    ("min", "not beside scale; of a choice, wants several"),
    ("max", "not beside scale; of a choice, wants several"),
    ("show_if", "the first question has nothing to look back to"),
];

#[test]
fn the_example_is_valid_as_it_is_printed_and_with_each_key_that_it_leaves_out() {
    let lines = lines();
    let printed = parse(&example()).unwrap_or_else(|error| panic!("{error}"));
    let plain = format!("{printed:?}");
    assert_eq!(format!("{:?}", parse(&with(&lines, |_, _| false)).unwrap()), plain);
    let mut tried = 0;
    for (at, line) in lines.iter().enumerate() {
        let Content::Key { key, .. } = &line.content else { continue };
        let excepted = NOT_ALONE.iter().any(|(name, _)| *name == key.name);
        if line.needed || excepted {
            continue;
        }
        let tables = ancestors(&lines, line.table);
        let text =
            with(&lines, |other, line| other == at || (tables.contains(&line.table) && comes_along(line)));
        let config = parse(&text).unwrap_or_else(|error| panic!("{}: {error}\n{text}", key.name));
        if matches!(key.without, Without::Default(_)) {
            // What is left out anyway may still bring its table.
            let without =
                with(&lines, |other, line| other != at && tables.contains(&line.table) && comes_along(line));
            let without = parse(&without).unwrap_or_else(|error| panic!("{}: {error}", key.name));
            assert_eq!(format!("{config:?}"), format!("{without:?}"), "{} has another default", key.name);
        }
        tried += 1;
    }
    assert!(tried > 80, "{tried}");
}

/// The keys of a table and of those in it, by the table's path.
fn described(section: &Section, path: &str, into: &mut BTreeSet<(String, &'static str)>) {
    for key in section.keys {
        into.insert((path.to_owned(), key.name));
        let inside = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        described_in(&key.value, &inside, into);
    }
}

fn described_in(value: &Value, path: &str, into: &mut BTreeSet<(String, &'static str)>) {
    match value {
        Value::Table(section) => described(section, path, into),
        Value::Tables(sections) => {
            for section in *sections {
                described(section, &format!("{path}[]"), into);
            }
        }
        Value::List(value) => described_in(value, &format!("{path}[]"), into),
        Value::Named(_, value) => described_in(value, &format!("{path}.NAME"), into),
        Value::Either(values) => values.iter().for_each(|value| described_in(value, path, into)),
        Value::Condition => described(&CONDITION, path, into),
        _ => {}
    }
}

/// A path without what the author has chosen in it; conditions are the same everywhere.
fn general(path: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('.') {
        let named = parts.last().is_some_and(|before| ["platform", "metadata"].contains(&before.as_str()));
        let (name, list) = part.split_once('[').map_or((part, ""), |(name, _)| (name, "[]"));
        parts.push(if named { "NAME".to_owned() } else { format!("{name}{list}") });
    }
    let condition = parts.iter().position(|part| part == "show_if").unwrap_or_default();
    parts[condition..].join(".")
}

/// Everything at once, with the example of each key, but for what excludes another.
fn everything() -> String {
    let lines = lines();
    let is_of = |line: &Line, kind: &str| {
        let kind = format!("kind = \"{kind}\"");
        lines.iter().any(|other| {
            other.table == line.table && matches!(&other.content, Content::Key { text, .. } if *text == kind)
        })
    };
    let text = |line: &Line| match &line.content {
        Content::Head { text, .. } => format!("{text}\n"),
        Content::Key { key, .. } if ["token_file", "labels"].contains(&key.name) => String::new(),
        // The first question has a scale, and looks back to nothing.
        Content::Key { key, .. } if ["min", "max", "show_if"].contains(&key.name) && is_of(line, "score") => {
            String::new()
        }
        Content::Key { key, .. } => format!("{} = {}\n", key.name, key.example),
        Content::Words(_) | Content::Blank => String::new(),
    };
    lines.iter().map(text).collect()
}

#[test]
fn the_description_has_the_keys_that_are_read_and_no_others() {
    let good = crate::config::tests::GOOD;
    assert!(good.contains("show_if = { any = ["));
    asked::take();
    // Some of it names files that are not there; it is read all the same.
    parse(&everything()).ok();
    for text in [
        good,
        &good.replace("show_if = { any = [", "show_if = { all = ["),
        &everything().replace("scale = \"nps\"", ""),
    ] {
        parse(text).ok();
    }
    let read: BTreeSet<(String, &'static str)> =
        asked::take().into_iter().map(|(table, key)| (general(&table), key)).collect();
    // They are read to be refused.
    let refused = ["token", "admin_token", "store_password"];
    let read: BTreeSet<_> = read.into_iter().filter(|(_, key)| !refused.contains(key)).collect();
    let mut described = BTreeSet::new();
    self::described(&ROOT, "", &mut described);
    let described: BTreeSet<_> = described.into_iter().map(|(table, key)| (general(&table), key)).collect();
    let missing: Vec<_> = read.difference(&described).collect();
    assert!(missing.is_empty(), "these are read, and not described: {missing:?}");
    let unknown: Vec<_> = described.difference(&read).collect();
    assert!(unknown.is_empty(), "these are described, and not read: {unknown:?}");
}

#[test]
fn the_words_of_a_key_are_those_that_it_takes() {
    let lines = lines();
    for (at, line) in lines.iter().enumerate() {
        let Content::Key { key, .. } = &line.content else { continue };
        let Value::Words(words) = key.value else { continue };
        let tables = ancestors(&lines, line.table);
        let text: String = lines
            .iter()
            .enumerate()
            .map(|(other, line)| match &line.content {
                _ if other == at => format!("{} = \"no such word\"\n", key.name),
                Content::Head { text, .. } if line.needed || tables.contains(&line.table) => {
                    format!("{text}\n")
                }
                Content::Key { text, .. } if line.needed => format!("{text}\n"),
                _ => String::new(),
            })
            .collect();
        let error = parse(&text).unwrap_err().to_string();
        let offered: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        let offered = format!("use {}", offered.join(" or "));
        assert!(error.contains(&offered), "{}: {offered:?} is not in\n{error}", key.name);
    }
}

#[test]
fn the_page_of_all_keys_is_the_one_in_the_documentation() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference.md");
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(there == page(), "run `afterword config reference > docs/reference.md`");
}

#[test]
fn the_schema_takes_what_the_server_takes_and_little_else() {
    let schema = jsonschema::draft7::new(&schema()).unwrap();
    let json = |text: &str| serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap();
    let demo = crate::demo::CONFIG;
    for text in [example().as_str(), demo, crate::config::tests::GOOD] {
        let errors: Vec<String> = schema
            .iter_errors(&json(text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
    for (from, to) in [
        ("interval = \"1s\"", "interval = \"1 second\""),
        ("interval = \"1s\"", "intervall = \"1s\""),
        ("kind = \"yes_no\"", "kind = \"perhaps\""),
        ("kind = \"yes_no\"", "kind = \"yes_no\"\nmax_length = 3"),
        ("id = \"checkout\"", "id = 7"),
    ] {
        assert!(demo.contains(from), "{from}");
        assert!(!schema.is_valid(&json(&demo.replacen(from, to, 1))), "{to}");
    }
}
