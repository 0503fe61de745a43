//! Simulated time in whole nanoseconds, so that two events either tie or they do not.

use std::{
    fmt,
    ops::{Add, AddAssign, Sub},
};

use netduel_units::Seconds;

const NANOSECONDS: f64 = 1e9;

/// An instant of simulated time: nanoseconds since the start of the run.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SimTime(pub u64);

/// A length of simulated time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct SimDuration(pub u64);

impl SimTime {
    /// The start of every run.
    pub const ZERO: Self = Self(0);
    /// Later than anything that happens: about 584 years.
    pub const NEVER: Self = Self(u64::MAX);

    /// Seconds since the start of the run.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / NANOSECONDS
    }

    /// The time from `earlier` to this instant, or nothing when `earlier` is not earlier.
    pub fn since(self, earlier: Self) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// The nearest whole number of nanoseconds; at least 0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float-to-integer cast saturates, and negative times do not reach here"
    )]
    pub fn from_seconds(seconds: f64) -> Self {
        // Conversions to and from signed numbers are one instruction each, rounding is a call.
        const EXACT: f64 = 4_503_599_627_370_496.0;
        let nanoseconds = seconds * NANOSECONDS;
        if (0.0..EXACT).contains(&nanoseconds) {
            let whole = nanoseconds as i64;
            let half = nanoseconds - whole as f64 >= 0.5;
            return Self(whole as u64 + u64::from(half));
        }
        Self(nanoseconds.round() as u64)
    }

    /// The length in seconds.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / NANOSECONDS
    }
}

impl From<Seconds> for SimDuration {
    fn from(seconds: Seconds) -> Self {
        Self::from_seconds(seconds.get())
    }
}

impl Add<SimDuration> for SimTime {
    type Output = Self;

    fn add(self, duration: SimDuration) -> Self {
        Self(self.0.saturating_add(duration.0))
    }
}

impl Sub for SimTime {
    type Output = SimDuration;

    fn sub(self, earlier: Self) -> SimDuration {
        assert!(earlier <= self, "time does not run backwards");
        SimDuration(self.0 - earlier.0)
    }
}

impl Add for SimDuration {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for SimDuration {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.as_seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_the_nearest_nanosecond() {
        assert_eq!(SimDuration::from_seconds(0.02), SimDuration(20_000_000));
        assert_eq!(SimDuration::from_seconds(1e-10), SimDuration(0));
        assert_eq!(SimDuration::from_seconds(f64::INFINITY).0, u64::MAX);
    }

    #[test]
    fn a_half_rounds_up_and_nothing_else_does() {
        for n in 0..1_000_000_u64 {
            for nanoseconds in [(n * n) as f64 * 0.37, n as f64 * 0.5, n as f64 * 1e13] {
                let seconds = nanoseconds / 1e9;
                let off = SimDuration::from_seconds(seconds).0 as f64 - (seconds * 1e9).round();
                assert!(off.abs() <= 0.0, "{seconds} s is off by {off}");
            }
        }
    }

    #[test]
    fn the_far_future_does_not_wrap_round() {
        assert_eq!(SimTime::NEVER + SimDuration(1), SimTime::NEVER);
    }
}
