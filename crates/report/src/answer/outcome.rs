//! Who was ahead at a point.

use netduel_metrics::interval::Verdict;

use crate::results::{Point, Results, range_words};

/// Who was ahead at a point, by completion time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    /// Contenders that served anybody, the fastest mean first.
    pub(super) ranked: Vec<usize>,
    /// The fastest, and those that cannot be told apart from it; by index.
    pub(super) leaders: Vec<usize>,
    /// Whether all leaders took exactly the same time.
    pub(super) identical: bool,
    /// Whether some served fewer of their users than others.
    pub(super) unequal_service: bool,
}

impl Outcome {
    pub(super) fn of(results: &Results, point: &Point) -> Self {
        let time = |c| {
            results
                .estimate(point.index, c, results.manifest.demand.time())
                .map(|estimate| estimate.mean)
        };
        let share = |c| {
            results
                .estimate(point.index, c, results.manifest.demand.success())
                .map(|estimate| estimate.mean)
        };
        let mut ranked: Vec<usize> = results
            .contenders()
            .filter(|c| time(*c).is_some() && share(*c).is_none_or(|share| share > 0.0))
            .collect();
        ranked.sort_by(|a, b| time(*a).unwrap_or(0.0).total_cmp(&time(*b).unwrap_or(0.0)));
        let verdict = |other: usize| {
            let best = ranked[0];
            results
                .difference(point.index, (best, other), results.manifest.demand.time())
                .map(|found| found.verdict)
        };
        let tied = |other: &usize| {
            *other == ranked[0]
                || matches!(
                    verdict(*other),
                    Some(Verdict::NotDistinguishable | Verdict::Identical)
                )
        };
        let mut leaders: Vec<usize> = ranked.iter().copied().filter(tied).collect();
        let followers = leaders.iter().skip(1);
        let identical = leaders.len() > 1
            && followers
                .clone()
                .all(|other| verdict(*other) == Some(Verdict::Identical));
        leaders.sort_unstable();
        let shares: Vec<f64> = results.contenders().filter_map(share).collect();
        let unequal_service = shares.iter().any(|share| (share - shares[0]).abs() > 0.0);
        Self {
            ranked,
            leaders,
            identical,
            unequal_service,
        }
    }
}

impl Outcome {
    /// Whether one contender served somebody and no other did.
    pub(super) fn alone(&self) -> bool {
        self.ranked.len() == 1
    }
}

/// The completion time of a contender, with its interval.
pub(super) fn time_words(results: &Results, point: &Point, contender: usize) -> String {
    let estimate = results.estimate(point.index, contender, results.manifest.demand.time());
    estimate.map_or_else(String::new, |e| {
        results.estimate_words(point.index, results.manifest.demand.time(), &e)
    })
}

/// Cuts a sweep into stretches in which the same contenders lead.
pub(super) fn stretches<'a, 'b>(
    outcomes: &'a [(&'b Point, Outcome)],
) -> Vec<&'a [(&'b Point, Outcome)]> {
    let same = |a: &(&Point, Outcome), b: &(&Point, Outcome)| {
        a.1.leaders == b.1.leaders && a.1.identical == b.1.identical && a.1.alone() == b.1.alone()
    };
    outcomes.chunk_by(same).collect()
}

/// "at 10 peers" or "from 10 to 1,000 peers", along the first axis.
pub(super) fn range(results: &Results, group: &[(&Point, Outcome)]) -> String {
    match (group, &results.manifest.axes[..]) {
        ([(first, _), .., (last, _)], [axis, ..]) => {
            range_words(&axis.label, &first.values[0], &last.values[0])
        }
        ([(only, _)], _) => format!("at {}", results.point_words(only)),
        _ => String::new(),
    }
}
