//! Flows, and the classes of flows that always run at equal rates.

use std::ops::{Deref, DerefMut};

use netduel_units::Bytes;

use super::{
    edge::EdgeId,
    heap::{Heap, NOWHERE},
    link::LinkId,
    quantum::{Clock, Rate},
    slots::{Slotted, ids},
};

/// The most links that a path may have.
pub(super) const HOPS_MAX: usize = 1 << HOP_BITS;
const HOP_BITS: u32 = 5;

/// A flow of a [`FairSharing`](super::FairSharing).
///
/// Ids are small numbers, good for indexing a vector. The id of a flow that ended is given to a
/// later one: after an abort at once, after a completion from the next call of `advance` on, so
/// that everything handed out by one call can be dealt with before any of its ids comes again.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FlowId(pub(crate) u32);

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct ClassId(pub(super) u32);

ids!(FlowId, ClassId);

impl FlowId {
    /// No flow.
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// The flow's place in a vector of flows.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl ClassId {
    /// The class of a flow that has ended.
    pub(super) const NONE: Self = Self(u32::MAX);
}

/// A flow. What moves it is its class.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) class: ClassId,
    /// Position among the flows of its class; nowhere for the one that finishes first.
    pub(super) at: u32,
    pub(super) size: Bytes,
    /// How many flows were started before it.
    pub(super) start: u64,
}

impl Slotted for Flow {
    fn spare(&mut self) -> &mut u32 {
        &mut self.at
    }
}

/// The class clock at which a flow will have moved all its bytes. It never changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finish {
    pub(super) mark: Clock,
    pub(super) flow: FlowId,
}

/// All flows with the same path and the same cap.
///
/// A class is in exactly one place: the group of one link of its path, or capped. Its own clock
/// counts the work done for each of its flows; moving it elsewhere changes `offset` only.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) cap: Rate,
    /// The class's clock less that of its place: the group's clock, or cap times now.
    pub(super) offset: Clock,
    /// The flow that finishes first: for most classes the only one.
    pub(super) first: Finish,
    /// The others, if there are any.
    pub(super) others: Option<Box<Heap<Clock, FlowId>>>,
    pub(super) flows: u32,
    pub(super) group: LinkId,
    /// Position among the group's members or among all capped classes.
    pub(super) at: u32,
    /// Position among the group's caps.
    pub(super) cap_at: u32,
    pub(super) hops: Hops,
}

/// The links on a class's path. Most paths have an uplink and a downlink and no more: they lie in
/// the class itself.
#[derive(Debug)]
pub(super) enum Hops {
    Two([Hop; 2]),
    Other(Box<[Hop]>),
}

impl Deref for Hops {
    type Target = [Hop];

    fn deref(&self) -> &[Hop] {
        match self {
            Self::Two(hops) => hops,
            Self::Other(hops) => hops,
        }
    }
}

impl DerefMut for Hops {
    fn deref_mut(&mut self) -> &mut [Hop] {
        match self {
            Self::Two(hops) => hops,
            Self::Other(hops) => hops,
        }
    }
}

/// One link on a class's path, and the class's neighbours in the list of the edge through which
/// it crosses that link. There is no edge where the class is a member of the group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hop {
    pub(super) link: LinkId,
    pub(super) edge: EdgeId,
    pub(super) before: Crossing,
    pub(super) after: Crossing,
}

/// A hop of a class in 32 bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Crossing(u32);

impl Crossing {
    pub(super) const NONE: Self = Self(u32::MAX);

    #[expect(clippy::cast_possible_truncation, reason = "a path has few hops")]
    pub(super) fn new(class: ClassId, hop: usize) -> Self {
        assert!(class.0 < u32::MAX >> HOP_BITS, "fewer than 2^27 classes");
        Self(class.0 << HOP_BITS | hop as u32)
    }

    pub(super) fn some(self) -> Option<Self> {
        (self != Self::NONE).then_some(self)
    }

    pub(super) fn class(self) -> ClassId {
        ClassId(self.0 >> HOP_BITS)
    }

    pub(super) fn hop(self) -> usize {
        self.0 as usize % HOPS_MAX
    }
}

impl Slotted for Class {
    fn spare(&mut self) -> &mut u32 {
        &mut self.at
    }
}

impl Class {
    /// A class of one flow that is nowhere yet.
    pub(super) fn new(path: &[LinkId], cap: Rate, first: Finish) -> Self {
        let hop = |link: &LinkId| Hop {
            link: *link,
            edge: EdgeId::NONE,
            before: Crossing::NONE,
            after: Crossing::NONE,
        };
        let hops = match path {
            [up, down] => Hops::Two([hop(up), hop(down)]),
            other => Hops::Other(other.iter().map(hop).collect()),
        };
        Self {
            cap,
            offset: Clock::default(),
            first,
            others: None,
            flows: 1,
            group: LinkId::CAPPED,
            at: NOWHERE,
            cap_at: NOWHERE,
            hops,
        }
    }

    pub(super) fn path(&self) -> &[Hop] {
        &self.hops
    }

    pub(super) fn is_capped(&self) -> bool {
        self.group == LinkId::CAPPED
    }

    /// All flows, in no order.
    pub(super) fn flow_ids(&self) -> impl Iterator<Item = FlowId> {
        let others = self.others.iter().flat_map(|others| others.ids());
        std::iter::once(self.first.flow).chain(others)
    }
}
