//! Whom members of a swarm know, and the memory that this and all else takes.

use netduel_world::{Architecture, NodeId};

use super::{Swarm, finder::Finder, peer::Peer};

/// The tracker or the contacts in the table, the neighbours, and of the tracker those who take part.
pub(super) fn overlay(swarm: &Swarm, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
    match &swarm.finder {
        Finder::Tracker(tracker) if node == tracker.node => {
            let members = tracker.members();
            members.for_each(|member| visit(swarm.roster.node(member)));
            return;
        }
        Finder::Tracker(tracker) => visit(tracker.node),
        Finder::Table(table) => table.kademlia.overlay(node, visit),
    }
    for me in swarm.roster.active(node) {
        let links = swarm.peers[me.index()].links.iter();
        links.for_each(|(neighbour, _)| visit(swarm.roster.node(neighbour)));
    }
}

/// Bytes of the members' tables, connections and announcements, and of the directory.
pub(super) fn state_bytes(swarm: &Swarm) -> usize {
    let peers: usize = swarm.peers.iter().map(Peer::bytes).sum();
    let devices = size_of_val(&*swarm.devices);
    peers + swarm.announced.bytes() + devices + swarm.roster.bytes() + swarm.finder.bytes()
}
