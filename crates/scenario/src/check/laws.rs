//! Laws: parameters within their ranges.

use std::ops::RangeInclusive;

use netduel_world::{Law, LawError, Seconds};

use super::Check;
use crate::{
    error::ScenarioError,
    key::Key,
    raw::{self, Either, RateLaw, RateLawTable, TimeLaw, TimeLawTable},
};

/// The shortest mean of a session or downtime. Below, a run does little but turn devices on and
/// off.
const TURN_MEAN_MIN: f64 = 1e-3;

/// Squared coefficients of variation of a two-phase hyperexponential law: at 1 it is exponential,
/// and beyond the largest the rare long time would be missed in a million draws.
const CV2: RangeInclusive<f64> = 1.0..=1e4;

impl Check<'_> {
    /// A law of data rates, in bits per second.
    pub(super) fn rates(&self, key: &Key, raw: &RateLaw) -> Result<Law, ScenarioError> {
        let table = match raw {
            Either::Text(rate) => return Ok(Law::Constant(rate.get())),
            Either::Table(table) => table,
        };
        let (form, law) = match table {
            RateLawTable::Uniform { min, max } => {
                let (min, max) = (min.get(), max.get());
                ("uniform", Law::Uniform { min, max })
            }
            RateLawTable::Exponential { mean } => {
                ("exponential", Law::Exponential { mean: mean.get() })
            }
            RateLawTable::Weibull { shape, scale } => ("weibull", weibull(*shape, scale.get())),
            RateLawTable::Pareto { shape, min } => ("pareto", pareto(*shape, min.get())),
            RateLawTable::Lognormal { median, sigma } => {
                ("lognormal", lognormal(median.get(), *sigma))
            }
            RateLawTable::Mix(classes) => {
                let classes = classes.iter().zip(1_usize..).map(|(class, number)| {
                    let key = key.join("mix").join(number.to_string()).join("value");
                    Ok((class.share.get(), self.rates(&key, &class.value)?))
                });
                ("mix", Law::Mixture(classes.collect::<Result<_, _>>()?))
            }
            RateLawTable::Table(name) => {
                return self.tables.rates(self.doc, &key.join("table"), name);
            }
        };
        self.checked(&key.join(form), law)
    }

    /// A law of times, in seconds.
    pub(super) fn times(&self, key: &Key, raw: &TimeLaw) -> Result<Law, ScenarioError> {
        let table = match raw {
            Either::Text(time) => return Ok(Law::Constant(time.get())),
            Either::Table(table) => table,
        };
        let seconds = |time: &Seconds| time.get();
        let (form, law) = match table {
            TimeLawTable::Uniform { min, max } => {
                let (min, max) = (seconds(min), seconds(max));
                ("uniform", Law::Uniform { min, max })
            }
            TimeLawTable::Exponential { mean } => (
                "exponential",
                Law::Exponential {
                    mean: seconds(mean),
                },
            ),
            TimeLawTable::Weibull { shape, scale } => ("weibull", weibull(*shape, seconds(scale))),
            TimeLawTable::Pareto { shape, min } => ("pareto", pareto(*shape, seconds(min))),
            TimeLawTable::Lognormal { median, sigma } => {
                ("lognormal", lognormal(seconds(median), *sigma))
            }
            TimeLawTable::Mix(classes) => {
                let classes = classes.iter().zip(1_usize..).map(|(class, number)| {
                    let key = key.join("mix").join(number.to_string()).join("value");
                    Ok((class.share.get(), self.times(&key, &class.value)?))
                });
                ("mix", Law::Mixture(classes.collect::<Result<_, _>>()?))
            }
            TimeLawTable::Table(name) => {
                return self.tables.times(self.doc, &key.join("table"), name);
            }
            TimeLawTable::Row(row) => {
                let key = key.join("row");
                return self.tables.law(self.doc, &key, (&row.table, &row.name));
            }
            TimeLawTable::Erlang(raw::Erlang { stages, mean }) => {
                let (stages, mean) = (*stages, seconds(mean));
                ("erlang", Law::Erlang { stages, mean })
            }
            TimeLawTable::Hyperexponential(law) => {
                let key = key.join("hyperexponential");
                if !CV2.contains(&law.cv2) {
                    let expected = format!("a number from {} to {}", CV2.start(), CV2.end());
                    return Err(self.doc.refuse(&key.join("cv2"), expected));
                }
                if law.mean.get() <= 0.0 {
                    return Err(self.doc.refuse(&key.join("mean"), "a value above 0"));
                }
                return Ok(hyperexponential(law.mean.get(), law.cv2));
            }
        };
        self.checked(&key.join(form), law)
    }

    /// A law of times that take turns.
    pub(super) fn turns(&self, key: &Key, raw: &TimeLaw) -> Result<Law, ScenarioError> {
        let law = self.times(key, raw)?;
        if law.mean() < TURN_MEAN_MIN {
            return Err(self.doc.refuse(key, "times with a mean of at least 1 ms"));
        }
        Ok(law)
    }

    fn checked(&self, key: &Key, law: Law) -> Result<Law, ScenarioError> {
        match law.check() {
            Ok(()) => Ok(law),
            Err(LawError::Parameter { name, expected, .. }) => {
                // Quantities above 0 come with a unit; the law speaks of plain numbers.
                let expected = expected.replace("a number", "a value");
                Err(self.doc.refuse(&key.join(name), expected))
            }
            Err(LawError::Shares { .. }) if law == Law::Mixture(Vec::new()) => {
                let problem = "has no classes; expected at least one";
                Err(self.doc.problem(key, problem))
            }
            Err(LawError::Shares { sum }) => {
                let sum = (sum * 1e9).round() / 1e9;
                let problem = format!("has shares that add up to {sum}; expected 1");
                Err(self.doc.problem(key, problem))
            }
        }
    }
}

fn weibull(shape: f64, scale: f64) -> Law {
    Law::Weibull { shape, scale }
}

fn pareto(shape: f64, min: f64) -> Law {
    Law::Pareto { shape, min }
}

fn lognormal(median: f64, sigma: f64) -> Law {
    Law::LogNormal { median, sigma }
}

/// The two-phase hyperexponential law with balanced means: each phase contributes half of the mean.
///
/// # Source
/// W. Whitt, "Approximating a point process by a renewal process, I: two basic methods", Operations
/// Research 30(1), 1982, equation 3.5: p = (1 + sqrt((c2 - 1) / (c2 + 1))) / 2.
fn hyperexponential(mean: f64, cv2: f64) -> Law {
    let p = f64::midpoint(1.0, ((cv2 - 1.0) / (cv2 + 1.0)).sqrt());
    let phase = |share: f64| {
        let mean = mean / (2.0 * share);
        (share, Law::Exponential { mean })
    };
    Law::Mixture(vec![phase(p), phase(1.0 - p)])
}
