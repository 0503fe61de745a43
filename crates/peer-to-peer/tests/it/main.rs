//! Whole runs of peer-to-peer architectures.

mod central_index;
mod chord;
mod directory;
mod flooding;
mod gossip;
mod kademlia;
mod random_walk;
mod searching;
mod superpeer;
mod swarm;
mod torrents;
