mod gossip;
mod swarm;
