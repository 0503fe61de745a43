//! Whole runs of peer-to-peer architectures.

mod chord;
mod gossip;
mod kademlia;
mod swarm;
