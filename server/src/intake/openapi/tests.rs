//! The description against the code: the wire types, the limits, the codes, the routes.

use serde_json::{Value, json};
use shared::limits;

use super::super::problem::{Detail, Kind};
use super::describe::{describe, schemas};

fn document() -> Value {
    serde_json::to_value(describe()).unwrap()
}

/// The schema that a reference leads to, or the schema itself.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(place) => document.pointer(place.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

/// Whether a schema describes a value and all that is in it; adds each property that it met.
fn describes(document: &Value, schema: &Value, value: &Value, met: &mut Vec<String>) -> bool {
    let name = schema["$ref"].as_str().unwrap_or_default();
    let schema = resolved(document, schema);
    if let Some(variants) = schema["oneOf"].as_array() {
        let fits = |variant: &&Value| describes(document, variant, value, met);
        return variants.iter().filter(fits).count() == 1;
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        return false;
    }
    let kinds = match &schema["type"] {
        Value::Array(kinds) => kinds.clone(),
        kind => vec![kind.clone()],
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(list) => {
            return kinds.contains(&json!("array"))
                && list.iter().all(|item| describes(document, &schema["items"], item, met));
        }
        Value::Object(map) => {
            let required = schema["required"].as_array().into_iter().flatten();
            let complete = required.into_iter().all(|key| map.contains_key(key.as_str().unwrap()));
            return kinds.contains(&json!("object"))
                && complete
                && map.iter().all(|(key, item)| {
                    met.push(format!("{name}/{key}"));
                    let property = &schema["properties"][key];
                    let property =
                        if property.is_null() { &schema["additionalProperties"] } else { property };
                    !property.is_null() && describes(document, property, item, met)
                });
        }
    };
    kinds.contains(&json!(kind))
}

/// Every property of a named schema that has no variants.
fn properties(document: &Value, name: &str) -> Vec<String> {
    let schema = &document["components"]["schemas"][name];
    let keys = schema["properties"].as_object().unwrap().keys();
    keys.map(|key| format!("#/components/schemas/{name}/{key}")).collect()
}

/// Reads an example as the wire type does, writes it again, and holds the description to it.
fn held<T: serde::de::DeserializeOwned + serde::Serialize>(name: &str, complete: &Value, named: &[&str]) {
    let document = document();
    let wire = serde_json::to_value(serde_json::from_value::<T>(complete.clone()).unwrap()).unwrap();
    assert_eq!(wire, *complete, "the example has what the type has");
    let mut met = Vec::new();
    let schema = json!({ "$ref": format!("#/components/schemas/{name}") });
    assert!(describes(&document, &schema, &wire, &mut met), "{name} does not describe {wire}");
    for property in named.iter().flat_map(|name| properties(&document, name)) {
        assert!(met.contains(&property), "the wire has no {property}");
    }
}

#[test]
fn the_description_of_a_submission_is_that_of_the_wire() {
    let complete = json!({
        "submission": "6f9b1c52-7d0e-4a55-9a39-3f4f4a2b1c01", "language": "nl",
        "answers": [{"question": "a", "score": 9}, {"question": "b", "text": "t"},
                    {"question": "c", "boolean": true}, {"question": "d", "options": ["web"], "other": "t"}],
        "metadata": {"pieces": "8"},
        "respondent": {"id": "1", "first_name": "Jef", "last_name": null, "email": "jef@example.com", "phone": "1"},
        "context": {"page_url": "https://shop.example", "referrer": null, "answered_at": "2026-11-23T12:00:00Z"},
        "definition": "0011223344556677",
    });
    held::<shared::Submission>("Submission", &complete, &["Submission", "Respondent", "Context"]);
    let mut met = Vec::new();
    for wrong in [
        json!({"question": "a"}),
        json!({"score": 9}),
        json!({"question": "a", "score": 9, "text": "t"}),
        json!({"question": "a", "score": "9"}),
        json!({"question": "a", "score": 9, "text": 1}),
    ] {
        let schema = json!({ "$ref": "#/components/schemas/Answer" });
        assert!(!describes(&document(), &schema, &wrong, &mut met), "{wrong}");
    }
}

#[test]
fn the_description_of_a_definition_is_that_of_the_wire() {
    let words: serde_json::Map<_, _> = schemas::definition::WORDS
        .iter()
        .copied()
        .chain(schemas::definition::RARE_WORDS.map(|(name, _)| name))
        .map(|name| (name.to_owned(), json!(name)))
        .collect();
    let tests = [
        json!({"at_least": 1}),
        json!({"at_most": 6}),
        json!({"is": {"score": 1}}),
        json!({"is": {"boolean": true}}),
        json!({"is": {"option": "web"}}),
        json!({"includes": "web"}),
        json!({"answered": false}),
    ];
    let of = tests.map(|test| json!({"question": "a", "test": test}));
    let complete = json!({
        "survey": "checkout", "language": "nl", "rtl": true, "version": "0011223344556677",
        "questions": [
            {"id": "a", "text": "?", "hint": "!", "required": true, "show_if": {"mode": "any", "of": of},
             "kind": {"score": {"min": 0, "max": 10, "low": "l", "high": "h"}}},
            {"id": "e", "text": "?", "kind": {"score":
             {"min": 1, "max": 2, "labels": ["l", "h"], "look": "smileys", "colors": true}}},
            {"id": "b", "text": "?", "kind": {"text": {"max_length": 1}}},
            {"id": "c", "text": "?", "kind": "yes_no"},
            {"id": "d", "text": "?", "kind": {"choice": {"several": true, "min": 1, "max": 1, "shuffle": true, "search": true,
             "options": [{"id": "web", "text": "Web", "fixed": true, "other": true}]}}},
        ],
        "intro": {"title": "t", "text": "t", "button": "b"},
        "thanks": [{"show_if": {"mode": "all", "of": [{"question": "a", "test": {"at_least": 9}}]}, "title": "t",
                    "text": "t", "link": {"url": "https://shop.example", "text": "t"}}, {"title": "t"}],
        "words": words, "style": ".a{}", "theme": "dark", "autoprogress": true,
        "one_page": true, "languages": [{"tag": "nl", "name": "Nederlands"}], "digits": "0123456789",
        "contact": {"show_if": {"mode": "all", "of": [{"question": "a", "test": {"at_most": 6}}]}, "title": "t",
                    "text": "t", "consent": "c", "link": {"url": "https://shop.example", "text": "t"},
                    "fields": [{"field": "email", "required": true}, {"field": "phone"}]},
    });
    held::<shared::Definition>(
        "Definition",
        &complete,
        &["Definition", "Question", "ShowIf", "Condition", "Words"],
    );
}

#[test]
fn the_limits_are_those_that_are_applied() {
    let document = document();
    let at = |pointer: &str| document.pointer(&format!("/components/schemas/{pointer}")).unwrap().clone();
    for (pointer, limit) in [
        ("Submission/properties/answers/maxItems", limits::QUESTIONS),
        ("Submission/properties/metadata/maxProperties", limits::METADATA_KEYS),
        ("Submission/properties/metadata/propertyNames/maxLength", limits::METADATA_KEY),
        ("Submission/properties/metadata/additionalProperties/maxLength", limits::METADATA_VALUE),
        ("Respondent/properties/email/maxLength", limits::RESPONDENT_FIELD),
        ("Answer/oneOf/1/properties/text/maxLength", limits::TEXT_MAX as usize),
        ("Answer/oneOf/3/properties/options/maxItems", limits::OPTIONS),
        ("Answer/oneOf/3/properties/other/maxLength", limits::OTHER as usize),
    ] {
        assert_eq!(at(pointer), limit, "{pointer}");
    }
    assert!(at("Submission/description").as_str().unwrap().contains(&limits::BODY_BYTES.to_string()));
}

#[test]
fn every_kind_of_problem_is_described_on_some_route() {
    let text = document().to_string();
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Method) {
        assert!(text.contains(&format!("`{}`: ", kind.code())), "{kind:?}");
    }
}

#[test]
fn the_description_is_the_one_that_clients_know() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&describe()).unwrap());
}

#[test]
fn the_document_that_is_served_is_the_description() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/intake/openapi/openapi.json");
    let described = serde_json::to_string(&describe()).unwrap() + "\n";
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        std::fs::write(path, &described).unwrap();
    }
    let served = std::fs::read_to_string(path).unwrap_or_default();
    assert!(served == described, "the description has changed: run this test with INSTA_UPDATE=always");
}

#[test]
fn the_page_of_the_api_has_every_route_and_every_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api.md");
    let page = std::fs::read_to_string(path).unwrap();
    let document = document();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let heading = format!("### {} {path}\n", method.to_uppercase());
            assert!(page.contains(&heading), "{heading:?} is not in docs/api.md");
        }
    }
    for code in Kind::ALL.iter().map(|kind| kind.code()).chain(Detail::codes()) {
        assert!(page.contains(&format!("`{code}`")), "{code} is not in docs/api.md");
    }
}
