//! Who has a part in which torrent.
//!
//! Each object has a torrent of its own. A node that takes part in one has a number there, under
//! which its pieces and neighbours are kept; nodes have no state for other torrents.

use netduel_world::{NodeId, ObjectId};

/// A node's part in one torrent.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Member(pub(super) u32);

impl Member {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// All parts.
#[derive(Debug)]
pub(super) enum Roster {
    /// There is one object. Every node's part has the node's number, which costs nothing.
    One,
    /// There are several.
    Many(Parts),
}

/// The parts in several torrents. A part is never given up: what is on disk stays there.
#[derive(Debug)]
pub(super) struct Parts {
    /// Whose each is, and in which torrent.
    known: Vec<(NodeId, ObjectId)>,
    /// Each node's, by object.
    of: Vec<Vec<(ObjectId, Member)>>,
    /// Those of each node that have neighbours.
    active: Vec<Vec<Member>>,
}

impl Roster {
    pub(super) fn new(objects: u32, node_count: usize) -> Self {
        if objects == 1 {
            return Self::One;
        }
        Self::Many(Parts {
            known: Vec::new(),
            of: vec![Vec::new(); node_count],
            active: vec![Vec::new(); node_count],
        })
    }

    /// Whose part it is.
    pub(super) fn node(&self, member: Member) -> NodeId {
        match self {
            Self::One => NodeId(member.0),
            Self::Many(parts) => parts.known[member.index()].0,
        }
    }

    /// What the torrent is for.
    pub(super) fn object(&self, member: Member) -> ObjectId {
        match self {
            Self::One => ObjectId(0),
            Self::Many(parts) => parts.known[member.index()].1,
        }
    }

    /// The part of `node` in the torrent of `object`, if it ever had one.
    pub(super) fn find(&self, node: NodeId, object: ObjectId) -> Option<Member> {
        match self {
            Self::One => Some(Member(node.0)),
            Self::Many(parts) => {
                let own = &parts.of[node.index()];
                let place = own.binary_search_by_key(&object, |(other, _)| *other);
                place.ok().map(|place| own[place].1)
            }
        }
    }

    /// Enters a part of `node` in the torrent of `object`, where it has none yet.
    pub(super) fn enter(&mut self, node: NodeId, object: ObjectId) -> Member {
        let Self::Many(parts) = self else {
            return Member(node.0);
        };
        let number = u32::try_from(parts.known.len());
        let member = Member(number.expect("parts are counted in 32 bits"));
        parts.known.push((node, object));
        let own = &mut parts.of[node.index()];
        let place = own.partition_point(|(other, _)| *other < object);
        own.insert(place, (object, member));
        member
    }

    /// The part of `node` that is `nth` by object.
    pub(super) fn part(&self, node: NodeId, nth: usize) -> Option<Member> {
        match self {
            Self::One => (nth == 0).then_some(Member(node.0)),
            Self::Many(parts) => parts.of[node.index()].get(nth).map(|(_, member)| *member),
        }
    }

    /// The parts of `node` that may have neighbours.
    pub(super) fn active(&self, node: NodeId) -> impl Iterator<Item = Member> {
        (0..).map_while(move |nth| self.nth_active(node, nth))
    }

    /// The `nth` of the parts of `node` that may have neighbours.
    pub(super) fn nth_active(&self, node: NodeId, nth: usize) -> Option<Member> {
        match self {
            Self::One => (nth == 0).then_some(Member(node.0)),
            Self::Many(parts) => parts.active[node.index()].get(nth).copied(),
        }
    }

    /// Notes that a part has its first neighbour.
    pub(super) fn rouse(&mut self, member: Member) {
        if let Self::Many(parts) = self {
            let (node, _) = parts.known[member.index()];
            parts.active[node.index()].push(member);
        }
    }

    /// Notes that a part has lost its last neighbour.
    pub(super) fn rest(&mut self, member: Member) {
        if let Self::Many(parts) = self {
            let (node, _) = parts.known[member.index()];
            parts.active[node.index()].retain(|other| *other != member);
        }
    }

    /// Bytes of memory beside its own.
    pub(super) fn bytes(&self) -> usize {
        let Self::Many(parts) = self else {
            return 0;
        };
        let known = parts.known.capacity() * size_of::<(NodeId, ObjectId)>();
        let of = parts.of.iter().map(|own| {
            size_of::<Vec<(ObjectId, Member)>>() + own.capacity() * size_of::<(ObjectId, Member)>()
        });
        let active = parts
            .active
            .iter()
            .map(|own| size_of::<Vec<Member>>() + own.capacity() * size_of::<Member>());
        known + of.sum::<usize>() + active.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_found_by_its_node_and_object_in_whatever_order_they_came() {
        let mut roster = Roster::new(9, 3);
        let entered = [(2, 7), (0, 7), (2, 1), (2, 8)].map(|(node, object)| {
            let (node, object) = (NodeId(node), ObjectId(object));
            (node, object, roster.enter(node, object))
        });
        for (node, object, member) in entered {
            assert_eq!(roster.find(node, object), Some(member));
            assert_eq!((roster.node(member), roster.object(member)), (node, object));
        }
        assert_eq!(roster.find(NodeId(0), ObjectId(1)), None);
        let own = (0..).map_while(|nth| roster.part(NodeId(2), nth));
        let objects: Vec<u32> = own.map(|member| roster.object(member).0).collect();
        assert_eq!(objects, [1, 7, 8]);
    }

    #[test]
    fn parts_with_neighbours_are_told_from_the_others() {
        let mut roster = Roster::new(2, 1);
        let both = [0, 1].map(|object| roster.enter(NodeId(0), ObjectId(object)));
        assert_eq!(roster.active(NodeId(0)).count(), 0);
        roster.rouse(both[1]);
        roster.rouse(both[0]);
        roster.rest(both[1]);
        assert_eq!(roster.active(NodeId(0)).collect::<Vec<_>>(), [both[0]]);
    }
}
