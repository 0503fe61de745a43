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

/// Instants in nanoseconds, the same for all contenders at a point.
struct Grid {
    instants: Vec<u64>,
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
        let runs = results.runs_of(point, contender);
        let runs: Vec<&Progress> = runs.map(|run| &run.progress).collect();
        let grid = Grid::over(results.shortest(point), results.longest(point));
        for (since, instant, reading) in grid.readings() {
            let values = runs.iter().map(|run| reading.of(run, (since, instant)));
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

    /// The reading of a run at an instant, with the one before it.
    fn of(self, run: &Progress, (since, instant): (u64, u64)) -> f64 {
        match self {
            Self::Delivered => run.delivered_at(instant),
            Self::DeliveryRate => {
                let bytes = run.delivered_at(instant) - run.delivered_at(since);
                bytes * 8.0 / SimTime(instant - since).as_seconds()
            }
            Self::Served => run.served_at(instant),
        }
    }
}

impl Grid {
    /// A chart is a few hundred points wide.
    const STEPS_MAX: u64 = 250;
    /// The steps that show how the shortest contender got on.
    const FINE_STEPS_MIN: u64 = 100;
    /// From this ratio between longest and shortest on, the first steps are finer.
    const APART: u64 = 5;

    /// Even steps that reach `longest` nanoseconds, the smallest of 1, 2 or 5 times a power of ten
    /// that are not too many; finer ones up to `shortest` where that is far less.
    fn over(shortest: u64, longest: u64) -> Self {
        let coarse = round_steps()
            .find(|step| longest.div_ceil(*step) <= Self::STEPS_MAX)
            .expect("5 * 10^18 ns fit any run");
        let end = longest.div_ceil(coarse) * coarse;
        let apart = shortest > 0 && longest / shortest >= Self::APART;
        let fits = |step: &u64| *step == 1 || step * Self::FINE_STEPS_MIN <= shortest;
        let fine = round_steps().take_while(fits).max().filter(|_| apart);
        let early: Vec<u64> = match fine {
            Some(fine) => (0..=shortest.div_ceil(fine)).map(|i| i * fine).collect(),
            None => vec![0],
        };
        let split = early[early.len() - 1];
        let late = (split / coarse + 1..=end / coarse).map(|index| index * coarse);
        Self {
            instants: early.iter().copied().chain(late).collect(),
        }
    }

    /// Every instant in nanoseconds, with the one before it and what is read at it.
    fn readings(&self) -> impl Iterator<Item = (u64, u64, Reading)> {
        let before = [0].iter().chain(&self.instants);
        let pairs = before.copied().zip(self.instants.iter().copied());
        let all = pairs.flat_map(|(since, at)| Reading::ALL.map(|reading| (since, at, reading)));
        all.filter(|(_, at, reading)| *at > 0 || !matches!(reading, Reading::DeliveryRate))
    }
}

/// 1, 2 and 5 times every power of ten.
fn round_steps() -> impl Iterator<Item = u64> {
    (0..=18).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_a_round_step_and_about_two_hundred_of_them() {
        for (longest, step) in [
            (250, 1),
            (251, 2),
            (501, 5),
            (1251, 10),
            (100_000_000_000, 500_000_000),
            (7_300_000_000_000, 50_000_000_000),
        ] {
            let instants = Grid::over(longest, longest).instants;
            assert!(
                instants.windows(2).all(|pair| pair[1] - pair[0] == step),
                "over {longest} ns"
            );
            assert!(instants[0] == 0 && *instants.last().unwrap() >= longest);
        }
        assert_eq!(Grid::over(0, 0).instants, [0]);
    }

    #[test]
    fn where_one_contender_takes_far_longer_the_first_steps_are_finer() {
        for shortest in [1, 7, 80, 81, 999, 1_400, 80_000, 1_234_567] {
            let longest = shortest * 105;
            let instants = Grid::over(shortest, longest).instants;
            assert!(
                instants.is_sorted_by(|a, b| a < b),
                "{shortest}: instants rise"
            );
            let early = instants.iter().filter(|at| **at <= shortest).count() as u64;
            assert!(
                early >= shortest.min(100) && early <= 251,
                "{shortest}: {early} early instants"
            );
            assert!(instants.len() <= 502 && *instants.last().unwrap() >= longest);
        }
        let grid = |shortest| Grid::over(shortest, 1_000).instants.len();
        assert_eq!(
            grid(300),
            grid(1_000),
            "three times as long is not far longer"
        );
    }
}
