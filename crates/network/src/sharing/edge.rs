//! Edges: what a link knows of flows that cross it but have their bottleneck elsewhere.

use std::cmp::Reverse;

use super::{
    FairSharing,
    class::{ClassId, Crossing},
    heap::NOWHERE,
    link::LinkId,
    lookup,
    quantum::Rate,
    room,
    slots::{Slotted, ids},
};

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct EdgeId(pub(super) u32);

ids!(EdgeId);

impl EdgeId {
    pub(super) const NONE: Self = Self(u32::MAX);
}

/// All flows of one group that cross one other link. A capped class has edges of its own.
#[derive(Debug)]
pub(super) struct Edge {
    /// The group's link; [`LinkId::CAPPED`] for a capped class.
    pub(super) group: LinkId,
    /// The link that is crossed.
    pub(super) link: LinkId,
    pub(super) flows: u32,
    pub(super) kind: Kind,
    /// The rate at which each flow counts in the link's load.
    pub(super) rate: Rate,
    /// Position in the group's `tracked_out` or `certified_out`.
    pub(super) at_group: u32,
    /// Position in the link's `tracked_in` or `certified_in`.
    pub(super) at_link: u32,
    /// The first of the classes in it.
    pub(super) head: Crossing,
}

impl Slotted for Edge {
    fn spare(&mut self) -> &mut u32 {
        &mut self.at_group
    }
}

/// How an edge's accounted rate follows the true one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// It equals the group's level, or the cap of a capped class.
    Tracked,
    /// It is a bound: the link is safe while the group's level stays under it.
    Certified,
}

impl FairSharing {
    /// Enters `class` at `hop` into the edge from its place to that link.
    pub(super) fn join(&mut self, class: ClassId, hop: usize) {
        let Self { classes, edges, .. } = self;
        let (group, link) = (classes[class].group, classes[class].hops[hop].link);
        let known = if group == LinkId::CAPPED {
            None
        } else {
            let is = |id| {
                let edge = &edges[EdgeId(id)];
                edge.group == group && edge.link == link
            };
            self.edge_index.find(edge_hash(group, link), is).map(EdgeId)
        };
        let edge = match known {
            Some(edge) => edge,
            None => self.open_edge(group, link, self.classes[class].cap),
        };
        let crossing = Crossing::new(class, hop);
        let head = std::mem::replace(&mut self.edges[edge].head, crossing);
        let this = &mut self.classes[class].hops[hop];
        (this.edge, this.before, this.after) = (edge, Crossing::NONE, head);
        if head != Crossing::NONE {
            self.classes[head.class()].hops[head.hop()].before = crossing;
        }
        self.count(edge, i64::from(self.classes[class].flows));
    }

    /// Takes `class` out of the edge it is in at `hop`, if it is in one.
    pub(super) fn part(&mut self, class: ClassId, hop: usize) {
        let this = &mut self.classes[class].hops[hop];
        let (edge, before, after) = (this.edge, this.before, this.after);
        if edge == EdgeId::NONE {
            return;
        }
        this.edge = EdgeId::NONE;
        if before == Crossing::NONE {
            self.edges[edge].head = after;
        } else {
            self.classes[before.class()].hops[before.hop()].after = after;
        }
        if after != Crossing::NONE {
            self.classes[after.class()].hops[after.hop()].before = before;
        }
        self.count(edge, -i64::from(self.classes[class].flows));
        if self.edges[edge].head == Crossing::NONE {
            self.close_edge(edge);
        }
    }

    /// Accounts for `flows` more flows in an edge; fewer when negative.
    pub(super) fn count(&mut self, edge: EdgeId, flows: i64) {
        let edge = &mut self.edges[edge];
        let counted = i64::from(edge.flows) + flows;
        edge.flows = u32::try_from(counted).expect("an edge counts the flows in it");
        let (id, rate) = (edge.link, edge.rate);
        let link = &mut self.links[id];
        link.load += i128::from(rate.0) * i128::from(flows);
        if !link.has_room() {
            self.mark(id);
        }
    }

    fn open_edge(&mut self, group: LinkId, link: LinkId, cap: Rate) -> EdgeId {
        let capped = group == LinkId::CAPPED;
        let rate = if capped { cap } else { self.links[group].level };
        let id = self.edges.insert(Edge {
            group,
            link,
            flows: 0,
            kind: Kind::Tracked,
            rate,
            at_group: NOWHERE,
            at_link: NOWHERE,
            head: Crossing::NONE,
        });
        if !capped {
            self.edge_index.insert(edge_hash(group, link), id.0);
        }
        self.track(id);
        id
    }

    fn close_edge(&mut self, id: EdgeId) {
        self.unlist(id);
        let edge = &self.edges[id];
        if edge.group != LinkId::CAPPED {
            self.edge_index
                .remove(edge_hash(edge.group, edge.link), id.0);
        }
        self.edges.free(id);
    }

    /// Lists an edge that is in no list as tracked, at the rate it has.
    fn track(&mut self, id: EdgeId) {
        let Self { links, edges, .. } = self;
        let edge = &mut edges[id];
        edge.kind = Kind::Tracked;
        if edge.group != LinkId::CAPPED {
            let list = &mut links[edge.group].tracked_out;
            edge.at_group = u32::try_from(list.len()).expect("ids are 32 bits wide");
            room::push(list, id);
        }
        let (link, key) = (edge.link, Reverse(edge.rate));
        let moved = |id, at| edges[id].at_link = at;
        links[link].tracked_in.push(key, id, moved);
    }

    /// Lists an edge that is in no list as certified, at the rate it has.
    fn certify(&mut self, id: EdgeId) {
        let Self { links, edges, .. } = self;
        let edge = &mut edges[id];
        edge.kind = Kind::Certified;
        let list = &mut links[edge.link].certified_in;
        edge.at_link = u32::try_from(list.len()).expect("ids are 32 bits wide");
        room::push(list, id);
        let (group, key) = (edge.group, edge.rate);
        let moved = |id, at| edges[id].at_group = at;
        links[group].certified_out.push(key, id, moved);
    }

    /// Takes an edge out of the lists of its kind.
    fn unlist(&mut self, id: EdgeId) {
        let Self { links, edges, .. } = self;
        let edge = &edges[id];
        let (group, link, at_group, at_link) = (edge.group, edge.link, edge.at_group, edge.at_link);
        if edge.kind == Kind::Tracked {
            let tracked = &mut links[link].tracked_in;
            tracked.remove(at_link, |id, at| edges[id].at_link = at);
            if group != LinkId::CAPPED {
                let list = &mut links[group].tracked_out;
                list.swap_remove(at_group as usize);
                if let Some(last) = list.get(at_group as usize) {
                    edges[*last].at_group = at_group;
                } else {
                    room::give_back(list);
                }
            }
        } else {
            let list = &mut links[link].certified_in;
            list.swap_remove(at_link as usize);
            if let Some(last) = list.get(at_link as usize) {
                edges[*last].at_link = at_link;
            } else {
                room::give_back(list);
            }
            let certified = &mut links[group].certified_out;
            certified.remove(at_group, |id, at| edges[id].at_group = at);
        }
    }

    /// Accounts for an edge at `rate`, wherever it is listed.
    fn account(&mut self, id: EdgeId, rate: Rate) {
        let Self { links, edges, .. } = self;
        let edge = &mut edges[id];
        links[edge.link].load += rate.times(edge.flows) - edge.rate.times(edge.flows);
        edge.rate = rate;
    }

    /// Takes back all promises about `link`: their edges become tracked, at their true rates.
    pub(super) fn revoke(&mut self, link: LinkId) {
        while let Some(edge) = self.links[link].certified_in.last().copied() {
            self.unlist(edge);
            self.account(edge, self.links[self.edges[edge].group].level);
            self.track(edge);
        }
    }

    /// Tells the link of a tracked edge that the group's level has moved to `level` by `step`.
    pub(super) fn push_level(&mut self, id: EdgeId, level: Rate, step: Rate) {
        self.effort.pushes += 1;
        self.account(id, level);
        let Edge { link, at_link, .. } = self.edges[id];
        let room = self.links[link].has_room();
        let granted = if room { self.grant(id, step) } else { None };
        if let Some(rate) = granted {
            self.unlist(id);
            self.account(id, rate);
            self.certify(id);
            return;
        }
        let Self { links, edges, .. } = self;
        let tracked = &mut links[link].tracked_in;
        tracked.rekey(at_link, Reverse(level), |id, at| edges[id].at_link = at);
        if !room {
            self.mark(link);
        }
    }

    /// Replaces a promise that `level` has broken by a better one, or by tracking.
    pub(super) fn break_certificate(&mut self, id: EdgeId, level: Rate, step: Rate) {
        self.effort.pushes += 1;
        self.account(id, level);
        let link = self.edges[id].link;
        let room = self.links[link].has_room();
        let granted = if room { self.grant(id, step) } else { None };
        self.unlist(id);
        if let Some(rate) = granted {
            self.account(id, rate);
            self.certify(id);
        } else {
            self.track(id);
        }
        if !room {
            self.mark(link);
        }
    }

    /// How far a group's level may rise before the link of an edge, which has room, must know.
    ///
    /// `step` is how far the level has just moved. A promise that would not outlast four such
    /// steps costs more than it saves and is not given, unless nothing can break it.
    fn grant(&self, id: EdgeId, step: Rate) -> Option<Rate> {
        const STEPS: i64 = 4;
        const SHARES_MAX: usize = 4;
        let edge = &self.edges[id];
        let (link, group) = (&self.links[edge.link], &self.links[edge.group]);
        let tracked = link.tracked_in.len();
        let shares = match tracked + link.certified_in.len() {
            1 => 1,
            _ => SHARES_MAX.min(tracked + 1),
        };
        let shares = i64::try_from(shares).expect("few") * i64::from(edge.flows);
        let most = group.capacity.0 - edge.rate.0;
        let extra = most.min(link.slack().0 / shares);
        let lasts = extra == most || extra >= step.0.saturating_mul(STEPS);
        lasts.then_some(Rate(edge.rate.0 + extra))
    }
}

fn edge_hash(group: LinkId, link: LinkId) -> u32 {
    lookup::hash([u64::from(group.0) << 32 | u64::from(link.0)])
}
