//! Reads a TOML document key by key, and remembers every problem with its place.
//!
//! Every accessor returns `None` after it has added a problem, so a caller goes on with the next
//! key. [`Table::finish`] reports the keys that nobody asked for.

use std::cell::RefCell;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::problem::Problems;

/// A table that is being read.
pub(super) struct Table<'a> {
    entries: &'a DeTable<'a>,
    span: Range<usize>,
    key: String,
    problems: &'a Problems<'a>,
    known: RefCell<Vec<&'static str>>,
}

/// A problem was found and has been added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told;

/// A value and its place.
#[derive(Clone)]
pub(super) struct Value<'a> {
    node: &'a DeValue<'a>,
    span: Range<usize>,
    /// Dotted path of the value.
    pub(super) key: String,
    problems: &'a Problems<'a>,
}

impl<'a> Table<'a> {
    pub(super) fn root(entries: &'a DeTable<'a>, problems: &'a Problems<'a>) -> Self {
        Self { entries, span: 0..0, key: String::new(), problems, known: RefCell::default() }
    }

    fn path(&self, key: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let key = if key.bytes().all(plain) { key.to_owned() } else { format!("{key:?}") };
        if self.key.is_empty() { key } else { format!("{}.{key}", self.key) }
    }

    /// The value of a key, if it is there.
    pub(super) fn get(&self, key: &'static str) -> Option<Value<'a>> {
        #[cfg(test)]
        asked::note(&self.key, key);
        self.known.borrow_mut().push(key);
        let spanned = self.entries.get(key)?;
        Some(Value {
            node: spanned.get_ref(),
            span: spanned.span(),
            key: self.path(key),
            problems: self.problems,
        })
    }

    /// A text's value, read ahead: adds no problem, and leaves the key unknown.
    pub(super) fn peek(&self, key: &str) -> Option<&'a str> {
        self.entries.get(key)?.get_ref().as_str()
    }

    /// The value of a key that has to be there.
    pub(super) fn required(&self, key: &'static str, hint: &str) -> Option<Value<'a>> {
        let value = self.get(key);
        if value.is_none() {
            self.problem(&format!("{key} is missing"), hint);
        }
        value
    }

    /// What is read from a key that may be absent.
    pub(super) fn optional<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, Told> {
        self.get(key).map(|value| read(&value).ok_or(Told)).transpose()
    }

    /// True or false; false if the key is absent.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        self.get(key).map_or(Some(false), |value| value.boolean())
    }

    /// Every entry, whatever its key, in the file's order; none is unknown then.
    pub(super) fn entries(&self) -> Vec<(&'a str, Value<'a>)> {
        let value = |(key, spanned): (&'a toml::Spanned<toml::de::DeString<'a>>, &'a toml::Spanned<_>)| {
            let key: &'a str = key.get_ref();
            let span = spanned.span();
            (key, Value { node: spanned.get_ref(), span, key: self.path(key), problems: self.problems })
        };
        let mut entries: Vec<_> = self.entries.iter().map(value).collect();
        entries.sort_by_key(|(_, value)| value.span.start);
        entries
    }

    /// Adds a problem with the table as a whole.
    pub(super) fn problem(&self, message: &str, hint: &str) {
        self.problems.add(self.span.clone(), &self.key, message, hint);
    }

    /// Reports the keys that were never asked for.
    pub(super) fn finish(self) {
        let known = self.known.into_inner();
        for key in self.entries.keys() {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let near = known
                .iter()
                .map(|candidate| (strsim::damerau_levenshtein(candidate, name), candidate))
                .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
                .min();
            let hint = match near {
                Some((_, candidate)) => format!("did you mean `{candidate}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            let path = if self.key.is_empty() { name.to_owned() } else { format!("{}.{name}", self.key) };
            self.problems.add_unknown(key.span(), &path, hint);
        }
    }
}

impl<'a> Value<'a> {
    /// Adds a problem with this value.
    pub(super) fn problem(&self, message: impl Into<String>, hint: impl Into<String>) {
        self.problems.add(self.span.clone(), &self.key, message, hint);
    }

    fn wrong_type(&self, wanted: &str) {
        self.problem(format!("this is {}, not {wanted}", article(self.node.type_str())), "");
    }

    pub(super) fn is_table(&self) -> bool {
        self.node.is_table()
    }

    pub(super) fn is_boolean(&self) -> bool {
        self.node.as_bool().is_some()
    }

    pub(super) fn string(&self) -> Option<&'a str> {
        let text = self.node.as_str();
        if text.is_none() {
            self.wrong_type("a text in quotes");
        }
        text
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        let boolean = self.node.as_bool();
        if boolean.is_none() {
            self.wrong_type("true or false");
        }
        boolean
    }

    pub(super) fn integer(&self) -> Option<i32> {
        let Some(integer) = self.node.as_integer() else {
            self.wrong_type("a whole number");
            return None;
        };
        let parsed = i32::from_str_radix(&integer.as_str().replace('_', ""), integer.radix());
        if parsed.is_err() {
            self.problem("the number is too large", "");
        }
        parsed.ok()
    }

    pub(super) fn table(&self) -> Option<Table<'a>> {
        let Some(entries) = self.node.as_table() else {
            self.wrong_type("a table");
            return None;
        };
        Some(Table {
            entries,
            span: self.span.clone(),
            key: self.key.clone(),
            problems: self.problems,
            known: RefCell::default(),
        })
    }

    pub(super) fn array(&self) -> Option<Vec<Value<'a>>> {
        let Some(array) = self.node.as_array() else {
            self.wrong_type("a list");
            return None;
        };
        let value = |(at, spanned): (usize, &'a toml::Spanned<DeValue<'a>>)| Value {
            node: spanned.get_ref(),
            span: spanned.span(),
            key: format!("{}[{at}]", self.key),
            problems: self.problems,
        };
        Some(array.iter().enumerate().map(value).collect())
    }

    /// A text that stands for something else.
    pub(super) fn parse<T: FromStr<Err: std::fmt::Display>>(&self, hint: &str) -> Option<T> {
        let text = self.string()?;
        match text.parse() {
            Ok(parsed) => Some(parsed),
            Err(reason) => {
                self.problem(format!("{text:?}: {reason}"), hint);
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn one_of<T: Copy>(&self, choices: &[(&str, T)]) -> Option<T> {
        let text = self.string()?;
        let found = choices.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
            self.problem(format!("{text:?} is not known here"), format!("use {}", words.join(" or ")));
        }
        found.map(|(_, choice)| *choice)
    }

    /// A span of time like `"30s"`, within bounds.
    pub(super) fn duration(&self, least: Duration, most: Duration) -> Option<Duration> {
        const HINT: &str = "write a number and a unit: \"500ms\", \"30s\", \"5m\", \"2h\" or \"30d\"";
        let text = self.string()?;
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let unit = match &text[digits..] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => 0,
        };
        let millis = text[..digits].parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
        let Some(millis) = millis.filter(|_| unit > 0) else {
            self.problem(format!("{text:?} is no span of time"), HINT);
            return None;
        };
        let span = Duration::from_millis(millis);
        if span < least || span > most {
            self.problem(
                format!("{text:?} is out of bounds"),
                format!("use {} to {}", written(least), written(most)),
            );
            return None;
        }
        Some(span)
    }
}

/// A text with something to see in it.
pub(super) fn words(value: &Value<'_>) -> Option<String> {
    let text = value.string()?;
    if text.trim().is_empty() {
        value.problem("the text is empty", "write it, or leave the key out");
        return None;
    }
    Some(text.to_owned())
}

/// A span of time as a configuration writes it.
fn written(span: Duration) -> String {
    let millis = span.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let unit = units.into_iter().find(|(unit, _)| millis > 0 && millis.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{millis}ms"), |(unit, name)| format!("{}{name}", millis / unit))
}

fn article(type_name: &str) -> String {
    match type_name {
        "integer" | "array" | "inline table" => format!("an {type_name}"),
        _ => format!("a {type_name}"),
    }
}

/// Which keys were asked for in which tables, for those who describe them.
#[cfg(test)]
pub(super) mod asked {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    thread_local! {
        static KEYS: RefCell<BTreeSet<(String, &'static str)>> = RefCell::default();
    }

    pub(super) fn note(table: &str, key: &'static str) {
        KEYS.with_borrow_mut(|keys| keys.insert((table.to_owned(), key)));
    }

    /// Those that this thread has asked for since it was asked last.
    pub(in super::super) fn take() -> BTreeSet<(String, &'static str)> {
        KEYS.take()
    }
}
