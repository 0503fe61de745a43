//! The invariants, asserted.

use std::cmp::Reverse;

use netduel_engine::SimTime;

use super::{
    FairSharing,
    class::{ClassId, FlowId},
    edge::{EdgeId, Kind},
    heap::NOWHERE,
    link::LinkId,
    quantum::Rate,
    slots::Id,
};

/// Fails with what is said unless the claim holds.
macro_rules! claim {
    ($holds:expr, $($said:tt)+) => {
        if !$holds {
            return Err(format!($($said)+));
        }
    };
}

impl FairSharing {
    /// Settles, and checks every invariant of the module's list.
    pub(super) fn check(&mut self) -> Result<(), String> {
        self.settle();
        let mut edges = vec![0; self.edges.iter().count()];
        let (mut members, mut rate) = (0, 0);
        for class in self.classes_present() {
            let this = &self.classes[class];
            rate += self.rate_of(this).times(this.flows);
            members += usize::from(!self.classes[class].is_capped());
            self.check_class(class, &mut edges)?;
        }
        claim!(
            edges.iter().filter(|flows| **flows > 0).count() == self.edges.len(),
            "an edge is empty"
        );
        claim!(
            rate == self.total.rate,
            "9: all flows run at {rate}, not {}",
            self.total.rate
        );
        let mut listed = 0;
        for id in (0..self.links.len()).map(|at| LinkId::new(u32::try_from(at).unwrap())) {
            self.check_link(id, &edges)?;
            listed += self.links[id].members.len();
        }
        claim!(
            listed == members,
            "{listed} members listed, {members} present"
        );
        Ok(())
    }

    fn classes_present(&self) -> Vec<ClassId> {
        let flows = self.flows.iter().map(|flow| flow.class);
        let mut classes: Vec<ClassId> = flows.filter(|class| *class != ClassId::NONE).collect();
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// Invariant 6, and that flows are where they are said to be.
    fn check_class(&self, id: ClassId, edges: &mut [u32]) -> Result<(), String> {
        let class = &self.classes[id];
        let flows: Vec<FlowId> = class.flow_ids().collect();
        claim!(
            flows.len() == class.flows as usize,
            "{id:?} miscounts its flows"
        );
        for flow in flows {
            let listed = &self.flows[flow];
            claim!(listed.class == id, "{flow:?} is not in its class");
            claim!(
                (listed.at == NOWHERE) == (flow == class.first.flow),
                "{flow:?} is misplaced"
            );
        }
        if let Some((mark, _)) = class.others.as_ref().and_then(|others| others.first()) {
            claim!(
                class.first.mark <= mark,
                "{id:?} has an earlier finish than its first"
            );
        }
        if class.is_capped() {
            claim!(
                class.cap < Rate::UNLIMITED,
                "{id:?} is capped without a cap"
            );
            let due = (class.first.mark - class.offset).due(class.cap, SimTime::ZERO);
            let known = self.capped.key(class.at);
            claim!(
                known == due.max(self.now),
                "{id:?} is due {known}, not {due}"
            );
        } else {
            claim!(
                class.path().iter().any(|hop| hop.link == class.group),
                "{id:?} is in the group of a link that it does not cross"
            );
            let link = &self.links[class.group];
            claim!(
                link.members.key(class.at) == class.first.mark - class.offset,
                "{id:?} is not where its first finish belongs"
            );
        }
        for hop in class.path() {
            if hop.link == class.group {
                claim!(hop.edge == EdgeId::NONE, "{id:?} crosses its own link");
                continue;
            }
            let edge = &self.edges[hop.edge];
            claim!(
                (edge.group, edge.link) == (class.group, hop.link),
                "{id:?} is in another's edge"
            );
            claim!(
                self.classes_of(hop.edge).any(|other| other == id),
                "{id:?} is not listed"
            );
            edges[hop.edge.index()] += class.flows;
        }
        Ok(())
    }

    /// Invariants 1 to 5, 7 and 8.
    fn check_link(&self, id: LinkId, edges: &[u32]) -> Result<(), String> {
        let link = &self.links[id];
        claim!(!link.dirty, "{id:?} is not settled");
        let mut load = 0;
        for edge in link
            .tracked_in
            .ids()
            .chain(link.certified_in.iter().copied())
        {
            let (this, flows) = (&self.edges[edge], edges[edge.index()]);
            claim!(
                this.flows == flows,
                "{edge:?} counts {} flows of {flows}",
                this.flows
            );
            load += i128::from(this.rate.0) * i128::from(flows);
        }
        claim!(
            load == link.load,
            "1: {id:?} has load {load}, not {}",
            link.load
        );
        for (at, edge) in link.tracked_in.ids().enumerate() {
            self.check_tracked(
                edge,
                u32::try_from(at).unwrap(),
                link.tracked_in.key(u32::try_from(at).unwrap()),
            )?;
        }
        for edge in link.certified_in.iter().map(|edge| &self.edges[*edge]) {
            let level = self.links[edge.group].level;
            claim!(
                edge.kind == Kind::Certified,
                "2: certified without being so"
            );
            claim!(
                level <= edge.rate,
                "2: level {level:?} above the promised {:?}",
                edge.rate
            );
            let promised = self.links[edge.group].certified_out.key(edge.at_group);
            claim!(
                promised == edge.rate,
                "2: promised {promised:?}, not {:?}",
                edge.rate
            );
        }
        let flows = link.members.ids().map(|class| self.classes[class].flows);
        claim!(
            flows.sum::<u32>() == link.flows,
            "{id:?} miscounts its group"
        );
        if link.is_saturated() {
            self.check_saturated(id)?;
        } else {
            claim!(!link.is_overfull(), "3: {id:?} is overfull without a group");
            claim!(link.due_at == NOWHERE, "8: {id:?} is due without a group");
            claim!(
                link.tracked_out.len() + link.certified_out.len() == 0,
                "{id:?} feeds edges"
            );
        }
        Ok(())
    }

    fn check_tracked(&self, id: EdgeId, at: u32, key: Reverse<Rate>) -> Result<(), String> {
        let edge = &self.edges[id];
        let rate = match edge.group {
            LinkId::CAPPED => self.classes[edge.head.class()].cap,
            group => self.links[group].level,
        };
        claim!(
            edge.kind == Kind::Tracked && edge.at_link == at,
            "2: {id:?} is misplaced"
        );
        claim!(
            edge.rate == rate,
            "2: {id:?} is accounted at {:?}, runs at {rate:?}",
            edge.rate
        );
        claim!(
            key == Reverse(rate),
            "2: {id:?} is ranked at {key:?}, runs at {rate:?}"
        );
        if edge.group != LinkId::CAPPED {
            let listed = self.links[edge.group].tracked_out[edge.at_group as usize];
            claim!(listed == id, "2: {id:?} is not listed by its group");
        }
        Ok(())
    }

    fn check_saturated(&self, id: LinkId) -> Result<(), String> {
        let link = &self.links[id];
        claim!(
            link.certified_in.is_empty(),
            "3: {id:?} is saturated in spite of promises"
        );
        let left = i128::from(link.capacity.0) - link.load;
        let used = link.level.times(link.flows);
        let fits = used <= left && left < used + i128::from(link.flows);
        claim!(
            fits || (link.level == Rate::ZERO && left <= 0),
            "3: {id:?} has level {:?}",
            link.level
        );
        let fastest = link
            .tracked_in
            .ids()
            .map(|edge| self.edges[edge].rate)
            .max();
        claim!(
            fastest.is_none_or(|rate| rate <= link.level),
            "4: {id:?} carries faster flows"
        );
        let caps = link.members.ids().map(|class| self.classes[class].cap);
        claim!(
            caps.min().is_none_or(|cap| link.level <= cap),
            "5: {id:?} exceeds a cap"
        );
        let capped = link
            .members
            .ids()
            .filter(|class| self.classes[*class].cap < Rate::UNLIMITED);
        claim!(capped.count() == link.caps.len(), "5: {id:?} misses a cap");
        claim!(link.touched <= self.now, "7: {id:?} is ahead of time");
        let (mark, _) = link.members.first().ok_or("a saturated link has members")?;
        let due = match link.due_at {
            NOWHERE => None,
            at => Some(self.due.key(at)),
        };
        let expected = Some(link.due()).filter(|due| *due < SimTime::NEVER);
        claim!(
            due == expected,
            "8: {id:?} is due {due:?}, not {expected:?}"
        );
        if let Some(due) = due.filter(|due| *due > self.now) {
            let before = SimTime(due.0 - 1);
            let exact = link.clock_at(due) >= mark && link.clock_at(before) < mark;
            claim!(exact, "8: {id:?} is due at the wrong nanosecond");
        }
        Ok(())
    }
}
