//! Whom each node knows: predecessor, successor list and fingers, in one row of numbers per node.

use netduel_world::NodeId;

use crate::identifier::Identifiers;

/// Nobody.
const NONE: u32 = u32::MAX;

/// The routing tables of all nodes.
///
/// A row is the predecessor, the successors, those successors to which this node has given copies,
/// and the fingers, longest first. Finger `level` aims 2^(63 - level) ahead; those that aim no
/// further than the successor are left out.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) ids: Identifiers,
    rows: Vec<u32>,
    successors: usize,
    replicas: usize,
    levels: usize,
}

/// The next node to contact for a place on the ring.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Step {
    pub(crate) node: NodeId,
    /// Whether the node owns the place, as far as this table knows.
    pub(crate) owner: bool,
}

impl Table {
    /// Empty tables; `members` are those that will ever be on the ring.
    pub(crate) fn new(
        ids: Identifiers,
        node_count: usize,
        sorted: &[(u64, NodeId)],
        successors: usize,
        replicas: usize,
    ) -> Self {
        // No node ever needs a finger that aims closer than the closest two nodes are.
        let next = sorted.iter().cycle().skip(1);
        let gaps = sorted.iter().zip(next).map(|(a, b)| b.0.wrapping_sub(a.0));
        let gap = gaps.filter(|gap| *gap > 0).min();
        let levels = gap.map_or(0, |gap| 64 - gap.ilog2() as usize);
        let stride = 1 + successors + replicas + levels;
        Self {
            ids,
            rows: vec![NONE; stride * node_count],
            successors,
            replicas,
            levels,
        }
    }

    /// Fills all rows as the protocol would have them once nothing changes any more.
    pub(crate) fn converge(&mut self, sorted: &[(u64, NodeId)]) {
        let count = sorted.len();
        // Where each level's finger of the node at hand is: it only moves on along the ring.
        let mut ahead = vec![0_usize; self.levels];
        for (at, (id, node)) in sorted.iter().enumerate() {
            let others = count - 1;
            let around = |steps: usize| sorted[(at + steps) % count];
            let successor = around(1).1;
            self.set_predecessor(*node, Some(around(others).1));
            // Who is alone is its own successor and predecessor.
            let steps = others.min(1)..=others.min(self.successors);
            let list: Vec<NodeId> = steps.map(|steps| around(steps).1).collect();
            self.set_successors(*node, &list);
            for (level, step) in ahead.iter_mut().enumerate() {
                *step = (*step).max(at);
                let aim = 1_u64 << (63 - level);
                while *step < at + count && around(*step - at).0.wrapping_sub(*id) < aim {
                    *step += 1;
                }
                let finger = around(*step - at).1;
                let needed = finger != successor && finger != *node;
                self.set_finger(*node, level, needed.then_some(finger));
            }
        }
    }

    pub(crate) fn levels(&self) -> usize {
        self.levels
    }

    /// How far ahead of `from` a place is, going clockwise.
    #[inline]
    pub(crate) fn ahead(&self, from: NodeId, place: u64) -> u64 {
        place.wrapping_sub(self.ids.of_node(from))
    }

    /// Whether a place lies behind `from` and not behind `to`; anywhere, when they are the same.
    pub(crate) fn between(&self, from: NodeId, place: u64, to: NodeId) -> bool {
        let span = self.ahead(from, self.ids.of_node(to)).wrapping_sub(1);
        self.ahead(from, place).wrapping_sub(1) <= span
    }

    fn start(&self, node: NodeId) -> usize {
        node.index() * (1 + self.successors + self.replicas + self.levels)
    }

    pub(crate) fn predecessor(&self, node: NodeId) -> Option<NodeId> {
        some(self.rows[self.start(node)])
    }

    pub(crate) fn set_predecessor(&mut self, node: NodeId, predecessor: Option<NodeId>) {
        let start = self.start(node);
        self.rows[start] = number(predecessor);
    }

    fn successor_row(&self, node: NodeId) -> &[u32] {
        let start = self.start(node) + 1;
        &self.rows[start..start + self.successors]
    }

    pub(crate) fn successor(&self, node: NodeId) -> Option<NodeId> {
        some(self.successor_row(node)[0])
    }

    /// The successor list, nearest first.
    pub(crate) fn successors(&self, node: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        self.successor_row(node).iter().filter_map(|n| some(*n))
    }

    pub(crate) fn set_successors(&mut self, node: NodeId, list: &[NodeId]) {
        let start = self.start(node) + 1;
        let row = &mut self.rows[start..start + self.successors];
        row.fill(NONE);
        for (place, node) in row.iter_mut().zip(list) {
            *place = node.0;
        }
    }

    /// Those successors to which this node has given copies.
    pub(crate) fn replicas(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let start = self.start(node) + 1 + self.successors;
        self.rows[start..start + self.replicas]
            .iter()
            .filter_map(|n| some(*n))
    }

    pub(crate) fn set_replicas(&mut self, node: NodeId, list: &[NodeId]) {
        let start = self.start(node) + 1 + self.successors;
        let row = &mut self.rows[start..start + self.replicas];
        row.fill(NONE);
        for (place, node) in row.iter_mut().zip(list) {
            *place = node.0;
        }
    }

    /// The first successors, as many as are to have copies.
    pub(crate) fn copy_holders(&self, node: NodeId) -> Vec<NodeId> {
        let others = self.successors(node).filter(|other| *other != node);
        others.take(self.replicas).collect()
    }

    /// The owner that `node` tells `asker` of. Whoever asks for its own place joins, so the next
    /// node after it is meant.
    pub(crate) fn owner_for(
        &self,
        node: NodeId,
        asker: NodeId,
        owner: NodeId,
        place: u64,
    ) -> NodeId {
        if owner != asker || asker == node || place != self.ids.of_node(asker) {
            return owner;
        }
        let mut others = self.successors(node).filter(|other| *other != asker);
        others.next().unwrap_or(node)
    }

    fn finger_row(&self, node: NodeId) -> &[u32] {
        let start = self.start(node) + 1 + self.successors + self.replicas;
        &self.rows[start..start + self.levels]
    }

    pub(crate) fn fingers(&self, node: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        self.finger_row(node).iter().filter_map(|n| some(*n))
    }

    pub(crate) fn set_finger(&mut self, node: NodeId, level: usize, finger: Option<NodeId>) {
        let start = self.start(node) + 1 + self.successors + self.replicas;
        self.rows[start + level] = number(finger);
    }

    /// Forgets everybody.
    pub(crate) fn clear(&mut self, node: NodeId) {
        let (start, stride) = (self.start(node), self.start(NodeId(1)));
        self.rows[start..start + stride].fill(NONE);
    }

    /// The best contact of `node` for a place, but for those that are `silent`: known nodes before
    /// the place, the closest to it first; then successors behind it, nearest first.
    #[inline]
    pub(crate) fn step(&self, node: NodeId, place: u64, silent: &[NodeId]) -> Option<Step> {
        if silent.is_empty() {
            self.best(node, place)
        } else {
            self.next_best(node, place, silent)
        }
    }

    #[inline]
    fn best(&self, node: NodeId, place: u64) -> Option<Step> {
        let ids = &self.ids;
        let id = ids.of_node(node);
        let ahead = |other: u32| ids.of_node(NodeId(other)).wrapping_sub(id);
        let row = self.successor_row(node);
        let successor = some(row[0])?;
        // A place that a node lies on itself is a full circle ahead: there, 0 - 1 is the farthest.
        let distance = place.wrapping_sub(id).wrapping_sub(1);
        if distance <= ahead(successor.0).wrapping_sub(1) {
            return Some(Step {
                node: successor,
                owner: true,
            });
        }
        // Now the successor lies before the place, and so it is a candidate.
        let before = |other: u32| other != NONE && ahead(other) <= distance;
        let listed = row.iter().rev().find(|other| before(**other));
        let first = distance.leading_zeros() as usize;
        let fingers = self.finger_row(node);
        let fingers = fingers.get(first..).unwrap_or_default();
        let finger = fingers.iter().find(|other| before(**other));
        let best = [listed, finger].into_iter().flatten();
        best.max_by_key(|other| ahead(**other)).map(|other| Step {
            node: NodeId(*other),
            owner: false,
        })
    }

    /// Anything that the row says of the way to a place.
    #[inline]
    pub(crate) fn look(&self, node: NodeId, place: u64) -> u32 {
        let first = place.wrapping_sub(self.ids.of_node(node)).leading_zeros() as usize;
        let finger = self.finger_row(node).get(first);
        self.rows[self.start(node) + 1] ^ finger.copied().unwrap_or_default()
    }

    fn next_best(&self, node: NodeId, place: u64, silent: &[NodeId]) -> Option<Step> {
        let id = self.ids.of_node(node);
        let ahead = |other: &NodeId| self.ids.of_node(*other).wrapping_sub(id);
        let distance = place.wrapping_sub(id).wrapping_sub(1);
        let before = |other: &NodeId| *other != node && ahead(other) <= distance;
        let answers = |other: &NodeId| !silent.contains(other);
        let known = self.successors(node).chain(self.fingers(node));
        let closest = known.filter(|other| before(other) && answers(other));
        let step = |owner| move |node| Step { node, owner };
        let behind = || {
            let mut list = self.successors(node);
            list.find(|other| !before(other) && answers(other))
        };
        let closest = closest.max_by_key(ahead).map(step(false));
        closest.or_else(|| behind().map(step(true)))
    }

    pub(crate) fn state_bytes(&self) -> usize {
        size_of_val(&*self.rows)
    }
}

#[inline]
fn some(number: u32) -> Option<NodeId> {
    (number != NONE).then_some(NodeId(number))
}

fn number(node: Option<NodeId>) -> u32 {
    node.map_or(NONE, |node| node.0)
}
