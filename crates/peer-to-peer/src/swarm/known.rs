//! Whom members of a swarm know, and the memory that this and all else takes.

use netduel_world::NodeId;

use super::{Swarm, announced::Announced, peer::Peer};

/// The tracker, the neighbours, and of the tracker those who take part.
pub(super) fn overlay(swarm: &Swarm, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
    if node == swarm.tracker.node {
        swarm.tracker.members().iter().copied().for_each(visit);
        return;
    }
    visit(swarm.tracker.node);
    let links = swarm.peers[node.index()].links.iter();
    links.for_each(|(neighbour, _)| visit(neighbour));
}

/// Bytes of the members' tables, connections and announcements.
pub(super) fn state_bytes(swarm: &Swarm) -> usize {
    let peers: usize = swarm.peers.iter().map(Peer::bytes).sum();
    let announced: usize = swarm.announced.iter().map(Announced::bytes).sum();
    peers + announced
}
