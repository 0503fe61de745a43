//! Paired differences between contenders.

use netduel_metrics::interval::{Comparison, Difference, compare, paired};
use netduel_scenario::Scenario;

use super::{Sheet, Table, interval_cells, maybe, number};
use crate::{
    metric::{METRICS, Metric},
    plan::Results,
};

/// Two contenders at a point, and the difference b minus a of one metric.
struct Pair {
    point: usize,
    a: usize,
    b: usize,
    difference: Difference,
}

/// One row per point, metric and pair of contenders: b minus a, paired by replication over those
/// that have both. All points and pairs of one metric are one family of comparisons.
pub(super) fn differences(scenario: &Scenario, results: &Results) -> Table {
    let columns = [
        "metric",
        "unit",
        "a",
        "b",
        "n",
        "mean_difference",
        "ci_low",
        "ci_high",
        "p_adjusted",
        "verdict",
    ];
    let mut sheet = Sheet::new(scenario, "differences.csv", &columns);
    let families: Vec<_> = (0..METRICS.len()).map(|m| family(results, m)).collect();
    for point in 0..scenario.points.len() {
        for (metric, family) in METRICS.iter().zip(&families) {
            for (pair, comparison) in family.iter().filter(|(pair, _)| pair.point == point) {
                sheet.row(point, cells(scenario, metric, pair, comparison));
            }
        }
    }
    sheet.finish()
}

fn family(results: &Results, metric: usize) -> Vec<(Pair, Comparison)> {
    let mut pairs = Vec::new();
    for (point, a) in results.cells() {
        for b in a + 1..results.contenders() {
            let (left, right) = (
                results.values(point, a, metric),
                results.values(point, b, metric),
            );
            let both = left.into_iter().zip(right);
            let both: Vec<_> = both.filter_map(|(a, b)| Some((a?, b?))).collect();
            if let Some(difference) = paired(&both) {
                pairs.push(Pair {
                    point,
                    a,
                    b,
                    difference,
                });
            }
        }
    }
    let differences: Vec<Difference> = pairs.iter().map(|pair| pair.difference).collect();
    pairs.into_iter().zip(compare(&differences)).collect()
}

fn cells(
    scenario: &Scenario,
    metric: &Metric,
    pair: &Pair,
    comparison: &Comparison,
) -> [String; 10] {
    let label = |contender: usize| scenario.contenders[contender].label.clone();
    let [low, high] = interval_cells(comparison.difference.interval);
    [
        metric.id.into(),
        metric.unit.into(),
        label(pair.a),
        label(pair.b),
        comparison.difference.n.to_string(),
        number(comparison.difference.mean),
        low,
        high,
        maybe(comparison.p_adjusted),
        comparison.verdict.to_string(),
    ]
}
