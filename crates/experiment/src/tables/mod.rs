//! The tables of a result folder, as text.

mod differences;
mod over_time;
mod per_run;
mod sheet;
mod summary;
mod theory;

use netduel_scenario::Scenario;

use crate::plan::Results;

pub use sheet::Table;
pub(crate) use sheet::{Sheet, estimate_cells, interval_cells, maybe, number};

/// Every table, in the order of the files in a result folder's manifest.
///
/// The same plan gives the same text: rows follow the plan, and every sum is taken in its order.
pub fn tables(scenario: &Scenario, results: &Results) -> Vec<Table> {
    vec![
        per_run::runs(scenario, results),
        summary::summary(scenario, results),
        differences::differences(scenario, results),
        over_time::timeline(scenario, results),
        summary::distributions(scenario, results),
        per_run::incidents(scenario, results),
        per_run::digests(scenario, results),
        theory::theory(scenario, results),
    ]
}

/// The names of all tables.
pub const NAMES: [&str; 8] = [
    "runs.csv",
    "summary.csv",
    "differences.csv",
    "timeline.csv",
    "distributions.csv",
    "incidents.csv",
    "digests.csv",
    "theory.csv",
];
