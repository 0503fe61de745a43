//! What the index machine keeps: who has what.

use netduel_world::{NodeId, ObjectId, SimDuration, SimTime, Stream, uniform_below};

/// Who has what, as far as the index was told.
#[derive(Default)]
pub(super) struct Index {
    /// Who has an object, by object, in no order.
    holders: Vec<Vec<NodeId>>,
    guests: Box<[Guest]>,
}

#[derive(Clone, Default)]
struct Guest {
    heard: SimTime,
    objects: Vec<ObjectId>,
}

impl Index {
    pub(super) fn new(objects: u32, node_count: usize) -> Self {
        Self {
            holders: vec![Vec::new(); objects as usize],
            guests: vec![Guest::default(); node_count].into(),
        }
    }

    /// A peer has these objects.
    pub(super) fn register(&mut self, node: NodeId, objects: &[ObjectId], now: SimTime) {
        let guest = &mut self.guests[node.index()];
        guest.heard = now;
        for object in objects {
            if !guest.objects.contains(object) {
                guest.objects.push(*object);
                self.holders[object.0 as usize].push(node);
            }
        }
    }

    /// A peer shows that it is there; says whether it is known.
    pub(super) fn hear(&mut self, node: NodeId, now: SimTime) -> bool {
        let guest = &mut self.guests[node.index()];
        guest.heard = now;
        !guest.objects.is_empty()
    }

    /// A peer is gone.
    pub(super) fn forget(&mut self, node: NodeId) {
        for object in std::mem::take(&mut self.guests[node.index()].objects) {
            self.holders[object.0 as usize].retain(|holder| *holder != node);
        }
    }

    /// Everything is gone.
    pub(super) fn clear(&mut self) {
        for node in (0..).map(NodeId).take(self.guests.len()) {
            self.guests[node.index()].objects = Vec::new();
        }
        for holders in &mut self.holders {
            *holders = Vec::new();
        }
    }

    /// At most so many of those who have an object, chosen at random. Who was not heard for longer
    /// than `silence` is forgotten on the way.
    pub(super) fn sources(
        &mut self,
        object: ObjectId,
        most: u32,
        (now, silence): (SimTime, SimDuration),
        rng: &mut Stream,
    ) -> Box<[NodeId]> {
        let mut chosen = 0;
        loop {
            let holders = &mut self.holders[object.0 as usize];
            let left = u32::try_from(holders.len() - chosen).expect("nodes are counted in 32 bits");
            if left == 0 || chosen == most as usize {
                break;
            }
            let pick = chosen + uniform_below(rng, left) as usize;
            let node = holders[pick];
            if self.guests[node.index()].heard + silence < now {
                // The order of the others stays, so that the chosen stay in front.
                self.forget(node);
            } else {
                holders.swap(chosen, pick);
                chosen += 1;
            }
        }
        self.holders[object.0 as usize][..chosen].into()
    }

    /// Whom the index knows.
    pub(super) fn known(&self) -> impl Iterator<Item = NodeId> {
        let guests = (0..).map(NodeId).zip(&self.guests);
        guests
            .filter(|(_, guest)| !guest.objects.is_empty())
            .map(|(node, _)| node)
    }

    pub(super) fn state_bytes(&self) -> usize {
        let holders = |holders: &Vec<NodeId>| holders.capacity() * size_of::<NodeId>();
        let guest = |guest: &Guest| guest.objects.capacity() * size_of::<ObjectId>();
        size_of_val(&*self.holders)
            + self.holders.iter().map(holders).sum::<usize>()
            + size_of_val(&*self.guests)
            + self.guests.iter().map(guest).sum::<usize>()
    }
}
