//! Serves requests from machines an operator runs.

mod bits;
pub mod cdn;
mod clients;
mod content;
pub mod message;
mod reception;
pub mod replicated_server;
pub mod single_server;

use netduel_world::Registry;

pub use cdn::Cdn;
pub use replicated_server::ReplicatedServer;
pub use single_server::SingleServer;

/// Every architecture of the client-server family. A new one is a new line here.
pub fn register(registry: &mut Registry) {
    registry
        .add::<SingleServer>()
        .add::<ReplicatedServer>()
        .add::<Cdn>();
}
