//! Client-server against peer-to-peer in the same simulated world.
