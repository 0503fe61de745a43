//! Decides when, and whether, bytes arrive.
//!
//! Devices hang off an uncongested core, or off routers joined by trunks, by an uplink and a
//! downlink. A message is charged latency and the serialisation of its size; transfers share the
//! links and trunks on their way max-min fairly.

mod latency;
mod network;
pub mod progressive;
mod routers;
mod sharing;

pub use latency::{Latency, RegionId};
pub use network::{Access, Ended, Network, NodeId, TransferId};
pub use routers::{RouteError, Routers, Trunk};
pub use sharing::{Capacity, Effort, FairSharing, FlowId, LinkId};
