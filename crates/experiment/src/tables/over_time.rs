//! How far each contender was at evenly spaced instants.

use netduel_metrics::interval::estimate;
use netduel_scenario::Scenario;
use netduel_world::SimTime;

use super::{Sheet, Table, estimate_cells, number};
use crate::{plan::Results, result::Progress};

/// What is read at every instant.
#[derive(Clone, Copy)]
enum Reading {
    Delivered,
    /// Over the step that ends here; so there is none at instant 0.
    DeliveryRate,
    Served,
}

/// Evenly spaced instants, the same for all contenders at a point.
struct Grid {
    /// Nanoseconds.
    step: u64,
    steps: u64,
}

/// One row per point, contender, instant and metric. A run that has ended stays as it ended.
pub(super) fn timeline(scenario: &Scenario, results: &Results) -> Table {
    let columns = [
        "contender",
        "time_s",
        "metric",
        "unit",
        "n",
        "mean",
        "ci_low",
        "ci_high",
    ];
    let mut sheet = Sheet::new(scenario, "timeline.csv", &columns);
    for (point, contender) in results.cells() {
        let label = scenario.contenders[contender].label.as_str();
        let users = f64::from(scenario.points[point].world.population.peers);
        let runs = results.runs_of(point, contender);
        let runs: Vec<&Progress> = runs.map(|run| &run.progress).collect();
        let grid = Grid::over(results.longest(point));
        for (instant, reading) in grid.readings() {
            let values = runs
                .iter()
                .map(|run| reading.of(run, instant, &grid, users));
            let values: Vec<f64> = values.collect();
            let estimate = estimate(&values).expect("every contender has a run");
            let time = number(SimTime(instant).as_seconds());
            let (metric, unit) = reading.name();
            let [n, mean, low, high] = &estimate_cells(&estimate);
            sheet.row(point, [label, &time, metric, unit, n, mean, low, high]);
        }
    }
    sheet.finish()
}

impl Reading {
    const ALL: [Self; 3] = [Self::Delivered, Self::DeliveryRate, Self::Served];

    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Delivered => ("delivered", "B"),
            Self::DeliveryRate => ("delivery_rate", "bit/s"),
            Self::Served => ("served", "share"),
        }
    }

    fn of(self, run: &Progress, instant: u64, grid: &Grid, users: f64) -> f64 {
        match self {
            Self::Delivered => run.delivered_at(instant),
            Self::DeliveryRate => {
                let since = run.delivered_at(instant - grid.step);
                let bits = (run.delivered_at(instant) - since) * 8.0;
                bits / SimTime(grid.step).as_seconds()
            }
            Self::Served => run.served_at(instant) / users,
        }
    }
}

impl Grid {
    /// A chart is a few hundred points wide.
    const STEPS_MAX: u64 = 250;

    /// The grid with the smallest step of 1, 2 or 5 times a power of ten nanoseconds that reaches
    /// `longest` nanoseconds.
    fn over(longest: u64) -> Self {
        let mut round = (0..=18).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
        let fits = |step: &u64| longest.div_ceil(*step) <= Self::STEPS_MAX;
        let step = round.find(fits).expect("5 * 10^18 ns fit any run");
        Self {
            step,
            steps: longest.div_ceil(step),
        }
    }

    /// Every instant in nanoseconds with what is read at it.
    fn readings(&self) -> impl Iterator<Item = (u64, Reading)> {
        let instants = (0..=self.steps).map(|index| index * self.step);
        let all = instants.flat_map(|at| Reading::ALL.map(|reading| (at, reading)));
        all.filter(|(at, reading)| *at > 0 || !matches!(reading, Reading::DeliveryRate))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_a_round_step_and_about_two_hundred_of_them() {
        for (longest, step) in [
            (0, 1),
            (250, 1),
            (251, 2),
            (501, 5),
            (1251, 10),
            (100_000_000_000, 500_000_000),
            (7_300_000_000_000, 50_000_000_000),
        ] {
            let grid = Grid::over(longest);
            assert_eq!(grid.step, step, "over {longest} ns");
            assert!(grid.steps * grid.step >= longest);
        }
    }
}
