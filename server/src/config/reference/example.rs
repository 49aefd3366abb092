//! `afterword config example`: a file with every key, of which those that are needed are in force.

use super::keys::ROOT;
use super::{Key, Section, Value, Without};

/// The widest a line of words gets.
const WIDTH: usize = 100;
/// The name that stands for one that is up to the author.
pub(super) const NAME: &str = "main";

const HEAD: &str = "\
# Afterword's configuration, with every key.
#
# What stands here without a mark is needed. A line that begins with `#` and a letter is a key that can be left out: it
# shows the value that holds without it, or an example. Each of them is explained in docs/reference.md; `afterword check`
# tells every mistake. The GUIDs are invented: yours are in the platform's settings, or come with `afterword import`.
";

/// A line of the example.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the check of the example wants to know more than its text")
)]
#[derive(Debug)]
pub(super) struct Line {
    /// The table that it belongs to, by its number in the file.
    pub(super) table: usize,
    pub(super) content: Content,
    /// False for what can be left out.
    pub(super) needed: bool,
}

/// What a line holds.
#[cfg_attr(not(test), expect(dead_code, reason = "as above"))]
#[derive(Debug)]
pub(super) enum Content {
    Words(String),
    /// The head of a table, and the table that it lies in.
    Head {
        text: String,
        within: usize,
    },
    Key {
        key: &'static Key,
        text: String,
    },
    Blank,
}

/// The whole file.
pub fn example() -> String {
    let mut text = HEAD.to_owned();
    for line in lines() {
        let mark = if line.needed { "" } else { "#" };
        let (mark, content) = match &line.content {
            Content::Words(words) => ("# ", words.as_str()),
            Content::Head { text, .. } | Content::Key { text, .. } => (mark, text.as_str()),
            Content::Blank => ("", ""),
        };
        text.extend([mark, content, "\n"]);
    }
    text
}

/// Its lines, in their order.
pub(super) fn lines() -> Vec<Line> {
    let mut lines = Lines::default();
    lines.table(&ROOT, "", 0, true);
    lines.0
}

#[derive(Default)]
struct Lines(Vec<Line>, usize);

impl Lines {
    fn add(&mut self, table: usize, needed: bool, content: Content) {
        self.0.push(Line { table, content, needed });
    }

    /// The keys of a table that has a head already; plain ones first, as TOML wants it.
    fn table(&mut self, section: &'static Section, path: &str, table: usize, needed: bool) {
        for key in section.keys.iter().filter(|key| !is_table(key)) {
            let is_needed = matches!(key.without, Without::Wrong);
            self.add(table, true, Content::Blank);
            self.words(table, key.doc);
            let value = match key.without {
                Without::Default(default) => default,
                Without::Wrong | Without::Otherwise(_) => key.example,
            };
            let text = format!("{} = {value}", key.name);
            self.add(table, needed && is_needed, Content::Key { key, text });
        }
        for key in section.keys.iter().filter(|key| is_table(key)) {
            let needed = needed && matches!(key.without, Without::Wrong);
            let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
            match &key.value {
                Value::Table(section) => self.section(section, &path, ["[", "]"], table, needed),
                Value::Named(_, Value::Table(section)) => {
                    self.section(section, &format!("{path}.{NAME}"), ["[", "]"], table, needed);
                }
                Value::Tables(sections) => {
                    for section in *sections {
                        self.section(section, &path, ["[[", "]]"], table, needed);
                    }
                }
                _ => {}
            }
        }
    }

    fn section(
        &mut self,
        section: &'static Section,
        path: &str,
        [open, close]: [&str; 2],
        within: usize,
        needed: bool,
    ) {
        self.1 += 1;
        let table = self.1;
        self.add(table, true, Content::Blank);
        let rule = "-".repeat(WIDTH - 4);
        self.add(table, true, Content::Words(rule));
        self.words(table, section.doc);
        self.add(table, true, Content::Blank);
        self.add(table, needed, Content::Head { text: format!("{open}{path}{close}"), within });
        self.table(section, path, table, needed);
    }

    fn words(&mut self, table: usize, words: &str) {
        let mut line = String::new();
        for word in words.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.add(table, true, Content::Words(std::mem::take(&mut line)));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.add(table, true, Content::Words(line));
    }
}

/// True for a key that is written as tables with heads of their own.
pub(super) fn is_table(key: &Key) -> bool {
    key.example.is_empty()
}
