//! Whom members of a swarm know, and the memory that this and all else takes.

use netduel_world::NodeId;

use super::{
    Swarm,
    announced::Announced,
    peer::{Link, Peer},
};

/// The tracker, the neighbours, and of the tracker those who take part.
pub(super) fn overlay(swarm: &Swarm, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
    if node == swarm.tracker.node {
        swarm.tracker.members().iter().copied().for_each(visit);
        return;
    }
    visit(swarm.tracker.node);
    let links = swarm.peers[node.index()].links.iter();
    links.for_each(|link| visit(link.neighbour));
}

/// Bytes of the members' tables and connections.
pub(super) fn state_bytes(swarm: &Swarm) -> usize {
    let links: usize = swarm.peers.iter().map(|peer| peer.links.capacity()).sum();
    swarm.peers.capacity() * size_of::<Peer>()
        + swarm.announced.capacity() * size_of::<Announced>()
        + links * size_of::<Link>()
}
