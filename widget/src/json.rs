//! JSON by way of serde-json-core, which costs a fifth of what serde_json does in WebAssembly: it
//! knows no floats, and its errors say no more than that something is wrong. Nothing here has a
//! float, and nobody would read the error.

use serde::de::DeserializeOwned;
use serde::Serialize;

/// Reads a value; `None` if the text is not its JSON.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    // No string gets longer by taking its escapes away.
    let mut unescaped = vec![0; text.len()];
    serde_json_core::from_str_escaped(text, &mut unescaped).ok().map(|(value, _)| value)
}

/// Writes a value; `None` if it is too large to be handed in anyway.
pub(crate) fn write<T: Serialize>(value: &T) -> Option<String> {
    let mut bytes = vec![0; 4 * shared::limits::BODY_BYTES];
    let length = serde_json_core::to_slice(value, &mut bytes).ok()?;
    bytes.truncate(length);
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use shared::{Context, Definition, Submission, WireAnswer};

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_reads_the_same_everywhere(
            text in any::<String>(),
            score in any::<Option<i32>>(),
            metadata in prop::collection::btree_map(any::<String>(), any::<String>(), 0..3),
            bytes in any::<[u8; 16]>(),
        ) {
            let submission = Submission {
                submission: uuid::Builder::from_random_bytes(bytes).into_uuid(),
                language: "nl".into(),
                answers: vec![WireAnswer {
                    question: "why".into(),
                    score,
                    text: Some(text.clone()),
                    boolean: Some(true),
                    options: Some(vec!["web".into()]),
                }],
                metadata,
                respondent: None,
                context: Some(Context { page_url: Some(text), referrer: None, answered_at: None }),
                definition: None,
            };
            let written = write(&submission).unwrap();
            prop_assert!(serde_json::from_str::<Submission>(&written).unwrap() == submission);
            prop_assert!(read::<Submission>(&written).unwrap() == submission);
        }

        #[test]
        fn what_the_server_writes_is_read(text in any::<String>(), metadata in any::<BTreeMap<String, String>>()) {
            let written = serde_json::to_string(&(&text, &metadata)).unwrap();
            prop_assert_eq!(read::<(String, BTreeMap<String, String>)>(&written), Some((text, metadata)));
        }
    }

    #[test]
    fn escapes_of_every_kind_are_read() {
        let read = |text: &str| read::<String>(text);
        assert_eq!(read(r#""a\"b\\\/\n\r\t\b\f\u00e9\ud83d\ude00""#).as_deref(), Some("a\"b\\/\n\r\t\u{8}\u{c}é😀"));
        assert_eq!(read(r#""\ud83d""#), None);
        assert_eq!(read(r#""open"#), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn a_definition_with_keys_of_a_newer_server_is_read() {
        let kinds = r#"[{"id":"a","text":"A","new":{"x":[1.5,null]},"required":true,"kind":{"score":{"min":0,"max":10,"low":"Low"}},
            "show_if":{"mode":"any","of":[{"question":"b","test":{"is":{"option":"web"}}},{"question":"b","test":{"answered":false}}]}},
            {"id":"b","text":"B","kind":{"choice":{"several":true,"options":[{"id":"web","text":"W"}]}}},
            {"id":"c","text":"C","kind":"yes_no"},{"id":"d","text":"D","hint":"H","kind":{"text":{"max_length":5}}}]"#;
        let words = ["survey", "next", "back", "send", "yes", "no", "progress", "optional", "several", "count",
            "choose", "write", "too_long", "sending", "kept", "kept_page", "again", "refused", "thanks", "thanks_more"];
        let words: BTreeMap<_, _> = words.into_iter().map(|word| (word, word)).collect();
        let words = serde_json::to_string(&words).unwrap();
        let text = [r#"{"survey":"s","language":"nl","newer":[],"version":"1","questions":"#, kinds, r#","words":"#, &words, "}"].concat();
        let wanted: Definition = serde_json::from_str(&text).unwrap();
        assert_eq!(read::<Definition>(&text), Some(wanted));
    }
}
