//! Holds every translation to the rules at the head of `words.toml`.

use std::collections::{BTreeMap, BTreeSet};

use shared::Language;

use super::{SOURCE, words};

/// Every key, with the most characters that its text may have, placeholders included.
const LIMITS: [(&str, usize); 34] = [
    ("survey", 20),
    ("next", 14),
    ("back", 14),
    ("send", 14),
    ("yes", 6),
    ("no", 6),
    ("progress", 20),
    ("optional", 18),
    ("several", 60),
    ("count", 12),
    ("choose", 40),
    ("write", 40),
    ("too_long", 70),
    ("too_few", 45),
    ("too_many", 45),
    ("search", 20),
    ("nothing", 40),
    ("specify", 40),
    ("check", 60),
    ("language", 16),
    ("first_name", 24),
    ("last_name", 24),
    ("email", 24),
    ("phone", 24),
    ("missing", 50),
    ("wrong_email", 50),
    ("sending", 24),
    ("kept", 100),
    ("kept_page", 105),
    ("again", 18),
    ("refused", 110),
    ("thanks", 22),
    ("thanks_more", 60),
    ("close", 14),
];

/// Texts that are the same as in English because the language says it so.
const SAME_AS_ENGLISH: [(&str, &str); 5] =
    [("de", "optional"), ("it", "no"), ("es", "no"), ("da", "send"), ("no", "send")];

const PLACEHOLDERS: [&str; 4] = ["{n}", "{total}", "{min}", "{max}"];

type Texts = BTreeMap<String, String>;

fn source() -> BTreeMap<String, Texts> {
    toml::from_str(SOURCE).expect("tables of texts")
}

fn english() -> Texts {
    source().remove("en").expect("a table for English")
}

/// Calls `look` with language, key and text of every translation.
fn each(mut look: impl FnMut(&str, &str, &str)) {
    for (tag, texts) in &source() {
        for (key, text) in texts {
            look(tag, key, text);
        }
    }
}

#[test]
fn every_language_has_its_words_in_the_order_of_the_platform() {
    let tables: Vec<&str> =
        SOURCE.lines().filter_map(|line| line.strip_prefix('[')?.strip_suffix(']')).collect();
    let tags: Vec<&str> = Language::all().map(Language::tag).collect();
    assert_eq!(tables, tags);
    for language in Language::all() {
        assert!(!words(language).next.is_empty(), "{language}");
    }
}

#[test]
fn every_language_has_every_key_and_no_other() {
    let keys: BTreeSet<&str> = LIMITS.iter().map(|(key, _)| *key).collect();
    let fields = toml::Table::try_from(words(Language::matching("en").expect("English"))).expect("a table");
    assert_eq!(fields.keys().map(String::as_str).collect::<BTreeSet<_>>(), keys);
    for (tag, texts) in &source() {
        assert_eq!(texts.keys().map(String::as_str).collect::<BTreeSet<_>>(), keys, "{tag}");
    }
}

#[test]
fn placeholders_stand_exactly_where_english_has_them() {
    let english = english();
    each(|tag, key, text| {
        let mut rest = text.to_owned();
        for placeholder in PLACEHOLDERS {
            let wanted = english[key].matches(placeholder).count();
            assert_eq!(text.matches(placeholder).count(), wanted, "{tag}.{key}: {placeholder}");
            rest = rest.replace(placeholder, "");
        }
        assert!(!rest.contains(['{', '}']), "{tag}.{key}: {rest}");
    });
}

#[test]
fn nothing_is_left_in_english_but_what_is_truly_the_same() {
    let english = english();
    let mut same = BTreeSet::new();
    each(|tag, key, text| {
        if tag != "en" && key != "count" && text == english[key] {
            same.insert((tag.to_owned(), key.to_owned()));
        }
    });
    let allowed = SAME_AS_ENGLISH.map(|(tag, key)| (tag.to_owned(), key.to_owned()));
    assert_eq!(same, BTreeSet::from(allowed));
}

#[test]
fn no_text_is_empty_or_longer_than_its_place() {
    let limits = BTreeMap::from(LIMITS);
    each(|tag, key, text| {
        let length = text.chars().count();
        assert!(length > 0 && length <= limits[key], "{tag}.{key} has {length} characters");
    });
}

#[test]
fn no_text_has_blanks_at_its_ends_or_two_in_a_row() {
    each(|tag, key, text| {
        assert_eq!(text, text.trim(), "{tag}.{key}");
        assert!(!text.contains("  "), "{tag}.{key}");
    });
}

#[test]
fn sentences_end_as_sentences_and_labels_do_not() {
    let sentences = [
        "several",
        "choose",
        "write",
        "too_long",
        "too_few",
        "too_many",
        "nothing",
        "check",
        "missing",
        "wrong_email",
        "kept",
        "kept_page",
        "refused",
        "thanks",
        "thanks_more",
    ];
    each(|tag, key, text| {
        // What a field asks for may be a question.
        if key == "specify" {
            return;
        }
        let ends = text.ends_with(['.', '。', '!', '！']);
        assert_eq!(ends, sentences.contains(&key), "{tag}.{key}: {text}");
        assert_eq!(text.ends_with('…'), key == "sending", "{tag}.{key}: {text}");
        assert!(!text.contains("...") && !text.contains(['\'', '"']), "{tag}.{key}: {text}");
    });
}
