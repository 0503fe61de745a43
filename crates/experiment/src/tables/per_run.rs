//! Tables with rows about single runs.

use netduel_scenario::Scenario;
use netduel_world::What;

use super::{Sheet, Table, maybe, number};
use crate::{metric::METRICS, plan::Results};

/// One row per run and metric; a metric that does not apply has none.
pub(super) fn runs(scenario: &Scenario, results: &Results) -> Table {
    let columns = ["contender", "replication", "metric", "unit", "value"];
    let mut sheet = Sheet::new(scenario, "runs.csv", &columns);
    for run in results.runs() {
        for (metric, value) in METRICS.iter().zip(&run.result.values) {
            let Some(value) = value else { continue };
            let cells = [
                &scenario.contenders[run.contender].label,
                &run.replication.to_string(),
                metric.id,
                metric.unit,
                &number(*value),
            ];
            sheet.row(run.point, cells);
        }
    }
    sheet.finish()
}

/// One row per run and node that was hit.
pub(super) fn incidents(scenario: &Scenario, results: &Results) -> Table {
    let columns = [
        "contender",
        "replication",
        "failure",
        "what",
        "at_s",
        "until_s",
        "node",
        "role",
        "load_share",
    ];
    let mut sheet = Sheet::new(scenario, "incidents.csv", &columns);
    for run in results.runs() {
        let label = &scenario.contenders[run.contender].label;
        let failures = &scenario.points[run.point].world.failures;
        for incident in &run.result.incidents {
            for victim in &incident.victims {
                let cells = [
                    label,
                    &run.replication.to_string(),
                    &incident.failure.to_string(),
                    word(&failures[incident.failure].what),
                    &number(incident.at),
                    &maybe(incident.until),
                    &victim.node,
                    &victim.role,
                    &number(victim.load_share),
                ];
                sheet.row(run.point, cells);
            }
        }
    }
    sheet.finish()
}

fn word(what: &What) -> &'static str {
    match what {
        What::Crash(_) => "crash",
        What::Churn { .. } => "churn",
        What::Slow(to) if to.get() == 0.0 => "cut",
        What::Slow(_) => "slow",
    }
}

/// One row per run: how many events it took, and the fingerprint of its trajectory.
pub(super) fn digests(scenario: &Scenario, results: &Results) -> Table {
    let columns = ["contender", "replication", "events", "digest"];
    let mut sheet = Sheet::new(scenario, "digests.csv", &columns);
    for run in results.runs() {
        let cells = [
            &scenario.contenders[run.contender].label,
            &run.replication.to_string(),
            &run.result.events.to_string(),
            &run.result.digest,
        ];
        sheet.row(run.point, cells);
    }
    sheet.finish()
}
