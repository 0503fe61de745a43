//! Whole runs of peer-to-peer architectures.

mod swarm;
