//! Where classes are, and how they and their flows come, move and go.

use netduel_engine::SimTime;

use super::{
    FairSharing,
    class::{Class, ClassId, Finish, Flow, FlowId},
    heap::{Heap, NOWHERE},
    link::LinkId,
    lookup,
    quantum::{Clock, Rate},
};

impl FairSharing {
    /// Adds a flow to its class, or to a new class where it probably belongs.
    pub(super) fn add(&mut self, path: &[LinkId], cap: Rate, flow: Flow) -> FlowId {
        let work = Clock::of(flow.size);
        let id = self.flows.insert(flow);
        let hash = class_hash(path.iter().copied(), cap);
        let same = |id| {
            let class = &self.classes[ClassId(id)];
            let links = class.path().iter().map(|hop| hop.link);
            class.cap == cap && links.eq(path.iter().copied())
        };
        if let Some(class) = self.class_index.find(hash, same) {
            let mark = self.clock_of(ClassId(class)) + work;
            self.add_to(ClassId(class), Finish { mark, flow: id });
            return id;
        }
        let first = Finish {
            mark: work,
            flow: id,
        };
        let class = self.classes.insert(Class::new(path, cap, first));
        self.class_index.insert(hash, class.0);
        self.flows[id].class = class;
        let place = self.guess(path, cap);
        self.enter(class, place, Clock::default());
        id
    }

    fn add_to(&mut self, id: ClassId, finish: Finish) {
        let Self { classes, flows, .. } = self;
        let class = &mut classes[id];
        let earlier = finish.mark < class.first.mark;
        let later = if earlier {
            std::mem::replace(&mut class.first, finish)
        } else {
            finish
        };
        flows[class.first.flow].at = NOWHERE;
        flows[finish.flow].class = id;
        let others = class.others.get_or_insert_with(Box::<Heap<_, _>>::default);
        others.push(later.mark, later.flow, |flow, at| flows[flow].at = at);
        self.recount(id, 1);
        if earlier {
            self.rekey(id);
        }
    }

    /// Removes a flow, and its class with the last one.
    pub(super) fn remove(&mut self, flow: FlowId) {
        let Self { classes, flows, .. } = self;
        let id = flows[flow].class;
        let class = &mut classes[id];
        flows[flow].class = ClassId::NONE;
        if class.flows == 1 {
            self.leave(id);
            let class = &self.classes[id];
            let hash = class_hash(class.path().iter().map(|hop| hop.link), class.cap);
            self.class_index.remove(hash, id.0);
            self.classes.free(id);
            return;
        }
        let others = class
            .others
            .as_mut()
            .expect("a class of several has others");
        let moved = |flow: FlowId, at| flows[flow].at = at;
        if class.first.flow == flow {
            let (mark, next) = others.first().expect("a class of several has others");
            others.remove(0, moved);
            flows[next].at = NOWHERE;
            class.first = Finish { mark, flow: next };
            self.recount(id, -1);
            self.rekey(id);
        } else {
            let at = flows[flow].at;
            others.remove(at, |flow, at| flows[flow].at = at);
            self.recount(id, -1);
        }
    }

    /// Takes out everything that completes now.
    pub(super) fn complete(&mut self, finished: &mut Vec<FlowId>) {
        let mut batch = std::mem::take(&mut self.batch);
        let mut links = std::mem::take(&mut self.due_links);
        self.due.up_to(self.now, &mut links);
        for id in links.drain(..) {
            let clock = self.links[id].clock_at(self.now);
            while let Some((mark, class)) = self.links[id].members.first()
                && mark <= clock
            {
                self.finish(class, mark - clock, &mut batch);
            }
        }
        let mut classes = std::mem::take(&mut self.due_classes);
        self.capped.up_to(self.now, &mut classes);
        for id in classes.drain(..) {
            let clock = self.clock_of(id);
            for _ in 0..self.classes[id].flows {
                let mark = self.classes[id].first.mark;
                if mark <= clock {
                    self.finish(id, mark - clock, &mut batch);
                }
            }
        }
        batch.sort_unstable();
        finished.extend(batch.drain(..).map(|(_, flow)| flow));
        (self.batch, self.due_links, self.due_classes) = (batch, links, classes);
    }

    /// Takes out the first flow of a class, which has nothing left to do, or less.
    fn finish(&mut self, class: ClassId, left: Clock, batch: &mut Vec<(u64, FlowId)>) {
        let flow = self.classes[class].first.flow;
        self.total.end(left);
        batch.push((self.flows[flow].start, flow));
        self.remove(flow);
    }

    /// Accounts for `by` more flows in a class that stays where it is.
    fn recount(&mut self, id: ClassId, by: i64) {
        let class = &mut self.classes[id];
        let changed = |flows: u32| u32::try_from(i64::from(flows) + by).expect("counts fit");
        class.flows = changed(class.flows);
        let (group, cap) = (class.group, class.cap);
        self.count_total(group, cap, by);
        let class = &self.classes[id];
        if !class.is_capped() {
            let group = class.group;
            let link = &mut self.links[group];
            link.flows = changed(link.flows);
            self.mark(group);
        }
        for hop in 0..self.classes[id].path().len() {
            let class = &self.classes[id];
            if class.hops[hop].link != class.group {
                self.count(class.hops[hop].edge, by);
            }
        }
    }

    /// Follows a change of the class's first finish mark.
    fn rekey(&mut self, id: ClassId) {
        let Self { links, classes, .. } = self;
        let class = &classes[id];
        let (at, mark) = (class.at, class.first.mark - class.offset);
        if class.is_capped() {
            let due = mark.due(class.cap, SimTime::ZERO).max(self.now);
            self.capped.rekey(at, due, |id, at| classes[id].at = at);
        } else {
            let members = &mut links[class.group].members;
            members.rekey(at, mark, |id, at| classes[id].at = at);
        }
    }

    /// The class's own clock, now.
    pub(super) fn clock_of(&self, id: ClassId) -> Clock {
        let class = &self.classes[id];
        class.offset + self.place_clock(class.group, class.cap)
    }

    fn place_clock(&self, group: LinkId, cap: Rate) -> Clock {
        if group == LinkId::CAPPED {
            cap.during(self.now.0)
        } else {
            self.links[group].clock_at(self.now)
        }
    }

    /// Puts a class that is nowhere, and whose own clock is at `clock`, into a group or among the
    /// capped.
    pub(super) fn enter(&mut self, id: ClassId, group: LinkId, clock: Clock) {
        let Self {
            links,
            classes,
            now,
            ..
        } = self;
        let class = &mut classes[id];
        class.group = group;
        let (first, cap, flows) = (class.first.mark, class.cap, class.flows);
        if group == LinkId::CAPPED {
            let offset = clock - cap.during(now.0);
            class.offset = offset;
            // A class that has just finished as a member of a group is due at once.
            let due = (first - offset).due(cap, SimTime::ZERO).max(*now);
            self.capped.push(due, id, |id, at| classes[id].at = at);
        } else {
            let link = &mut links[group];
            link.touch(*now);
            if !link.is_saturated() {
                // Nobody has heard of this group: a first level, so that its edges have a rate.
                link.level = link.share(flows);
            }
            link.flows += flows;
            let offset = clock - link.clock;
            class.offset = offset;
            link.members
                .push(first - offset, id, |id, at| classes[id].at = at);
            if cap != Rate::UNLIMITED {
                link.caps.push(cap, id, |id, at| classes[id].cap_at = at);
            }
            self.mark(group);
        }
        self.count_total(group, cap, i64::from(flows));
        for hop in 0..self.classes[id].path().len() {
            if self.classes[id].hops[hop].link != group {
                self.join(id, hop);
            }
        }
    }

    /// Takes a class out of its place and its edges; returns its own clock.
    pub(super) fn leave(&mut self, id: ClassId) -> Clock {
        let clock = self.clock_of(id);
        for hop in 0..self.classes[id].path().len() {
            self.part(id, hop);
        }
        let class = &self.classes[id];
        self.count_total(class.group, class.cap, -i64::from(class.flows));
        let Self { links, classes, .. } = self;
        let class = &classes[id];
        let (group, at, cap_at) = (class.group, class.at, class.cap_at);
        if group == LinkId::CAPPED {
            self.capped.remove(at, |id, at| classes[id].at = at);
            return clock;
        }
        let link = &mut links[group];
        link.flows -= class.flows;
        if class.cap != Rate::UNLIMITED {
            link.caps.remove(cap_at, |id, at| classes[id].cap_at = at);
        }
        link.members.remove(at, |id, at| classes[id].at = at);
        self.mark(group);
        clock
    }

    /// Moves a class to another place; what it has done already stays done.
    pub(super) fn relocate(&mut self, id: ClassId, group: LinkId) {
        self.effort.moves += 1;
        let clock = self.leave(id);
        self.enter(id, group, clock);
    }

    /// Where a new flow probably belongs: where its share would be least. Settling corrects a
    /// wrong guess.
    fn guess(&mut self, path: &[LinkId], cap: Rate) -> LinkId {
        loop {
            let share = |id: &LinkId| {
                let link = &self.links[*id];
                link.share(link.flows + 1)
            };
            let tightest = *path
                .iter()
                .min_by_key(|id| share(id))
                .expect("a path has links");
            let link = &self.links[tightest];
            if link.is_saturated() || link.certified_in.is_empty() {
                return if cap < share(&tightest) {
                    LinkId::CAPPED
                } else {
                    tightest
                };
            }
            // Promises overstate the load. Without them the link may turn out to have room.
            self.revoke(tightest);
        }
    }
}

fn class_hash(path: impl Iterator<Item = LinkId>, cap: Rate) -> u32 {
    let links = path.map(|link| u64::from(link.0));
    lookup::hash(links.chain(std::iter::once(cap.0.unsigned_abs())))
}
