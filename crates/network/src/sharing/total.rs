//! What all flows have moved together, kept up as it happens.

use super::{
    FairSharing,
    link::LinkId,
    quantum::{Clock, Rate},
};

/// The rate of all flows together and the work that they have done.
#[derive(Debug, Default)]
pub(super) struct Total {
    /// The sum over all flows of their rates.
    pub(super) rate: i128,
    /// What they and those before them have moved, what completed flows would have moved until
    /// the end of their last nanosecond included.
    moved: Clock,
}

impl Total {
    /// `flows` more flows run at `rate`; fewer when negative.
    pub(super) fn count(&mut self, rate: Rate, flows: i64) {
        self.rate += i128::from(rate.0) * i128::from(flows);
    }

    /// Lets so much time pass at the present rates.
    pub(super) fn pass(&mut self, nanoseconds: u64) {
        self.moved += Clock::of_all(self.rate, nanoseconds);
    }

    /// A flow ended with `left` to do: below 0 when its last nanosecond was not needed whole.
    pub(super) fn end(&mut self, left: Clock) {
        self.moved += left.min(Clock::default());
    }
}

impl FairSharing {
    /// What all flows have done by now, those included that have ended.
    pub(super) fn total_work(&self) -> Clock {
        let (mut links, mut classes, mut flows) = (Vec::new(), Vec::new(), Vec::new());
        self.due.up_to(self.now, &mut links);
        for link in links {
            let link = &self.links[link];
            link.members.up_to(link.clock_at(self.now), &mut classes);
        }
        self.capped.up_to(self.now, &mut classes);
        for id in classes {
            let class = &self.classes[id];
            flows.push(class.first.flow);
            if let Some(others) = &class.others {
                others.up_to(self.clock_of(id), &mut flows);
            }
        }
        let ahead = flows.into_iter().map(|flow| self.left(flow));
        let none = Clock::default();
        ahead.fold(self.total.moved, |sum, left| sum + left.min(none))
    }

    /// Accounts for `flows` more flows at a place's rate; fewer when negative.
    pub(super) fn count_total(&mut self, group: LinkId, cap: Rate, flows: i64) {
        let rate = if group == LinkId::CAPPED {
            cap
        } else {
            self.links[group].level
        };
        self.total.count(rate, flows);
    }
}
