//! Serves requests from machines an operator runs.

mod bits;
mod clients;
mod content;
pub mod message;
mod reception;
pub mod single_server;

use netduel_world::Registry;

pub use single_server::SingleServer;

/// Every architecture of the client-server family. A new one is a new line here.
pub fn register(registry: &mut Registry) {
    registry.add::<SingleServer>();
}
