//! `hold`: the event queue alone. Every event that leaves schedules another.

use std::{cmp::Reverse, collections::BinaryHeap};

use netduel_engine::{EventQueue, SimDuration, SimTime};

use crate::{
    draws::Draws,
    outcome::{Outcome, Timing},
    stopwatch::Stopwatch,
};

/// A queue of `u32`s.
pub(crate) trait Queue: Default {
    fn schedule(&mut self, at: SimTime, event: u32);
    fn pop(&mut self) -> Option<(SimTime, u32)>;
}

impl Queue for EventQueue<u32> {
    #[inline]
    fn schedule(&mut self, at: SimTime, event: u32) {
        self.schedule(at, event);
    }

    /// As a run loop does it: look first.
    #[inline]
    fn pop(&mut self) -> Option<(SimTime, u32)> {
        self.next_time()?;
        self.pop()
    }
}

/// The standard library's heap, made stable by a ticket.
#[derive(Default)]
pub(crate) struct Heap {
    waiting: BinaryHeap<Reverse<(SimTime, u64, u32)>>,
    scheduled: u64,
}

impl Queue for Heap {
    #[inline]
    fn schedule(&mut self, at: SimTime, event: u32) {
        self.waiting.push(Reverse((at, self.scheduled, event)));
        self.scheduled += 1;
    }

    #[inline]
    fn pop(&mut self) -> Option<(SimTime, u32)> {
        let Reverse((at, _, event)) = self.waiting.pop()?;
        Some((at, event))
    }
}

/// `pending` events at all times, `events` in all.
pub(crate) fn run<Q: Queue>(pending: u32, events: u64) -> Outcome {
    let watch = Stopwatch::start();
    let mut draws = Draws(1);
    let mut queue = Q::default();
    for event in 0..pending {
        let wait = SimDuration::from_seconds(draws.exponential());
        queue.schedule(SimTime::ZERO + wait, event);
    }
    let timing = Timing::begin(watch);
    let mut now = SimTime::ZERO;
    for _ in 0..events {
        let (at, event) = queue.pop().expect("as many wait as before");
        now = at;
        let wait = SimDuration::from_seconds(draws.exponential());
        queue.schedule(now + wait, event);
    }
    let check = now.as_seconds() * f64::from(pending) / events as f64;
    timing.end(u64::from(pending), events, check)
}
