//! Client-server against peer-to-peer in the same simulated world.
//!
//! The binary `netduel` is [`cli::main`] with the architectures of [`architectures`]. A design of
//! your own gets the whole command line in a binary of yours:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     let mut registry = netduel::architectures();
//!     // registry.add::<MyDesign>();
//!     netduel::cli::main(registry)
//! }
//! ```

pub mod cli;
pub mod verify;

use netduel_world::Registry;

/// Every architecture that comes with Netduel.
pub fn architectures() -> Registry {
    let mut registry = Registry::default();
    netduel_client_server::register(&mut registry);
    netduel_peer_to_peer::register(&mut registry);
    registry
}
