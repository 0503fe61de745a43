//! Serves requests from the users' own machines.

mod cargo;
pub mod central_index;
pub mod chord;
pub mod flooding;
pub mod gossip;
mod identifier;
pub mod kademlia;
pub mod random_walk;
pub mod superpeer;
pub mod swarm;
pub mod unstructured;
mod waits;
pub mod wiring;

use netduel_world::Registry;

pub use central_index::CentralIndex;
pub use chord::Chord;
pub use flooding::Flooding;
pub use gossip::Gossip;
pub use identifier::Placing;
pub use kademlia::Kademlia;
pub use random_walk::RandomWalk;
pub use superpeer::Superpeer;
pub use swarm::Swarm;
pub use wiring::Wiring;

/// Every architecture of the peer-to-peer family. A new one is a new line here.
pub fn register(registry: &mut Registry) {
    registry.add::<Swarm>();
    registry.add::<CentralIndex>();
    registry.add::<Flooding>();
    registry.add::<RandomWalk>();
    registry.add::<Superpeer>();
    registry.add::<Chord>();
    registry.add::<Kademlia>();
    registry.add::<Gossip>();
}
