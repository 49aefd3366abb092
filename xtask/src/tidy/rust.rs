//! Rust source as the rules see it: its paths, names and string literals, without its comments.
//!
//! A small reader of our own: a full parser with line numbers would change the features of a crate that
//! every build shares, and compile the world twice.

/// What a source file says, each with its line.
pub(super) struct Source {
    /// Every path, spelled out: `use a::{b, c::d}` is `a::b` and `a::c::d`. A lone name is a path too.
    pub(super) paths: Vec<(usize, Vec<String>)>,
    pub(super) strings: Vec<(usize, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Name(String),
    /// `::`
    Joint,
    Open,
    Close,
    Comma,
    Other,
}

impl Source {
    pub(super) fn read(text: &str) -> Self {
        let mut lexer = Lexer { rest: text, line: 1, tokens: Vec::new(), strings: Vec::new() };
        lexer.run();
        let mut paths = Vec::new();
        let mut place = 0;
        while place < lexer.tokens.len() {
            if let (_, Token::Name(_)) = lexer.tokens[place] {
                place = read_path(&lexer.tokens, place, &[], &mut paths);
            } else {
                place += 1;
            }
        }
        Self { paths, strings: lexer.strings }
    }
}

/// Reads the path, or the tree of paths, that begins at `place`, and gives the place after it.
fn read_path(
    tokens: &[(usize, Token)],
    mut place: usize,
    prefix: &[String],
    paths: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    let mut path = prefix.to_vec();
    let first_line = tokens[place].0;
    loop {
        match tokens.get(place) {
            Some((_, Token::Name(name))) => path.push(name.clone()),
            Some((_, Token::Open)) if path.len() > prefix.len() || !prefix.is_empty() => {
                return read_group(tokens, place + 1, &path, paths);
            }
            _ => break,
        }
        place += 1;
        if tokens.get(place).is_none_or(|(_, token)| *token != Token::Joint) {
            break;
        }
        place += 1;
    }
    paths.push((first_line, path));
    place
}

/// Reads `b, c::d}` after the open brace of `a::{`.
fn read_group(
    tokens: &[(usize, Token)],
    mut place: usize,
    prefix: &[String],
    paths: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    while let Some((_, token)) = tokens.get(place) {
        match token {
            Token::Close => return place + 1,
            Token::Name(_) => place = read_path(tokens, place, prefix, paths),
            _ => place += 1,
        }
    }
    place
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<(usize, Token)>,
    strings: Vec<(usize, String)>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while let Some(letter) = self.rest.chars().next() {
            if self.rest.starts_with("//") {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.take(end);
            } else if self.rest.starts_with("/*") {
                self.take(block_comment(self.rest));
            } else if let Some((open, hashes)) = string_start(self.rest) {
                self.string(open, hashes);
            } else if letter == '\'' {
                self.take(character_or_lifetime(self.rest));
                self.push(Token::Other);
            } else if letter.is_alphanumeric() || letter == '_' {
                let end = self.rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
                let name = self.rest[..end.unwrap_or(self.rest.len())].to_owned();
                let length = name.len();
                self.push(Token::Name(name));
                self.take(length);
            } else {
                self.punctuation(letter);
            }
        }
    }

    fn punctuation(&mut self, letter: char) {
        if self.rest.starts_with("::") {
            self.push(Token::Joint);
            self.take(2);
            return;
        }
        match letter {
            '{' => self.push(Token::Open),
            '}' => self.push(Token::Close),
            ',' => self.push(Token::Comma),
            _ if letter.is_whitespace() => {}
            _ => self.push(Token::Other),
        }
        self.take(letter.len_utf8());
    }

    /// A string literal whose opening has `open` bytes; `hashes` tells how a raw one ends.
    fn string(&mut self, open: usize, hashes: Option<usize>) {
        let body = &self.rest[open..];
        let (length, close) = match hashes {
            Some(hashes) => {
                let end = format!("\"{}", "#".repeat(hashes));
                (body.find(&end).unwrap_or(body.len()), end.len())
            }
            None => (escaped_length(body), 1),
        };
        self.strings.push((self.line, body[..length].to_owned()));
        self.push(Token::Other);
        self.take((open + length + close).min(self.rest.len()));
    }

    fn push(&mut self, token: Token) {
        self.tokens.push((self.line, token));
    }

    fn take(&mut self, bytes: usize) {
        let (taken, rest) = self.rest.split_at(bytes);
        self.line += taken.matches('\n').count();
        self.rest = rest;
    }
}

/// How many bytes open a string here, and the number of `#` of a raw one.
fn string_start(rest: &str) -> Option<(usize, Option<usize>)> {
    let bare = rest.strip_prefix(['b', 'c']).unwrap_or(rest);
    let prefix = rest.len() - bare.len();
    if bare.starts_with('"') {
        return Some((prefix + 1, None));
    }
    let raw = bare.strip_prefix('r')?;
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    raw[hashes..].starts_with('"').then_some((prefix + 1 + hashes + 1, Some(hashes)))
}

/// The bytes before the closing quote of a string with escapes.
fn escaped_length(body: &str) -> usize {
    let mut letters = body.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return place,
            '\\' => {
                letters.next();
            }
            _ => {}
        }
    }
    body.len()
}

/// The bytes of a block comment, which may hold others.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut place) = (0_usize, 0);
    while place < rest.len() {
        let here = &rest[place..];
        if here.starts_with("/*") {
            depth += 1;
            place += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            place += 2;
            if depth == 0 {
                return place;
            }
        } else {
            place += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The bytes of `'x'`, `'\n'` or `'\u{1F600}'`, or of the quote alone where a lifetime follows.
fn character_or_lifetime(rest: &str) -> usize {
    let mut letters = rest.char_indices().skip(1);
    match letters.next() {
        Some((_, '\\')) => {
            letters.next();
            rest.char_indices()
                .skip(3)
                .find(|(_, letter)| *letter == '\'')
                .map_or(rest.len(), |(end, _)| end + 1)
        }
        Some((place, letter)) => {
            let end = place + letter.len_utf8();
            if rest[end..].starts_with('\'') { end + 1 } else { 1 }
        }
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        Source::read(text).paths.into_iter().map(|(_, path)| path.join("::")).collect()
    }

    #[test]
    fn groups_of_a_use_are_spelled_out() {
        let found = paths("use crate::{queue, forwarder::{Lane, pacer::Pacer}, intake};");
        for path in
            ["crate::queue", "crate::forwarder::Lane", "crate::forwarder::pacer::Pacer", "crate::intake"]
        {
            assert!(found.contains(&path.to_owned()), "{path} in {found:?}");
        }
    }

    #[test]
    fn a_block_after_a_name_is_no_group() {
        assert_eq!(paths("mod tests { fn one() {} }"), ["mod", "tests", "fn", "one"]);
    }

    #[test]
    fn comments_are_not_read() {
        assert!(paths("// crate::forwarder\n/* a /* b */ crate::forwarder */").is_empty());
    }

    #[test]
    fn strings_of_every_kind_are_found_with_their_lines() {
        let text = "a(\"one \\\" quoted\");\nb(r#\"two \"raw\"\"#, b\"three\");\nlet c = '\"'; let d: &'a str = \"four\";";
        let found: Vec<(usize, String)> = Source::read(text).strings;
        let expected = [(1, "one \\\" quoted"), (2, "two \"raw\""), (2, "three"), (3, "four")];
        assert_eq!(found, expected.map(|(line, string)| (line, string.to_owned())));
    }

    #[test]
    fn a_path_has_the_line_it_begins_on() {
        let source = Source::read("\n\nuse std::{\n    fs,\n    io::Read,\n};");
        assert!(source.paths.contains(&(4, vec!["std".into(), "fs".into()])), "{:?}", source.paths);
    }
}
