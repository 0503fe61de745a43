//! The headline numbers as plain text, for a terminal.

use crate::{grid, results::Results};

/// The metrics that say most about what was asked for: each contender's mean with its interval at each
/// point, and the paired differences with their verdicts; as aligned text, empty without data.
pub fn headline_table(results: &Results) -> String {
    let grids = results.manifest.demand.headlines();
    let grids = grids.iter().flat_map(|metric| {
        [
            grid::means(results, metric),
            grid::differences(results, metric),
        ]
        .into_iter()
        .flatten()
    });
    grids.map(|grid| grid.text()).collect::<Vec<_>>().join("\n")
}
