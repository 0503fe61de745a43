//! Probability laws, sampled by inverse formulas.
//!
//! One uniform draw makes one sample, so that draws stay aligned between contenders and sweep
//! points. `ln`, `exp` and powers come from `libm`: the platform's differ in their last bit.

use std::fmt;

use crate::stream::{Stream, uniform};

/// A probability law over non-negative numbers. The unit is its user's.
#[derive(Clone, Debug, PartialEq)]
pub enum Law {
    /// Always the same value.
    Constant(f64),
    /// Any value from `min` to `max`, all equally likely.
    Uniform {
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
    /// Exponential: P(X > x) = exp(-x / mean).
    Exponential {
        /// Mean.
        mean: f64,
    },
    /// Erlang: the sum of `stages` exponential times of equal mean.
    Erlang {
        /// How many stages; from 1 to 1000.
        stages: u32,
        /// Mean of the sum.
        mean: f64,
    },
    /// Weibull: P(X > x) = exp(-(x / scale)^shape).
    Weibull {
        /// Shape; below 1 the tail is heavier than exponential.
        shape: f64,
        /// Scale: the value that 37 % exceed.
        scale: f64,
    },
    /// Pareto: P(X > x) = (min / x)^shape for x above `min`.
    Pareto {
        /// Shape; the mean is finite above 1.
        shape: f64,
        /// Smallest value.
        min: f64,
    },
    /// Log-normal: the logarithm is normal.
    LogNormal {
        /// Median.
        median: f64,
        /// Standard deviation of the natural logarithm.
        sigma: f64,
    },
    /// A choice between classes, each with its share and its own law.
    Mixture(Vec<(f64, Law)>),
}

/// Why the parameters make no law.
#[derive(Clone, Debug, PartialEq)]
pub enum LawError {
    /// A parameter is outside its range.
    Parameter {
        /// The parameter's name.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
    /// The shares of a mixture do not add up to 1.
    Shares {
        /// Their sum.
        sum: f64,
    },
}

impl fmt::Display for LawError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter {
                name,
                value,
                expected,
            } => write!(f, "`{name}` is {value}; expected {expected}"),
            Self::Shares { sum } => write!(f, "the shares add up to {sum}; expected 1"),
        }
    }
}

impl std::error::Error for LawError {}

impl Law {
    /// Checks every parameter: means, scales, shapes, medians and Pareto minima above 0, uniform
    /// bounds in order, sigma not negative, shares adding up to 1 within a millionth.
    pub fn check(&self) -> Result<(), LawError> {
        let positive = |name, value: f64| {
            if value > 0.0 && value.is_finite() {
                Ok(())
            } else {
                Err(LawError::Parameter {
                    name,
                    value,
                    expected: "a number above 0",
                })
            }
        };
        match self {
            Self::Constant(value) => not_negative("value", *value),
            Self::Uniform { min, max } => {
                not_negative("min", *min)?;
                if max < min || !max.is_finite() {
                    return Err(LawError::Parameter {
                        name: "max",
                        value: *max,
                        expected: "a number not below `min`",
                    });
                }
                Ok(())
            }
            Self::Exponential { mean } => positive("mean", *mean),
            Self::Erlang { stages, mean } => {
                if !(1..=STAGES_MAX).contains(stages) {
                    return Err(LawError::Parameter {
                        name: "stages",
                        value: f64::from(*stages),
                        expected: "a whole number from 1 to 1000",
                    });
                }
                positive("mean", *mean)
            }
            Self::Weibull { shape, scale } => {
                positive("shape", *shape)?;
                positive("scale", *scale)
            }
            Self::Pareto { shape, min } => {
                positive("shape", *shape)?;
                positive("min", *min)
            }
            Self::LogNormal { median, sigma } => {
                positive("median", *median)?;
                not_negative("sigma", *sigma)
            }
            Self::Mixture(classes) => {
                for (share, law) in classes {
                    not_negative("share", *share)?;
                    law.check()?;
                }
                let sum: f64 = classes.iter().map(|(share, _)| share).sum();
                if (sum - 1.0).abs() > 1e-6 {
                    return Err(LawError::Shares { sum });
                }
                Ok(())
            }
        }
    }

    /// One sample, from one draw of `stream`.
    pub fn sample(&self, stream: &mut Stream) -> f64 {
        self.quantile(uniform(stream))
    }

    /// The value that a share `u` of samples stay below, for `u` strictly between 0 and 1.
    ///
    /// A mixture takes the class in which `u` falls and stretches the rest of `u` over it, so its
    /// value is a valid sample for a uniform `u` but not in rising order.
    #[inline]
    pub fn quantile(&self, u: f64) -> f64 {
        match self {
            // What messages draw, where the caller is.
            Self::Constant(value) => *value,
            Self::Uniform { min, max } => min + (max - min) * u,
            Self::Exponential { mean } => -mean * libm::log(1.0 - u),
            law => law.quantile_of_others(u),
        }
    }

    fn quantile_of_others(&self, u: f64) -> f64 {
        // 1 - u is as uniform as u, and exact on the grid that draws lie on.
        let above = 1.0 - u;
        match self {
            Self::Constant(_) | Self::Uniform { .. } | Self::Exponential { .. } => self.quantile(u),
            Self::Erlang { stages, mean } => {
                mean / f64::from(*stages) * erlang_quantile(*stages, above)
            }
            Self::Weibull { shape, scale } => scale * libm::pow(-libm::log(above), 1.0 / shape),
            Self::Pareto { shape, min } => min * libm::pow(above, -1.0 / shape),
            Self::LogNormal { median, sigma } => {
                median * libm::exp(sigma * standard_normal_quantile(u))
            }
            Self::Mixture(classes) => {
                let mut below = 0.0;
                for (share, law) in classes {
                    if u < below + share {
                        let within = (u - below) / share;
                        return law.quantile(within.clamp(f64::EPSILON, 1.0 - f64::EPSILON));
                    }
                    below += share;
                }
                // Shares that add up to a hair less than 1 leave a sliver to the last class.
                let (_, last) = classes.last().expect("a checked mixture has classes");
                last.quantile(u)
            }
        }
    }

    /// The largest value that a draw can give: draws keep half a cell of 2^-52 away from 1.
    pub fn largest(&self) -> f64 {
        match self {
            Self::Mixture(classes) => {
                let largest = classes.iter().map(|(_, law)| law.largest());
                largest.fold(0.0, f64::max)
            }
            law => law.quantile(1.0 - f64::EPSILON / 2.0),
        }
    }

    /// The mean; infinite for a Pareto law of shape 1 or less.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { min, max } => f64::midpoint(*min, *max),
            Self::Exponential { mean } | Self::Erlang { mean, .. } => *mean,
            Self::Weibull { shape, scale } => scale * libm::tgamma(1.0 + 1.0 / shape),
            Self::Pareto { shape, .. } if *shape <= 1.0 => f64::INFINITY,
            Self::Pareto { shape, min } => shape * min / (shape - 1.0),
            Self::LogNormal { median, sigma } => median * libm::exp(sigma * sigma / 2.0),
            Self::Mixture(classes) => classes.iter().map(|(s, law)| s * law.mean()).sum(),
        }
    }
}

fn not_negative(name: &'static str, value: f64) -> Result<(), LawError> {
    if value >= 0.0 && value.is_finite() {
        Ok(())
    } else {
        Err(LawError::Parameter {
            name,
            value,
            expected: "a number not below 0",
        })
    }
}

/// The standard normal law's quantile, by bisection of its distribution function.
///
/// The distribution function comes from `libm::erfc`, which is the same everywhere; 60 halvings
/// of [-40, 40] leave an interval below 1e-16. It is slow and drives set-up draws only.
fn standard_normal_quantile(u: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        let below = 0.5 * libm::erfc(-middle * std::f64::consts::FRAC_1_SQRT_2);
        if below < u {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// More stages than this are a constant for all that a chart can show: with 1000 the standard
/// deviation is 3 % of the mean.
const STAGES_MAX: u32 = 1000;

/// The value that the sum of `stages` exponential times of mean 1 exceeds with probability
/// `above`, by bisection of P(X > x) = exp(-x) sum of x^i / i! for i below `stages`.
fn erlang_quantile(stages: u32, above: f64) -> f64 {
    let exceeds = |x: f64| {
        // Logarithms keep the terms in range; the largest is near i = x.
        let log_x = libm::log(x);
        let mut log_term = -x;
        let mut sum = libm::exp(log_term);
        for i in 1..stages {
            log_term += log_x - libm::log(f64::from(i));
            sum += libm::exp(log_term);
        }
        sum
    };
    let (mut low, mut high) = (0.0, f64::from(stages));
    while exceeds(high) > above {
        (low, high) = (high, 2.0 * high);
    }
    // Every halving gains a bit of the 53 that the result has.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if exceeds(middle) > above {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// A choice among `n` things of which the k-th is chosen in proportion to 1 / k^`exponent`.
///
/// # Source
/// L. Breslau et al., "Web caching and Zipf-like distributions", INFOCOM 1999.
#[derive(Clone, Debug, PartialEq)]
pub struct Zipf {
    /// Probability of this thing or an earlier one.
    cumulative: Vec<f64>,
}

impl Zipf {
    /// # Panics
    /// When `count` is 0 or the exponent is negative or not finite.
    pub fn new(count: u32, exponent: f64) -> Self {
        assert!(count > 0, "a choice needs something to choose");
        assert!(
            exponent >= 0.0 && exponent.is_finite(),
            "a Zipf exponent is not negative"
        );
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = (1..=count)
            .map(|k| {
                sum += libm::pow(f64::from(k), -exponent);
                sum
            })
            .collect();
        for value in &mut cumulative {
            *value /= sum;
        }
        Self { cumulative }
    }

    /// The thing that `u` chooses, from 0.
    pub fn quantile(&self, u: f64) -> u32 {
        let index = self.cumulative.partition_point(|below| *below <= u);
        u32::try_from(index.min(self.cumulative.len() - 1)).expect("things are counted in 32 bits")
    }

    /// The probability of each thing.
    pub fn probabilities(&self) -> impl Iterator<Item = f64> {
        let before = std::iter::once(0.0).chain(self.cumulative.iter().copied());
        self.cumulative
            .iter()
            .zip(before)
            .map(|(upto, before)| upto - before)
    }
}

#[cfg(test)]
mod tests {
    use rand_distr::Distribution;

    use super::*;
    use crate::stream::Streams;

    fn laws() -> Vec<Law> {
        vec![
            Law::Uniform { min: 2.0, max: 5.0 },
            Law::Exponential { mean: 3.0 },
            Law::Erlang {
                stages: 4,
                mean: 2.0,
            },
            Law::Weibull {
                shape: 0.59,
                scale: 41.9,
            },
            Law::Pareto {
                shape: 4.0,
                min: 2.0,
            },
            Law::LogNormal {
                median: 10.0,
                sigma: 0.8,
            },
            Law::Mixture(vec![
                (0.25, Law::Constant(1.0)),
                (0.75, Law::Exponential { mean: 2.0 }),
            ]),
        ]
    }

    #[test]
    fn sample_means_agree_with_the_formula() {
        for law in laws() {
            for seed in 0..6 {
                let mut stream = Streams::new(seed, 0).open("law", 0);
                let n = 200_000;
                let samples: Vec<f64> = (0..n).map(|_| law.sample(&mut stream)).collect();
                let mean = samples.iter().sum::<f64>() / f64::from(n);
                let square = samples.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
                let error = (square / f64::from(n)).sqrt() / f64::from(n).sqrt();
                let off = (mean - law.mean()).abs();
                assert!(
                    off < 4.0 * error,
                    "{law:?}, seed {seed}: {mean}, off by {off}"
                );
            }
        }
    }

    /// The largest distance between two empirical distribution functions of equal size.
    fn kolmogorov_distance(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
        a.sort_by(f64::total_cmp);
        b.sort_by(f64::total_cmp);
        let share_below =
            |xs: &[f64], x: f64| xs.partition_point(|y| *y <= x) as f64 / xs.len() as f64;
        a.iter()
            .map(|x| (share_below(&a, *x) - share_below(&b, *x)).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn samples_follow_the_same_laws_as_an_independent_library() {
        let n = 20_000;
        let against = |law: Law, oracle: &mut dyn FnMut(&mut Stream) -> f64| {
            let mut ours = Streams::new(7, 0).open("ours", 0);
            let mut theirs = Streams::new(7, 0).open("theirs", 0);
            let a = (0..n).map(|_| law.sample(&mut ours)).collect();
            let b = (0..n).map(|_| oracle(&mut theirs)).collect();
            // Two-sample Kolmogorov-Smirnov at one false alarm in 1000: 1.95 sqrt(2 / n).
            let allowed = 1.95 * (2.0 / f64::from(n)).sqrt();
            let distance = kolmogorov_distance(a, b);
            assert!(distance < allowed, "{law:?}: {distance}");
        };
        let weibull = rand_distr::Weibull::new(41.9, 0.59).unwrap();
        let pareto = rand_distr::Pareto::new(2.0, 4.0).unwrap();
        let log_normal = rand_distr::LogNormal::new(libm::log(10.0), 0.8).unwrap();
        let exponential = rand_distr::Exp::new(1.0 / 3.0).unwrap();
        let erlang = rand_distr::Gamma::new(4.0, 0.5).unwrap();
        let laws = laws();
        against(laws[2].clone(), &mut |s| erlang.sample(s));
        against(laws[1].clone(), &mut |s| exponential.sample(s));
        against(laws[3].clone(), &mut |s| weibull.sample(s));
        against(laws[4].clone(), &mut |s| pareto.sample(s));
        against(laws[5].clone(), &mut |s| log_normal.sample(s));
    }

    #[test]
    fn no_sample_is_above_the_largest() {
        for law in laws() {
            let largest = law.largest();
            let mut stream = Streams::new(3, 0).open("largest", 0);
            for _ in 0..10_000 {
                assert!(law.sample(&mut stream) <= largest, "{law:?}");
            }
            for above in [0.5, 1e-3, 1e-9, f64::EPSILON] {
                assert!(law.quantile(1.0 - above) <= largest, "{law:?}");
            }
        }
    }

    #[test]
    fn zipf_choices_come_in_their_proportions() {
        let zipf = Zipf::new(100, 0.8);
        let probabilities: Vec<f64> = zipf.probabilities().collect();
        assert!((probabilities[0] / probabilities[9] - libm::pow(10.0, 0.8)).abs() < 1e-9);
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        for seed in 0..6 {
            let mut stream = Streams::new(seed, 0).open("zipf", 0);
            let n = 100_000;
            let mut counts = [0_u32; 100];
            for _ in 0..n {
                counts[zipf.quantile(uniform(&mut stream)) as usize] += 1;
            }
            for (count, p) in counts.iter().zip(&probabilities) {
                // 4.5 standard deviations of a binomial count: 1 false alarm in 240 runs.
                let allowed = 4.5 * (f64::from(n) * p * (1.0 - p)).sqrt();
                assert!(
                    (f64::from(*count) - f64::from(n) * p).abs() < allowed,
                    "seed {seed}"
                );
            }
        }
    }

    #[test]
    fn the_normal_quantile_matches_the_tables() {
        // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.1.
        for (u, z) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.001, -3.090_232_306)] {
            assert!((standard_normal_quantile(u) - z).abs() < 1e-8);
        }
    }

    #[test]
    fn impossible_parameters_are_named() {
        let error = Law::Weibull {
            shape: 0.0,
            scale: 1.0,
        };
        assert!(
            error
                .check()
                .unwrap_err()
                .to_string()
                .contains("`shape` is 0")
        );
        let mixture = Law::Mixture(vec![(0.5, Law::Constant(1.0))]);
        assert_eq!(mixture.check(), Err(LawError::Shares { sum: 0.5 }));
    }
}
