//! Rates and clocks in whole numbers, so that equal things compare equal and sums never drift.

use std::ops::{Add, AddAssign, Sub};

use netduel_engine::SimTime;
use netduel_units::{BitsPerSecond, Bytes};

use super::Capacity;

/// Quanta of rate in one byte per second.
const QUANTA: f64 = 16_777_216.0;
/// Units of work in one byte: a quantum of rate moves one unit in a nanosecond.
const WORK: i128 = (1 << 24) * 1_000_000_000;

/// A rate in quanta of 2^-24 byte per second.
///
/// The largest, [`BitsPerSecond::MAX`], is 8.4e18 quanta; an `i64` ends at 9.2e18.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Rate(pub(super) i64);

impl Rate {
    pub(super) const ZERO: Self = Self(0);
    /// The level of a group without members, and the cap of a flow without one.
    pub(super) const UNLIMITED: Self = Self(i64::MAX);

    /// `bits` per second, rounded down so that no capacity is exceeded.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "rates are at most 4 Tbit/s, and rounding down is meant"
    )]
    fn rounded_down(bits: f64) -> Self {
        Self((bits / 8.0 * QUANTA) as i64)
    }

    /// A flow's cap. It is at least one quantum: a flow that may run does run.
    pub(super) fn of_cap(cap: Option<BitsPerSecond>) -> Self {
        cap.map_or(Self::UNLIMITED, |cap| {
            Self::rounded_down(cap.get()).max(Self(1))
        })
    }

    pub(super) fn bits_per_second(self) -> f64 {
        self.0 as f64 / QUANTA * 8.0
    }

    /// The load that `flows` flows of this rate put on a link.
    pub(super) fn times(self, flows: u32) -> i128 {
        i128::from(self.0) * i128::from(flows)
    }

    /// The work that one flow of this rate gets done in `nanoseconds`.
    pub(super) fn during(self, nanoseconds: u64) -> Clock {
        Clock(i128::from(self.0) * i128::from(nanoseconds))
    }
}

impl From<Capacity> for Rate {
    fn from(capacity: Capacity) -> Self {
        Self::rounded_down(capacity.get())
    }
}

/// Work done or due, in units of 2^-24 byte per second times a nanosecond.
///
/// 1e22 bytes fit in. Alignment to 8 bytes spares 8 bytes in each heap entry.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
#[repr(Rust, packed(8))]
pub(super) struct Clock(i128);

impl Clock {
    /// The work of moving `size`.
    pub(super) fn of(size: Bytes) -> Self {
        Self(i128::from(size.0) * WORK)
    }

    /// The work that flows of this rate together, in quanta, get done in `nanoseconds`.
    pub(super) fn of_all(rate: i128, nanoseconds: u64) -> Self {
        Self(rate * i128::from(nanoseconds))
    }

    /// The whole bytes in this much work; none when it is negative.
    pub(super) fn whole_bytes(self) -> Bytes {
        let whole = self.0.max(0) / WORK;
        Bytes(u64::try_from(whole).expect("no flow moves more bytes than its size"))
    }

    /// The first whole nanosecond at which work running at `rate` from `now` is done; never when
    /// the rate is 0 or the time is too long to be told.
    pub(super) fn due(self, rate: Rate, now: SimTime) -> SimTime {
        if self.0 <= 0 {
            return now;
        }
        if rate == Rate::ZERO {
            return SimTime::NEVER;
        }
        let rate = i128::from(rate.0);
        // The work left is at most 2^118, so that this sum does not overflow.
        let nanoseconds = (self.0 + (rate - 1)) / rate;
        let nanoseconds = u64::try_from(nanoseconds).unwrap_or(u64::MAX);
        SimTime(now.0.saturating_add(nanoseconds))
    }
}

impl Add for Clock {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Clock {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Clock {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_beyond_the_end_of_time_is_never() {
        let work = Clock::of(Bytes(u64::MAX));
        assert_eq!(work.due(Rate(1), SimTime(5)), SimTime::NEVER);
        assert_eq!(work.due(Rate::ZERO, SimTime(5)), SimTime::NEVER);
        let soon = Clock::of(Bytes(1)).due(Rate(1), SimTime(u64::MAX - 5));
        assert_eq!(soon, SimTime::NEVER);
    }

    #[test]
    fn work_is_done_at_the_first_nanosecond_that_is_long_enough() {
        let rate = Rate::rounded_down(3e6);
        for bytes in [1, 2, 3, 1500, 262_144] {
            let work = Clock::of(Bytes(bytes));
            let SimTime(due) = work.due(rate, SimTime::ZERO);
            assert!(rate.during(due) >= work && rate.during(due - 1) < work);
        }
    }

    #[test]
    fn the_largest_rate_fits() {
        let largest = Rate::rounded_down(BitsPerSecond::MAX.get());
        assert!(largest < Rate::UNLIMITED && largest.0 > 8_388_607_999_999_000_000);
        assert!((largest.bits_per_second() - 4e12).abs() < 1e-3);
    }
}
