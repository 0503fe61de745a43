//! The tracker: it knows who takes part, and nothing of pieces.

use netduel_world::{NodeId, ObjectId, SimDuration, SimTime, Stream, uniform_below};

use super::roster::Member;

/// Who takes part, as far as they have reported.
#[derive(Debug)]
pub(super) struct Tracker {
    pub(super) node: NodeId,
    /// For each torrent, those who take part.
    members: Vec<Vec<Member>>,
    /// For each member, its place among those of its torrent and when it reported last.
    reported: Vec<Option<(u32, SimTime)>>,
    /// Silence after which a member is struck out.
    expiry: SimDuration,
}

impl Tracker {
    pub(super) fn new(node: NodeId, objects: u32, expiry: SimDuration) -> Self {
        Self {
            node,
            members: vec![Vec::new(); objects as usize],
            reported: Vec::new(),
            expiry,
        }
    }

    /// Makes room for the reports of so many members.
    pub(super) fn reserve(&mut self, members: usize) {
        self.reported.reserve_exact(members);
    }

    /// Who takes part in any torrent.
    pub(super) fn members(&self) -> impl Iterator<Item = Member> {
        self.members.iter().flatten().copied()
    }

    /// Bytes of memory beside its own.
    pub(super) fn bytes(&self) -> usize {
        let torrents = self
            .members
            .iter()
            .map(|members| size_of::<Vec<Member>>() + members.capacity() * size_of::<Member>());
        let reported = self.reported.capacity() * size_of::<Option<(u32, SimTime)>>();
        torrents.sum::<usize>() + reported
    }

    /// Forgets everybody.
    pub(super) fn clear(&mut self) {
        self.members.iter_mut().for_each(Vec::clear);
        self.reported.fill(None);
    }

    /// Enters a member whom the operator wrote down: it stays until it reports or parts.
    pub(super) fn enrol(&mut self, member: Member, object: ObjectId) {
        self.join(member, object, SimTime::NEVER);
    }

    pub(super) fn join(&mut self, member: Member, object: ObjectId, now: SimTime) {
        if self.reported.len() <= member.index() {
            self.reported.resize(member.index() + 1, None);
        }
        let place = if let Some((place, _)) = self.reported[member.index()] {
            place
        } else {
            let members = &mut self.members[object.0 as usize];
            members.push(member);
            u32::try_from(members.len() - 1).expect("nodes are counted in 32 bits")
        };
        self.reported[member.index()] = Some((place, now));
    }

    pub(super) fn part(&mut self, member: Member, object: ObjectId) {
        let entry = self.reported.get_mut(member.index());
        let Some((place, _)) = entry.and_then(Option::take) else {
            return;
        };
        let members = &mut self.members[object.0 as usize];
        members.swap_remove(place as usize);
        if let Some(moved) = members.get(place as usize) {
            let entry = self.reported[moved.index()].as_mut();
            entry.expect("a member has reported").0 = place;
        }
    }

    /// Up to `count` members of the torrent of `object` other than `asker`, drawn at random.
    pub(super) fn hand_out(
        &mut self,
        (asker, object): (Member, ObjectId),
        count: u32,
        now: SimTime,
        rng: &mut Stream,
    ) -> Vec<Member> {
        // Fisher and Yates's shuffle of the first places, in place: the members' order is free.
        let mut chosen = Vec::new();
        let mut next = 0;
        loop {
            let members = &self.members[object.0 as usize];
            if chosen.len() >= count as usize || next >= members.len() {
                return chosen;
            }
            let left = u32::try_from(members.len() - next).expect("nodes fit 32 bits");
            let other = next + uniform_below(rng, left) as usize;
            self.swap(object, next, other);
            let member = self.members[object.0 as usize][next];
            let (_, reported) = self.reported[member.index()].expect("a member has reported");
            if now.since(reported) > self.expiry {
                self.part(member, object);
                continue;
            }
            next += 1;
            if member != asker {
                chosen.push(member);
            }
        }
    }

    fn swap(&mut self, object: ObjectId, a: usize, b: usize) {
        let members = &mut self.members[object.0 as usize];
        members.swap(a, b);
        for place in [a, b] {
            let entry = self.reported[members[place].index()].as_mut();
            entry.expect("a member has reported").0 =
                u32::try_from(place).expect("nodes are counted in 32 bits");
        }
    }
}

#[cfg(test)]
mod tests {
    use netduel_world::Streams;

    use super::*;

    const FILE: ObjectId = ObjectId(0);

    #[test]
    fn everybody_is_handed_out_equally_often_and_nobody_to_himself() {
        let mut tracker = Tracker::new(NodeId(0), 1, SimDuration(100));
        (0..21).for_each(|n| tracker.join(Member(n), FILE, SimTime(5)));
        let mut rng = Streams::new(1, 1).open("tracker", 0);
        let mut counts = [0_u32; 21];
        for _ in 0..20_000 {
            let chosen = tracker.hand_out((Member(20), FILE), 5, SimTime(6), &mut rng);
            assert_eq!(chosen.len(), 5);
            for member in chosen {
                counts[member.index()] += 1;
            }
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
        let mut tracker = Tracker::new(NodeId(0), 1, SimDuration(100));
        tracker.enrol(Member(0), FILE);
        let mut rng = Streams::new(1, 1).open("tracker", 0);
        let mut known = |tracker: &mut Tracker, now| {
            let chosen = tracker.hand_out((Member(1), FILE), 9, SimTime(now), &mut rng);
            !chosen.is_empty()
        };
        assert!(known(&mut tracker, 5000));
        tracker.join(Member(0), FILE, SimTime(5000));
        assert!(known(&mut tracker, 5100));
        assert!(!known(&mut tracker, 5101));
    }

    #[test]
    fn members_that_left_or_fell_silent_are_not_handed_out() {
        let mut tracker = Tracker::new(NodeId(0), 1, SimDuration(100));
        (0..4).for_each(|n| tracker.join(Member(n), FILE, SimTime(u64::from(n) * 60)));
        tracker.part(Member(3), FILE);
        let mut rng = Streams::new(1, 1).open("tracker", 0);
        let chosen = tracker.hand_out((Member(1), FILE), 9, SimTime(170), &mut rng);
        assert_eq!(chosen, [Member(2)]);
    }

    #[test]
    fn torrents_do_not_mix() {
        let mut tracker = Tracker::new(NodeId(0), 2, SimDuration(100));
        let other = ObjectId(1);
        tracker.join(Member(0), FILE, SimTime(0));
        tracker.join(Member(1), other, SimTime(0));
        tracker.join(Member(2), other, SimTime(0));
        tracker.part(Member(1), other);
        let mut rng = Streams::new(1, 1).open("tracker", 0);
        let mut of = |asker, object| {
            let asker = (Member(asker), object);
            tracker.hand_out(asker, 9, SimTime(1), &mut rng)
        };
        assert_eq!(of(9, FILE), [Member(0)]);
        assert_eq!(of(9, other), [Member(2)]);
        assert_eq!(of(2, other), []);
    }
}
