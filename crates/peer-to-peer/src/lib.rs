//! Serves requests from the users' own machines.

pub mod central_index;
pub mod flooding;
pub mod gossip;
pub mod random_walk;
pub mod superpeer;
pub mod swarm;
pub mod unstructured;
pub mod wiring;

use netduel_world::Registry;

pub use central_index::CentralIndex;
pub use flooding::Flooding;
pub use gossip::Gossip;
pub use random_walk::RandomWalk;
pub use superpeer::Superpeer;
pub use swarm::Swarm;
pub use wiring::Wiring;

/// Every architecture of the peer-to-peer family. A new one is a new line here.
pub fn register(registry: &mut Registry) {
    registry
        .add::<Swarm>()
        .add::<CentralIndex>()
        .add::<Flooding>()
        .add::<RandomWalk>()
        .add::<Superpeer>()
        .add::<Gossip>();
}
