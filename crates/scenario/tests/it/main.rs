//! Reads whole scenarios.

mod architectures;
mod demands;
mod docs;
mod graphs;
mod mistakes;
mod reading;
mod sweeps;

use std::{collections::BTreeMap, path::Path};

use netduel_scenario::{Scenario, ScenarioError, read};

/// A scenario in which everything is right.
const RIGHT: &str = r#"title = "A crowd"
question = "How long does it take?"

[population]
peers = 10
upload = "10 Mbps"
download = "50 Mbps"

[infrastructure.server]
upload = "100 Mbps"
download = "100 Mbps"

[network]
latency = "20 ms"

[demand.download]
size = "1 GiB"
arrivals = "all at once"

[contenders."client-server".hub]

[contenders."peer to peer".flock]
piece = "256 KiB"
"#;

/// Reads `text` as `s/a.toml` beside some tables.
fn read_with(text: &str, tables: &[(&str, &str)]) -> Result<Scenario, ScenarioError> {
    let mut files = BTreeMap::from([("s/a.toml".into(), text.to_owned())]);
    for (name, table) in tables {
        files.insert(Path::new("s").join(name), (*table).to_owned());
    }
    read(Path::new("s/a.toml"), &files, &architectures::registry())
}

/// [`RIGHT`] with `old` replaced; an empty `old` appends.
fn changed(old: &str, new: &str) -> String {
    if old.is_empty() {
        return format!("{RIGHT}{new}");
    }
    assert!(RIGHT.contains(old), "{old} is not in the scenario");
    RIGHT.replacen(old, new, 1)
}
