//! Decides when, and whether, bytes arrive.
//!
//! Devices hang off an uncongested core by an uplink and a downlink. A message is charged latency
//! and the serialisation of its size; transfers share the links max-min fairly.

mod latency;
mod network;
pub mod progressive;
mod sharing;

pub use latency::{Latency, RegionId};
pub use network::{Access, Ended, Network, NodeId, TransferId};
pub use sharing::{Capacity, Effort, FairSharing, FlowId, LinkId};
