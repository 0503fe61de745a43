//! Where payloads wait, so that sorting does not move them.

use std::ops::Range;

use prefetch_index::prefetch_index;

use super::key::Key;

/// An event that was scheduled. Slots are used again; the generation tells an old handle from a
/// new one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct EventId {
    slot: u32,
    generation: u32,
}

impl EventId {
    pub(super) fn slot(self) -> u32 {
        self.slot
    }
}

#[derive(Debug)]
struct Slot<E> {
    /// Of the only key that counts; others that point here are stale. In a free slot, the next
    /// free one.
    ticket: u32,
    generation: u32,
    event: Option<E>,
}

/// The end of the list of free slots.
const NONE: u32 = u32::MAX;
/// Slots that are kept even if nearly all of them are free. Tests go below, to see more of it.
const KEPT: usize = if cfg!(test) { 64 } else { 4096 };
/// When fewer than one slot in so many is taken, slots are given back.
const SPARSE: usize = 4;

/// Payloads by slot. The slot that was freed last is used first: it is still in the cache.
///
/// After a burst of events most slots are free. Handles and keys know slots by their numbers, so
/// that none can be moved: those from a *bound* on are not used again once they are free, and are
/// given back from the end as it becomes free.
#[derive(Debug)]
pub(super) struct Slab<E> {
    slots: Vec<Slot<E>>,
    /// The first free slot below the bound; each knows the next one.
    free: u32,
    taken: usize,
    /// Past every slot while none are given back.
    bound: u32,
    /// No slot that was given back had a later generation: where those begin that come in its place.
    generation: u32,
}

impl<E> Default for Slab<E> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: NONE,
            taken: 0,
            bound: NONE,
            generation: 0,
        }
    }
}

impl<E> Slab<E> {
    #[expect(clippy::inline_always, reason = "see `EventQueue::schedule`")]
    #[inline(always)]
    pub(super) fn insert(&mut self, ticket: u32, event: E) -> EventId {
        self.taken += 1;
        let slot = self.free;
        let Some(this) = self.slots.get_mut(slot as usize) else {
            return self.extend(ticket, event);
        };
        self.free = std::mem::replace(&mut this.ticket, ticket);
        this.event = Some(event);
        let generation = this.generation;
        EventId { slot, generation }
    }

    #[cold]
    fn extend(&mut self, ticket: u32, event: E) -> EventId {
        if self.reach() < self.slots.len() {
            // Twice as far, so that what is looked through is no more than what has come.
            let from = self.reach();
            let to = self.slots.len().min(from * 2);
            self.bound = if to < self.slots.len() {
                index(to)
            } else {
                NONE
            };
            self.offer(from..to);
            self.taken -= 1;
            return self.insert(ticket, event);
        }
        let slot = index(self.slots.len());
        let generation = self.generation;
        self.slots.push(Slot {
            ticket,
            generation,
            event: Some(event),
        });
        EventId { slot, generation }
    }

    /// Lists the free ones of some slots that are not on the list, lowest first.
    fn offer(&mut self, range: Range<usize>) {
        for (slot, at) in self.slots[range.clone()].iter_mut().zip(range).rev() {
            if slot.event.is_none() {
                slot.ticket = std::mem::replace(&mut self.free, index(at));
            }
        }
    }

    /// How many slots may be used.
    fn reach(&self) -> usize {
        self.slots.len().min(self.bound as usize)
    }

    /// Whether there is something to give back.
    #[inline]
    pub(super) fn is_sparse(&self) -> bool {
        self.lies_idle() || self.reach() < self.slots.len() && self.ends_free()
    }

    fn lies_idle(&self) -> bool {
        self.reach() > KEPT && self.taken < self.reach() / SPARSE
    }

    fn ends_free(&self) -> bool {
        self.slots.last().is_some_and(|slot| slot.event.is_none())
    }

    /// Gives slots back, as many as are free at the end, or begins to.
    #[cold]
    pub(super) fn give_back(&mut self) {
        if self.lies_idle() {
            // Room for twice as many as wait: until that is used up, as many come as the look
            // through those slots costs.
            let bound = KEPT.max(self.taken * 2);
            self.bound = index(bound);
            self.free = NONE;
            self.offer(0..bound);
        }
        while self.reach() < self.slots.len() && self.ends_free() {
            let last = self.slots.pop().expect("it ends with a free one");
            self.generation = self.generation.max(last.generation);
        }
        if self.reach() == self.slots.len() {
            self.bound = NONE;
        }
        if self.slots.len() < self.slots.capacity() / 2 {
            self.slots.shrink_to_fit();
        }
    }

    /// Takes out the event that a key stands for. `None` when the key is stale.
    #[inline]
    pub(super) fn take(&mut self, key: Key) -> Option<E> {
        let this = self.slots.get_mut(key.slot() as usize)?;
        if this.ticket != key.ticket() {
            return None;
        }
        let event = this.event.take();
        if event.is_some() {
            self.taken -= 1;
            this.retire(key.slot(), &mut self.free, self.bound);
        }
        event
    }

    /// Takes out the event of a handle. `None` when it has left.
    pub(super) fn take_id(&mut self, id: EventId) -> Option<E> {
        let this = self.slots.get_mut(id.slot as usize)?;
        if this.generation != id.generation {
            return None;
        }
        let event = this.event.take();
        if event.is_some() {
            self.taken -= 1;
            this.retire(id.slot, &mut self.free, self.bound);
        }
        event
    }

    /// The event that a key stands for. `None` when the key is stale.
    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<&E> {
        let this = self.slots.get(key.slot() as usize)?;
        this.event.as_ref().filter(|_| this.ticket == key.ticket())
    }

    /// Has the slot of a key fetched into the cache, which may lie in two lines of it.
    #[inline]
    pub(super) fn prefetch(&self, key: Key) {
        prefetch_index(&self.slots, key.slot() as usize);
        prefetch_index(&self.slots, key.slot() as usize + 1);
    }

    /// Whether the event of a key is still waiting under that key.
    #[inline]
    pub(super) fn holds(&self, key: Key) -> bool {
        self.get(key).is_some()
    }

    /// Gives the event of a handle another ticket; says where it is. `None` when it has left.
    pub(super) fn restamp(&mut self, id: EventId, ticket: u32) -> Option<u32> {
        let this = self.slots.get_mut(id.slot as usize)?;
        if this.generation != id.generation || this.event.is_none() {
            return None;
        }
        this.ticket = ticket;
        Some(id.slot)
    }

    /// Gives the event in a slot another ticket.
    pub(super) fn renumber(&mut self, slot: u32, ticket: u32) {
        self.slots[slot as usize].ticket = ticket;
    }

    /// Slots there are, used or not.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn len(&self) -> usize {
        self.taken
    }
}

impl<E> Slot<E> {
    /// Ends the life of a slot's event; the slot is the next to be used, unless it is to be given
    /// back.
    #[inline]
    fn retire(&mut self, slot: u32, free: &mut u32, bound: u32) {
        self.generation = self.generation.wrapping_add(1);
        if slot < bound {
            self.ticket = std::mem::replace(free, slot);
        }
    }
}

fn index(slot: usize) -> u32 {
    let slot = u32::try_from(slot).ok().filter(|slot| *slot < NONE);
    slot.expect("fewer than 2^32 - 1 events wait at once")
}
