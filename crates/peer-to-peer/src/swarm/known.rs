//! Whom members of a swarm know, and the memory that this and all else takes.

use netduel_world::NodeId;

use super::{Swarm, announced::Announced, peer::Peer};

/// The tracker, the neighbours, and of the tracker those who take part.
pub(super) fn overlay(swarm: &Swarm, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
    if node == swarm.tracker.node {
        swarm
            .tracker
            .members()
            .iter()
            .copied()
            .for_each(&mut *visit);
    } else {
        visit(swarm.tracker.node);
    }
    let links = swarm.peers[node.index()].links.iter();
    links.for_each(|(neighbour, _)| visit(neighbour));
}

/// Bytes of what the members and the tracker keep.
pub(super) fn state_bytes(swarm: &Swarm) -> usize {
    let peers = &swarm.peers;
    let announced = &swarm.announced;
    peers.capacity() * size_of::<Peer>()
        + peers.iter().map(Peer::heap_bytes).sum::<usize>()
        + announced.capacity() * size_of::<Announced>()
        + announced.iter().map(Announced::heap_bytes).sum::<usize>()
        + swarm.tracker.heap_bytes()
}
