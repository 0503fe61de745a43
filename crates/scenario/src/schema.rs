//! The JSON schema of scenario files.

use netduel_world::Registry;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::raw;

/// The JSON schema of scenario files, with the settings of every registered architecture.
pub fn schema(registry: &Registry) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut kinds = Map::new();
    for kind in registry.kinds() {
        let mut settings = (kind.schema)(&mut generator).to_value();
        if let Some(settings) = settings.as_object_mut() {
            settings.insert("description".into(), kind.about.into());
        }
        kinds.insert(kind.name.into(), settings);
    }
    let mut schema = generator.into_root_schema_for::<raw::Scenario>().to_value();
    let contender = json!({
        "type": "object",
        "description": "One architecture with its settings.",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": kinds,
        // With nothing registered, any architecture may be meant.
        "additionalProperties": kinds.is_empty(),
    });
    schema["properties"]["contenders"] = json!({
        "type": "object",
        "description": schema["properties"]["contenders"]["description"],
        "minProperties": 1,
        "additionalProperties": contender,
    });
    let required = schema["required"].as_array_mut();
    required
        .expect("title is required")
        .push("contenders".into());
    schema
}
