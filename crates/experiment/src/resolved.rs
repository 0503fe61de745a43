//! The scenario as it was run.

use netduel_scenario::Scenario;
use toml::{Table, Value};

/// The scenario with every default filled in, and with the seed and the number of replications
/// that it was really run with: a command line may have set them.
pub fn resolved(scenario: &Scenario) -> String {
    let text = scenario.resolved();
    let Ok(mut table) = text.parse::<Table>() else {
        return text;
    };
    let run_with = [
        ("seed", i64::try_from(scenario.experiment.seed)),
        (
            "replications",
            Ok(i64::from(scenario.experiment.replications)),
        ),
    ];
    let experiment = table
        .entry("experiment")
        .or_insert_with(|| Value::Table(Table::new()));
    let Value::Table(experiment) = experiment else {
        return text;
    };
    let mut changed = false;
    for (key, value) in run_with {
        // TOML has no whole number above 2^63; a seed that large stays as the manifest has it.
        let Ok(value) = value.map(Value::Integer) else {
            continue;
        };
        changed |= experiment.insert(key.to_owned(), value.clone()) != Some(value);
    }
    if changed { table.to_string() } else { text }
}
