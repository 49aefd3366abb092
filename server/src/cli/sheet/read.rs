//! Reads a list: its delimiter is found out, and a quote at a wrong place is told.

use serde_json::{Map, Value};

use super::{Row, Sheet};

/// Delimiters that lists come with.
const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// Reads a list. The error says where it cannot be read, and what to do.
pub(in crate::cli) fn read(bytes: &[u8], delimiter: Option<u8>) -> Result<Sheet, String> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err("it is written in UTF-16; save it as \"CSV UTF-8\"".into());
    }
    let text = str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        format!("line {line} is not UTF-8; save it as \"CSV UTF-8\", or convert it: iconv -f WINDOWS-1252 -t UTF-8")
    })?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err("it is empty".into());
    }
    match text.trim_start().as_bytes() {
        [b'[' | b'{', ..] => json(text),
        _ => csv(text, delimiter),
    }
}

fn csv(text: &str, delimiter: Option<u8>) -> Result<Sheet, String> {
    let delimiter = delimiter.unwrap_or_else(|| most_frequent(text));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut sheet: Option<Sheet> = None;
    // Lines within cells: a spreadsheet counts rows, and the reader lines; empty ones among them.
    let (mut within, mut line, mut counted) = (0, 1, 0);
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        // Before it may still be the end of the row above, and empty ones.
        let before =
            record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or_default());
        let ends = text[before..].bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        line += line_ends(&text[counted..before + ends]);
        counted = before + ends;
        let number = line.saturating_sub(within).max(1);
        within += record.iter().map(line_ends).sum::<u64>();
        let cells: Vec<String> = record.iter().map(cell).collect();
        let Some(sheet) = &mut sheet else {
            sheet = Some(Sheet { columns: cells, rows: Vec::new() });
            continue;
        };
        // What a spreadsheet leaves below the last row.
        if cells.iter().all(String::is_empty) {
            continue;
        }
        let cells = if cells.len() == sheet.columns.len() { Ok(cells) } else { Err(cells.len()) };
        sheet.rows.push(Row { number, cells });
    }
    let sheet = sheet.unwrap_or_default();
    match stray_quote(text, delimiter) {
        None => Ok(sheet),
        Some(stray) => Err(stray.in_words(&sheet.columns)),
    }
}

/// A cell without blanks around it, and with one kind of line end.
fn cell(written: &str) -> String {
    written.trim().replace("\r\n", "\n").replace('\r', "\n")
}

fn line_ends(text: &str) -> u64 {
    (text.matches(['\r', '\n']).count() - text.matches("\r\n").count()) as u64
}

/// A quote after which cells and rows are read as one cell.
struct Stray {
    row: u64,
    /// From 0.
    column: usize,
    words: &'static str,
}

impl Stray {
    fn in_words(&self, titles: &[String]) -> String {
        let Self { row, column, words } = self;
        let title = titles.get(*column).filter(|title| *row > 1 && !title.is_empty());
        let place = title.map_or_else(|| format!("column {}", column + 1), Clone::clone);
        format!("row {row}, {place}: {words}")
    }
}

/// Looks for the first quote that is not closed, or closed before the end of its cell: the reader takes either.
fn stray_quote(text: &str, delimiter: u8) -> Option<Stray> {
    #[derive(PartialEq)]
    enum Within {
        Start,
        Plain,
        Quotes,
        /// A quote that closes them, or is the first of two.
        Quote,
        /// Blanks behind that.
        Blanks,
    }
    let (mut within, mut row, mut column, mut before) = (Within::Start, 1, 0, 0);
    for byte in text.bytes() {
        within = match (within, byte) {
            (Within::Quotes, b'"') => Within::Quote,
            (Within::Start | Within::Quote, b'"') | (Within::Quotes, _) => Within::Quotes,
            (_, b'\r' | b'\n') => {
                row += u64::from((before, byte) != (b'\r', b'\n'));
                column = 0;
                Within::Start
            }
            (_, byte) if byte == delimiter => {
                column += 1;
                Within::Start
            }
            (Within::Quote | Within::Blanks, b' ') => Within::Blanks,
            (Within::Quote | Within::Blanks, _) => {
                let words = "there is text behind the quote that closes the cell; a quote in a quoted cell is written twice";
                return Some(Stray { row, column, words });
            }
            (Within::Start | Within::Plain, _) => Within::Plain,
        };
        before = byte;
    }
    let words = "a quote is opened and never closed";
    (within == Within::Quotes).then_some(Stray { row, column, words })
}

/// The delimiter of the first line, which has no quoted titles with another one in them, as a rule.
fn most_frequent(text: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [0_u32; DELIMITERS.len()];
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if !quoted => {
                if let Some(place) = DELIMITERS.iter().position(|delimiter| *delimiter == byte) {
                    counts[place] += 1;
                }
            }
            _ => {}
        }
    }
    let most = (0..counts.len()).rev().max_by_key(|place| counts[*place]).unwrap_or_default();
    DELIMITERS[most]
}

fn json(text: &str) -> Result<Sheet, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let list = match value {
        Value::Array(list) => list,
        one @ Value::Object(_) => vec![one],
        _ => return Err("it is JSON, but no list of objects".into()),
    };
    let mut sheet = Sheet::default();
    let mut objects = Vec::new();
    for (place, item) in list.into_iter().enumerate() {
        let Value::Object(object) = item else { return Err(format!("item {} is no object", place + 1)) };
        let flat =
            flat(object).map_err(|key| format!("item {}: {key} is neither text nor number", place + 1))?;
        for (key, _) in &flat {
            if !sheet.columns.contains(key) {
                sheet.columns.push(key.clone());
            }
        }
        objects.push(flat);
    }
    for (place, object) in objects.into_iter().enumerate() {
        let cell = |column: &String| {
            let found = object.iter().find(|(key, _)| key == column);
            found.map(|(_, value)| self::cell(value)).unwrap_or_default()
        };
        let cells = sheet.columns.iter().map(cell).collect();
        sheet.rows.push(Row { number: place as u64 + 1, cells: Ok(cells) });
    }
    Ok(sheet)
}

/// Keys and texts of an object, and of those in it under both names: `metadata.store`.
fn flat(object: Map<String, Value>) -> Result<Vec<(String, String)>, String> {
    let mut flat = Vec::new();
    for (key, value) in object {
        match value {
            Value::Null => {}
            Value::String(text) => flat.push((key, text)),
            Value::Bool(_) | Value::Number(_) => flat.push((key, value.to_string())),
            Value::Object(within) => {
                let named = |(own, value)| (format!("{key}.{own}"), value);
                flat.extend(self::flat(within)?.into_iter().map(named));
            }
            // Options that were chosen.
            Value::Array(list) if list.iter().all(Value::is_string) => {
                let chosen: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                flat.push((key, chosen.join("; ")));
            }
            Value::Array(_) => return Err(key),
        }
    }
    Ok(flat)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(sheet: &Sheet) -> Vec<Vec<&str>> {
        let rows = sheet.rows.iter().map(|row| row.cells.as_ref().unwrap());
        rows.map(|cells| cells.iter().map(String::as_str).collect()).collect()
    }

    #[test]
    fn a_list_is_read_with_any_delimiter_mark_and_quotes() {
        for text in [
            "email,store\njef@example.com,\"Gent, \"\"Zuid\"\"\"\n",
            "\u{feff}email;store\r\njef@example.com;\"Gent, \"\"Zuid\"\"\"\r\n\r\n;\r\n",
            "email\tstore\njef@example.com\t\"Gent, \"\"Zuid\"\"\"",
        ] {
            let sheet = read(text.as_bytes(), None).unwrap();
            assert_eq!((sheet.columns.join("|"), sheet.rows[0].number), ("email|store".into(), 2));
            assert_eq!(cells(&sheet), [["jef@example.com", "Gent, \"Zuid\""]], "{text}");
        }
    }

    #[test]
    fn rows_have_the_numbers_that_a_spreadsheet_gives_them() {
        let text = "email,note\n\na@example.com,\"two\nlines \n\"\n\n\nb@example.com,\nc@example.com,x\n";
        let numbers: Vec<u64> =
            read(text.as_bytes(), None).unwrap().rows.iter().map(|row| row.number).collect();
        assert_eq!(numbers, [3, 6, 7]);
    }

    #[test]
    fn lines_may_end_as_anywhere_and_are_one_kind_within_a_cell() {
        for end in ["\n", "\r\n", "\r"] {
            let text = "email,note\na@example.com,\"two\nlines\"\n\nb@example.com,x\n".replace('\n', end);
            let sheet = read(text.as_bytes(), None).unwrap();
            let numbers: Vec<u64> = sheet.rows.iter().map(|row| row.number).collect();
            assert_eq!((numbers, cells(&sheet)[0][1]), (vec![2, 4], "two\nlines"), "{end:?}");
        }
    }

    #[test]
    fn a_stray_quote_swallows_no_rows() {
        for (text, place) in [
            ("email,store\na@b.nl,\"x\nb@b.nl,y\n", "row 2, store: a quote is opened and never closed"),
            ("email,store\r\n\r\na@b.nl,\"x\r\ny\"\r\n\"b@b.nl,y", "row 4, email: a quote is opened"),
            ("email,\"store\na@b.nl,x\n", "row 1, column 2: a quote is opened"),
            ("email,store\na@b.nl,\"x\"y\n", "row 2, store: there is text behind the quote"),
            ("email,store\na@b.nl,\"x\nb@b.nl,\"y\"\n", "row 2, store: there is text behind the quote"),
            ("email,store\na@b.nl,\"x\" \"y\"\n", "row 2, store: there is text behind the quote"),
        ] {
            let error = read(text.as_bytes(), None).unwrap_err();
            assert!(error.starts_with(place), "{text}: {error}");
        }
        let text = "email,store\na@b.nl,\"x\" \nb@b.nl,5\" pipe\nc@b.nl,\"\"\nd@b.nl,\"a\"\"\"\n";
        let sheet = read(text.as_bytes(), None).unwrap();
        let stores: Vec<&str> = cells(&sheet).iter().map(|row| row[1]).collect();
        assert_eq!(stores, ["x", "5\" pipe", "", "a\""]);
    }

    #[test]
    fn a_row_of_another_length_is_told() {
        let sheet =
            read(b"email,store\na@example.com\nb@example.com,Gent,x\nc@example.com,Gent\n", None).unwrap();
        let lengths: Vec<_> =
            sheet.rows.iter().map(|row| (row.number, row.cells.as_ref().err().copied())).collect();
        assert_eq!(lengths, [(2, Some(1)), (3, Some(3)), (4, None)]);
    }

    #[test]
    fn json_may_have_its_metadata_in_an_object() {
        let text = r#"[{"email":"jef@example.com","keyValues":{"store":"Gent","pieces":8}},{"store":"Luik","email":null}]"#;
        let sheet = read(text.as_bytes(), None).unwrap();
        assert_eq!(sheet.columns, ["email", "keyValues.pieces", "keyValues.store", "store"]);
        assert_eq!(cells(&sheet), [["jef@example.com", "8", "Gent", ""], ["", "", "", "Luik"]]);
        assert_eq!(read(br#"{"email":"jef@example.com"}"#, None).unwrap().rows.len(), 1);
        let text = br#"{"found":["web","shop"],"metadata":{"store":"Gent"}}"#;
        let named = read(text, None).unwrap();
        assert_eq!(
            (named.columns.join("|"), cells(&named)),
            ("found|metadata.store".into(), vec![vec!["web; shop", "Gent"]])
        );
    }

    #[test]
    fn what_cannot_be_read_says_where_and_what_to_do() {
        let refused = |bytes: &[u8]| read(bytes, None).unwrap_err();
        assert!(refused(b"email\nj\xe9f@example.com").contains("line 2 is not UTF-8"));
        assert!(refused(&[0xff, 0xfe, b'e', 0]).contains("UTF-16"));
        assert!(refused(b" \n").contains("empty"));
        assert!(refused(b"[{]").contains("no JSON"));
        assert!(refused(b"[1]").contains("item 1"));
        assert!(refused(br#"[{"a":[1]}]"#).contains("item 1: a"));
    }
}
