//! A link, and the group of flows for which it is the bottleneck.

use std::cmp::Reverse;

use netduel_engine::SimTime;

use super::{
    class::ClassId,
    edge::EdgeId,
    heap::{Heap, NOWHERE},
    quantum::{Clock, Rate},
    slots::{Slotted, ids},
};

/// A link of a [`FairSharing`](super::FairSharing), counted from 0 in the order they were added.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LinkId(pub(crate) u32);

ids!(LinkId);

impl LinkId {
    /// Where the classes are that run at their own cap and are in no link's group.
    pub(super) const CAPPED: Self = Self(u32::MAX);

    /// The link's place in a vector of links.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A link. Its containers allocate nothing until they are used; most links need two or three.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) capacity: Rate,
    /// Rate of every flow of the group; unlimited while the group is empty and settled.
    pub(super) level: Rate,
    /// The integral of the level until `touched`.
    pub(super) clock: Clock,
    pub(super) touched: SimTime,
    /// The sum over in-edges of flows times accounted rate.
    pub(super) load: i128,
    /// Flows in the group.
    pub(super) flows: u32,
    /// Whether the level may be out of date.
    pub(super) dirty: bool,
    /// Position among the groups that have a next completion.
    pub(super) due_at: u32,
    /// The group's classes by the next finish mark, in terms of this link's clock.
    pub(super) members: Heap<Clock, ClassId>,
    /// Those with a cap, smallest first.
    pub(super) caps: Heap<Rate, ClassId>,
    /// Flows of other groups and capped flows, fastest first.
    pub(super) tracked_in: Heap<Reverse<Rate>, EdgeId>,
    pub(super) certified_in: Vec<EdgeId>,
    pub(super) tracked_out: Vec<EdgeId>,
    /// Promises this group has made, by how far its level may rise.
    pub(super) certified_out: Heap<Rate, EdgeId>,
}

impl Slotted for Link {
    fn spare(&mut self) -> &mut u32 {
        &mut self.due_at
    }
}

impl Link {
    pub(super) fn new(capacity: Rate) -> Self {
        Self {
            capacity,
            level: Rate::UNLIMITED,
            clock: Clock::default(),
            touched: SimTime::ZERO,
            load: 0,
            flows: 0,
            dirty: false,
            due_at: NOWHERE,
            members: Heap::default(),
            caps: Heap::default(),
            tracked_in: Heap::default(),
            certified_in: Vec::new(),
            tracked_out: Vec::new(),
            certified_out: Heap::default(),
        }
    }

    /// Whether some flow has its bottleneck here, so that the whole capacity is used.
    pub(super) fn is_saturated(&self) -> bool {
        self.flows > 0
    }

    /// Whether more is accounted here than there is.
    pub(super) fn is_overfull(&self) -> bool {
        self.load > i128::from(self.capacity.0)
    }

    /// Whether nobody has a bottleneck here and what is accounted fits in.
    pub(super) fn has_room(&self) -> bool {
        !self.is_saturated() && !self.is_overfull()
    }

    /// What in-edges leave of the capacity.
    pub(super) fn slack(&self) -> Rate {
        let left = i128::from(self.capacity.0) - self.load;
        Rate(i64::try_from(left.max(0)).expect("no more is left than the capacity"))
    }

    /// The level if the group had `flows` flows.
    pub(super) fn share(&self, flows: u32) -> Rate {
        Rate(self.slack().0 / i64::from(flows))
    }

    /// Where this link stands in the order of settling: at its level as far as it is known, or
    /// at an upper bound of it while an overfull link has no group yet.
    pub(super) fn tentative_level(&self) -> Rate {
        if self.is_saturated() {
            return self.share(self.flows);
        }
        match self.tracked_in.first() {
            Some((Reverse(rate), _)) => rate.min(self.capacity),
            None => self.capacity,
        }
    }

    /// The clock at `now`, which no change of level since `touched` precedes.
    pub(super) fn clock_at(&self, now: SimTime) -> Clock {
        if self.is_saturated() {
            self.clock + self.level.during(now.since(self.touched).0)
        } else {
            self.clock
        }
    }

    /// Brings the clock up to date, before the level changes.
    pub(super) fn touch(&mut self, now: SimTime) {
        self.clock = self.clock_at(now);
        self.touched = now;
    }

    /// When the group's next flow will have moved all its bytes.
    pub(super) fn due(&self) -> SimTime {
        match self.members.first() {
            Some((mark, _)) => (mark - self.clock).due(self.level, self.touched),
            None => SimTime::NEVER,
        }
    }
}
