//! Whole runs of client-server architectures.

mod replicated_server;
mod single_server;
mod worlds;
