//! Whole runs of client-server architectures.

mod cdn;
mod replicated_server;
mod single_server;
mod worlds;
