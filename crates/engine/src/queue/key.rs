//! What is sorted: an instant, a ticket and a place, in 16 bytes.

use crate::time::SimTime;

/// An event's instant, then its place in the order of scheduling, then where its payload is.
///
/// As one number it compares without a branch.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Key(u128);

#[expect(
    clippy::cast_possible_truncation,
    reason = "each part is cut out of the number that it was put into"
)]
impl Key {
    pub(super) fn new(at: SimTime, ticket: u32, slot: u32) -> Self {
        Self(u128::from(at.0) << 64 | u128::from(ticket) << 32 | u128::from(slot))
    }

    pub(super) fn time(self) -> u64 {
        (self.0 >> 64) as u64
    }

    pub(super) fn ticket(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(super) fn slot(self) -> u32 {
        self.0 as u32
    }

    pub(super) fn with_ticket(self, ticket: u32) -> Self {
        Self::new(SimTime(self.time()), ticket, self.slot())
    }
}
