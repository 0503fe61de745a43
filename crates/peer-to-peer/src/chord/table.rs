//! Whom each node knows: predecessor, successor list and fingers.

use netduel_world::NodeId;
use prefetch_index::prefetch_index;

use crate::identifier::Identifiers;

/// Nobody.
const NONE: u32 = u32::MAX;

/// So many fingers lie in the line that every hop reads.
const LONG: usize = 15;

/// The routing tables of all nodes.
///
/// Finger `level` aims 2^(63 - level) ahead; those that aim no further than the successor are left
/// out. Most hops need one long finger and no more, so that the long ones lie apart, in one cache
/// line: among many nodes a hop costs what it waits for memory.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) ids: Identifiers,
    long: Vec<Long>,
    /// For each node the successors, the fingers that are not among the long ones, longest first,
    /// those successors to which it has given copies, and the predecessor: what the last hops of a
    /// look-up need comes first.
    rows: Vec<u32>,
    successors: usize,
    replicas: usize,
    levels: usize,
}

/// What most hops need of a node.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Long {
    /// Every listed successor is less than 2^(64 - `reach`) ahead; 0 when the first is not known.
    reach: u32,
    /// Longest first.
    fingers: [u32; LONG],
}

impl Default for Long {
    fn default() -> Self {
        Self {
            reach: 0,
            fingers: [NONE; LONG],
        }
    }
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
        let mut table = Self {
            ids,
            long: vec![Long::default(); node_count],
            rows: Vec::new(),
            successors,
            replicas,
            levels,
        };
        table.rows = vec![NONE; table.stride() * node_count];
        table
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

    fn stride(&self) -> usize {
        1 + self.successors + self.replicas + self.levels.saturating_sub(LONG)
    }

    fn start(&self, node: NodeId) -> usize {
        node.index() * self.stride()
    }

    fn end(&self, node: NodeId) -> usize {
        self.start(node) + self.stride()
    }

    pub(crate) fn predecessor(&self, node: NodeId) -> Option<NodeId> {
        some(self.rows[self.end(node) - 1])
    }

    pub(crate) fn set_predecessor(&mut self, node: NodeId, predecessor: Option<NodeId>) {
        let end = self.end(node);
        self.rows[end - 1] = number(predecessor);
    }

    fn successor_row(&self, node: NodeId) -> &[u32] {
        let start = self.start(node);
        &self.rows[start..start + self.successors]
    }

    /// How many successors a node knows at most.
    pub(crate) fn successor_count(&self) -> usize {
        self.successors
    }

    pub(crate) fn successor(&self, node: NodeId) -> Option<NodeId> {
        some(self.successor_row(node)[0])
    }

    /// The successor list, nearest first.
    pub(crate) fn successors(&self, node: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        self.successor_row(node).iter().filter_map(|n| some(*n))
    }

    pub(crate) fn set_successors(&mut self, node: NodeId, list: &[NodeId]) {
        let start = self.start(node);
        let row = &mut self.rows[start..start + self.successors];
        row.fill(NONE);
        for (place, node) in row.iter_mut().zip(list) {
            *place = node.0;
        }
        let ahead = |other: &NodeId| self.ahead(node, self.ids.of_node(*other));
        let reach = list.iter().map(|other| ahead(other).leading_zeros()).min();
        self.long[node.index()].reach = match list.first() {
            Some(first) if *first != node => reach.unwrap_or_default(),
            _ => 0,
        };
    }

    /// Those successors to which this node has given copies.
    pub(crate) fn replicas(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.end(node) - 1;
        self.rows[end - self.replicas..end]
            .iter()
            .filter_map(|n| some(*n))
    }

    pub(crate) fn set_replicas(&mut self, node: NodeId, list: &[NodeId]) {
        let end = self.end(node) - 1;
        let row = &mut self.rows[end - self.replicas..end];
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

    /// The fingers that are not among the long ones.
    fn short_fingers(&self, node: NodeId) -> &[u32] {
        let first = self.start(node) + self.successors;
        &self.rows[first..self.end(node) - self.replicas - 1]
    }

    pub(crate) fn fingers(&self, node: NodeId) -> impl DoubleEndedIterator<Item = NodeId> + '_ {
        let long = self.long[node.index()].fingers.iter();
        let all = long.chain(self.short_fingers(node));
        all.filter_map(|n| some(*n))
    }

    pub(crate) fn set_finger(&mut self, node: NodeId, level: usize, finger: Option<NodeId>) {
        let place = match level.checked_sub(LONG) {
            None => &mut self.long[node.index()].fingers[level],
            Some(short) => {
                let first = self.start(node) + self.successors;
                &mut self.rows[first + short]
            }
        };
        *place = number(finger);
    }

    /// The first finger from `level` on that `is` holds for.
    #[inline]
    fn finger(&self, node: NodeId, level: usize, is: impl Fn(u32) -> bool) -> Option<u32> {
        let long = self.long[node.index()].fingers.get(level..);
        let found = long.and_then(|long| long.iter().find(|other| is(**other)));
        let short = || {
            let short = self.short_fingers(node).get(level.saturating_sub(LONG)..)?;
            short.iter().find(|other| is(**other))
        };
        found.or_else(short).copied()
    }

    /// Forgets everybody.
    pub(crate) fn clear(&mut self, node: NodeId) {
        self.long[node.index()] = Long::default();
        let (start, end) = (self.start(node), self.end(node));
        self.rows[start..end].fill(NONE);
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
        // A place that a node lies on itself is a full circle ahead: there, 0 - 1 is the farthest.
        let distance = place.wrapping_sub(id).wrapping_sub(1);
        let before = |other: u32| other != NONE && ahead(other) <= distance;
        let first = distance.leading_zeros();
        let finger = self.finger(node, first as usize, before);
        // Beyond all listed successors nothing has to be known of them.
        let reach = self.long[node.index()].reach;
        if let Some(finger) = finger
            && first < reach
            && ahead(finger).leading_zeros() < reach
        {
            return Some(Step {
                node: NodeId(finger),
                owner: false,
            });
        }
        let row = self.successor_row(node);
        let successor = some(row[0])?;
        if distance <= ahead(successor.0).wrapping_sub(1) {
            return Some(Step {
                node: successor,
                owner: true,
            });
        }
        // Now the successor lies before the place, and so it is a candidate.
        let listed = row.iter().copied().rev().find(|other| before(*other));
        let best = [listed, finger].into_iter().flatten();
        best.max_by_key(|other| ahead(*other)).map(|other| Step {
            node: NodeId(other),
            owner: false,
        })
    }

    /// Prefetches what [`Self::step`] reads on the way to a place.
    #[inline]
    pub(crate) fn prefetch(&self, node: NodeId, place: u64) {
        prefetch_index(&self.long, node.index());
        let distance = place.wrapping_sub(self.ids.of_node(node));
        // A finger that aims further than the place makes way for the next.
        if (distance.leading_zeros() as usize) < LONG - 1 {
            return;
        }
        let start = self.start(node);
        prefetch_index(&self.rows, start);
        prefetch_index(&self.rows, start + self.successors + 2);
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
        size_of_val(&*self.long) + size_of_val(&*self.rows)
    }
}

#[inline]
fn some(number: u32) -> Option<NodeId> {
    (number != NONE).then_some(NodeId(number))
}

fn number(node: Option<NodeId>) -> u32 {
    node.map_or(NONE, |node| node.0)
}

#[cfg(test)]
mod tests {
    use netduel_world::{Streams, uniform_below};

    use crate::identifier::Placing;

    use super::*;

    /// The best contact, with a look at all that is known.
    fn best_of_all(table: &Table, node: NodeId, place: u64) -> Option<Step> {
        let distance = table.ahead(node, place).wrapping_sub(1);
        let ahead = |other: &NodeId| table.ahead(node, table.ids.of_node(*other));
        let before = |other: &NodeId| ahead(other) <= distance;
        let successor = table.successor(node)?;
        if distance <= ahead(&successor).wrapping_sub(1) {
            return Some(Step {
                node: successor,
                owner: true,
            });
        }
        let listed = table.successors(node).rev().find(before);
        let first = distance.leading_zeros() as usize;
        let long = table.long[node.index()].fingers.iter();
        let fingers = long.chain(table.short_fingers(node)).skip(first);
        let finger = fingers.filter_map(|n| some(*n)).find(before);
        let best = [listed, finger].into_iter().flatten();
        best.max_by_key(ahead)
            .map(|node| Step { node, owner: false })
    }

    #[test]
    fn what_is_skipped_would_not_have_been_a_better_contact() {
        let mut skipped = 0;
        for seed in 0..200 {
            let mut rng = Streams::new(seed, 0).open("architecture", 0);
            let ids = Identifiers::draw(Placing::Hashed, 0, &mut rng);
            let mut sorted: Vec<_> = (0..300)
                .map(|n| (ids.of_node(NodeId(n)), NodeId(n)))
                .collect();
            sorted.sort_unstable();
            let mut table = Table::new(ids, 300, &sorted, 4, 2);
            table.converge(&sorted);
            // Tables that are out of date: any node may stand anywhere, or nobody.
            for _ in 0..uniform_below(&mut rng, 600) {
                let mut any = || NodeId(uniform_below(&mut rng, 300));
                let (node, one, other) = (any(), any(), any());
                let level = uniform_below(&mut rng, u32::try_from(table.levels()).unwrap());
                let finger = (other.0 > 100).then_some(one);
                table.set_finger(node, level as usize, finger);
                match other.0 % 8 {
                    0 => table.set_successors(node, &[one, other, node]),
                    1 => table.set_successors(node, &[node]),
                    2 if one.0 < 30 => table.clear(node),
                    _ => {}
                }
            }
            for _ in 0..1000 {
                let node = NodeId(uniform_below(&mut rng, 300));
                let place = ids.of_key(netduel_world::Key(uniform_below(&mut rng, 10_000)));
                let step = table.step(node, place, &[]);
                assert_eq!(step, best_of_all(&table, node, place), "seed {seed}");
                let finger = |step: &Step| table.fingers(node).any(|other| other == step.node);
                skipped += u32::from(step.as_ref().is_some_and(finger));
            }
        }
        assert!(skipped > 100_000, "{skipped}");
    }
}
