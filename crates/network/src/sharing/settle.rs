//! Settling: finding the new levels once all changes of an instant are in.

use std::cmp::Reverse;

use netduel_engine::SimTime;

use super::{
    FairSharing, class::ClassId, edge::EdgeId, fault::Fault, heap::NOWHERE, link::LinkId,
    quantum::Rate,
};

/// Why a link's group is not yet the right one.
enum Wrong {
    /// Promises about it no longer hold.
    Promised,
    /// These flows are faster than its level: it is their bottleneck.
    TooFast(EdgeId),
    /// This member's cap is under the level: it needs no more than that.
    Capped(ClassId),
}

impl FairSharing {
    /// Notes that a link's level may be out of date.
    pub(super) fn mark(&mut self, id: LinkId) {
        let link = &mut self.links[id];
        if !link.dirty {
            link.dirty = true;
            self.dirty.push(id);
        }
    }

    /// Makes all rates right again.
    ///
    /// Lowest level first: a level depends on lower ones only, so that most links settle once.
    pub(super) fn settle(&mut self) {
        /// Settles per link and batch. No batch in 30,000 random networks took more than 3.
        const BOUND: u64 = 1000;
        if self.dirty.is_empty() {
            return;
        }
        self.effort.batches += 1;
        let begin = self.effort.settles;
        loop {
            while let Some(id) = self.dirty.pop() {
                let level = self.links[id].tentative_level();
                self.pending.push(Reverse((level, id)));
            }
            match self.pending.pop() {
                Some(Reverse((_, id))) => self.settle_link(id),
                None => break,
            }
            let settles = self.effort.settles - begin;
            assert!(
                settles < BOUND * self.links.len() as u64,
                "settling comes to an end"
            );
        }
    }

    fn settle_link(&mut self, id: LinkId) {
        self.effort.settles += 1;
        if !self.faults.planted(Fault::ClockNotTouched) {
            self.links[id].touch(self.now);
        }
        while let Some(wrong) = self.wrong(id) {
            match wrong {
                Wrong::Promised => self.revoke(id),
                Wrong::TooFast(edge) => self.pull(edge, id),
                Wrong::Capped(class) => self.relocate(class, LinkId::CAPPED),
            }
        }
        let link = &mut self.links[id];
        link.dirty = false;
        let level = match link.flows {
            0 => Rate::UNLIMITED,
            flows => link.share(flows),
        };
        self.publish(id, level);
        self.schedule(id);
    }

    fn wrong(&self, id: LinkId) -> Option<Wrong> {
        let link = &self.links[id];
        if link.has_room() {
            return None;
        }
        if !link.certified_in.is_empty() {
            return Some(Wrong::Promised);
        }
        // Whoever crosses an overfull link without a group is too fast.
        let level = link.is_saturated().then(|| link.share(link.flows));
        if let Some((Reverse(rate), edge)) = link.tracked_in.first()
            && level.is_none_or(|level| level < rate)
            && !self.faults.planted(Fault::PullSkipped)
        {
            return Some(Wrong::TooFast(edge));
        }
        if let Some((cap, class)) = link.caps.first()
            && level.is_some_and(|level| cap < level)
            && !self.faults.planted(Fault::CapIgnored)
        {
            return Some(Wrong::Capped(class));
        }
        None
    }

    /// Moves all classes of an edge into the group of the link that it crosses.
    fn pull(&mut self, edge: EdgeId, link: LinkId) {
        let mut classes = std::mem::take(&mut self.pulled);
        classes.extend(self.classes_of(edge));
        for class in classes.drain(..) {
            self.relocate(class, link);
        }
        self.pulled = classes;
    }

    /// Tells the links that the group's flows cross of its new level, where they must know.
    fn publish(&mut self, id: LinkId, level: Rate) {
        let link = &mut self.links[id];
        let old = std::mem::replace(&mut link.level, level);
        let flows = i64::from(link.flows);
        self.total.count(old, -flows);
        self.total.count(level, flows);
        let link = &self.links[id];
        if old == level || !link.is_saturated() {
            return;
        }
        self.effort.changes += 1;
        let step = Rate((level.0 - old.0).abs());
        // Backwards, because an edge that becomes certified is replaced by the last one.
        for at in (0..self.links[id].tracked_out.len()).rev() {
            self.push_level(self.links[id].tracked_out[at], level, step);
        }
        while let Some((promised, edge)) = self.links[id].certified_out.first()
            && promised < level
            && !self.faults.planted(Fault::CertificateIgnored)
        {
            self.break_certificate(edge, level, step);
        }
    }

    /// Puts the group where its next completion belongs.
    fn schedule(&mut self, id: LinkId) {
        let Self { links, due, .. } = self;
        let link = &links[id];
        let (at, next) = (link.due_at, link.due());
        let moved = |id, at| links[id].due_at = at;
        match (at, next) {
            (NOWHERE, SimTime::NEVER) => {}
            (NOWHERE, next) => due.push(next, id, moved),
            (at, SimTime::NEVER) => {
                due.remove(at, moved);
                links[id].due_at = NOWHERE;
            }
            (at, next) => due.rekey(at, next, moved),
        }
    }
}
