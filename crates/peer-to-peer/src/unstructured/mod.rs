//! What searches in overlays without structure have in common.

pub(crate) mod mesh;
mod open;
mod peers;
mod seen;
mod settings;
mod shelves;

use netduel_world::{Bytes, RequestId, SimTime};

pub(crate) use open::{Open, OpenSearches};
pub(crate) use peers::{Heard, Peers};
pub(crate) use seen::Seen;
pub(crate) use settings::{refuse_short, refuse_zero};
pub(crate) use shelves::Shelves;

pub use mesh::Start;

/// A question that is passed on: which request it is for and when it was asked. Gnutella's ids are
/// as unique (16 bytes at random); these tell older from newer.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct QueryId {
    /// When it was asked.
    pub at: SimTime,
    /// For which request.
    pub request: RequestId,
}

/// Headers of IP and TCP (RFC 791, RFC 9293).
const TCP: u64 = 40;

/// The header of every Gnutella message: id, kind, TTL, hops, length.
///
/// # Source
/// The Annotated Gnutella Protocol Specification v0.4, rev. 1.6, §3.1; payloads §3.2.
const HEADER: u64 = 23;

/// A query: minimum speed (2), text and its end (1). The text is as long as those that B. Yang and
/// H. Garcia-Molina found on average, 12 bytes ("Designing a super-peer network", ICDE 2003).
pub(crate) const QUERY: Bytes = Bytes(TCP + HEADER + 2 + 12 + 1);

/// A hit: count, port, address and speed (11), one result, which takes 76 bytes on average (Yang
/// and Garcia-Molina), and the id of the node (16).
pub(crate) const HIT: Bytes = Bytes(TCP + HEADER + 11 + 76 + 16);

/// A message without a payload.
pub(crate) const BARE: Bytes = Bytes(TCP + HEADER);

/// What tells of one object that a node has: 72 bytes on average (Yang and Garcia-Molina).
const METADATA: u64 = 72;

/// A message that lists so many objects.
pub(crate) fn listing(objects: usize) -> Bytes {
    Bytes(TCP + HEADER + METADATA * objects as u64)
}
