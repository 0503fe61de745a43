//! What nodes wait for.

use netduel_world::{NodeId, SimTime};
use prefetch_index::prefetch_index;

/// No slot.
const NONE: u32 = u32::MAX;

/// What each node waits for, until when: one list for each node, all in one slab, so that a node
/// that waits for nothing takes 16 bytes.
///
/// A wait is known by its ticket. A node has one timer running, for the first of its waits that
/// will run out.
#[derive(Debug)]
pub(crate) struct Waits<T> {
    lists: Vec<List>,
    slots: Vec<Slot<T>>,
    free: u32,
    tickets: u32,
}

/// The waits of one node.
#[derive(Clone, Copy, Debug)]
struct List {
    /// The newest.
    head: u32,
    /// When the node's timer runs out.
    armed: SimTime,
}

#[derive(Debug)]
struct Slot<T> {
    next: u32,
    ticket: u32,
    due: SimTime,
    what: Option<T>,
}

impl<T> Waits<T> {
    /// Tickets are below this, so that two of them and a kind fit into the label of a transfer.
    pub(crate) const TICKETS: u32 = 1 << 30;

    pub(crate) fn new(node_count: usize) -> Self {
        Self {
            lists: vec![
                List {
                    head: NONE,
                    armed: SimTime::NEVER
                };
                node_count
            ],
            slots: Vec::new(),
            free: NONE,
            tickets: 0,
        }
    }

    /// Notes a wait of `node` and returns its ticket.
    pub(crate) fn add(&mut self, node: NodeId, due: SimTime, what: T) -> u32 {
        let ticket = self.tickets;
        self.tickets = (self.tickets + 1) % Self::TICKETS;
        let head = &mut self.lists[node.index()].head;
        let slot = Slot {
            next: *head,
            ticket,
            due,
            what: Some(what),
        };
        *head = if self.free == NONE {
            self.slots.push(slot);
            u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 waits")
        } else {
            let index = self.free;
            let place = &mut self.slots[index as usize];
            self.free = place.next;
            *place = slot;
            index
        };
        ticket
    }

    /// Whether a timer of `node` has to be started so that one runs out at `due`.
    pub(crate) fn arm(&mut self, node: NodeId, due: SimTime) -> bool {
        let armed = &mut self.lists[node.index()].armed;
        let earlier = due < *armed;
        if earlier {
            *armed = due;
        }
        earlier
    }

    /// A timer of `node` ran out. Whether it is the one that counts.
    pub(crate) fn ring(&mut self, node: NodeId, now: SimTime) -> bool {
        let armed = &mut self.lists[node.index()].armed;
        let counts = *armed == now;
        if counts {
            *armed = SimTime::NEVER;
        }
        counts
    }

    pub(crate) fn get(&mut self, node: NodeId, ticket: u32) -> Option<&mut T> {
        let found = self.find(node, |slot| slot.ticket == ticket)?;
        self.slots[found.1 as usize].what.as_mut()
    }

    /// A wait, only to look at it.
    pub(crate) fn look(&self, node: NodeId, ticket: u32) -> Option<&T> {
        let found = self.find(node, |slot| slot.ticket == ticket)?;
        self.slots[found.1 as usize].what.as_ref()
    }

    /// Prefetches the list of `node`.
    #[inline]
    pub(crate) fn prefetch(&self, node: NodeId) {
        prefetch_index(&self.lists, node.index());
    }

    /// Prefetches the newest wait of `node`, whose list is near by now.
    #[inline]
    pub(crate) fn prefetch_newest(&self, node: NodeId) {
        prefetch_index(&self.slots, self.lists[node.index()].head as usize);
    }

    /// Gives a wait another time at which it runs out.
    pub(crate) fn put_off(&mut self, node: NodeId, ticket: u32, due: SimTime) {
        if let Some((_, index)) = self.find(node, |slot| slot.ticket == ticket) {
            self.slots[index as usize].due = due;
        }
    }

    /// The ticket of the oldest wait that has run out.
    pub(crate) fn due(&self, node: NodeId, now: SimTime) -> Option<u32> {
        let found = self.oldest_due(node, now)?;
        Some(self.slots[found.1 as usize].ticket)
    }

    pub(crate) fn take(&mut self, node: NodeId, ticket: u32) -> Option<T> {
        let found = self.find(node, |slot| slot.ticket == ticket)?;
        Some(self.unlink(node, found).1)
    }

    /// Takes out the first wait of this kind that is found.
    pub(crate) fn take_if(&mut self, node: NodeId, is: impl Fn(&T) -> bool) -> Option<(u32, T)> {
        let found = self.find(node, |slot| slot.what.as_ref().is_some_and(&is))?;
        Some(self.unlink(node, found))
    }

    /// Takes out the oldest wait that has run out.
    pub(crate) fn take_due(&mut self, node: NodeId, now: SimTime) -> Option<(u32, T)> {
        let found = self.oldest_due(node, now)?;
        Some(self.unlink(node, found))
    }

    fn oldest_due(&self, node: NodeId, now: SimTime) -> Option<(u32, u32)> {
        let due = self.next_due(node);
        if due > now || due == SimTime::NEVER {
            return None;
        }
        // The newest is first in the list, so the last one that is found is the oldest.
        let mut oldest = None;
        let (mut before, mut at) = (NONE, self.lists[node.index()].head);
        while at != NONE {
            if self.slots[at as usize].due == due {
                oldest = Some((before, at));
            }
            (before, at) = (at, self.slots[at as usize].next);
        }
        oldest
    }

    /// When the first wait of `node` runs out.
    pub(crate) fn next_due(&self, node: NodeId) -> SimTime {
        let mut due = SimTime::NEVER;
        let mut at = self.lists[node.index()].head;
        while at != NONE {
            let slot = &self.slots[at as usize];
            due = due.min(slot.due);
            at = slot.next;
        }
        due
    }

    /// Visits every wait of `node` with its ticket, the newest first.
    pub(crate) fn each_with_ticket(&self, node: NodeId, visit: &mut dyn FnMut(u32, &T)) {
        let mut at = self.lists[node.index()].head;
        while at != NONE {
            let slot = &self.slots[at as usize];
            slot.what.iter().for_each(|what| visit(slot.ticket, what));
            at = slot.next;
        }
    }

    /// The node crashed: it waits for nothing, and its timers are gone.
    pub(crate) fn clear(&mut self, node: NodeId) {
        while self.take_if(node, |_| true).is_some() {}
        self.lists[node.index()].armed = SimTime::NEVER;
    }

    pub(crate) fn state_bytes(&self) -> usize {
        size_of_val(&*self.lists) + self.slots.capacity() * size_of::<Slot<T>>()
    }

    /// A slot of the list of `node`, and the one before it.
    #[inline]
    fn find(&self, node: NodeId, is: impl Fn(&Slot<T>) -> bool) -> Option<(u32, u32)> {
        let (mut before, mut at) = (NONE, self.lists[node.index()].head);
        while at != NONE {
            let slot = &self.slots[at as usize];
            if is(slot) {
                return Some((before, at));
            }
            (before, at) = (at, slot.next);
        }
        None
    }

    fn unlink(&mut self, node: NodeId, (before, at): (u32, u32)) -> (u32, T) {
        let slot = &mut self.slots[at as usize];
        let what = slot.what.take().expect("a slot in a list is in use");
        let (next, ticket) = (slot.next, slot.ticket);
        slot.next = self.free;
        self.free = at;
        if before == NONE {
            self.lists[node.index()].head = next;
        } else {
            self.slots[before as usize].next = next;
        }
        (ticket, what)
    }
}

#[cfg(test)]
mod tests {
    use netduel_world::SimDuration;

    use super::*;

    #[test]
    fn waits_run_out_in_order_and_their_slots_are_used_again() {
        let at = |s: u64| SimTime::ZERO + SimDuration(s);
        let mut waits = Waits::new(2);
        let node = NodeId(1);
        for round in 0..100 {
            let tickets = [5, 3, 4, 3].map(|due| waits.add(node, at(due), due));
            assert_eq!(waits.take(node, tickets[2]), Some(4), "round {round}");
            assert_eq!(waits.take(node, tickets[2]), None);
            assert_eq!(waits.take_due(node, at(2)), None);
            assert_eq!(waits.take_due(node, at(9)), Some((tickets[1], 3)));
            assert_eq!(waits.take_due(node, at(9)), Some((tickets[3], 3)));
            assert_eq!(waits.next_due(node), at(5));
            waits.clear(node);
            assert_eq!(waits.next_due(node), SimTime::NEVER);
        }
        assert_eq!(waits.slots.len(), 4);
    }

    #[test]
    fn only_an_earlier_timer_is_started() {
        let at = |s: u64| SimTime::ZERO + SimDuration(s);
        let mut waits = Waits::<()>::new(1);
        let node = NodeId(0);
        assert!(waits.arm(node, at(9)));
        assert!(!waits.arm(node, at(9)));
        assert!(waits.arm(node, at(4)));
        assert!(!waits.ring(node, at(3)));
        assert!(waits.ring(node, at(4)));
        assert!(!waits.ring(node, at(9)));
    }
}
