//! Means over replications, and of the times by which shares of the users were served.

use netduel_metrics::interval::{METHOD, estimate};
use netduel_scenario::Scenario;

use super::{Sheet, Table, estimate_cells, number};
use crate::{metric::METRICS, plan::Results, result::SHARES};

/// One row per point, contender and metric, over the runs that have it.
pub(super) fn summary(scenario: &Scenario, results: &Results) -> Table {
    let columns = [
        "contender",
        "metric",
        "unit",
        "n",
        "mean",
        "ci_low",
        "ci_high",
        "method",
    ];
    let mut sheet = Sheet::new(scenario, "summary.csv", &columns);
    for (point, contender) in results.cells() {
        for (index, metric) in METRICS.iter().enumerate() {
            let values = results.values(point, contender, index);
            let values: Vec<f64> = values.into_iter().flatten().collect();
            let Some(estimate) = estimate(&values) else {
                continue;
            };
            let label = scenario.contenders[contender].label.clone();
            let [n, mean, low, high] = estimate_cells(&estimate);
            let (metric, unit) = (metric.id.into(), metric.unit.into());
            let cells = [label, metric, unit, n, mean, low, high, METHOD.into()];
            sheet.row(point, cells);
        }
    }
    sheet.finish()
}

/// One row per point, contender and share of all users that every run reached: the completion time
/// by which it was served. Where only some runs reached a share, a mean would be that of the lucky
/// ones, and could fall from one share to the next.
pub(super) fn distributions(scenario: &Scenario, results: &Results) -> Table {
    let columns = [
        "contender",
        "metric",
        "unit",
        "share",
        "n",
        "mean",
        "ci_low",
        "ci_high",
    ];
    let mut sheet = Sheet::new(scenario, "distributions.csv", &columns);
    for (point, contender) in results.cells() {
        for index in 0..SHARES {
            let runs = results.runs_of(point, contender);
            let times = runs.filter_map(|run| run.served_by.get(index).copied());
            let times: Vec<f64> = times.collect();
            if times.len() < results.replications() {
                continue;
            }
            let Some(estimate) = estimate(&times) else {
                continue;
            };
            let label = scenario.contenders[contender].label.clone();
            let share = number((index + 1) as f64 / SHARES as f64);
            let [n, mean, low, high] = estimate_cells(&estimate);
            let (metric, unit) = ("completion_time".into(), "s".into());
            sheet.row(point, [label, metric, unit, share, n, mean, low, high]);
        }
    }
    sheet.finish()
}
