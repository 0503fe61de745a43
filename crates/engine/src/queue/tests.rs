use std::collections::BTreeMap;

use super::*;
use crate::{
    stream::{Stream, Streams, uniform, uniform_below},
    time::SimDuration,
};

/// Events by instant and order of scheduling: slow, and plainly right.
#[derive(Default)]
struct Sorted {
    waiting: BTreeMap<(SimTime, u64), u64>,
    scheduled: u64,
}

impl Sorted {
    fn schedule(&mut self, at: SimTime, event: u64) -> (SimTime, u64) {
        let key = (at, self.scheduled);
        self.scheduled += 1;
        self.waiting.insert(key, event);
        key
    }

    fn next_time(&self) -> Option<SimTime> {
        self.waiting.keys().next().map(|(at, _)| *at)
    }

    fn pop(&mut self) -> Option<(SimTime, u64)> {
        let ((at, _), event) = self.waiting.pop_first()?;
        Some((at, event))
    }
}

/// How long events of a simulation wait.
#[derive(Clone, Copy, Debug)]
enum Waits {
    Uniform,
    Exponential,
    Bimodal,
    None,
    FewInstants,
    HeavyTail,
    Increasing,
    OftenFar,
    Whole64Bits,
}

const ALL: [Waits; 9] = [
    Waits::Uniform,
    Waits::Exponential,
    Waits::Bimodal,
    Waits::None,
    Waits::FewInstants,
    Waits::HeavyTail,
    Waits::Increasing,
    Waits::OftenFar,
    Waits::Whole64Bits,
];

impl Waits {
    fn draw(self, rng: &mut Stream, drawn: &mut u64) -> SimDuration {
        *drawn += 1;
        let u = uniform(rng);
        let exponential = -libm::log(1.0 - u);
        let seconds = match self {
            Self::Uniform => u,
            Self::Exponential => exponential,
            Self::Bimodal if drawn.is_multiple_of(2) => 1e-6 * u,
            Self::Bimodal => 100.0 + u,
            Self::None => 0.0,
            Self::FewInstants => (4.0 * u).floor(),
            Self::HeavyTail => 1e-9 * libm::pow(1.0 - u, -3.0),
            Self::Increasing => 1e-3 * *drawn as f64,
            Self::OftenFar if drawn.is_multiple_of(10) => 1e9 * u,
            Self::OftenFar => 1e-3 * exponential,
            Self::Whole64Bits => libm::exp(44.0 * u) * 1e-9,
        };
        SimDuration::from_seconds(seconds)
    }
}

/// Both queues side by side.
struct Pair {
    ours: EventQueue<u64>,
    sorted: Sorted,
    /// What may still be waiting, in both.
    handles: Vec<(EventId, (SimTime, u64), u64)>,
    now: SimTime,
    named: u64,
}

impl Pair {
    fn new() -> Self {
        Self {
            ours: EventQueue::default(),
            sorted: Sorted::default(),
            handles: Vec::new(),
            now: SimTime::ZERO,
            named: 0,
        }
    }

    fn schedule(&mut self, wait: SimDuration) {
        let (at, event) = (self.now + wait, self.named);
        self.named += 1;
        let id = self.ours.schedule(at, event);
        let key = self.sorted.schedule(at, event);
        self.handles.push((id, key, event));
    }

    fn pop(&mut self) {
        let event = self.sorted.pop();
        assert_eq!(self.ours.pop(), event);
        self.now = event.map_or(self.now, |(at, _)| at);
    }

    fn look(&mut self, limit: SimTime) {
        let next = self.sorted.next_time().filter(|at| *at <= limit);
        assert_eq!(self.ours.next_time_until(limit), next);
        assert_eq!(self.ours.len(), self.sorted.waiting.len());
        assert_eq!(self.ours.is_empty(), self.sorted.waiting.is_empty());
    }

    fn pick(&mut self, rng: &mut Stream) -> Option<(EventId, (SimTime, u64), u64)> {
        let count = u32::try_from(self.handles.len()).unwrap();
        (count > 0).then(|| {
            let picked = uniform_below(rng, count);
            self.handles.swap_remove(picked as usize)
        })
    }

    fn cancel(&mut self, rng: &mut Stream) {
        if let Some((id, key, event)) = self.pick(rng) {
            let removed = self.sorted.waiting.remove(&key);
            assert_eq!(self.ours.cancel(id), removed);
            assert!(removed.is_none_or(|removed| removed == event));
            assert_eq!(self.ours.cancel(id), None);
            assert!(!self.ours.reschedule(id, self.now));
        }
    }

    fn reschedule(&mut self, rng: &mut Stream, wait: SimDuration) {
        if let Some((id, key, event)) = self.pick(rng) {
            let at = self.now + wait;
            let waits = self.sorted.waiting.remove(&key).is_some();
            assert_eq!(self.ours.reschedule(id, at), waits);
            if waits {
                let key = self.sorted.schedule(at, event);
                self.handles.push((id, key, event));
            }
        }
    }

    fn empty(&mut self) {
        while !self.sorted.waiting.is_empty() {
            self.pop();
        }
        assert_eq!(self.ours.pop(), None);
        assert_eq!(self.ours.next_time(), None);
    }
}

#[test]
fn whatever_the_waits_events_leave_as_a_sorted_list_would_let_them() {
    for waits in ALL {
        for (seed, size) in (0..40).zip([1, 3, 30, 100, 300, 1000, 4000].iter().cycle()) {
            let mut rng = Streams::new(seed, 0).open("hold", 0);
            let (mut pair, mut drawn) = (Pair::new(), 0);
            for _ in 0..*size {
                pair.schedule(waits.draw(&mut rng, &mut drawn));
            }
            for _ in 0..3 * size {
                if seed % 2 == 0 {
                    pair.look(SimTime::NEVER);
                }
                pair.pop();
                pair.schedule(waits.draw(&mut rng, &mut drawn));
            }
            pair.handles.clear();
            pair.empty();
        }
    }
}

#[test]
fn any_mixture_of_calls_does_what_a_sorted_list_would() {
    for waits in ALL {
        for seed in 0..60 {
            let mut rng = Streams::new(seed, 0).open("mixture", 0);
            let (mut pair, mut drawn) = (Pair::new(), 0);
            // Whether events come faster than they leave changes from phase to phase.
            for _ in 0..8 {
                let coming = 1 + uniform_below(&mut rng, 6);
                for _ in 0..300 {
                    match uniform_below(&mut rng, 12) {
                        call if call < coming => {
                            pair.schedule(waits.draw(&mut rng, &mut drawn));
                        }
                        8 => pair.cancel(&mut rng),
                        9 => {
                            let wait = waits.draw(&mut rng, &mut drawn);
                            pair.reschedule(&mut rng, wait);
                        }
                        10 => pair.look(SimTime::NEVER),
                        11 => {
                            let limit = pair.now + waits.draw(&mut rng, &mut drawn);
                            pair.look(limit);
                        }
                        _ => pair.pop(),
                    }
                }
            }
            pair.empty();
        }
    }
}

#[test]
fn events_scheduled_before_one_that_was_seen_to_be_next_leave_before_it() {
    for seed in 0..40 {
        let mut rng = Streams::new(seed, 0).open("early", 0);
        let mut pair = Pair::new();
        for _ in 0..500 {
            pair.schedule(SimDuration::from_seconds(1e4 * uniform(&mut rng)));
        }
        for _ in 0..2000 {
            pair.look(SimTime::NEVER);
            let next = pair.sorted.next_time().unwrap();
            for _ in 0..uniform_below(&mut rng, 4) {
                let between = (next - pair.now).as_seconds() * uniform(&mut rng);
                pair.schedule(SimDuration::from_seconds(between));
                pair.look(SimTime::NEVER);
            }
            pair.pop();
            pair.pop();
            pair.schedule(SimDuration::from_seconds(1e4 * uniform(&mut rng)));
        }
    }
}

#[test]
fn events_at_the_same_instant_leave_in_the_order_they_came() {
    for seed in 0..256 {
        let mut rng = Streams::new(seed, 0).open("queue", 0);
        let mut queue = EventQueue::default();
        for ticket in 0..2000_u32 {
            let at = SimTime(u64::from(uniform_below(&mut rng, 20)));
            queue.schedule(at, ticket);
        }
        let left: Vec<(SimTime, u32)> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(left.len(), 2000);
        assert!(left.is_sorted(), "seed {seed} let a later ticket pass");
    }
}

#[test]
fn what_happens_now_may_schedule_more_for_now() {
    let mut queue = EventQueue::default();
    let at = SimTime(7);
    for event in 0..1000 {
        queue.schedule(at, event);
    }
    queue.schedule(SimTime(8), u32::MAX);
    for event in 0..100_000 {
        assert_eq!(queue.next_time(), Some(at));
        assert_eq!(queue.pop(), Some((at, event)));
        queue.schedule(at, event + 1000);
    }
    assert_eq!(queue.len(), 1001);
}

#[test]
fn order_outlives_the_numbers_that_record_it() {
    for seed in 0..40 {
        let mut rng = Streams::new(seed, 0).open("renumber", 0);
        let (mut pair, mut drawn) = (Pair::new(), 0);
        let waits = ALL[usize::try_from(seed).unwrap() % ALL.len()];
        pair.ours.next_ticket = u32::MAX - 500;
        for _ in 0..400 {
            pair.schedule(waits.draw(&mut rng, &mut drawn));
            pair.cancel(&mut rng);
            pair.schedule(waits.draw(&mut rng, &mut drawn));
        }
        assert!(pair.ours.next_ticket < u32::MAX - 500, "tickets ran out");
        pair.empty();
    }
}

#[test]
fn a_long_life_takes_no_more_room_than_its_busiest_moment() {
    for waits in ALL {
        let mut rng = Streams::new(1, 0).open("room", 0);
        let (mut queue, mut drawn) = (EventQueue::default(), 0);
        let mut now = SimTime::ZERO;
        for event in 0..5000 {
            queue.schedule(now + waits.draw(&mut rng, &mut drawn), event);
        }
        for event in 0..400_000 {
            let id = queue.schedule(now + waits.draw(&mut rng, &mut drawn), event);
            // Half of what is scheduled is put off and then called off.
            if event % 2 == 0 {
                let later = now + waits.draw(&mut rng, &mut drawn);
                queue.reschedule(id, later);
                queue.cancel(id);
            } else {
                (now, _) = queue.pop().expect("5000 events wait");
            }
        }
        assert_eq!(queue.len(), 5000, "{waits:?}");
        assert_eq!(queue.slab.capacity(), 5001, "{waits:?}");
        let keys = queue.early.len() + queue.near.len() + queue.far.len();
        let most = 2 * 5001 + STALE_LEAST;
        assert!(keys <= most, "{waits:?}: {keys} keys");
        // Every bucket may leave one chunk half empty.
        let room = queue.far.capacity();
        assert!(room <= most + 16 * 2048, "{waits:?}: room for {room}");
    }
}

#[test]
fn bursts_that_come_and_go_change_neither_order_nor_handles() {
    for waits in ALL {
        for seed in 0..10 {
            let mut rng = Streams::new(seed, 0).open("bursts", 0);
            let (mut pair, mut drawn) = (Pair::new(), 0);
            for _ in 0..12 {
                for _ in 0..uniform_below(&mut rng, 2000) {
                    pair.schedule(waits.draw(&mut rng, &mut drawn));
                }
                let left = uniform_below(&mut rng, 200) as usize;
                while pair.sorted.waiting.len() > left {
                    pair.pop();
                    if uniform_below(&mut rng, 3) == 0 {
                        pair.schedule(waits.draw(&mut rng, &mut drawn));
                        pair.cancel(&mut rng);
                        let wait = waits.draw(&mut rng, &mut drawn);
                        pair.reschedule(&mut rng, wait);
                    }
                }
            }
            pair.empty();
        }
    }
}

#[test]
fn what_a_burst_took_is_given_back() {
    for waits in [Waits::Uniform, Waits::Exponential, Waits::FewInstants] {
        let mut rng = Streams::new(3, 0).open("burst", 0);
        let (mut queue, mut drawn) = (EventQueue::default(), 0);
        for event in 0..100_000 {
            queue.schedule(SimTime::ZERO + waits.draw(&mut rng, &mut drawn), event);
        }
        let rooms = |queue: &EventQueue<_>| (queue.slab.capacity(), queue.far.capacity());
        assert!(rooms(&queue) > (100_000 - 1, 70_000), "{waits:?}");
        while queue.len() > 1000 {
            queue.pop();
        }
        // Those that wait may lie anywhere: as they leave, their slots are given back.
        for event in 0..20_000 {
            let (now, _) = queue.pop().unwrap();
            queue.schedule(now + waits.draw(&mut rng, &mut drawn), event);
        }
        let (slots, keys) = rooms(&queue);
        assert!(slots <= 4 * 1000, "{waits:?}: {slots} slots");
        assert!(keys <= 16 * 2048, "{waits:?}: room for {keys} keys");
        assert!(queue.near.capacity() <= 4 * 1024, "{waits:?}");
    }
}

#[test]
fn events_from_afar_come_near_once_before_they_leave() {
    for waits in [Waits::Uniform, Waits::Exponential, Waits::OftenFar] {
        let mut rng = Streams::new(2, 0).open("near", 0);
        let (mut queue, mut drawn) = (EventQueue::default(), 0);
        let mut seen = vec![false; 3000];
        for event in 0..3000 {
            queue.schedule(SimTime::ZERO + waits.draw(&mut rng, &mut drawn), event);
        }
        queue.pop();
        while queue.next_time().is_some() {
            for event in queue.come_near().into_iter().flatten() {
                assert!(!seen[*event], "{waits:?}: {event} came near twice");
                seen[*event] = true;
            }
            let (_, event) = queue.pop().unwrap();
            assert!(seen[event], "{waits:?}: {event} came from nowhere");
        }
    }
}

#[test]
fn an_old_handle_does_not_reach_the_event_that_took_its_place() {
    let mut queue = EventQueue::default();
    let old = queue.schedule(SimTime(1), "old");
    assert_eq!(queue.cancel(old), Some("old"));
    let new = queue.schedule(SimTime(1), "new");
    assert_eq!(queue.cancel(old), None);
    assert!(!queue.reschedule(old, SimTime(5)));
    assert!(queue.reschedule(new, SimTime(5)));
    assert_eq!(queue.pop(), Some((SimTime(5), "new")));
    assert_eq!(queue.cancel(new), None);
    assert!(queue.is_empty());
}

#[test]
fn the_last_instant_is_an_instant_like_any_other() {
    let mut queue = EventQueue::default();
    for event in 0..1000_u64 {
        queue.schedule(SimTime::NEVER, event);
        queue.schedule(SimTime(event), event);
    }
    let left: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
    assert!(left.is_sorted());
    assert_eq!(left.len(), 2000);
}

#[test]
#[should_panic(expected = "an event cannot be scheduled in the past")]
fn the_past_takes_no_events() {
    let mut queue = EventQueue::default();
    queue.schedule(SimTime(2), ());
    queue.pop();
    queue.schedule(SimTime(1), ());
}

#[test]
#[should_panic(expected = "an event cannot be scheduled in the past")]
fn no_event_can_be_moved_into_the_past() {
    let mut queue = EventQueue::default();
    let id = queue.schedule(SimTime(3), ());
    queue.schedule(SimTime(2), ());
    queue.pop();
    queue.reschedule(id, SimTime(1));
}
