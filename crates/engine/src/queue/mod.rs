//! The event queue: earliest first, and in the order of scheduling where times are equal.
//!
//! # Parts
//!
//! What is sorted is a *key* of 16 bytes: the instant, a *ticket* that counts what was scheduled,
//! and the *slot* of the payload, which stays where it is until it leaves. No two keys are equal,
//! so that nothing has to be stable for the order to be. Keys are in three places:
//!
//! - *Near*: the few that are due next, in a sorted array.
//! - *Far*: all that come after the *horizon*, in buckets. An instant is written as eight digits
//!   of eight bits; a key is in the bucket of the highest digit in which it differs from the
//!   *base*, which is no later than any key. So buckets close to the base are fine and distant ones
//!   coarse, each key is put into one without a search, and the earliest bucket is found in a bit
//!   map. Once near is empty, the earliest bucket is brought near when it is small, and divided
//!   among finer ones when it is not.
//! - *Early*: whatever is scheduled before the base, in a binary heap. It is empty unless somebody
//!   looks ahead past the present and then schedules something in between;
//!   [`next_time_until`](EventQueue::next_time_until) looks no farther than it must.
//!
//! Nothing depends on how instants are spread but the cost, and there are no widths to estimate:
//! far, near, equal and heavy-tailed instants are all just digits. While few events wait, all of
//! them are near, and the queue is a sorted array.
//!
//! # Cost
//!
//! A key is written into its bucket, moved to a finer one as many times as it has digits that
//! matter (once or twice for a million exponential waits), sorted among up to 256 and read. All
//! of this goes from end to end of chunks of 256 bytes, whatever the number of events: amortised
//! O(1), at most 8 moves. Payloads of a bucket are looked at in a row when it comes near, which
//! lets their cache misses overlap. Early keys cost O(log n).
//!
//! Cancelling and rescheduling leave a stale key behind and cost O(1); it is dropped when it comes
//! near, or when there are more stale keys than events. Chunks and slots are used again, and given
//! back while fewer than a quarter of them are used.
//!
//! # Invariants
//!
//! 1. Early keys are before the base; near ones from the base to the horizon; far ones after it.
//! 2. The base is no later than any near or far key.
//! 3. A far key's bucket is that of the highest digit in which it differs from the base. The base
//!    moves within empty buckets only.
//! 4. A key counts when its slot is taken and holds the same ticket.
//!
//! # Sources
//!
//! - R. Ahuja, K. Mehlhorn, J. Orlin, R. Tarjan, "Faster algorithms for the shortest path problem",
//!   Journal of the ACM 37(2), 1990: the radix heap, from which bases and buckets come.
//! - W. T. Tang, R. S. M. Goh, I. L.-J. Thng, "Ladder queue: an O(1) priority queue structure for
//!   large-scale discrete event simulation", ACM TOMACS 15(3), 2005: sorting only what is due next.
//! - G. Varghese, T. Lauck, "Hashed and hierarchical timing wheels", SOSP 1987: wheels of digits.

mod key;
mod near;
mod slab;
#[cfg(test)]
mod tests;
mod wheels;

use std::{cmp::Reverse, collections::BinaryHeap};

pub use slab::EventId;

use self::{
    key::Key,
    near::Near,
    slab::Slab,
    wheels::{Place, Wheels},
};
use crate::time::SimTime;

/// Somebody is told of so many of the next events at once: what they are about fits into a cache.
const TOLD_MOST: usize = 256;
/// A bucket of at most so many keys is sorted; a larger one is divided.
const SORTED_MOST: usize = 256;
/// Small buckets are sorted together until so many keys are near.
const NEAR_FILL: usize = 24;
/// More near keys than these, of more than one instant, are too many to insert among.
const NEAR_MOST: usize = 384;
/// So many events at most are all kept near.
const ALONE_MOST: usize = 48;
/// So few stale keys are not worth a clean-up.
const STALE_LEAST: usize = 256;

/// Events waiting for their instant.
///
/// Events of one instant leave in the order in which they were scheduled.
///
/// ```
/// # use netduel_engine::{EventQueue, SimTime};
/// let mut queue = EventQueue::default();
/// queue.schedule(SimTime(5), "timeout");
/// let answer = queue.schedule(SimTime(3), "answer");
/// assert_eq!(queue.next_time(), Some(SimTime(3)));
/// assert!(queue.reschedule(answer, SimTime(5)));
/// assert_eq!(queue.pop(), Some((SimTime(5), "timeout")));
/// assert_eq!(queue.cancel(answer), Some("answer"));
/// assert!(queue.is_empty());
/// ```
#[derive(Debug)]
pub struct EventQueue<E> {
    slab: Slab<E>,
    /// Every key before the base of `far`.
    early: BinaryHeap<Reverse<Key>>,
    /// Every further key up to `horizon`, sorted.
    near: Near,
    horizon: u64,
    /// Every key after `horizon`.
    far: Wheels,
    /// Keys in all three whose event was cancelled or rescheduled.
    stale: usize,
    /// How many of the next keys somebody was told of, since they came near.
    told: usize,
    now: SimTime,
    next_ticket: u32,
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        Self {
            slab: Slab::default(),
            early: BinaryHeap::new(),
            near: Near::default(),
            horizon: u64::MAX,
            far: Wheels::default(),
            stale: 0,
            told: 0,
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
    #[expect(
        clippy::inline_always,
        reason = "an event handed over in memory is read back in other widths than it was written in, \
                  which waits for every earlier store to reach the cache"
    )]
    #[inline(always)]
    pub fn schedule(&mut self, at: SimTime, event: E) -> EventId {
        assert!(self.now <= at, "an event cannot be scheduled in the past");
        let ticket = self.ticket();
        let id = self.slab.insert(ticket, event);
        self.push(Key::new(at, ticket, id.slot()));
        id
    }

    /// Takes an event out before its instant. `None` when it has left already.
    pub fn cancel(&mut self, id: EventId) -> Option<E> {
        let event = self.slab.take_id(id)?;
        self.add_stale();
        Some(event)
    }

    /// Moves an event to another instant, as if it were scheduled now. Says whether it was still
    /// there.
    ///
    /// # Panics
    /// When `at` lies before the last event that left the queue.
    pub fn reschedule(&mut self, id: EventId, at: SimTime) -> bool {
        assert!(self.now <= at, "an event cannot be scheduled in the past");
        let ticket = self.ticket();
        let Some(slot) = self.slab.restamp(id, ticket) else {
            return false;
        };
        self.push(Key::new(at, ticket, slot));
        self.add_stale();
        true
    }

    /// The instant of the next event.
    #[inline]
    pub fn next_time(&mut self) -> Option<SimTime> {
        self.next_time_until(SimTime::NEVER)
    }

    /// The instant of the next event, when it is not after `limit`.
    ///
    /// Whoever has something else to do at `limit` asks this way: the queue then looks no farther
    /// ahead than time will move, which makes later scheduling cheaper.
    #[inline]
    pub fn next_time_until(&mut self, limit: SimTime) -> Option<SimTime> {
        if self.stale > 0 {
            self.drop_stale(limit);
        } else if self.early.is_empty() && self.near.is_empty() {
            self.refill(limit.0);
        }
        let at = SimTime(self.first_key()?.time());
        (at <= limit).then_some(at)
    }

    /// Some of the next events, at most 256, each told of once; `None` while those that
    /// were told of last are not through.
    ///
    /// They may be looked at to fetch what they are about into the cache: one miss after the other
    /// costs its full length, many at once overlap.
    #[inline]
    pub fn come_near(&mut self) -> Option<impl Iterator<Item = &E> + Clone> {
        if self.told > 0 || self.near.is_empty() {
            return None;
        }
        let keys = self.near.as_slice();
        let (keys, later) = keys.split_at(keys.len().min(TOLD_MOST));
        self.told = keys.len();
        // Of many that are near, those after these are asked for now, and are there by then.
        for key in later.iter().take(TOLD_MOST) {
            self.slab.prefetch(*key);
        }
        Some(keys.iter().filter_map(|key| self.slab.get(*key)))
    }

    /// Takes out the next event.
    #[expect(
        clippy::inline_always,
        reason = "a run loop has one place that takes events out"
    )]
    #[inline(always)]
    pub fn pop(&mut self) -> Option<(SimTime, E)> {
        self.pop_until(SimTime::NEVER)
    }

    /// Takes out the next event, when it is not after `limit`; looks no farther ahead than
    /// [`Self::next_time_until`] does.
    #[inline]
    pub fn pop_until(&mut self, limit: SimTime) -> Option<(SimTime, E)> {
        loop {
            let key = self.pop_key(limit)?;
            if let Some(event) = self.slab.take(key) {
                self.now = SimTime(key.time());
                return Some((self.now, event));
            }
            self.stale -= 1;
        }
    }

    /// How many events are waiting.
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether no event is waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    fn ticket(&mut self) -> u32 {
        if self.next_ticket == u32::MAX {
            self.renumber();
        }
        self.next_ticket += 1;
        self.next_ticket - 1
    }

    #[inline]
    fn push(&mut self, key: Key) {
        if key.time() > self.horizon {
            self.far.push(key);
        } else if key.time() >= self.far.base() {
            self.near.insert(key);
            let most = match self.horizon {
                u64::MAX => ALONE_MOST,
                _ => NEAR_MOST,
            };
            if self.near.len() > most {
                self.spill();
            }
        } else {
            self.early.push(Reverse(key));
        }
    }

    /// Moves all near keys far away, but for those of the present instant.
    #[cold]
    fn spill(&mut self) {
        let pivot = self.now.0.max(self.far.base());
        let near = self.near.as_slice();
        if self.horizon == pivot || near[0].time() == near[near.len() - 1].time() {
            return;
        }
        let kept = near.partition_point(|key| key.time() <= pivot);
        self.far.advance_base(pivot);
        self.horizon = pivot;
        for key in self.near.drain_after(kept) {
            self.far.push(key);
        }
    }

    #[inline]
    fn first_key(&self) -> Option<Key> {
        match self.early.peek() {
            Some(Reverse(key)) => Some(*key),
            None => self.near.first(),
        }
    }

    /// Takes out the first key, stale or not, when it is not after `limit`.
    #[inline]
    fn pop_key(&mut self, limit: SimTime) -> Option<Key> {
        if !self.early.is_empty() {
            return self.pop_early(limit);
        }
        if self.near.is_empty() {
            self.refill(limit.0);
        }
        let key = self.near.pop_until(limit.0)?;
        self.told = self.told.saturating_sub(1);
        Some(key)
    }

    #[cold]
    fn pop_early(&mut self, limit: SimTime) -> Option<Key> {
        let Reverse(first) = self.early.peek()?;
        if first.time() > limit.0 {
            return None;
        }
        self.early.pop().map(|Reverse(key)| key)
    }

    /// Drops stale keys until the first is that of the next event, or until `limit`.
    fn drop_stale(&mut self, limit: SimTime) {
        loop {
            if self.early.is_empty() && self.near.is_empty() {
                self.refill(limit.0);
            }
            if self.first_key().is_none_or(|key| self.slab.holds(key)) {
                return;
            }
            self.pop_key(SimTime::NEVER);
            self.stale -= 1;
        }
    }

    /// Brings the earliest keys near, where none are, unless they are after `limit`.
    fn refill(&mut self, limit: u64) {
        if self.slab.is_sparse() || self.far.is_sparse() || self.near.is_sparse(self.len()) {
            self.give_back();
        }
        while self.near.is_empty() {
            let Some(place) = self.far.first() else {
                self.horizon = u64::MAX;
                return;
            };
            if self.far.start(place) > limit {
                return;
            }
            if self.far.len_of(place) <= SORTED_MOST {
                self.gather(place);
            } else if let Some(instant) = self.far.instant(place) {
                self.fetch(place);
                self.far.advance_base(instant);
                self.horizon = instant;
            } else {
                self.far.divide(place);
            }
        }
        self.near.sort();
        self.told = 0;
    }

    /// Gives back memory that a burst has left. Nothing that can be seen depends on it.
    #[cold]
    fn give_back(&mut self) {
        if self.slab.is_sparse() {
            self.slab.give_back();
        }
        if self.near.is_sparse(self.len()) {
            self.near.give_back();
        }
        if self.far.is_sparse() {
            self.far.give_back();
        }
    }

    /// Brings a small bucket near, and the next ones of its level while all are few.
    fn gather(&mut self, first: Place) {
        let base = self.far.start(first);
        let mut last = first;
        self.fetch(first);
        while let Some(next) = self.far.next(last)
            && self.near.len() + self.far.len_of(next) <= NEAR_FILL
        {
            last = next;
            self.fetch(next);
        }
        self.horizon = if self.far.len() == 0 && self.near.len() < ALONE_MOST {
            u64::MAX
        } else {
            self.far.end(last)
        };
        self.far.advance_base(base);
    }

    fn fetch(&mut self, place: Place) {
        let Self {
            far,
            near,
            slab,
            stale,
            ..
        } = self;
        far.drain(place, |key| {
            // Asking for all payloads of a bucket in a row lets their cache misses overlap. Of a
            // large one they would not stay.
            if *stale == 0 {
                if near.len() < TOLD_MOST {
                    slab.prefetch(key);
                }
                near.push(key);
            } else if slab.holds(key) {
                near.push(key);
            } else {
                *stale -= 1;
            }
        });
    }

    /// Counts a stale key. Once there are more of them than events, all are dropped.
    fn add_stale(&mut self) {
        self.stale += 1;
        if self.stale > self.len() + STALE_LEAST {
            let slab = &self.slab;
            self.early.retain(|Reverse(key)| slab.holds(*key));
            self.near.retain(|key| slab.holds(*key));
            self.far.retain(|key| slab.holds(key));
            self.stale = 0;
        }
    }

    /// Gives out tickets from 0 again, in the order of the keys; once in 2^32 times.
    #[cold]
    fn renumber(&mut self) {
        let mut keys: Vec<Key> = self.early.drain().map(|Reverse(key)| key).collect();
        keys.extend(self.near.drain());
        self.far.drain_all(|key| keys.push(key));
        keys.retain(|key| self.slab.holds(*key));
        keys.sort_unstable();
        self.stale = 0;
        self.next_ticket = 0;
        for key in keys {
            let ticket = self.next_ticket;
            self.next_ticket += 1;
            self.slab.renumber(key.slot(), ticket);
            self.push(key.with_ticket(ticket));
        }
    }
}
