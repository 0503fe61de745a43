//! Who competes, with settings that fit the world.

use std::sync::Arc;

use netduel_world::{Contender, Kind, Registry, Wants, World};
use schemars::SchemaGenerator;
use toml::de::{DeValue, ValueDeserializer};

use crate::{
    document::Document,
    error::ScenarioError,
    graphs::{Graphs, takes_graphs},
    key::{Key, listed, suggestion},
    message,
    scenario::Entrant,
    tables::Tables,
    words,
};

/// A contender of known kind whose settings are not read yet.
pub(crate) struct Candidate {
    pub(crate) entrant: Entrant,
    pub(crate) kind: Kind,
    /// Where its settings are.
    pub(crate) key: Key,
}

/// The contenders, in file order.
pub(crate) fn candidates(
    doc: &Document<'_>,
    registry: &Registry,
) -> Result<Vec<Candidate>, ScenarioError> {
    let key = Key::from("contenders");
    let labels = doc.names_under(&key);
    if labels.is_empty() {
        let known = listed(registry.kinds().iter().map(|kind| kind.name));
        let message = "names nobody; expected at least one [contenders.\"label\".kind]";
        let mut error = doc.problem(&key, message);
        error.hint = Some(format!("the kind is {known}"));
        return Err(error);
    }
    let candidates = labels
        .iter()
        .map(|label| candidate(doc, &key.join(*label), label, registry));
    candidates.collect()
}

fn candidate(
    doc: &Document<'_>,
    key: &Key,
    label: &str,
    registry: &Registry,
) -> Result<Candidate, ScenarioError> {
    if label.trim().is_empty() || label.chars().any(char::is_control) {
        return Err(doc.problem(key, "is no label; expected a word or more in one line"));
    }
    let known = || registry.kinds().iter().map(|kind| kind.name);
    let names = doc.names_under(key);
    let [name] = names.as_slice() else {
        let found = names.len();
        let problem = format!(
            "has {found} architectures; expected {} and its settings",
            listed(known())
        );
        return Err(doc.problem(key, problem));
    };
    let settings = key.join(*name);
    let Some(kind) = registry.find(name) else {
        let problem = format!("is not an architecture; expected {}", listed(known()));
        let mut error = doc.problem(&settings, problem);
        error.hint = suggestion(name, known());
        return Err(error);
    };
    let entrant = Entrant {
        label: label.to_owned(),
        kind: kind.name,
        family: kind.family,
    };
    Ok(Candidate {
        entrant,
        kind: *kind,
        key: settings,
    })
}

/// Reads the settings of every candidate.
pub(crate) fn configure(
    doc: &Document<'_>,
    candidates: &[Candidate],
    tables: &Tables<'_>,
    users: u32,
) -> Result<Vec<Box<dyn Contender>>, ScenarioError> {
    let contenders = candidates.iter().map(|candidate| {
        let (_, value) = doc
            .find(&candidate.key)
            .expect("candidates are in the file");
        let DeValue::Table(_) = value.get_ref() else {
            let problem = format!("is {}; expected a table", doc.written(&candidate.key));
            return Err(doc.problem(&candidate.key, problem));
        };
        refuse_unknown(doc, candidate)?;
        let mut settings = value.clone();
        if takes_graphs(&candidate.kind) {
            Graphs { doc, tables, users }.put_into(&mut settings, &candidate.key)?;
        }
        let settings = ValueDeserializer::from(settings);
        (candidate.kind.configure)(settings).map_err(|error| doc.explain(&error))
    });
    contenders.collect()
}

/// Holds the settings against the schema, as some architecture may read them leniently.
fn refuse_unknown(doc: &Document<'_>, candidate: &Candidate) -> Result<(), ScenarioError> {
    let known = settings_of(&candidate.kind);
    for name in doc.names_under(&candidate.key) {
        if !known.iter().any(|known| known == name) {
            let key = candidate.key.join(name);
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let (_, hint) = message::not_a_key(&key, &known);
            let expected = if known.is_empty() {
                "none, as it has no settings".to_owned()
            } else {
                listed(known)
            };
            let mut error = doc.problem(&key, format!("is not a key; expected {expected}"));
            error.hint = hint;
            // A key that is wrong is pointed at itself, not at its value.
            if let Some((name, _)) = doc.find(&key) {
                error.position = doc.at(&name, "").position;
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Names of an architecture's settings.
pub(crate) fn settings_of(kind: &Kind) -> Vec<String> {
    let mut generator = SchemaGenerator::default();
    let schema = (kind.schema)(&mut generator);
    let definitions = generator.take_definitions(true);
    let mut value = schema.as_value();
    if let Some(reference) = value.get("$ref").and_then(serde_json::Value::as_str) {
        // References are written as in URLs.
        let name = reference.rsplit('/').next().unwrap_or_default();
        let name = name.replace("%20", " ");
        value = definitions.get(&name).unwrap_or(value);
    }
    let properties = value.get("properties").and_then(|p| p.as_object());
    let names = properties.into_iter().flat_map(|p| p.keys().cloned());
    names.collect()
}

/// Checks that every candidate serves what users ask for.
pub(crate) fn serve(
    doc: &Document<'_>,
    candidates: &[Candidate],
    registry: &Registry,
    wants: &Wants,
) -> Result<(), ScenarioError> {
    let lacks = |kind: &Kind| {
        let mut asked = wants.kinds().iter();
        asked.find(|asked| !kind.serves.contains(asked)).copied()
    };
    for candidate in candidates {
        let Some(asked) = lacks(&candidate.kind) else {
            continue;
        };
        let able = registry.kinds().iter().filter(|kind| lacks(kind).is_none());
        let able: Vec<&str> = able.map(|kind| kind.name).collect();
        let expected = match able.as_slice() {
            [] => "another demand, as no architecture does".to_owned(),
            able => listed(able.iter().copied()),
        };
        let problem = format!("does not serve `{}`; expected {expected}", asked.name());
        let mut error = doc.problem(&candidate.key, problem);
        let serves = candidate
            .kind
            .serves
            .iter()
            .map(|kind| format!("`{}`", kind.name()));
        let name = candidate.kind.name;
        error.hint = Some(format!("`{name}` serves {}", words::and(serves)));
        return Err(error);
    }
    Ok(())
}

/// Checks that the settings of every contender fit the world.
pub(crate) fn fit(
    doc: &Document<'_>,
    candidates: &[Candidate],
    contenders: &[Box<dyn Contender>],
    world: &Arc<World>,
) -> Result<(), ScenarioError> {
    for (candidate, contender) in candidates.iter().zip(contenders) {
        contender
            .check(world)
            .map_err(|error| doc.problem(&candidate.key.join(error.key), error.problem))?;
    }
    Ok(())
}
