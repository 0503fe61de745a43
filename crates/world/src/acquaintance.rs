//! Who may know whom: a check that no node acts on what nothing told it.

use std::collections::BTreeSet;

use netduel_network::NodeId;

/// For each node those that it may know: from the start, from messages and from connections.
#[derive(Debug)]
pub(crate) struct Acquaintance(Vec<BTreeSet<NodeId>>);

impl Acquaintance {
    pub(crate) fn new(node_count: usize) -> Self {
        Self(vec![BTreeSet::new(); node_count])
    }

    pub(crate) fn meet(&mut self, node: NodeId, other: NodeId) {
        self.0[node.index()].insert(other);
    }

    /// # Panics
    /// When nothing told `node` of `other`.
    pub(crate) fn check(&self, node: NodeId, other: NodeId) {
        assert!(
            node == other || self.0[node.index()].contains(&other),
            "node {} contacts node {}, of which nothing told it",
            node.0,
            other.0
        );
    }
}
