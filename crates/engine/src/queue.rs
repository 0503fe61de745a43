//! The event queue: earliest first, and in the order of scheduling where times are equal.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::time::SimTime;

/// Events waiting for their instant.
///
/// Scheduling and popping cost O(log n). Events of one instant leave in the order in which they
/// were scheduled.
#[derive(Debug)]
pub struct EventQueue<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    now: SimTime,
    next_ticket: u64,
}

#[derive(Debug)]
struct Entry<E> {
    at: SimTime,
    ticket: u64,
    event: E,
}

impl<E> Entry<E> {
    fn key(&self) -> (SimTime, u64) {
        (self.at, self.ticket)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            now: SimTime::ZERO,
            next_ticket: 0,
        }
    }
}

impl<E> EventQueue<E> {
    /// Schedules `event` to happen at `at`.
    ///
    /// # Panics
    /// When `at` lies before the last event that left the queue.
    pub fn schedule(&mut self, at: SimTime, event: E) {
        assert!(self.now <= at, "an event cannot be scheduled in the past");
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.heap.push(Reverse(Entry { at, ticket, event }));
    }

    /// The instant of the next event.
    pub fn next_time(&self) -> Option<SimTime> {
        self.heap.peek().map(|entry| entry.0.at)
    }

    /// Takes out the next event.
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        let Reverse(entry) = self.heap.pop()?;
        self.now = entry.at;
        Some((entry.at, entry.event))
    }

    /// How many events are waiting.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether no event is waiting.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Streams, uniform_below};

    #[test]
    fn events_at_the_same_instant_leave_in_the_order_they_came() {
        for seed in 0..256 {
            let mut rng = Streams::new(seed, 0).open("queue", 0);
            let mut queue = EventQueue::default();
            for ticket in 0..200_u32 {
                let at = SimTime(u64::from(uniform_below(&mut rng, 20)));
                queue.schedule(at, ticket);
            }
            let left: Vec<(SimTime, u32)> = std::iter::from_fn(|| queue.pop()).collect();
            assert_eq!(left.len(), 200);
            assert!(left.is_sorted(), "seed {seed} let a later ticket pass");
        }
    }

    #[test]
    #[should_panic(expected = "an event cannot be scheduled in the past")]
    fn the_past_takes_no_events() {
        let mut queue = EventQueue::default();
        queue.schedule(SimTime(2), ());
        queue.pop();
        queue.schedule(SimTime(1), ());
    }
}
