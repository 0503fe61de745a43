//! Where payloads wait, so that sorting does not move them.

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
    /// Of the only key that counts; others that point here are stale.
    ticket: u32,
    generation: u32,
    event: Option<E>,
}

/// Payloads by slot. The slot that was freed last is used first: it is still in the cache.
#[derive(Debug)]
pub(super) struct Slab<E> {
    slots: Vec<Slot<E>>,
    free: Vec<u32>,
}

impl<E> Default for Slab<E> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<E> Slab<E> {
    #[expect(clippy::inline_always, reason = "see `EventQueue::schedule`")]
    #[inline(always)]
    pub(super) fn insert(&mut self, ticket: u32, event: E) -> EventId {
        let Some(slot) = self.free.pop() else {
            return self.extend(ticket, event);
        };
        let this = &mut self.slots[slot as usize];
        this.ticket = ticket;
        this.event = Some(event);
        let generation = this.generation;
        EventId { slot, generation }
    }

    #[cold]
    fn extend(&mut self, ticket: u32, event: E) -> EventId {
        let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 events wait at once");
        self.slots.push(Slot {
            ticket,
            generation: 0,
            event: Some(event),
        });
        EventId {
            slot,
            generation: 0,
        }
    }

    /// Takes out the event that a key stands for. `None` when the key is stale.
    #[inline]
    pub(super) fn take(&mut self, key: Key) -> Option<E> {
        let this = &mut self.slots[key.slot() as usize];
        if this.ticket != key.ticket() {
            return None;
        }
        let event = this.event.take();
        if event.is_some() {
            self.retire(key.slot());
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
            self.retire(id.slot);
        }
        event
    }

    /// The event that a key stands for. `None` when the key is stale.
    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<&E> {
        let this = &self.slots[key.slot() as usize];
        this.event.as_ref().filter(|_| this.ticket == key.ticket())
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
        self.slots.len() - self.free.len()
    }

    #[inline]
    fn retire(&mut self, slot: u32) {
        let this = &mut self.slots[slot as usize];
        this.generation = this.generation.wrapping_add(1);
        self.free.push(slot);
    }
}
