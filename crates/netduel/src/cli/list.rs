//! `netduel list`

use std::fmt::Write as _;

use netduel_world::Kind;
use schemars::SchemaGenerator;
use serde_json::{Value, json};

use super::{
    Call,
    failure::{Exit, Failure},
    terminal,
};

/// A setting of an architecture, as its schema tells.
struct Setting {
    key: String,
    /// What is assumed when it is left out; nothing when it must be given or has no default.
    default: Option<Value>,
    /// The unit or the kind of value.
    unit: String,
    help: String,
}

/// Lists every architecture with its settings.
pub(super) fn list(call: &Call, as_json: bool) -> Result<Exit, Failure> {
    let kinds = call.registry.kinds();
    if as_json {
        let kinds: Vec<Value> = kinds.iter().map(to_json).collect();
        return terminal::say(&format!("{:#}", Value::from(kinds)));
    }
    let texts: Vec<String> = kinds.iter().map(to_text).collect();
    terminal::say(texts.join("\n").trim_end())
}

fn to_text(kind: &Kind) -> String {
    let Kind {
        name,
        family,
        about,
        ..
    } = kind;
    let serves = serves(kind).join(", ");
    let mut text = format!("{name} ({family})\n  {about}\n  serves: {serves}\n");
    for setting in settings(kind) {
        let default = match &setting.default {
            Some(Value::Null) | None => "no default".to_owned(),
            Some(default) => format!("default {default}"),
        };
        let Setting {
            key, unit, help, ..
        } = &setting;
        writeln!(text, "    {key}: {unit}, {default}").expect("memory takes every line");
        for line in wrapped(help, 80) {
            writeln!(text, "        {line}").expect("memory takes every line");
        }
    }
    text
}

fn to_json(kind: &Kind) -> Value {
    let settings = settings(kind).into_iter().map(|setting| {
        json!({
            "key": setting.key,
            "default": setting.default,
            "unit": setting.unit,
            "help": setting.help,
        })
    });
    json!({
        "name": kind.name,
        "family": kind.family,
        "about": kind.about,
        "serves": serves(kind),
        "settings": settings.collect::<Vec<_>>(),
    })
}

/// The requests that it serves, as scenario files name them; stores come along with look-ups.
fn serves(kind: &Kind) -> Vec<&'static str> {
    kind.serves.iter().map(|kind| kind.name()).collect()
}

fn settings(kind: &Kind) -> Vec<Setting> {
    let mut generator = SchemaGenerator::default();
    let schema = (kind.schema)(&mut generator).to_value();
    let definitions = generator.take_definitions(true);
    let definitions = Value::Object(definitions);
    let schema = resolved(&schema, &definitions);
    let properties = schema["properties"].as_object();
    let setting = |(key, property): (&String, &Value)| Setting {
        key: key.clone(),
        default: property.get("default").cloned(),
        unit: unit(property, &definitions),
        help: help(property),
    };
    properties.into_iter().flatten().map(setting).collect()
}

/// What a reference refers to, or the schema itself.
fn resolved<'a>(schema: &'a Value, definitions: &'a Value) -> &'a Value {
    reference(schema).map_or(schema, |name| &definitions[name])
}

/// The name that a schema refers to. In a reference a space is written as in a URI.
fn reference(schema: &Value) -> Option<String> {
    let name = schema["$ref"].as_str()?.rsplit('/').next()?;
    Some(name.replace("%20", " "))
}

/// The name of a quantity, the choices, or the JSON type.
fn unit(property: &Value, definitions: &Value) -> String {
    let alternatives = property["anyOf"]
        .as_array()
        .or(property["oneOf"].as_array());
    if let Some(alternatives) = alternatives {
        let units = alternatives.iter().filter(|a| a["type"] != "null");
        let units: Vec<String> = units.map(|a| unit(a, definitions)).collect();
        return units.join(" or ");
    }
    if let Some(key) = only_key(property) {
        return format!("{{ {key} = … }}");
    }
    if let Some(choices) = property["enum"].as_array() {
        let choices: Vec<String> = choices.iter().map(Value::to_string).collect();
        return choices.join(" or ");
    }
    if let Some(constant) = property.get("const") {
        return constant.to_string();
    }
    if let Some(name) = reference(property) {
        let target = resolved(property, definitions);
        let is_quantity = target["type"] == "string" && target.get("enum").is_none();
        return if is_quantity || target["type"] == "object" {
            name.to_lowercase()
        } else {
            unit(target, definitions)
        };
    }
    match &property["type"] {
        Value::String(word) => plain(word).to_owned(),
        Value::Array(words) => {
            let words = words.iter().filter_map(Value::as_str);
            let words = words.filter(|word| *word != "null").map(plain);
            words.collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}

/// The key of a table that has but one: a choice that takes settings of its own.
fn only_key(property: &Value) -> Option<&str> {
    match property["required"].as_array()?.as_slice() {
        [only] if property["type"] == "object" => only.as_str(),
        _ => None,
    }
}

/// A reader's word for a type of JSON.
fn plain(word: &str) -> &str {
    match word {
        "string" => "text",
        "integer" => "whole number",
        "boolean" => "true or false",
        "object" => "table",
        "array" => "list",
        word => word,
    }
}

/// A setting's description in one line.
fn help(property: &Value) -> String {
    let text = property["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` in lines of at most `width` characters where words allow.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_of_every_architecture_says_what_it_is() {
        for kind in crate::architectures().kinds() {
            for setting in settings(kind) {
                let Setting {
                    key, unit, help, ..
                } = &setting;
                assert!(!help.is_empty(), "{}.{key} has no help", kind.name);
                assert!(
                    !unit.is_empty() && unit != "any",
                    "{}.{key} has no unit",
                    kind.name
                );
                let words = unit.split(' ');
                let of_json = words.filter(|word| ["object", "array"].contains(word));
                assert_eq!(of_json.count(), 0, "{}.{key} is {unit}", kind.name);
            }
        }
    }

    #[test]
    fn long_texts_are_broken_between_words() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
    }
}
