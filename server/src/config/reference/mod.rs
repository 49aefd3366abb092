//! Every key of the configuration, with what it takes and what it means.
//!
//! The example file, the JSON schema and the page of all keys are made from it. That it says what the readers of the
//! configuration do is checked: the same keys in the same tables, the same words, the same defaults.

mod example;
mod keys;
mod page;
mod schema;
#[cfg(test)]
mod tests;

pub use example::example;
pub use page::page;
pub use schema::schema;

/// A table of the configuration.
#[derive(Debug)]
pub(super) struct Section {
    /// Which of several tables of the same name it is, `kind = "score"`; empty if there is only one.
    pub(super) variant: &'static str,
    /// What it is for: one sentence or two, Markdown.
    pub(super) doc: &'static str,
    /// Its keys, in the order in which people want to read them: plain values first, tables last.
    pub(super) keys: &'static [Key],
}

/// A key of a table.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name.
    pub(super) name: &'static str,
    /// What it takes.
    pub(super) value: Value,
    /// What holds without it.
    pub(super) without: Without,
    /// What it means: one sentence or two, Markdown; what `value` and `without` say is not said again.
    pub(super) doc: &'static str,
    /// A good value, in TOML; empty for tables. All examples together are a valid configuration, but for keys that
    /// exclude each other.
    pub(super) example: &'static str,
}

/// What holds without a key.
#[derive(Debug)]
pub(super) enum Without {
    /// Nothing: it is needed.
    Wrong,
    /// The same as with this value, in TOML.
    Default(&'static str),
    /// Something that has no value of its own, in a few words: `no limit`, `the text`.
    Otherwise(&'static str),
}

/// What a key takes.
#[derive(Debug)]
pub(super) enum Value {
    /// Any text, in a few words.
    Text(&'static str),
    /// One of these.
    Words(&'static [&'static str]),
    /// True or false.
    Boolean,
    /// A whole number within bounds.
    Integer(i64, i64),
    /// A whole number within bounds, or `false`.
    Limit(i64, i64),
    /// A span of time within bounds, `"500ms"` to `"1h"`.
    Span(&'static str, &'static str),
    /// A platform's GUID.
    Guid,
    /// A table with a value for each language of the survey.
    PerLanguage(&'static Value),
    /// A list.
    List(&'static Value),
    /// One of several forms.
    Either(&'static [Value]),
    /// A table.
    Table(&'static Section),
    /// A list of tables; each is one of these.
    Tables(&'static [&'static Section]),
    /// A table whose keys are up to the author: what they are, in a word or two, and what each takes.
    Named(&'static str, &'static Value),
    /// When something is shown: [`keys::CONDITION`], which may hold conditions itself.
    Condition,
}
