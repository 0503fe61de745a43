//! Exact max-min fair sharing, at nearly O(log n) per event.
//!
//! # What is computed
//!
//! Every flow crosses 1 to 32 links and may have a cap, a rate limit of its own. At every
//! instant the rates are *max-min fair*: no link carries more than its capacity, and each flow
//! either runs at its cap or crosses a saturated link on which no flow is faster. There is exactly
//! one such set of rates.
//!
//! # Vocabulary
//!
//! - *Class*: all flows with the same path and cap. Their rates are always equal, so that a class
//!   is what moves.
//! - *Group* of a link: the classes that have their bottleneck there. All of them run at the
//!   link's *level*. A link is *saturated* when its group is not empty. A class that runs at its
//!   cap is in no group but *capped*.
//! - *Edge*: all flows of one group that cross one other link, with the rate at which they are
//!   accounted there. The *load* of a link is the sum over the edges into it; what the load
//!   leaves of the capacity, divided by the group's flows, is the level.
//! - A *tracked* edge is accounted at its true rate, and every change of level is pushed to the
//!   link. A *certified* edge is accounted at a promised bound and costs nothing while the level
//!   stays under it; only links with room make such promises. A private access link with one flow
//!   needs a single promise for as long as the flow lasts.
//! - *Clock* of a group: the integral of its level, brought up to date before the level changes.
//!   A flow finishes at a fixed *mark* of its class's clock, which is a place's clock plus an
//!   offset; moving a class to another place changes the offset and nothing else.
//!
//! # Method
//!
//! Changes only edit counts and mark links. Rates are computed once per instant, before time goes
//! on, by *settling* marked links, lowest level first. A link settles by pulling in flows that
//! are faster than its level and by releasing members whose cap is under it; then it publishes
//! its level. That it ends: a pull slows the flow it moves and never lowers a level, and levels
//! depend on lower ones only.
//!
//! # Invariants, whenever all is settled
//!
//! 1. A link's load is the sum over its in-edges of flows times accounted rate.
//! 2. A tracked edge is accounted at its group's level, or the cap; a certified one at no less.
//! 3. A link with room has load within its capacity. A saturated one has no certified in-edges,
//!    and its level is what the load leaves divided by the group's flows, rounded down.
//! 4. No flow that crosses a saturated link is faster than its level.
//! 5. No member of a group has a cap under the level.
//! 6. A class is in one place, and in one edge for every other link of its path.
//! 7. A clock is current to the instant at which its level last changed.
//! 8. A group is due at the first nanosecond at which its clock reaches its least finish mark.
//! 9. The total rate is the sum of all flows' rates.
//!
//! 3, 4 and 5 together are max-min fairness.
//!
//! # Cost
//!
//! An event costs a few heap operations for every level that really changes: usually 1 to 8 of
//! them, however many flows share a link. All flows of a link that change their bottleneck at
//! once, as after a failure, cost a move each.
//!
//! # Numbers
//!
//! Rates are whole multiples of 2^-24 byte per second in an `i64`, up to
//! [`BitsPerSecond::MAX`]; loads are sums of them in an `i128`. Clocks are in units of
//! 2^-24 byte per second times a nanosecond in an `i128`, 1e22 bytes at most: a hundred years at
//! the largest rate are a sixth of that. Levels are rounded down, so that capacity is never
//! exceeded and at most one quantum per flow stays unused: 6e-11 of a flow that runs at 1 kB/s.
//! Completions fall on the first whole nanosecond at which all bytes have moved; an instant past
//! the end of [`SimTime`] is never. Where levels tie exactly, flows may be on either side, and
//! rates differ by a few quanta with the history that led there; the same calls always give the
//! same results.
//!
//! # Source
//!
//! D. Bertsekas and R. Gallager, *Data Networks*, second edition, Prentice Hall, 1992, §6.5.2:
//! max-min fair flow control and the bottleneck condition.

mod capacity;
#[cfg(test)]
mod check;
mod class;
mod edge;
mod effort;
mod fault;
mod heap;
mod link;
mod lookup;
mod place;
mod quantum;
mod room;
mod settle;
mod slots;
#[cfg(test)]
mod tests;
mod total;

use std::{cmp::Reverse, collections::BinaryHeap};

use netduel_engine::SimTime;
use netduel_units::{BitsPerSecond, Bytes};

pub use self::{capacity::Capacity, class::FlowId, effort::Effort, link::LinkId};
use self::{
    class::{Class, ClassId, Flow, HOPS_MAX},
    edge::{Edge, EdgeId},
    fault::Faults,
    heap::Heap,
    link::Link,
    lookup::Lookup,
    quantum::{Clock, Rate},
    slots::Slots,
    total::Total,
};

/// Flows that share links max-min fairly.
///
/// All instants passed in must not decrease, and must not pass [`next_time`](Self::next_time)
/// without [`advance`](Self::advance). Changes made at one instant take effect together.
///
/// ```
/// # use netduel_engine::SimTime;
/// # use netduel_network::FairSharing;
/// # use netduel_units::Bytes;
/// let mut sharing = FairSharing::new();
/// let uplink = sharing.add_link("8 Mbps".parse().unwrap());
/// let slow = sharing.add_link("2 Mbps".parse().unwrap());
/// let fast = sharing.add_link("50 Mbps".parse().unwrap());
/// let first = sharing.start(SimTime::ZERO, &[uplink, slow], None, Bytes(1_000_000));
/// let second = sharing.start(SimTime::ZERO, &[uplink, fast], None, Bytes(1_500_000));
/// assert_eq!(sharing.rate(first), 2e6);
/// assert_eq!(sharing.rate(second), 6e6);
///
/// let mut finished = Vec::new();
/// let at = sharing.next_time().unwrap();
/// sharing.advance(at, &mut finished);
/// assert_eq!((at.as_seconds(), finished), (2.0, vec![second]));
/// assert_eq!(sharing.delivered(at, first), Bytes(500_000));
/// ```
#[derive(Debug, Default)]
pub struct FairSharing {
    now: SimTime,
    links: Slots<LinkId, Link>,
    classes: Slots<ClassId, Class>,
    edges: Slots<EdgeId, Edge>,
    flows: Slots<FlowId, Flow>,
    /// Classes by path and cap.
    class_index: Lookup,
    /// Edges by group and link; those of capped classes are not in it.
    edge_index: Lookup,
    /// Groups by the instant of their next completion.
    due: Heap<SimTime, LinkId>,
    /// Capped classes by the instant of their next completion.
    capped: Heap<SimTime, ClassId>,
    /// Links marked since the last look, and marked links in the order of settling.
    dirty: Vec<LinkId>,
    pending: BinaryHeap<Reverse<(Rate, LinkId)>>,
    /// Flows handed out by the last `advance`, whose ids may not come again yet.
    ended: Vec<FlowId>,
    started: u64,
    total: Total,
    effort: Effort,
    faults: Faults,
    /// Kept for their allocations.
    pulled: Vec<ClassId>,
    due_links: Vec<LinkId>,
    due_classes: Vec<ClassId>,
    batch: Vec<(u64, FlowId)>,
}

impl FairSharing {
    /// No links and no flows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a link.
    pub fn add_link(&mut self, capacity: BitsPerSecond) -> LinkId {
        self.links
            .insert(Link::new(Capacity::from(capacity).into()))
    }

    /// Starts a flow of `size`, at least 1 byte, along `path`: 1 to 32 links, none twice.
    ///
    /// `cap` is the flow's own limit.
    pub fn start(
        &mut self,
        now: SimTime,
        path: &[LinkId],
        cap: Option<BitsPerSecond>,
        size: Bytes,
    ) -> FlowId {
        assert!(size > Bytes(0), "a flow has something to move");
        assert!(
            (1..=HOPS_MAX).contains(&path.len()),
            "a path has 1 to 32 links"
        );
        for (at, link) in path.iter().enumerate() {
            assert!(!path[..at].contains(link), "a path crosses no link twice");
        }
        self.reach(now);
        let flow = Flow {
            class: ClassId::NONE,
            at: heap::NOWHERE,
            size,
            start: self.started,
        };
        self.started += 1;
        self.add(path, Rate::of_cap(cap), flow)
    }

    /// Stops a flow; returns the whole bytes that it had delivered.
    pub fn abort(&mut self, now: SimTime, flow: FlowId) -> Bytes {
        let delivered = self.delivered(now, flow);
        self.total.end(self.left(flow));
        self.remove(flow);
        self.flows.free(flow);
        delivered
    }

    /// Changes what a link carries. At [`Capacity::NONE`] its flows stall until there is more.
    pub fn set_capacity(&mut self, now: SimTime, link: LinkId, capacity: Capacity) {
        self.reach(now);
        let this = &mut self.links[link];
        this.capacity = capacity.into();
        if !this.has_room() {
            self.mark(link);
        }
    }

    /// The instant of the next completion, or nothing when there will be none.
    pub fn next_time(&mut self) -> Option<SimTime> {
        self.settle();
        let groups = self.due.first().map(|(at, _)| at);
        let capped = self.capped.first().map(|(at, _)| at);
        let next = groups.into_iter().chain(capped).min();
        next.filter(|at| *at < SimTime::NEVER)
    }

    /// Removes the flows that complete at or before `now` and appends them to `finished`:
    /// instant by instant, and in the order of their start where they complete together.
    pub fn advance(&mut self, now: SimTime, finished: &mut Vec<FlowId>) {
        assert!(self.now <= now, "time does not run backwards");
        for flow in self.ended.drain(..) {
            self.flows.free(flow);
        }
        let begin = finished.len();
        while let Some(at) = self.next_time()
            && at <= now
        {
            self.pass_to(at);
            self.complete(finished);
            if at == now {
                // What follows at this instant is settled together with these completions.
                break;
            }
        }
        self.pass_to(now);
        self.ended.extend(&finished[begin..]);
    }

    /// The whole bytes that a flow has delivered by `now`.
    pub fn delivered(&mut self, now: SimTime, flow: FlowId) -> Bytes {
        self.reach(now);
        let (size, left) = (self.flows[flow].size, self.left(flow));
        size.min((Clock::of(size) - left).whole_bytes())
    }

    /// The whole bytes in what all flows have moved by `now`, those included that have ended.
    ///
    /// Parts of bytes count: it is up to a byte for each flow under way or aborted more than the
    /// sum of [`delivered`](Self::delivered), and it never falls. Its cost does not depend on how
    /// many flows there are.
    pub fn moved(&mut self, now: SimTime) -> Bytes {
        self.reach(now);
        self.total_work().whole_bytes()
    }

    /// A flow's rate in bits per second, with all changes so far taken in.
    pub fn rate(&mut self, flow: FlowId) -> f64 {
        self.settle();
        self.rate_of(self.class_of(flow)).bits_per_second()
    }

    /// The flows that cross a link, in the order of their start.
    pub fn flows_on(&self, link: LinkId) -> Vec<FlowId> {
        let this = &self.links[link];
        let edges = this
            .tracked_in
            .ids()
            .chain(this.certified_in.iter().copied());
        let foreign = edges.flat_map(|edge| self.classes_of(edge));
        self.in_order(this.members.ids().chain(foreign))
    }

    /// The flows whose rate is 0, in the order of their start. It looks at every link.
    pub fn stalled(&mut self) -> Vec<FlowId> {
        self.settle();
        let links = self.links.iter();
        let stalled = links.filter(|link| link.is_saturated() && link.level == Rate::ZERO);
        self.in_order(stalled.flat_map(|link| link.members.ids()))
    }

    /// How many flows there are.
    pub fn len(&self) -> usize {
        self.flows.len() - self.ended.len()
    }

    /// Whether there are no flows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The work done so far.
    pub fn effort(&self) -> Effort {
        self.effort
    }

    fn reach(&mut self, now: SimTime) {
        assert!(self.now <= now, "time does not run backwards");
        if self.now < now {
            let next = self.next_time();
            assert!(
                next.is_none_or(|next| now <= next),
                "time does not pass a completion"
            );
            self.pass_to(now);
        }
    }

    /// Lets time go on at the present rates, which are settled unless it stands still.
    fn pass_to(&mut self, now: SimTime) {
        self.total.pass(now.since(self.now).0);
        self.now = now;
    }

    fn class_of(&self, flow: FlowId) -> &Class {
        let class = self.flows[flow].class;
        assert!(class != ClassId::NONE, "the flow has not ended");
        &self.classes[class]
    }

    fn rate_of(&self, class: &Class) -> Rate {
        if class.is_capped() {
            class.cap
        } else {
            self.links[class.group].level
        }
    }

    /// The work that a flow has left to do now; not above 0 when it is done.
    fn left(&self, flow: FlowId) -> Clock {
        let class = self.class_of(flow);
        let mark = match self.flows[flow].at {
            heap::NOWHERE => class.first.mark,
            at => class
                .others
                .as_ref()
                .expect("the flow is among them")
                .key(at),
        };
        mark - self.clock_of(self.flows[flow].class)
    }

    fn classes_of(&self, edge: EdgeId) -> impl Iterator<Item = ClassId> {
        let mut next = self.edges[edge].head;
        std::iter::from_fn(move || {
            let this = next.some()?;
            next = self.classes[this.class()].hops[this.hop()].after;
            Some(this.class())
        })
    }

    fn in_order(&self, classes: impl Iterator<Item = ClassId>) -> Vec<FlowId> {
        let mut flows: Vec<FlowId> = classes
            .flat_map(|class| self.classes[class].flow_ids())
            .collect();
        flows.sort_unstable_by_key(|flow| self.flows[*flow].start);
        flows
    }
}
