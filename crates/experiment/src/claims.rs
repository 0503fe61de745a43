//! Whether the results uphold what the scenario claims.

use netduel_metrics::interval::{Interval, paired};
use netduel_scenario::{Bound, Claim, Relation, Scenario, Term};
use serde::{Deserialize, Serialize};

use crate::{
    metric::{self, METRICS},
    plan::{Results, values},
};

/// A claim with its outcome.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ClaimOutcome {
    /// The claim in words.
    pub text: String,
    /// The comparison as written.
    pub expect: String,
    /// Whether it holds at every point it speaks of.
    pub holds: bool,
    /// The numbers behind it.
    pub detail: String,
}

/// Every claim of the scenario with its outcome.
///
/// A claim holds when the 95 % interval of left minus right, paired by replication, lies entirely
/// on the claimed side at every point that the claim speaks of, and every replication has both.
pub fn claims(scenario: &Scenario, results: &Results) -> Vec<ClaimOutcome> {
    let outcome = |claim: &Claim| outcome(scenario, results, claim);
    scenario.claims.iter().map(outcome).collect()
}

fn outcome(scenario: &Scenario, results: &Results, claim: &Claim) -> ClaimOutcome {
    let mut holds = true;
    let mut details = Vec::new();
    for point in &claim.points {
        let margin = margin(results, claim, *point);
        holds &= margin.is_ok_and(|margin| upholds(claim.op, margin));
        let place = match values(scenario, *point).as_str() {
            "" => String::new(),
            values => format!(" at {values}"),
        };
        let words = margin.map_or_else(str::to_owned, |margin| in_words(claim, margin));
        details.push(words + &place);
    }
    ClaimOutcome {
        text: claim.text.clone(),
        expect: claim.expect.clone(),
        holds,
        detail: details.join("; "),
    }
}

fn in_words(claim: &Claim, margin: Interval) -> String {
    let unit = metric::position(&claim.left.metric).map_or("", |metric| METRICS[metric].unit);
    let (factor, unit) = match (claim.left.metric.as_str(), unit) {
        // Indices between 0 and 1 rather than shares of something.
        ("load_gini" | "load_herfindahl", _) | (_, "B/B") => (1.0, ""),
        (_, "share") => (100.0, " percentage points"),
        (_, "s") => (1.0, " s"),
        (_, "B") => (1.0, " B"),
        (_, "bit/s") => (1e-6, " Mbps"),
        (_, other) => (1.0, other),
    };
    let (low, high) = (short(margin.low * factor), short(margin.high * factor));
    if low == high {
        format!("difference: {low}{unit}")
    } else {
        format!("difference: {low}{unit} to {high}{unit} (95 % interval)")
    }
}

/// The 95 % interval of left minus right at a point, or why there is none.
fn margin(results: &Results, claim: &Claim, point: usize) -> Result<Interval, &'static str> {
    let left = term(results, &claim.left, point);
    let right = match &claim.right {
        Bound::Number(number) => vec![Some(*number); left.len()],
        Bound::Term {
            term: right,
            factor,
        } => {
            let values = term(results, right, point).into_iter();
            values.map(|value| Some(value? * factor)).collect()
        }
    };
    let pairs = right.into_iter().zip(left);
    let pairs: Option<Vec<_>> = pairs.map(|(r, l)| Some((r?, l?))).collect();
    // What holds where both sides have a number may fail where one of them has none.
    let pairs = pairs.ok_or("some replications lack one side")?;
    let difference = paired(&pairs).ok_or("no replication has both sides")?;
    let interval = difference.interval;
    interval.ok_or("one replication has no interval")
}

fn term(results: &Results, term: &Term, point: usize) -> Vec<Option<f64>> {
    let metric = metric::position(&term.metric);
    let metric = metric.expect("a checked claim names a metric that is measured");
    results.values(point, term.contender, metric)
}

fn upholds(relation: Relation, margin: Interval) -> bool {
    match relation {
        Relation::Less => margin.high < 0.0,
        Relation::AtMost => margin.high <= 0.0,
        Relation::Greater => margin.low > 0.0,
        Relation::AtLeast => margin.low >= 0.0,
    }
}

/// A number with four significant digits, for reading.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.3e}")
        .parse()
        .expect("a printed number reads back");
    let text = (rounded + 0.0).to_string();
    let digits = text.trim_start_matches('-');
    let whole = digits.find('.').unwrap_or(digits.len());
    let mut out = text[..text.len() - digits.len()].to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if 0 < index && index < whole && (whole - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_that_reaches_across_upholds_nothing() {
        let across = Interval {
            low: -1.0,
            high: 2.0,
        };
        for relation in [
            Relation::Less,
            Relation::AtMost,
            Relation::Greater,
            Relation::AtLeast,
        ] {
            assert!(!upholds(relation, across));
        }
    }

    #[test]
    fn equality_upholds_the_weak_relations_only() {
        let nothing = Interval {
            low: 0.0,
            high: 0.0,
        };
        assert!(upholds(Relation::AtMost, nothing) && upholds(Relation::AtLeast, nothing));
        assert!(!upholds(Relation::Less, nothing) && !upholds(Relation::Greater, nothing));
    }

    #[test]
    fn whatever_a_claim_may_speak_of_is_measured() {
        for id in netduel_scenario::METRICS {
            assert!(metric::position(id).is_some(), "{id} is not measured");
        }
    }

    #[test]
    fn details_are_short() {
        assert_eq!(short(-123.456), "-123.5");
        assert_eq!(short(0.000_123_456), "0.0001235");
        assert_eq!(short(-0.0), "0");
        assert_eq!(short(-1_074.2), "-1,074");
        assert_eq!(short(1_234_567.0), "1,235,000");
    }
}
