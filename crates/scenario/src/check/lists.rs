//! Lists where none is due.

use toml::de::DeValue;

use crate::{
    document::{Document, Value},
    error::ScenarioError,
    key::Key,
};

/// Refuses lists in the parts of a world. Derived readers would take one where a table is due,
/// its items in the order of the keys.
pub(crate) fn refuse_lists(doc: &Document<'_>) -> Result<(), ScenarioError> {
    let tables = [
        "population",
        "infrastructure",
        "network",
        "demand",
        "patience",
        "experiment",
    ];
    for name in tables {
        let key = Key::from(name);
        if let Some((_, value)) = doc.find(&key) {
            refuse(doc, &key, value)?;
        }
    }
    let key = Key::from("failures");
    match doc.find(&key).map(|(_, value)| value.get_ref()) {
        Some(DeValue::Array(items)) => each(doc, &key, items),
        _ => Ok(()),
    }
}

fn refuse(doc: &Document<'_>, key: &Key, value: &Value<'_>) -> Result<(), ScenarioError> {
    match value.get_ref() {
        DeValue::Array(items) if key.0.last().is_some_and(|name| name == "mix") => {
            each(doc, key, items)
        }
        DeValue::Array(_) => Err(doc.refuse(key, "a table or a single value")),
        DeValue::Table(table) => table
            .iter()
            .try_for_each(|(name, item)| refuse(doc, &key.join(&**name.get_ref()), item)),
        _ => Ok(()),
    }
}

fn each(doc: &Document<'_>, list: &Key, items: &[Value<'_>]) -> Result<(), ScenarioError> {
    let mut numbered = items.iter().zip(1_usize..);
    numbered.try_for_each(|(item, number)| match item.get_ref() {
        DeValue::Table(_) => refuse(doc, &list.join(number.to_string()), item),
        _ => Err(doc.refuse(&list.join(number.to_string()), "a table")),
    })
}
