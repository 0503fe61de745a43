//! Whole runs of client-server architectures.

mod single_server;
