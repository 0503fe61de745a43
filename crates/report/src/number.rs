//! Numbers and quantities as a reader wants to see them.

use netduel_metrics::interval::Estimate;

/// `value` with commas between thousands and exactly `decimals` decimals.
pub(crate) fn plain(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    // A value that rounds to nothing has no sign.
    if value < 0.0 && text.contains(|c| ('1'..='9').contains(&c)) {
        out.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// `value` with all its decimals (12 at most) and commas between thousands.
pub(crate) fn plain_exact(value: f64) -> String {
    let text = plain(value, 12);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `value` to three significant digits, without idle zeros at the end; whole from 100 on.
pub(crate) fn rounded(value: f64) -> String {
    let decimals = decimals_for(value, 3);
    let text = plain(value, decimals);
    if decimals == 0 {
        text
    } else {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// How many decimals show `digits` significant digits of `value`, at most 9.
fn decimals_for(value: f64, digits: i32) -> usize {
    if value == 0.0 {
        return 0;
    }
    let magnitude = floor_to_i32(libm::log10(value.abs()) + 1e-9);
    usize::try_from(digits - 1 - magnitude).unwrap_or(0).min(9)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a decimal exponent is below 400"
)]
pub(crate) fn floor_to_i32(value: f64) -> i32 {
    value.floor() as i32
}

/// The decimals that show an estimate: three digits of its mean, or four where its interval is
/// narrow enough to tell.
fn decimals_of(estimate: &Estimate, factor: f64) -> usize {
    let by_mean = decimals_for(estimate.mean * factor, 3);
    let half = estimate
        .interval
        .map_or(0.0, |interval| (interval.high - interval.low) / 2.0);
    let by_interval = if half > 0.0 {
        decimals_for(half * factor, 1)
    } else {
        0
    };
    // Four digits of the mean are enough, however narrow the interval.
    by_mean
        .max(by_interval)
        .min(decimals_for(estimate.mean * factor, 4).max(by_mean))
}

/// How a quantity is shown: its value times `factor`, in `unit`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scale {
    /// What a value in the table's unit is multiplied by.
    pub(crate) factor: f64,
    /// The unit's symbol, such as "min"; empty for a plain number.
    pub(crate) unit: String,
    /// The unit as a word on an axis, such as "minutes".
    pub(crate) word: String,
}

impl Scale {
    /// The scale that suits values around `typical` in a table's unit `s`, `B`, `bit/s`, `share` or
    /// `messages`; other units are shown as they are.
    pub(crate) fn of(unit: &str, typical: f64) -> Self {
        let ladder: &[(f64, f64, &str, &str)] = match unit {
            "s" => &[
                (0.0, 1e3, "ms", "milliseconds"),
                (1.0, 1.0, "s", "seconds"),
                (600.0, 1.0 / 60.0, "min", "minutes"),
                (10_800.0, 1.0 / 3600.0, "h", "hours"),
                (345_600.0, 1.0 / 86_400.0, "d", "days"),
            ],
            "B" => &[
                (0.0, 1.0, "B", "bytes"),
                (1e3, 1e-3, "kB", "kB"),
                (1e6, 1e-6, "MB", "MB"),
                (1e9, 1e-9, "GB", "GB"),
                (1e12, 1e-12, "TB", "TB"),
            ],
            "bit/s" => &[
                (0.0, 1.0, "bps", "bps"),
                (1e3, 1e-3, "kbps", "kbps"),
                (1e6, 1e-6, "Mbps", "Mbps"),
                (1e9, 1e-9, "Gbps", "Gbps"),
            ],
            "share" => &[(0.0, 100.0, "%", "%")],
            "messages" => &[
                (0.0, 1.0, "messages", "messages"),
                (1e6, 1e-6, "million messages", "million messages"),
            ],
            other => {
                return Self {
                    factor: 1.0,
                    unit: other.to_owned(),
                    word: other.to_owned(),
                };
            }
        };
        let size = typical.abs();
        let rung = match ladder.iter().rfind(|rung| size >= rung.0) {
            // Nothing at all is not a matter of milliseconds.
            Some(_) if size == 0.0 && unit == "s" => &ladder[1],
            Some(rung) => rung,
            None => &ladder[0],
        };
        Self {
            factor: rung.1,
            unit: rung.2.to_owned(),
            word: rung.3.to_owned(),
        }
    }

    /// The scale of one of several values shown beside each other: the same for all, that of the
    /// smallest, unless they are too far apart for that.
    pub(crate) fn beside(unit: &str, value: f64, all: &[f64]) -> Self {
        let sizes = all
            .iter()
            .map(|value| value.abs())
            .filter(|size| *size > 0.0);
        let smallest = sizes.clone().fold(f64::INFINITY, f64::min);
        let largest = sizes.fold(0.0, f64::max);
        Self::of(
            unit,
            if largest < 100.0 * smallest {
                smallest
            } else {
                value
            },
        )
    }

    /// A value with its unit, to three significant digits.
    pub(crate) fn words(&self, value: f64) -> String {
        self.with_unit(rounded(value * self.factor))
    }

    /// A mean with its unit and, if there is one, its interval in brackets.
    pub(crate) fn estimate(&self, estimate: &Estimate) -> String {
        let mean = self.mean(estimate);
        match (estimate.interval, self.interval(estimate)) {
            (Some(interval), _) if interval.high <= interval.low => {
                format!("{mean} (all runs equal)")
            }
            (_, Some(interval)) => format!("{mean} ({interval})"),
            _ => mean,
        }
    }

    /// A mean with its unit and as many decimals as its interval.
    pub(crate) fn mean(&self, estimate: &Estimate) -> String {
        let decimals = decimals_of(estimate, self.factor);
        self.with_unit(plain(estimate.mean * self.factor, decimals))
    }

    /// The two ends of an estimate's interval, without unit.
    pub(crate) fn interval(&self, estimate: &Estimate) -> Option<String> {
        let decimals = decimals_of(estimate, self.factor);
        let show = |value: f64| plain(value * self.factor, decimals);
        let interval = estimate.interval?;
        Some(format!("{} to {}", show(interval.low), show(interval.high)))
    }

    fn with_unit(&self, number: String) -> String {
        if self.unit.is_empty() {
            number
        } else {
            format!("{number} {}", self.unit)
        }
    }
}

/// A number with or without a unit: the longest beginning that is a finite number, and the rest.
pub(crate) fn with_unit(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let splits = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    splits.rev().find_map(|at| {
        let (value, unit) = text.split_at(at);
        let value: f64 = value.trim().parse().ok()?;
        value.is_finite().then_some((value, unit.trim()))
    })
}

/// A value in a table's unit, in words of its own size.
pub(crate) fn quantity(value: f64, unit: &str) -> String {
    Scale::of(unit, value).words(value)
}

#[cfg(test)]
mod tests {
    use netduel_metrics::interval::Interval;

    use super::*;

    #[test]
    fn thousands_are_separated_and_nothing_has_no_sign() {
        assert_eq!(plain(1_234_567.891, 1), "1,234,567.9");
        assert_eq!(plain(-999.0, 0), "-999");
        assert_eq!(plain(-0.001, 1), "0.0");
        assert_eq!(plain_exact(0.5), "0.5");
        assert_eq!(plain_exact(1000.0), "1,000");
    }

    #[test]
    fn a_value_with_a_unit_is_a_number() {
        assert_eq!(with_unit("10 Mbps"), Some((10.0, "Mbps")));
        assert_eq!(with_unit("1e3"), Some((1000.0, "")));
        assert_eq!(with_unit("2.5GiB"), Some((2.5, "GiB")));
        assert_eq!(with_unit("infinite"), None);
        assert_eq!(with_unit("swarm"), None);
    }

    #[test]
    fn three_digits_are_enough_for_a_reader() {
        for (value, words) in [
            (94.216, "94.2"),
            (859.4, "859"),
            (85_899.3, "85,899"),
            (0.012_34, "0.0123"),
            (1.0, "1"),
        ] {
            assert_eq!(rounded(value), words);
        }
    }

    #[test]
    fn quantities_are_shown_in_the_unit_of_their_size() {
        assert_eq!(quantity(94.2, "s"), "94.2 s");
        assert_eq!(quantity(1800.0, "s"), "30 min");
        assert_eq!(quantity(85_899.0, "s"), "23.9 h");
        assert_eq!(quantity(0.0, "s"), "0 s");
        assert_eq!(quantity(0.25, "s"), "250 ms");
        assert_eq!(quantity(2.5e9, "bit/s"), "2.5 Gbps");
        assert_eq!(quantity(1.073e9, "B"), "1.07 GB");
        assert_eq!(quantity(0.987, "share"), "98.7 %");
        assert_eq!(quantity(12.0, "requests"), "12 requests");
        assert_eq!(quantity(2_911_064.0, "messages"), "2.91 million messages");
    }

    #[test]
    fn an_interval_shows_as_many_decimals_as_its_width_needs() {
        let narrow = Interval {
            low: 94.17,
            high: 94.25,
        };
        let estimate = Estimate {
            n: 20,
            mean: 94.21,
            interval: Some(narrow),
        };
        assert_eq!(
            Scale::of("s", 94.0).estimate(&estimate),
            "94.21 s (94.17 to 94.25)"
        );
        let sure = Interval {
            low: 94.211_11,
            high: 94.211_13,
        };
        let estimate = Estimate {
            n: 20,
            mean: 94.211_12,
            interval: Some(sure),
        };
        assert_eq!(
            Scale::of("s", 94.0).estimate(&estimate),
            "94.21 s (94.21 to 94.21)"
        );
        let alone = Estimate {
            n: 1,
            mean: 94.21,
            interval: None,
        };
        assert_eq!(Scale::of("s", 94.0).estimate(&alone), "94.2 s");
    }
}
