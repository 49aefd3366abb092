//! `afterword config schema`: a JSON schema (draft 7) of the file, for editors.
//!
//! It says what each key takes by itself; what keys have to do with each other, and whether files and variables are
//! there, only `afterword check` knows.

use serde_json::{Map, Value as Json, json};
use shared::Language;

use super::keys::{CONDITION, ROOT};
use super::{Key, Section, Value, Without};

/// The whole schema.
pub fn schema() -> Json {
    let mut schema = table(&ROOT);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("Afterword's configuration");
    schema["definitions"] = json!({ "condition": table(&CONDITION) });
    schema
}

fn table(section: &Section) -> Json {
    let properties: Map<String, Json> =
        section.keys.iter().map(|key| (key.name.to_owned(), described(key))).collect();
    let required: Vec<&str> =
        section.keys.iter().filter(|key| is_required(key)).map(|key| key.name).collect();
    let mut table = json!({
        "type": "object",
        "description": section.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    table
}

/// True for a key that no other can stand for.
fn is_required(key: &Key) -> bool {
    matches!(key.without, Without::Wrong) && !["token_env", "origins", "scale", "survey"].contains(&key.name)
}

fn described(key: &Key) -> Json {
    let mut schema = of(&key.value);
    schema["description"] = json!(key.doc);
    if let Without::Default(default) = key.without
        && let Some(default) = read(default)
    {
        schema["default"] = default;
    }
    if let Some(example) = Some(key.example).filter(|example| !example.is_empty()).and_then(read) {
        schema["examples"] = json!([example]);
    }
    schema
}

/// A TOML value as JSON.
fn read(value: &str) -> Option<Json> {
    let table: toml::Table = toml::from_str(&format!("value = {value}")).ok()?;
    serde_json::to_value(table).ok().map(|mut table| table["value"].take())
}

fn of(value: &Value) -> Json {
    match value {
        Value::Text(_) => json!({ "type": "string" }),
        Value::Words(words) => json!({ "enum": words }),
        Value::Boolean => json!({ "type": "boolean" }),
        Value::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Value::Limit(least, most) => {
            json!({ "anyOf": [{ "type": "integer", "minimum": least, "maximum": most }, { "const": false }] })
        }
        Value::Span(..) => json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|h|d)$" }),
        Value::Guid => json!({
            "type": "string",
            "pattern": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
        }),
        Value::PerLanguage(value) => {
            let tags: Vec<&str> = Language::all().map(Language::tag).collect();
            json!({ "type": "object", "propertyNames": { "enum": tags }, "additionalProperties": of(value), "minProperties": 1 })
        }
        Value::List(value) => json!({ "type": "array", "items": of(value) }),
        Value::Either(values) => json!({ "anyOf": values.iter().map(of).collect::<Vec<_>>() }),
        Value::Table(section) => table(section),
        Value::Tables([section]) => json!({ "type": "array", "items": table(section) }),
        Value::Tables(sections) => json!({ "type": "array", "items": one_of(sections) }),
        Value::Named(_, value) => json!({ "type": "object", "additionalProperties": of(value) }),
        Value::Condition => json!({ "$ref": "#/definitions/condition" }),
    }
}

/// The table that its own key names, `kind = "score"`: an editor then tells what is wrong with that one.
fn one_of(sections: &[&'static Section]) -> Json {
    let named = sections.iter().filter_map(|section| {
        let table: toml::Table = toml::from_str(section.variant).ok()?;
        let (key, value) = table.into_iter().next()?;
        Some((key, serde_json::to_value(value).ok()?, *section))
    });
    let named: Vec<(String, Json, &Section)> = named.collect();
    let Some((key, _, _)) = named.first() else { return json!({}) };
    let values: Vec<&Json> = named.iter().map(|(_, value, _)| value).collect();
    let each: Vec<Json> = named
        .iter()
        .map(|(key, value, section)| json!({ "if": { "properties": { key: { "const": value } } }, "then": table(section) }))
        .collect();
    json!({ "type": "object", "required": [key], "properties": { key: { "enum": values } }, "allOf": each })
}
