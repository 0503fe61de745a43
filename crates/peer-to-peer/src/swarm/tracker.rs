//! The tracker: it knows who takes part, and nothing of pieces.

use netduel_world::{NodeId, SimDuration, SimTime, Stream, uniform_below};

/// Who takes part, as far as they have reported.
#[derive(Debug)]
pub(super) struct Tracker {
    pub(super) node: NodeId,
    members: Vec<NodeId>,
    /// For each node, its place among the members and when it reported last.
    reported: Vec<Option<(u32, SimTime)>>,
    /// Silence after which a member is struck out.
    expiry: SimDuration,
}

impl Tracker {
    pub(super) fn new(node: NodeId, node_count: usize, expiry: SimDuration) -> Self {
        Self {
            node,
            members: Vec::new(),
            reported: vec![None; node_count],
            expiry,
        }
    }

    /// Who takes part.
    pub(super) fn members(&self) -> &[NodeId] {
        &self.members
    }

    /// Forgets everybody.
    pub(super) fn clear(&mut self) {
        self.members.clear();
        self.reported.fill(None);
    }

    /// Enters a member whom the operator wrote down: it stays until it reports or parts.
    pub(super) fn enrol(&mut self, node: NodeId) {
        self.join(node, SimTime::NEVER);
    }

    pub(super) fn join(&mut self, node: NodeId, now: SimTime) {
        let place = if let Some((place, _)) = self.reported[node.index()] {
            place
        } else {
            self.members.push(node);
            u32::try_from(self.members.len() - 1).expect("nodes are counted in 32 bits")
        };
        self.reported[node.index()] = Some((place, now));
    }

    pub(super) fn part(&mut self, node: NodeId) {
        let Some((place, _)) = self.reported[node.index()].take() else {
            return;
        };
        self.members.swap_remove(place as usize);
        if let Some(moved) = self.members.get(place as usize) {
            let entry = self.reported[moved.index()].as_mut();
            entry.expect("a member has reported").0 = place;
        }
    }

    /// Up to `count` members other than `asker`, drawn at random.
    pub(super) fn hand_out(
        &mut self,
        asker: NodeId,
        count: u32,
        now: SimTime,
        rng: &mut Stream,
    ) -> Box<[NodeId]> {
        // Fisher and Yates's shuffle of the first places, in place: the members' order is free.
        let mut chosen = Vec::new();
        let mut next = 0;
        while chosen.len() < count as usize && next < self.members.len() {
            let left = u32::try_from(self.members.len() - next).expect("nodes fit 32 bits");
            let other = next + uniform_below(rng, left) as usize;
            self.swap(next, other);
            let member = self.members[next];
            let (_, reported) = self.reported[member.index()].expect("a member has reported");
            if now.since(reported) > self.expiry {
                self.part(member);
                continue;
            }
            next += 1;
            if member != asker {
                chosen.push(member);
            }
        }
        chosen.into_boxed_slice()
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.members.swap(a, b);
        for place in [a, b] {
            let entry = self.reported[self.members[place].index()].as_mut();
            entry.expect("a member has reported").0 =
                u32::try_from(place).expect("nodes are counted in 32 bits");
        }
    }
}

#[cfg(test)]
mod tests {
    use netduel_world::Streams;

    use super::*;

    #[test]
    fn everybody_is_handed_out_equally_often_and_nobody_to_himself() {
        let mut tracker = Tracker::new(NodeId(0), 21, SimDuration(100));
        (0..21).for_each(|n| tracker.join(NodeId(n), SimTime(5)));
        let mut rng = Streams::new(1, 1).open("tracker", 0);
        let mut counts = [0_u32; 21];
        for _ in 0..20_000 {
            let chosen = tracker.hand_out(NodeId(20), 5, SimTime(6), &mut rng);
            assert_eq!(chosen.len(), 5);
            chosen.iter().for_each(|n| counts[n.index()] += 1);
        }
        assert_eq!(counts[20], 0);
        // 5,000 each; 4 standard deviations of a binomial count are 245.
        assert!(
            counts[..20].iter().all(|c| c.abs_diff(5000) < 245),
            "{counts:?}"
        );
    }

    #[test]
    fn whom_the_operator_wrote_down_is_handed_out_until_it_reports_and_falls_silent() {
        let mut tracker = Tracker::new(NodeId(0), 2, SimDuration(100));
        tracker.enrol(NodeId(0));
        let mut rng = Streams::new(1, 1).open("tracker", 0);
        let mut known = |tracker: &mut Tracker, now| {
            let chosen = tracker.hand_out(NodeId(1), 9, SimTime(now), &mut rng);
            !chosen.is_empty()
        };
        assert!(known(&mut tracker, 5000));
        tracker.join(NodeId(0), SimTime(5000));
        assert!(known(&mut tracker, 5100));
        assert!(!known(&mut tracker, 5101));
    }

    #[test]
    fn members_that_left_or_fell_silent_are_not_handed_out() {
        let mut tracker = Tracker::new(NodeId(0), 4, SimDuration(100));
        (0..4).for_each(|n| tracker.join(NodeId(n), SimTime(u64::from(n) * 60)));
        tracker.part(NodeId(3));
        let mut rng = Streams::new(1, 1).open("tracker", 0);
        let chosen = tracker.hand_out(NodeId(1), 9, SimTime(170), &mut rng);
        assert_eq!(*chosen, [NodeId(2)]);
    }
}
