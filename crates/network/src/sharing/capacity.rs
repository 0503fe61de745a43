//! What a link carries, nothing included.

use netduel_units::{BitsPerSecond, Share};

/// What a link can carry, in bits per second: from nothing at all to [`BitsPerSecond::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Capacity(f64);

impl Capacity {
    /// A link that is cut: its flows stall.
    pub const NONE: Self = Self(0.0);

    /// A link that is degraded to a share of its rate.
    pub fn share_of(rate: BitsPerSecond, share: Share) -> Self {
        Self(rate.get() * share.get())
    }

    /// The capacity in bits per second.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl From<BitsPerSecond> for Capacity {
    fn from(rate: BitsPerSecond) -> Self {
        Self(rate.get())
    }
}
