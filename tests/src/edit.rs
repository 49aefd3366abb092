//! Changes of a text that a test depends on: a configuration, a page, a list.

/// A text with another one in the place of some words. A test whose words are not there would go on with what it
/// did not mean, and succeed.
pub trait Edit {
    /// Changes the words wherever they stand.
    ///
    /// # Panics
    ///
    /// If they stand nowhere.
    #[must_use]
    fn edit(&self, from: &str, to: &str) -> String;

    /// Changes the words where they stand first.
    ///
    /// # Panics
    ///
    /// If they stand nowhere.
    #[must_use]
    fn edit_first(&self, from: &str, to: &str) -> String;
}

impl Edit for str {
    #[track_caller]
    fn edit(&self, from: &str, to: &str) -> String {
        there(self, from);
        self.replace(from, to)
    }

    #[track_caller]
    fn edit_first(&self, from: &str, to: &str) -> String {
        there(self, from);
        self.replacen(from, to, 1)
    }
}

#[track_caller]
fn there(text: &str, words: &str) {
    assert!(text.contains(words), "nothing to change: {words:?} is not in\n{text}");
}
