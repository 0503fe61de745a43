//! Whole runs of peer-to-peer architectures.

mod gossip;
mod swarm;
