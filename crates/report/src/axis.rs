//! Axes: from values to a place between 0 and 1, with ticks in plain numbers.

use crate::number::{floor_to_i32, plain};

/// An axis in the unit that its ticks show.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Axis {
    /// What is shown, with its unit in words.
    pub(crate) title: String,
    low: f64,
    high: f64,
    logarithmic: bool,
    /// Ticks with their numbers.
    pub(crate) ticks: Vec<(f64, String)>,
    /// Ticks between them, without numbers.
    pub(crate) minor: Vec<f64>,
}

/// From this ratio between the largest and the smallest value on, an axis is logarithmic.
pub(crate) const LOGARITHMIC_FROM: f64 = 20.0;

impl Axis {
    /// A linear axis from `low` to `high`, in the unit shown.
    pub(crate) fn linear(title: &str, low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        let step = step((high - low) / 5.0);
        let decimals = decimals(step);
        let first = floor_to_i32((low / step - 1e-9).ceil());
        let last = floor_to_i32(high / step + 1e-9);
        let tick = |index: i32| {
            let value = f64::from(index) * step;
            (value, plain(value, decimals))
        };
        let ticks = (first..=last).map(tick).collect();
        let title = title.to_owned();
        Self {
            title,
            low,
            high,
            logarithmic: false,
            ticks,
            minor: Vec::new(),
        }
    }

    /// A linear axis of time from 0 to `high` in a unit of symbol `unit`, with up to ten ticks where
    /// a clock has them.
    pub(crate) fn time(title: &str, high: f64, unit: &str) -> Self {
        let steps: &[f64] = match unit {
            "s" | "min" => &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0],
            "h" => &[0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0],
            _ => &[],
        };
        let mut axis = Self::linear(title, 0.0, high);
        let known = steps.iter().copied().find(|step| high <= 9.5 * step);
        let Some(step) = known.filter(|step| high >= 3.0 * step) else {
            return axis;
        };
        let tick = |index: i32| {
            let value = f64::from(index) * step;
            (value, plain(value, decimals(step)))
        };
        let last = floor_to_i32(high / step + 1e-9);
        axis.ticks = (0..=last).map(tick).collect();
        axis
    }

    /// A logarithmic axis of time from `low` to `high` seconds, both above 0, whose ticks are named
    /// in the unit of their size.
    pub(crate) fn logarithmic_time(title: &str, low: f64, high: f64) -> Self {
        let units = [
            (1e-3, "ms", [1, 2, 5, 10, 20, 50, 100, 200, 500].as_slice()),
            (1.0, "s", &[1, 2, 5, 10, 20, 30]),
            (60.0, "min", &[1, 2, 5, 10, 20, 30]),
            (3600.0, "h", &[1, 2, 5, 10]),
            (86_400.0, "d", &[1, 2, 5, 10, 20, 50, 100, 200, 500]),
        ];
        let all = units.iter().flat_map(|(length, unit, counts)| {
            let tick = |count: &i32| {
                (
                    f64::from(*count) * length,
                    format!("{count} {unit}"),
                    *count,
                )
            };
            counts.iter().map(tick).collect::<Vec<_>>()
        });
        let inside: Vec<_> = all.filter(|tick| (low..=high).contains(&tick.0)).collect();
        // Of many ticks, those at one and ten of a unit keep their numbers.
        let thin = inside.len() > 9;
        let round = |count: i32| !thin || matches!(count, 1 | 10 | 100);
        let minor = inside.iter().filter(|tick| !round(tick.2));
        Self {
            title: title.to_owned(),
            low,
            high,
            logarithmic: true,
            minor: minor.map(|tick| tick.0).collect(),
            ticks: inside
                .iter()
                .filter(|tick| round(tick.2))
                .map(|(value, label, _)| (*value, label.clone()))
                .collect(),
        }
    }

    /// A linear axis from 0 to the first round number above `high`.
    pub(crate) fn from_zero(title: &str, high: f64) -> Self {
        let high = if high > 0.0 { high } else { 1.0 };
        let step = step(high / 5.0);
        Self::linear(title, 0.0, (high / step - 1e-9).ceil() * step)
    }

    /// A logarithmic axis around `low` to `high`, both above 0.
    pub(crate) fn logarithmic(title: &str, low: f64, high: f64) -> Self {
        assert!(
            0.0 < low && low <= high,
            "a logarithmic axis begins above 0"
        );
        let (low, high) = (low / 1.15, high * 1.15);
        let first = floor_to_i32(libm::log10(low));
        let last = floor_to_i32(libm::log10(high));
        let inside = |value: &f64| (low..=high).contains(value);
        let rungs = |factors: &[f64]| -> Vec<f64> {
            let decade = |exponent| {
                factors
                    .iter()
                    .map(move |factor| factor * power_of_ten(exponent))
            };
            (first..=last).flat_map(decade).filter(inside).collect()
        };
        let decades = rungs(&[1.0]);
        let every = decades.len().div_ceil(8).max(1);
        let (major, minor) = match decades.len() {
            0..3 => (rungs(&[1.0, 2.0, 5.0]), Vec::new()),
            _ => (
                decades.into_iter().step_by(every).collect(),
                rungs(&[2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]),
            ),
        };
        let ticks = major
            .into_iter()
            .map(|value| (value, crate::number::plain_exact(value)));
        let title = title.to_owned();
        Self {
            title,
            low,
            high,
            logarithmic: true,
            ticks: ticks.collect(),
            minor,
        }
    }

    /// A logarithmic axis when the values above 0 span enough, or else a linear one from 0.
    pub(crate) fn fitting(title: &str, values: &[f64]) -> Self {
        let high = values.iter().copied().fold(0.0, f64::max);
        if Self::suits_logarithm(values) {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            return Self::logarithmic(title, low, high);
        }
        Self::from_zero(title, high * 1.02)
    }

    /// Whether values are all above 0 and span more than [`LOGARITHMIC_FROM`].
    pub(crate) fn suits_logarithm(values: &[f64]) -> bool {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        low > 0.0 && high > LOGARITHMIC_FROM * low
    }

    /// Where a value lies: 0 at the begin of the axis, 1 at its end; values beyond stay there.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let place = if self.logarithmic {
            libm::log(value / self.low) / libm::log(self.high / self.low)
        } else {
            (value - self.low) / (self.high - self.low)
        };
        place.clamp(0.0, 1.0)
    }

    /// The end of the axis.
    pub(crate) fn high(&self) -> f64 {
        self.high
    }
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is at least about `rough`.
fn step(rough: f64) -> f64 {
    let power = power_of_ten(floor_to_i32(libm::log10(rough) + 1e-9));
    let factor = [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .find(|f| f * power >= rough * 0.999);
    factor.unwrap_or(10.0) * power
}

/// The decimals that a multiple of `step` needs.
fn decimals(step: f64) -> usize {
    (0..12)
        .find(|decimals| {
            let scaled = step * power_of_ten(i32::try_from(*decimals).unwrap_or(0));
            (scaled - scaled.round()).abs() < 1e-6 * scaled
        })
        .unwrap_or(12)
}

/// A power of ten, to the last bit the number that is written so.
fn power_of_ten(exponent: i32) -> f64 {
    format!("1e{exponent}")
        .parse()
        .expect("a power of ten is a number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn decades_are_written_as_plain_numbers() {
        let axis = Axis::logarithmic("peers", 1.0, 1000.0);
        assert_eq!(labels(&axis), ["1", "10", "100", "1,000"]);
        assert_eq!(
            labels(&Axis::logarithmic("", 0.02, 3.0)),
            ["0.02", "0.05", "0.1", "0.2", "0.5", "1", "2"]
        );
    }

    #[test]
    fn a_short_logarithmic_axis_has_ticks_between_decades() {
        let axis = Axis::logarithmic("", 20.0, 450.0);
        assert_eq!(labels(&axis), ["20", "50", "100", "200", "500"]);
    }

    #[test]
    fn many_decades_are_thinned_out() {
        assert!(Axis::logarithmic("", 1e-3, 1e12).ticks.len() <= 8);
    }

    #[test]
    fn linear_ticks_are_round_and_begin_at_zero() {
        assert_eq!(
            labels(&Axis::from_zero("", 859.0)),
            ["0", "200", "400", "600", "800", "1,000"]
        );
        assert_eq!(
            labels(&Axis::from_zero("", 1.0)),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(labels(&Axis::from_zero("", 0.0)).len(), 6);
    }

    #[test]
    fn time_has_the_ticks_of_a_clock() {
        assert_eq!(
            labels(&Axis::time("", 17.9, "min")),
            ["0", "2", "4", "6", "8", "10", "12", "14", "16"]
        );
        assert_eq!(
            labels(&Axis::time("", 33.0, "min")),
            ["0", "5", "10", "15", "20", "25", "30"]
        );
        assert_eq!(labels(&Axis::time("", 2.5, "h")).len(), 6);
    }

    #[test]
    fn a_logarithmic_clock_names_its_ticks() {
        assert_eq!(
            labels(&Axis::logarithmic_time("", 2.0, 8400.0)),
            ["10 s", "1 min", "10 min", "1 h"]
        );
        assert_eq!(
            labels(&Axis::logarithmic_time("", 2.0, 150.0)),
            ["2 s", "5 s", "10 s", "20 s", "30 s", "1 min", "2 min"]
        );
    }

    #[test]
    fn values_land_where_they_belong_and_never_outside() {
        let axis = Axis::logarithmic("", 1.0, 100.0);
        assert!((axis.place(10.0) - 0.5).abs() < 1e-12);
        assert!(axis.place(1e9) <= 1.0 && axis.place(0.0) >= 0.0);
        assert!((Axis::linear("", 0.0, 8.0).place(2.0) - 0.25).abs() < 1e-12);
    }
}
