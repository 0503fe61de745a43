//! Serves requests from the users' own machines.

mod cargo;
pub mod chord;
pub mod gossip;
mod identifier;
pub mod kademlia;
pub mod swarm;
mod waits;

use netduel_world::Registry;

pub use chord::Chord;
pub use gossip::Gossip;
pub use identifier::Placing;
pub use kademlia::Kademlia;
pub use swarm::Swarm;

/// Every architecture of the peer-to-peer family. A new one is a new line here.
pub fn register(registry: &mut Registry) {
    registry
        .add::<Swarm>()
        .add::<Gossip>()
        .add::<Chord>()
        .add::<Kademlia>();
}
