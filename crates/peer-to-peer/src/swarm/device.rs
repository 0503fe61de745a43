//! What a device shares among all torrents in which it takes part: its uplink, and who is served.

use netduel_world::{BitsPerSecond, Bytes, SimTime};

/// A device that may take part in torrents.
#[derive(Clone, Copy, Debug)]
pub(super) struct Device {
    /// Whether its owner lets it give nothing.
    pub(super) free_rider: bool,
    /// Whether a review of whom to serve is due.
    pub(super) reviewing: bool,
    /// Neighbours served at once, beside the optimistic one.
    pub(super) slots: u32,
    /// Reviews so far.
    pub(super) reviews: u32,
    /// What it had sent at the last review, and when that was.
    pub(super) sent: (Bytes, SimTime),
    /// Rate of its uplink.
    pub(super) uplink: BitsPerSecond,
}

impl Device {
    pub(super) fn new(free_rider: bool, uplink: BitsPerSecond, slots: u32) -> Self {
        Self {
            free_rider,
            reviewing: false,
            slots,
            reviews: 0,
            sent: (Bytes(0), SimTime::ZERO),
            uplink,
        }
    }
}
