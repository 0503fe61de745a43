//! Means, differences of means, their intervals, and what may be concluded from them.

use statrs::distribution::{ContinuousCDF, StudentsT};

pub use crate::verdict::{UnknownVerdict, Verdict};

use crate::round_significant;

/// How every interval of this module is made, in the words of a table's `method` column.
pub const METHOD: &str = "Student t, 95 %";

/// How every p-value of a family is corrected, in words.
pub const CORRECTION: &str = "paired Student t, Holm";

/// The share of all intervals that hold the true mean.
pub const CONFIDENCE: f64 = 0.95;

/// A corrected p-value below this makes a difference distinguishable from none.
pub const SIGNIFICANCE: f64 = 0.05;

/// The two ends of an interval; `low <= high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end, in the unit of the observations.
    pub low: f64,
    /// Upper end, in the unit of the observations.
    pub high: f64,
}

/// A mean over independent replications.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Number of observations, at least 1.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// The 95 % interval of the mean. Absent when `n` is 1, because one observation says nothing
    /// about its own scatter; of zero width when all observations are equal.
    pub interval: Option<Interval>,
}

/// The two-sided 95 % critical value of Student's t, rounded to 10 significant digits.
///
/// - `degrees`: degrees of freedom, at least 1.
///
/// # Panics
/// When `degrees` is 0.
///
/// # Source
/// Student (W. S. Gosset), "The probable error of a mean", *Biometrika* 6(1), 1908.
pub fn critical_value(degrees: usize) -> f64 {
    let upper = 0.5 + CONFIDENCE / 2.0;
    round_significant(student(degrees).inverse_cdf(upper), 10)
}

/// The mean of `values` with its Student-t interval; `None` when there is no value.
///
/// `values` are independent observations of one quantity, one per replication.
pub fn estimate(values: &[f64]) -> Option<Estimate> {
    let moments = Moments::of(values)?;
    Some(Estimate {
        n: moments.n,
        mean: moments.mean,
        interval: moments.interval(),
    })
}

/// A mean paired difference, B minus A, over replications that share their draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// Number of pairs, at least 1.
    pub n: usize,
    /// Mean of B minus A.
    pub mean: f64,
    /// The 95 % interval of the mean difference, not corrected for the size of any family.
    pub interval: Option<Interval>,
    /// Two-sided p-value of the paired t test, rounded to 6 significant digits; absent when there
    /// is only one pair.
    pub p_value: Option<f64>,
    /// Whether every single difference is exactly 0.
    pub identical: bool,
}

/// The paired difference B minus A of `(a, b)` pairs; `None` when there is no pair.
///
/// When all differences are equal and not 0, the interval has no width and the p-value is 0.
///
/// # Source
/// A. M. Law, *Simulation Modeling and Analysis*, 5th ed., McGraw-Hill, 2015, §10.2.1
/// (paired-t interval) and §11.2 (common random numbers).
pub fn paired(pairs: &[(f64, f64)]) -> Option<Difference> {
    let differences: Vec<f64> = pairs.iter().map(|(a, b)| b - a).collect();
    let moments = Moments::of(&differences)?;
    Some(Difference {
        n: moments.n,
        mean: moments.mean,
        interval: moments.interval(),
        p_value: moments.p_value(),
        identical: differences.iter().all(|difference| *difference == 0.0),
    })
}

/// The p-values of one family, corrected so that the chance of any false finding stays below the
/// significance level; in the order given, each between 0 and 1.
///
/// # Source
/// S. Holm, "A simple sequentially rejective multiple test procedure", *Scandinavian Journal of
/// Statistics* 6(2), 1979, 65-70.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut corrected = vec![0.0; p_values.len()];
    let mut floor: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        let remaining = (p_values.len() - rank) as f64;
        floor = floor.max((p_values[index] * remaining).min(1.0));
        corrected[index] = floor;
    }
    corrected
}

/// A difference with its corrected p-value and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The paired difference, B minus A.
    pub difference: Difference,
    /// The p-value after Holm's correction over the family; absent as in [`Difference::p_value`].
    pub p_adjusted: Option<f64>,
    /// The conclusion, from the corrected p-value.
    pub verdict: Verdict,
}

/// Concludes over a whole family of differences at once.
///
/// Identical pairs belong to no family: nothing is tested there. Pairs without a p-value are not
/// distinguishable.
pub fn compare(family: &[Difference]) -> Vec<Comparison> {
    let tested: Vec<f64> = family.iter().filter_map(tested_p_value).collect();
    let mut corrected = holm(&tested).into_iter();
    let conclude = |difference: &Difference| {
        let p_adjusted = tested_p_value(difference).and_then(|_| corrected.next());
        let verdict = verdict(difference, p_adjusted);
        Comparison {
            difference: *difference,
            p_adjusted,
            verdict,
        }
    };
    family.iter().map(conclude).collect()
}

fn tested_p_value(difference: &Difference) -> Option<f64> {
    if difference.identical {
        None
    } else {
        difference.p_value
    }
}

fn verdict(difference: &Difference, p_adjusted: Option<f64>) -> Verdict {
    match p_adjusted {
        _ if difference.identical => Verdict::Identical,
        Some(p) if p < SIGNIFICANCE && difference.mean > 0.0 => Verdict::ALower,
        Some(p) if p < SIGNIFICANCE && difference.mean < 0.0 => Verdict::BLower,
        _ => Verdict::NotDistinguishable,
    }
}

/// Sample size, mean and standard error of the mean.
struct Moments {
    n: usize,
    mean: f64,
    standard_error: f64,
}

impl Moments {
    #[expect(
        clippy::float_cmp,
        reason = "only values that are equal to the last bit have no scatter"
    )]
    fn of(values: &[f64]) -> Option<Self> {
        let (first, rest) = values.split_first()?;
        if rest.iter().all(|value| value == first) {
            // Summing and dividing would leave rounding noise where there is no scatter at all.
            return Some(Self {
                n: values.len(),
                mean: *first,
                standard_error: 0.0,
            });
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values
            .iter()
            .map(|value| (value - mean) * (value - mean))
            .sum();
        let standard_error = (squares / (n - 1.0) / n).sqrt();
        Some(Self {
            n: values.len(),
            mean,
            standard_error,
        })
    }

    fn interval(&self) -> Option<Interval> {
        if self.n < 2 {
            return None;
        }
        let half = critical_value(self.n - 1) * self.standard_error;
        Some(Interval {
            low: self.mean - half,
            high: self.mean + half,
        })
    }

    fn p_value(&self) -> Option<f64> {
        if self.n < 2 {
            return None;
        }
        if self.standard_error == 0.0 {
            return Some(if self.mean == 0.0 { 1.0 } else { 0.0 });
        }
        let statistic = (self.mean / self.standard_error).abs();
        let tail = student(self.n - 1).cdf(-statistic);
        Some(round_significant(2.0 * tail, 6).min(1.0))
    }
}

fn student(degrees: usize) -> StudentsT {
    assert!(
        degrees > 0,
        "a t distribution has at least one degree of freedom"
    );
    StudentsT::new(0.0, 1.0, degrees as f64).expect("location 0 and scale 1 are accepted")
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these results are exact")]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, tolerance: f64) {
        assert!(
            (found - expected).abs() <= tolerance,
            "{found} is not {expected}"
        );
    }

    #[test]
    fn critical_values_are_those_of_the_printed_tables() {
        for (degrees, expected) in [
            (1, 12.706),
            (4, 2.776),
            (9, 2.262),
            (19, 2.093),
            (99, 1.984),
        ] {
            close(critical_value(degrees), expected, 5e-4);
        }
    }

    #[test]
    fn critical_values_carry_ten_significant_digits() {
        assert_eq!(format!("{}", critical_value(19)), "2.093024054");
    }

    #[test]
    fn an_interval_is_the_mean_plus_and_minus_t_standard_errors() {
        let found = estimate(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        close(found.mean, 3.0, 0.0);
        let interval = found.interval.unwrap();
        // s = sqrt(2.5), standard error = sqrt(0.5), t(4) = 2.776445.
        close(interval.low, 3.0 - 1.963_243, 1e-6);
        close(interval.high, 3.0 + 1.963_243, 1e-6);
    }

    #[test]
    fn one_observation_has_a_mean_but_no_interval() {
        let found = estimate(&[7.0]).unwrap();
        assert_eq!(
            found,
            Estimate {
                n: 1,
                mean: 7.0,
                interval: None
            }
        );
        assert_eq!(estimate(&[]), None);
    }

    #[test]
    fn equal_observations_have_an_interval_without_width() {
        let found = estimate(&[0.1; 20]).unwrap();
        assert_eq!(found.mean, 0.1);
        assert_eq!(
            found.interval,
            Some(Interval {
                low: 0.1,
                high: 0.1
            })
        );
    }

    #[test]
    fn a_contender_compared_with_itself_differs_by_exactly_nothing() {
        let pairs: Vec<(f64, f64)> = (1..20)
            .map(|i| (f64::from(i) / 7.0, f64::from(i) / 7.0))
            .collect();
        let found = compare(&[paired(&pairs).unwrap()]);
        assert_eq!(found[0].difference.mean, 0.0);
        assert_eq!(
            found[0].difference.interval,
            Some(Interval {
                low: 0.0,
                high: 0.0
            })
        );
        assert_eq!(found[0].p_adjusted, None);
        assert_eq!(found[0].verdict, Verdict::Identical);
    }

    #[test]
    fn the_sign_of_a_difference_says_who_is_lower() {
        let higher: Vec<(f64, f64)> = (0..10).map(|i| (1.0, 5.0 + f64::from(i % 2))).collect();
        let lower: Vec<(f64, f64)> = higher.iter().map(|(a, b)| (*b, *a)).collect();
        let found = compare(&[paired(&higher).unwrap(), paired(&lower).unwrap()]);
        assert_eq!(found[0].verdict, Verdict::ALower);
        assert_eq!(found[1].verdict, Verdict::BLower);
    }

    #[test]
    fn a_constant_difference_is_certain_and_a_single_pair_says_nothing() {
        let constant = paired(&[(1.0, 3.0), (2.0, 4.0)]).unwrap();
        assert_eq!(constant.p_value, Some(0.0));
        let single = paired(&[(1.0, 3.0)]).unwrap();
        let found = compare(&[constant, single]);
        assert_eq!(found[0].verdict, Verdict::ALower);
        assert_eq!(found[1].verdict, Verdict::NotDistinguishable);
        assert_eq!(found[1].p_adjusted, None);
    }

    #[test]
    fn scatter_around_no_difference_is_not_distinguishable() {
        let pairs = [(1.0, 1.5), (2.0, 1.6), (3.0, 3.1), (4.0, 3.8)];
        let found = compare(&[paired(&pairs).unwrap()]);
        assert_eq!(found[0].verdict, Verdict::NotDistinguishable);
    }

    #[test]
    fn a_paired_t_test_gives_the_p_value_that_tables_give() {
        // t = 2.262157 at 9 degrees of freedom is the two-sided 5 % point.
        let scatter = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0];
        let standard_error = (10.0_f64 / 9.0 / 10.0).sqrt();
        let shift = 2.262_157_162_740_992 * standard_error;
        let pairs: Vec<(f64, f64)> = scatter.iter().map(|s| (0.0, s + shift)).collect();
        close(paired(&pairs).unwrap().p_value.unwrap(), 0.05, 1e-6);
    }

    #[test]
    fn holm_multiplies_the_smallest_by_the_size_of_the_family_and_never_steps_down() {
        let found = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, expected) in found.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            close(*found, expected, 1e-12);
        }
        assert_eq!(holm(&[0.9, 0.8]), vec![1.0, 1.0]);
        assert_eq!(holm(&[]), Vec::<f64>::new());
    }

    #[test]
    fn identical_pairs_do_not_make_the_family_larger() {
        let same = paired(&[(1.0, 1.0), (2.0, 2.0)]).unwrap();
        let other = paired(&[(1.0, 2.0), (2.0, 3.1), (3.0, 4.2)]).unwrap();
        let found = compare(&[same, other]);
        assert_eq!(found[1].p_adjusted, other.p_value);
    }
}
