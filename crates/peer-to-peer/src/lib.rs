//! Serves requests from the users' own machines.

pub mod gossip;
pub mod swarm;

use netduel_world::Registry;

pub use gossip::Gossip;
pub use swarm::Swarm;

/// Every architecture of the peer-to-peer family. A new one is a new line here.
pub fn register(registry: &mut Registry) {
    registry.add::<Swarm>().add::<Gossip>();
}
