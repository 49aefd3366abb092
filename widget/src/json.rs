//! JSON, read and written without serde.
//!
//! Derived deserializers were the largest part of the whole module (over 20 KB compressed with
//! serde_json, half of it with serde-json-core). A tree and a few look-ups take a tenth. The server
//! reads and writes the same types with serde_json; property tests hold both to each other.
//!
//! Numbers are whole: nothing that the widget reads has a fraction; what has one reads as absent.

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Json {
    /// `null`, and numbers with a fraction or out of range.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object, in its order.
    Object(Vec<(String, Json)>),
}

/// How deep values may lie in each other.
const DEPTH: u32 = 32;

impl Json {
    /// Reads a text; `None` if it is not JSON.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(DEPTH)?;
        reader.next().is_none().then_some(value)
    }

    /// What an object holds under a key; `Null` if it does not, or this is no object.
    pub(crate) fn get(&self, key: &str) -> &Self {
        let found = self.entries().iter().find(|(name, _)| name == key);
        found.map_or(&Self::Null, |(_, value)| value)
    }

    /// The entries of an object.
    pub(crate) fn entries(&self) -> &[(String, Self)] {
        if let Self::Object(entries) = self { entries } else { &[] }
    }

    /// The values of an array.
    pub(crate) fn list(&self) -> &[Self] {
        if let Self::List(values) = self { values } else { &[] }
    }

    /// A string.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A whole number.
    pub(crate) fn number(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// `true`.
    pub(crate) fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }
}

/// Reads byte by byte: all that JSON is made of is ASCII, but for what strings hold, which is taken as it is.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    /// The next byte; stays there.
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes the next byte.
    fn take(&mut self) -> Option<u8> {
        let byte = self.byte();
        self.at += 1;
        byte
    }

    /// The next byte that is not blank; stays there.
    fn peek(&mut self) -> Option<u8> {
        while matches!(self.byte()?, b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
        self.byte()
    }

    /// Takes the next byte that is not blank.
    fn next(&mut self) -> Option<u8> {
        self.peek();
        self.take()
    }

    fn value(&mut self, depth: u32) -> Option<Json> {
        let depth = depth.checked_sub(1)?;
        match self.next()? {
            b'"' => self.text().map(Json::Text),
            b'[' => self.list(depth),
            b'{' => self.object(depth),
            _ => self.word(),
        }
    }

    fn list(&mut self, depth: u32) -> Option<Json> {
        let mut values = Vec::new();
        if self.peek()? == b']' {
            self.next();
            return Some(Json::List(values));
        }
        loop {
            values.push(self.value(depth)?);
            match self.next()? {
                b',' => {}
                b']' => return Some(Json::List(values)),
                _ => return None,
            }
        }
    }

    fn object(&mut self, depth: u32) -> Option<Json> {
        let mut entries = Vec::new();
        if self.peek()? == b'}' {
            self.next();
            return Some(Json::Object(entries));
        }
        loop {
            let Json::Text(key) = self.value(depth)? else { return None };
            if self.next()? != b':' {
                return None;
            }
            entries.push((key, self.value(depth)?));
            match self.next()? {
                b',' => {}
                b'}' => return Some(Json::Object(entries)),
                _ => return None,
            }
        }
    }

    /// A number, `true`, `false` or `null`, whose first byte has been taken.
    fn word(&mut self) -> Option<Json> {
        let start = self.at - 1;
        while self.byte().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            self.at += 1;
        }
        match self.text.get(start..self.at)? {
            "null" => Some(Json::Null),
            "true" => Some(Json::Bool(true)),
            "false" => Some(Json::Bool(false)),
            number if number.starts_with(|first: char| first == '-' || first.is_ascii_digit()) => {
                Some(number.parse().map_or(Json::Null, Json::Number))
            }
            _ => None,
        }
    }

    /// A string, after its opening quote.
    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let start = self.at;
            while !matches!(self.byte()?, b'"' | b'\\') {
                self.at += 1;
            }
            text.push_str(self.text.get(start..self.at)?);
            if self.take()? == b'"' {
                return Some(text);
            }
            text.push(match self.take()? {
                b'n' => '\n',
                b't' => '\t',
                b'r' => '\r',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'u' => self.escape()?,
                other => other.into(),
            });
        }
    }

    /// A character after `\u`, which may come as two surrogates.
    fn escape(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if self.take()? != b'\\' || self.take()? != b'u' {
            return None;
        }
        let second = self.hex()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + second)
    }

    fn hex(&mut self) -> Option<u32> {
        let mut value = 0;
        for _ in 0..4 {
            value = value * 16 + char::from(self.take()?).to_digit(16)?;
        }
        Some(value)
    }
}

/// Writes an object, key by key.
pub(crate) struct Object(String);

impl Object {
    /// An object without a key.
    pub(crate) fn new() -> Self {
        Self(String::from("{"))
    }

    /// Adds a string.
    pub(crate) fn text(mut self, key: &str, text: &str) -> Self {
        self.key(key);
        quote(&mut self.0, text);
        self
    }

    /// Adds a string, or nothing.
    pub(crate) fn optional(self, key: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(key, text),
            None => self,
        }
    }

    /// Adds what is JSON already, or its own sign: a number, `true`.
    pub(crate) fn raw(mut self, key: &str, json: &str) -> Self {
        self.key(key);
        self.0.push_str(json);
        self
    }

    /// The object's JSON.
    pub(crate) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn key(&mut self, key: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        quote(&mut self.0, key);
        self.0.push(':');
    }
}

/// An array of what is JSON already.
pub(crate) fn array(values: impl Iterator<Item = String>) -> String {
    let mut json = String::from("[");
    for value in values {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&value);
    }
    json.push(']');
    json
}

/// A string as JSON.
pub(crate) fn quote(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\0'..' ' => {
                json.push_str("\\u00");
                let digit = |value: u32| char::from_digit(value, 16).unwrap_or('0');
                json.extend([digit(character as u32 >> 4), digit(character as u32 & 15)]);
            }
            _ => json.push(character),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn strings_are_read_as_serde_json_writes_them(text in any::<String>()) {
            let written = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(Json::read(&written), Some(Json::Text(text)));
        }

        #[test]
        fn objects_are_written_as_serde_json_reads_them(
            entries in prop::collection::btree_map(any::<String>(), any::<String>(), 0..4),
        ) {
            let object = entries.iter().fold(Object::new(), |object, (key, text)| object.text(key, text));
            let written = object.end();
            prop_assert_eq!(&serde_json::from_str::<BTreeMap<String, String>>(&written).unwrap(), &entries);
            let read = Json::read(&written).unwrap();
            prop_assert!(entries.iter().all(|(key, text)| read.get(key).text() == Some(text)));
        }

        #[test]
        fn nothing_panics_and_what_serde_json_takes_is_taken(text in r#"[\[\]{}:,"\\0-9a-z. -]{0,24}"#) {
            let ours = Json::read(&text);
            if serde_json::from_str::<serde_json::Value>(&text).is_ok() {
                prop_assert!(ours.is_some());
            }
        }
    }

    #[test]
    fn escapes_of_every_kind_are_read() {
        let read = |text: &str| Json::read(text);
        let text = |text: &str| Some(Json::Text(text.into()));
        assert_eq!(read(r#""a\"b\\\/\n\r\t\b\f\u00e9\ud83d\ude00""#), text("a\"b\\/\n\r\t\u{8}\u{c}é😀"));
        for broken in
            [r#""\ud83d""#, r#""\ud83d\u0041""#, r#""\udc00""#, r#""\u12""#, r#""open"#, "", "nul", "1 2"]
        {
            assert_eq!(read(broken), None, "{broken}");
        }
    }

    #[test]
    fn numbers_are_whole_or_absent() {
        assert_eq!(Json::read(" -12 "), Some(Json::Number(-12)));
        for absent in ["1.5", "1e3", "99999999999999999999", "null"] {
            assert_eq!(Json::read(absent), Some(Json::Null), "{absent}");
        }
    }

    #[test]
    fn depth_is_limited() {
        assert!(Json::read(&"[".repeat(100_000)).is_none());
        assert!(Json::read(&[&*"[".repeat(31), &*"]".repeat(31)].concat()).is_some());
    }
}
