//! The documents agree with the format.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use netduel_scenario::{Disk, read, schema, template};
use netduel_world::{Registry, RequestKind};
use serde_json::Value;

use crate::{architectures::registry, read_with};

/// Every architecture that Netduel ships.
fn shipped() -> Registry {
    let mut registry = Registry::default();
    netduel_client_server::register(&mut registry);
    netduel_peer_to_peer::register(&mut registry);
    registry
}

fn document(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name)
}

#[test]
fn the_schema_in_the_documents_is_the_schema_of_the_code() {
    let mut generated = serde_json::to_string_pretty(&schema(&shipped())).unwrap();
    generated.push('\n');
    let path = document("scenario.schema.json");
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert!(
        kept == generated,
        "UPDATE_GOLDEN=1 cargo test writes the schema anew"
    );
}

/// The schema that a reference stands for.
fn target<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => {
            let name = reference.rsplit('/').next().unwrap();
            &root["$defs"][name.replace("%20", " ").as_str()]
        }
        None => schema,
    }
}

/// What a law of this definition is called in keys.
fn law(schema: &Value) -> Option<&'static str> {
    match schema["title"].as_str() {
        Some("Law of a data rate") => Some("<rate law>"),
        Some("Law of a time") => Some("<time law>"),
        _ => None,
    }
}

/// Every key below `schema`, laws under their own name.
fn collect(root: &Value, schema: &Value, way: &str, keys: &mut BTreeSet<String>) {
    let schema = target(root, schema);
    let way = match law(schema) {
        Some(name) if way == name || keys.contains(name) => return,
        Some(name) => {
            keys.insert(name.to_owned());
            name
        }
        None => way,
    };
    let join = |name: &str| match way {
        "" => name.to_owned(),
        way => format!("{way}.{name}"),
    };
    for list in ["anyOf", "oneOf"] {
        for form in schema[list].as_array().into_iter().flatten() {
            collect(root, form, way, keys);
        }
    }
    for (name, value) in schema["properties"].as_object().into_iter().flatten() {
        let key = join(name);
        keys.insert(key.clone());
        // The same for every demand, they are described once.
        let is_arrivals = key.starts_with("demand.") && name == "arrivals";
        let way = if is_arrivals { "<arrivals>" } else { &key };
        collect(root, value, way, keys);
    }
    if schema["additionalProperties"].is_object() {
        let key = join("<name>");
        keys.insert(key.clone());
        collect(root, &schema["additionalProperties"], &key, keys);
    }
    if schema["items"].is_object() {
        collect(root, &schema["items"], way, keys);
    }
}

#[test]
fn the_reference_has_every_key_of_the_schema_and_no_other() {
    let root = schema(&Registry::default());
    let mut keys = BTreeSet::new();
    collect(&root, &root, "", &mut keys);
    let text = fs::read_to_string(document("scenario-format.md")).unwrap();
    let documented: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(key, _)| key.to_owned())
        .collect();
    let missing: Vec<&String> = keys.difference(&documented).collect();
    let unknown: Vec<&String> = documented.difference(&keys).collect();
    assert!(missing.is_empty(), "not in the reference: {missing:#?}");
    assert!(unknown.is_empty(), "not in the schema: {unknown:#?}");
}

#[test]
fn the_schema_lists_the_settings_of_every_architecture() {
    let schema = schema(&registry());
    let contender = &schema["properties"]["contenders"]["additionalProperties"];
    assert_eq!(contender["additionalProperties"], false);
    let flock = target(&schema, &contender["properties"]["flock"]);
    assert!(flock["properties"]["piece"].is_object(), "{flock}");
}

#[test]
fn the_template_is_a_right_scenario() {
    let registry = registry();
    let hub = registry.find("hub").unwrap();
    let scenario = read_with(&template(&[hub]), &[]).unwrap();
    assert_eq!(scenario.points.len(), 3);
    assert_eq!(scenario.contenders[0].label, "hub");
}

#[test]
fn every_shipped_scenario_is_right() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut count = 0;
    for subject in fs::read_dir(&folder).unwrap() {
        for file in fs::read_dir(subject.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                let scenario = read(&path, &Disk, &shipped()).unwrap_or_else(|e| panic!("{e}"));
                assert!(!scenario.explain().is_empty());
                count += 1;
            }
        }
    }
    assert!(count > 0, "no scenario in {}", folder.display());
}

#[test]
fn a_template_with_every_shipped_architecture_has_those_that_serve_downloads() {
    let registry = shipped();
    let kinds: Vec<_> = registry.kinds().iter().collect();
    let path = PathBuf::from("new.toml");
    let files = std::collections::BTreeMap::from([(path.clone(), template(&kinds))]);
    let scenario = read(&path, &files, &registry).unwrap_or_else(|error| panic!("{error}"));
    let serve = kinds
        .iter()
        .filter(|kind| kind.serves.contains(&RequestKind::Download));
    assert_eq!(scenario.contenders.len(), serve.count());
}
