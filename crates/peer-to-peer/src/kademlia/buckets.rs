//! Whom each node knows: buckets of contacts by distance, in one row of numbers per node.

use std::ops::Range;

use netduel_world::{NodeId, Stream, uniform_below};
use prefetch_index::prefetch_index;

use crate::identifier::Identifiers;

/// Numbers in a cache line of 64 bytes.
const LINE: usize = 16;
/// Nobody.
const NONE: u32 = u32::MAX;
/// A contact is a node's number and, above it, how many questions in a row it left unanswered.
const NUMBER_BITS: u32 = 29;
const NUMBER: u32 = (1 << NUMBER_BITS) - 1;
/// Nodes that can be counted so.
pub(super) const NODES_MAX: usize = NUMBER as usize;
/// Unanswered questions that can be counted so, leaving a place for nobody.
pub(super) const FAILURES_MAX: u32 = 7;

/// What somebody who sent a message is to its receiver.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Met {
    /// It was known.
    Known,
    /// It is a contact now.
    Contact,
    /// It waits for a place in a full bucket.
    Waiting,
}

/// The buckets of all nodes.
///
/// Bucket `b` has nodes that share `b` first bits with its owner and differ in the next. The last
/// bucket that is in use has all that share as many bits or more; when it is full it is divided.
/// In each, the contact that was seen longest ago is first; then come the replacements.
#[derive(Debug)]
pub(super) struct Buckets {
    pub(super) ids: Identifiers,
    rows: Vec<u32>,
    /// Where in `rows` a cache line begins.
    offset: usize,
    /// From one bucket to the next.
    stride: usize,
    /// Buckets in use.
    depths: Vec<u8>,
    k: usize,
    replacements: usize,
    depth_max: usize,
    /// Unanswered questions in a row after which a contact is stale.
    failures: u32,
}

impl Buckets {
    /// Empty buckets; `sorted` are the nodes that will ever take part.
    pub(super) fn new(
        ids: Identifiers,
        node_count: usize,
        sorted: &[(u64, NodeId)],
        [k, replacements]: [usize; 2],
        failures: u32,
    ) -> Self {
        // A bucket is divided when k + 1 others share its bits.
        let pairs = sorted.iter().zip(sorted.iter().skip(k + 1));
        let shared = pairs.map(|(a, b)| (a.0 ^ b.0).leading_zeros() as usize);
        let depth_max = shared.max().map_or(1, |bits| (bits + 2).min(64));
        // Whole cache lines, so that a bucket lies in as few as can be.
        let stride = (k + replacements).next_multiple_of(LINE);
        let rows = vec![NONE; node_count * depth_max * stride + LINE - 1];
        Self {
            ids,
            offset: rows
                .as_ptr()
                .align_offset(LINE * size_of::<u32>())
                .min(LINE - 1),
            rows,
            stride,
            depths: vec![1; node_count],
            k,
            replacements,
            depth_max,
            failures,
        }
    }

    /// Fills all buckets with nodes chosen at random among those that belong there.
    pub(super) fn converge(&mut self, sorted: &[(u64, NodeId)], rng: &mut Stream) {
        let mut chosen = Vec::with_capacity(self.k);
        for (id, node) in sorted {
            let mut range = sorted;
            for bucket in 0.. {
                self.depths[node.index()] = u8::try_from(bucket + 1).expect("at most 64 buckets");
                if range.len() <= self.k + 1 || bucket + 1 == self.depth_max {
                    let others = range.iter().map(|(_, other)| *other);
                    chosen.clear();
                    chosen.extend(others.filter(|other| other != node));
                    shuffle(&mut chosen, rng);
                    self.fill(*node, bucket, &chosen);
                    break;
                }
                let bit = 1 << (63 - bucket);
                let (low, high) = range.split_at(range.partition_point(|(id, _)| id & bit == 0));
                let (mine, other) = if id & bit == 0 {
                    (low, high)
                } else {
                    (high, low)
                };
                choose(other, self.k, &mut chosen, rng);
                self.fill(*node, bucket, &chosen);
                range = mine;
            }
        }
    }

    fn fill(&mut self, node: NodeId, bucket: usize, contacts: &[NodeId]) {
        let row = self.bucket_mut(node, bucket);
        for (place, contact) in row.iter_mut().zip(contacts) {
            *place = contact.0;
        }
    }

    #[inline]
    fn start(&self, node: NodeId, bucket: usize) -> usize {
        self.offset + (node.index() * self.depth_max + bucket) * self.stride
    }

    fn bucket(&self, node: NodeId, bucket: usize) -> &[u32] {
        let start = self.start(node, bucket);
        &self.rows[start..start + self.k]
    }

    /// Contacts, replacements and what is left of the last cache line.
    #[inline]
    fn row_mut(&mut self, node: NodeId, bucket: usize) -> &mut [u32] {
        let start = self.start(node, bucket);
        &mut self.rows[start..start + self.stride]
    }

    fn bucket_mut(&mut self, node: NodeId, bucket: usize) -> &mut [u32] {
        let start = self.start(node, bucket);
        &mut self.rows[start..start + self.k]
    }

    /// Contacts and replacements of a bucket.
    fn both_mut(&mut self, node: NodeId, bucket: usize) -> (&mut [u32], &mut [u32]) {
        let start = self.start(node, bucket);
        let (contacts, rest) = self.rows[start..].split_at_mut(self.k);
        (contacts, &mut rest[..self.replacements])
    }

    /// Brings what [`Self::seen`] will look at into the cache.
    #[inline]
    pub(super) fn look_at_contact(&self, node: NodeId, other: NodeId) {
        let bucket = self.bucket_of(node, self.ids.of_node(other));
        prefetch_index(&self.rows, self.start(node, bucket));
    }

    /// Brings what [`Self::closest`] will look at into the cache.
    #[inline]
    pub(super) fn look_at_closest(&self, node: NodeId, target: u64) {
        let bucket = self.bucket_of(node, target);
        prefetch_index(&self.rows, self.start(node, bucket));
        // The last bucket is seldom full; the one before it makes up for that.
        let before = bucket - usize::from(bucket > 0 && bucket + 1 == self.depth(node));
        prefetch_index(&self.rows, self.start(node, before));
    }

    /// Buckets in use.
    pub(super) fn depth(&self, node: NodeId) -> usize {
        usize::from(self.depths[node.index()])
    }

    /// The bucket in which an identifier belongs.
    #[inline]
    pub(super) fn bucket_of(&self, node: NodeId, id: u64) -> usize {
        let shared = (self.ids.of_node(node) ^ id).leading_zeros() as usize;
        shared.min(self.depth(node) - 1)
    }

    /// Contacts and replacements of a node.
    pub(super) fn known(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let row = &self.rows[self.start(node, 0)..self.start(node, self.depth_max)];
        let used = row.iter().filter(|contact| **contact != NONE);
        used.map(|contact| NodeId(contact & NUMBER))
    }

    /// `node` heard from `other`.
    pub(super) fn seen(&mut self, node: NodeId, other: NodeId) -> Met {
        let id = self.ids.of_node(other);
        let (k, replacements) = (self.k, self.replacements);
        loop {
            let bucket = self.bucket_of(node, id);
            let last = bucket + 1 == self.depth(node);
            let divisible = last && self.depth(node) < self.depth_max;
            let limit = self.failures;
            let row = self.row_mut(node, bucket);
            let known = place_of(row, other);
            if let Some(at) = known
                && at < k
            {
                row[at] = other.0;
                rotate(&mut row[at..k]);
                return Met::Known;
            }
            let (contacts, rest) = row.split_at_mut(k);
            let replacements = &mut rest[..replacements];
            if contacts[k - 1] == NONE {
                let free = contacts.iter().position(|contact| *contact == NONE);
                contacts[free.expect("the last place is free")] = other.0;
                return Met::Contact;
            }
            if divisible {
                self.divide(node);
                continue;
            }
            if let Some(stale) = contacts.iter().position(|c| c >> NUMBER_BITS >= limit) {
                contacts[stale] = other.0;
                rotate(&mut contacts[stale..]);
                return Met::Contact;
            }
            if let Some(at) = known {
                rotate(&mut replacements[at - k..]);
                return Met::Known;
            } else if let Some(free) = replacements.iter_mut().find(|c| **c == NONE) {
                *free = other.0;
            } else if let Some(oldest) = replacements.first_mut() {
                *oldest = other.0;
                rotate(replacements);
            }
            return Met::Waiting;
        }
    }

    /// Whether so many contacts are closer to `node` than `other` and all of its bucket.
    #[inline]
    pub(super) fn is_outnumbered(&self, node: NodeId, other: NodeId, count: usize) -> bool {
        let own = self.bucket_of(node, self.ids.of_node(other));
        let mut closer = 0;
        for bucket in own + 1..self.depth(node) {
            if closer >= count {
                break;
            }
            let contacts = self.bucket(node, bucket).iter();
            closer += contacts.filter(|contact| self.is_fresh(**contact)).count();
        }
        closer >= count
    }

    /// Whether this is a contact that has not been silent too often. Nobody is not: a place without
    /// a number counts as silent 7 times.
    #[inline]
    fn is_fresh(&self, contact: u32) -> bool {
        contact >> NUMBER_BITS < self.failures
    }

    /// Divides the last bucket of a node in two.
    fn divide(&mut self, node: NodeId) {
        let last = self.depth(node) - 1;
        self.depths[node.index()] += 1;
        let (contacts, replacements) = self.both_mut(node, last);
        let moved: Vec<u32> = contacts.iter().chain(&*replacements).copied().collect();
        let (first, second) = moved.split_at(self.k);
        for (from, offset) in [(first, 0), (second, self.k)] {
            let mut ends = [self.start(node, last), self.start(node, last + 1)];
            let size = from.len();
            for end in &mut ends {
                *end += offset;
                self.rows[*end..*end + size].fill(NONE);
            }
            for contact in from.iter().filter(|contact| **contact != NONE) {
                let id = self.ids.of_node(NodeId(contact & NUMBER));
                let end = &mut ends[self.bucket_of(node, id) - last];
                self.rows[*end] = *contact;
                *end += 1;
            }
        }
    }

    /// `other` left a question of `node` unanswered. After too many in a row the replacement that
    /// was seen last takes its place; without one it stays, but is not asked any more.
    pub(super) fn failed(&mut self, node: NodeId, other: NodeId) {
        let bucket = self.bucket_of(node, self.ids.of_node(other));
        let limit = self.failures;
        let (contacts, replacements) = self.both_mut(node, bucket);
        let same = |contact: &u32| *contact != NONE && contact & NUMBER == other.0;
        let Some(at) = contacts.iter().position(same) else {
            return;
        };
        let failures = (contacts[at] >> NUMBER_BITS) + 1;
        if failures < limit {
            contacts[at] += 1 << NUMBER_BITS;
            return;
        }
        match replacements.iter_mut().rfind(|contact| **contact != NONE) {
            Some(replacement) => {
                contacts[at] = std::mem::replace(replacement, NONE);
                rotate(&mut contacts[at..]);
            }
            None => contacts[at] = other.0 | limit.min(FAILURES_MAX) << NUMBER_BITS,
        }
    }

    /// Forgets everybody.
    pub(super) fn clear(&mut self, node: NodeId) {
        let range = self.start(node, 0)..self.start(node, self.depth_max);
        self.rows[range].fill(NONE);
        self.depths[node.index()] = 1;
    }

    /// The `count` contacts of `node` that are closest to `target`, in no order; stale ones are
    /// left out.
    pub(super) fn closest(&self, node: NodeId, target: u64, count: usize, found: &mut Vec<NodeId>) {
        found.clear();
        let home = self.bucket_of(node, target);
        // Those in the target's own bucket are closer to it than all others; then come all of the
        // buckets behind it, among which any order is possible; then those before it, one by one.
        self.gather(node, home..home + 1, target, count, found);
        if found.len() < count {
            self.gather(node, home + 1..self.depth(node), target, count, found);
        }
        for bucket in (0..home).rev() {
            if found.len() >= count {
                break;
            }
            self.gather(node, bucket..bucket + 1, target, count, found);
        }
    }

    /// Adds the contacts in some buckets, the closest to `target` when not all have room.
    #[inline]
    fn gather(
        &self,
        node: NodeId,
        buckets: Range<usize>,
        target: u64,
        count: usize,
        found: &mut Vec<NodeId>,
    ) {
        let whole = found.len();
        for bucket in buckets {
            let contacts = self.bucket(node, bucket).iter();
            let fresh = contacts.filter(|contact| self.is_fresh(**contact));
            found.extend(fresh.map(|contact| NodeId(contact & NUMBER)));
        }
        if found.len() <= count {
            return;
        }
        let distance = |other: &NodeId| self.ids.of_node(*other) ^ target;
        if let Some(kept) = keep_closest(&mut found[whole..], count - whole, distance) {
            found.truncate(whole + kept);
        } else {
            found[whole..].select_nth_unstable_by_key(count - whole, distance);
            found.truncate(count);
        }
    }

    pub(super) fn state_bytes(&self) -> usize {
        size_of_val(&*self.rows) + size_of_val(&*self.depths)
    }
}

/// Where a node stands in a row, contacts and replacements alike.
#[inline]
fn place_of(row: &[u32], node: NodeId) -> Option<usize> {
    // A whole line without a branch for each place: that makes a handful of instructions.
    for (line, start) in row.chunks_exact(LINE).zip((0..).step_by(LINE)) {
        let hit = |(place, contact): (u32, &u32)| u32::from(contact & NUMBER == node.0) << place;
        let hits = (0..).zip(line).map(hit).fold(0, |hits, hit| hits | hit);
        if hits != 0 {
            return Some(start + hits.trailing_zeros() as usize);
        }
    }
    None
}

/// Puts the first contact behind the last that is in use.
#[inline]
fn rotate(contacts: &mut [u32]) {
    let used = match contacts.last() {
        Some(&NONE) => contacts.iter().take_while(|c| **c != NONE).count(),
        _ => contacts.len(),
    };
    if used > 1 {
        // Too few moves to call somebody for.
        let mut moved = contacts[0];
        for place in contacts[..used].iter_mut().rev() {
            std::mem::swap(place, &mut moved);
        }
    }
}

/// Nodes that are compared each with each.
const FEW: usize = 32;

/// Keeps the `count` closest of some nodes, when they are few; says how many those are.
///
/// Each with each is quick for the few dozen in a bucket: no branch depends on a distance, which
/// nothing could predict.
#[inline]
fn keep_closest(
    nodes: &mut [NodeId],
    count: usize,
    distance: impl Fn(&NodeId) -> u64,
) -> Option<usize> {
    let mut distances = [0; FEW];
    let distances = distances.get_mut(..nodes.len())?;
    for (place, node) in distances.iter_mut().zip(&*nodes) {
        *place = distance(node);
    }
    let mut kept = 0;
    for (at, own) in distances.iter().enumerate() {
        let closer: usize = distances.iter().map(|other| usize::from(other < own)).sum();
        nodes[kept] = nodes[at];
        kept += usize::from(closer < count);
    }
    Some(kept)
}

fn shuffle(nodes: &mut [NodeId], rng: &mut Stream) {
    for end in (1..nodes.len()).rev() {
        let bound = u32::try_from(end + 1).expect("a bucket is small");
        nodes.swap(end, uniform_below(rng, bound) as usize);
    }
}

/// Chooses `count` of `from` at random, or all when there are fewer, in random order.
fn choose(from: &[(u64, NodeId)], count: usize, chosen: &mut Vec<NodeId>, rng: &mut Stream) {
    chosen.clear();
    if from.len() <= 2 * count {
        chosen.extend(from.iter().map(|(_, node)| *node));
        shuffle(chosen, rng);
        chosen.truncate(count);
        return;
    }
    let bound = u32::try_from(from.len()).expect("nodes are counted in 32 bits");
    while chosen.len() < count {
        let (_, node) = from[uniform_below(rng, bound) as usize];
        if !chosen.contains(&node) {
            chosen.push(node);
        }
    }
}

#[cfg(test)]
mod tests {
    use netduel_world::Streams;

    use crate::identifier::Placing;

    use super::*;

    #[test]
    fn the_closest_contacts_are_those_that_sorting_all_would_find() {
        for seed in 0..40 {
            let mut rng = Streams::new(seed, 0).open("test", 0);
            let ids = Identifiers::draw(Placing::Hashed, 0, &mut rng);
            let k = 1 + uniform_below(&mut rng, 60) as usize;
            let nodes = (0..200).map(NodeId);
            let mut sorted: Vec<_> = nodes.map(|node| (ids.of_node(node), node)).collect();
            sorted.sort_unstable();
            let mut buckets = Buckets::new(ids, 200, &sorted, [k, 8], 5);
            buckets.converge(&sorted, &mut rng);
            let mut found = Vec::new();
            for number in 0..200 {
                let node = NodeId(number);
                let target = ids.of_node(NodeId(1000 + number));
                let count = 1 + uniform_below(&mut rng, 60) as usize;
                buckets.closest(node, target, count, &mut found);
                let contacts = (0..buckets.depth(node)).flat_map(|b| buckets.bucket(node, b));
                let contacts = contacts.filter(|contact| **contact != NONE);
                let mut all: Vec<NodeId> = contacts.map(|contact| NodeId(*contact)).collect();
                let distance = |node: &NodeId| ids.of_node(*node) ^ target;
                all.sort_unstable_by_key(distance);
                all.truncate(count);
                found.sort_unstable_by_key(distance);
                assert_eq!(found, all, "seed {seed}, k {k}, {count} for {number}");
            }
        }
    }

    #[test]
    fn who_was_heard_from_last_is_last_in_its_bucket_and_takes_the_place_of_the_silent() {
        let mut rng = Streams::new(1, 0).open("test", 0);
        let ids = Identifiers::draw(Placing::Even { bits: 8 }, 0, &mut rng);
        let sorted: Vec<_> = (0..256)
            .map(|n| (ids.of_node(NodeId(n)), NodeId(n)))
            .collect();
        let mut buckets = Buckets::new(ids, 256, &sorted, [3, 2], 2);
        let see = |buckets: &mut Buckets, node| buckets.seen(NodeId(0), NodeId(node));
        let near = [1, 2, 3].map(|node| see(&mut buckets, node));
        let far = [128, 129, 130].map(|node| see(&mut buckets, node));
        assert_eq!([near, far], [[Met::Contact; 3]; 2]);
        let waiting = [131, 132, 133].map(|node| see(&mut buckets, node));
        assert_eq!(waiting, [Met::Waiting; 3]);
        assert_eq!(see(&mut buckets, 132), Met::Known);
        assert_eq!(see(&mut buckets, 128), Met::Known);
        assert_eq!(buckets.bucket(NodeId(0), 0), [129, 130, 128]);
        buckets.failed(NodeId(0), NodeId(130));
        buckets.failed(NodeId(0), NodeId(130));
        assert_eq!(buckets.bucket(NodeId(0), 0), [129, 128, 132]);
        assert!(buckets.is_outnumbered(NodeId(0), NodeId(140), 3));
        assert!(!buckets.is_outnumbered(NodeId(0), NodeId(140), 4));
    }
}
