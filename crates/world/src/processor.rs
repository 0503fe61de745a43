//! Processors: work that waits for a core, or shares them.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use netduel_engine::{SimDuration, SimTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a node computes with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Processor {
    /// Pieces of work that it does at once.
    pub cores: u32,
    /// Speed of each core, as a multiple of the core on which work is measured.
    pub speed: f64,
    /// Pieces of work that may wait for a core, or that share the cores beyond one each.
    pub queue: u32,
    /// Who gets a core.
    pub discipline: Discipline,
}

impl Default for Processor {
    /// One core of speed 1, first come first served; 511 may wait, as many as the Apache and nginx
    /// web servers let wait for a connection.
    fn default() -> Self {
        Self {
            cores: 1,
            speed: 1.0,
            queue: 511,
            discipline: Discipline::Fifo,
        }
    }
}

/// Who gets a core.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Discipline {
    /// First come, first served.
    #[default]
    Fifo,
    /// All at once, the cores shared evenly, nobody on more than one.
    ProcessorSharing,
}

/// What a processor did in a run.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Worked {
    /// Pieces of work done.
    pub done: u64,
    /// Pieces of work refused because the queue was full.
    pub refused: u64,
    /// Time that cores were busy, all cores together.
    pub busy: SimDuration,
    /// Time by which others made pieces of work wait.
    pub waited: SimDuration,
}

/// A processor in use.
///
/// `T` names what waits for a piece of work; the desk only hands it back.
#[derive(Debug)]
pub(crate) struct Desk<T> {
    speed: f64,
    worked: Worked,
    number: u64,
    jobs: Jobs<T>,
}

#[derive(Debug)]
enum Jobs<T> {
    Fifo(Fifo),
    Sharing(Sharing<T>),
}

/// What becomes of work that is brought to a desk.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It is done at this instant, whatever comes later.
    DoneAt(SimTime),
    /// When it is done depends on what else comes: ask [`Desk::next`].
    Shared,
    /// There is no room.
    Refused,
}

impl<T: Copy> Desk<T> {
    pub(crate) fn new(processor: Processor) -> Self {
        let room = processor.cores.saturating_add(processor.queue) as usize;
        Self {
            speed: processor.speed,
            worked: Worked::default(),
            number: 0,
            jobs: match processor.discipline {
                Discipline::Fifo => Jobs::Fifo(Fifo {
                    free: BinaryHeap::from(vec![Reverse(SimTime::ZERO); processor.cores as usize]),
                    room,
                    open: BTreeMap::new(),
                }),
                Discipline::ProcessorSharing => Jobs::Sharing(Sharing {
                    cores: processor.cores,
                    room,
                    open: BTreeMap::new(),
                    clock: 0,
                    busy: SimDuration::ZERO,
                    read: SimTime::ZERO,
                }),
            },
        }
    }

    /// Takes on work that would take `work` on a core of speed 1, for `whom`.
    pub(crate) fn take(&mut self, now: SimTime, work: SimDuration, whom: T) -> Taken {
        let needs = SimDuration::from_seconds(work.as_seconds() / self.speed);
        let number = self.number;
        self.number += 1;
        let taken = match &mut self.jobs {
            Jobs::Fifo(fifo) => fifo.take(now, needs, number, &mut self.worked),
            Jobs::Sharing(sharing) => sharing.take(now, needs, number, whom),
        };
        match taken {
            Taken::Refused => self.worked.refused += 1,
            Taken::DoneAt(_) => self.worked.busy += needs,
            Taken::Shared => {}
        }
        taken
    }

    /// Time that cores were busy until now, all cores together.
    pub(crate) fn busy(&mut self, now: SimTime) -> SimDuration {
        match &mut self.jobs {
            Jobs::Fifo(fifo) => {
                let ahead = fifo.ahead(now, &mut self.worked);
                SimDuration(self.worked.busy.0 - ahead.0)
            }
            Jobs::Sharing(sharing) => {
                sharing.run_clock(now);
                sharing.busy
            }
        }
    }

    /// Of shared cores, when the next piece of work is done, and for whom, if nothing else comes.
    pub(crate) fn next(&self) -> Option<(SimTime, T)> {
        match &self.jobs {
            Jobs::Fifo(_) => None,
            Jobs::Sharing(sharing) => sharing.next(),
        }
    }

    /// Hands over the piece of work that shared cores are done with now.
    pub(crate) fn finish(&mut self, now: SimTime) {
        if let Jobs::Sharing(sharing) = &mut self.jobs {
            let (since, needs) = sharing.finish(now);
            self.worked.done += 1;
            self.worked.waited.0 += now.since(since).0.saturating_sub(needs.0);
        }
    }

    /// The node crashed: work that is not done is gone. Returns those who wait for shared cores.
    pub(crate) fn clear(&mut self, now: SimTime) -> Vec<T> {
        match &mut self.jobs {
            Jobs::Fifo(fifo) => {
                self.worked.busy.0 -= fifo.ahead(now, &mut self.worked).0;
                self.worked.waited.0 -= fifo.wait_ahead(now).0;
                fifo.clear(now);
                Vec::new()
            }
            Jobs::Sharing(sharing) => {
                sharing.run_clock(now);
                self.worked.busy = sharing.busy;
                let open = std::mem::take(&mut sharing.open);
                open.into_values().map(|(_, _, whom)| whom).collect()
            }
        }
    }

    /// What it did until the end of the run.
    pub(crate) fn close(mut self, now: SimTime) -> Worked {
        if let Jobs::Fifo(fifo) = &mut self.jobs {
            fifo.count_done(now, &mut self.worked);
        }
        self.clear(now);
        self.worked
    }
}

/// First come, first served: who comes knows at once when it is done.
#[derive(Debug)]
struct Fifo {
    /// When each core is free.
    free: BinaryHeap<Reverse<SimTime>>,
    /// Pieces of work on cores and waiting, at most.
    room: usize,
    /// Start of each piece of work that is not done, by its end.
    open: BTreeMap<(SimTime, u64), SimTime>,
}

impl Fifo {
    fn take(
        &mut self,
        now: SimTime,
        needs: SimDuration,
        number: u64,
        worked: &mut Worked,
    ) -> Taken {
        self.count_done(now, worked);
        if self.open.len() >= self.room {
            return Taken::Refused;
        }
        let mut core = self.free.peek_mut().expect("a processor has a core");
        let start = core.0.max(now);
        let end = start + needs;
        core.0 = end;
        drop(core);
        self.open.insert((end, number), start);
        worked.waited.0 += start.since(now).0;
        Taken::DoneAt(end)
    }

    fn count_done(&mut self, now: SimTime, worked: &mut Worked) {
        while let Some(first) = self.open.first_entry()
            && first.key().0 <= now
        {
            first.remove();
            worked.done += 1;
        }
    }

    /// Time that cores will still be busy with what is here.
    fn ahead(&mut self, now: SimTime, worked: &mut Worked) -> SimDuration {
        self.count_done(now, worked);
        let left = |((end, _), start): (&(SimTime, u64), &SimTime)| end.since((*start).max(now)).0;
        SimDuration(self.open.iter().map(left).sum())
    }

    /// Time that pieces of work would still wait for a core.
    fn wait_ahead(&self, now: SimTime) -> SimDuration {
        let left = self.open.values().map(|start| start.since(now).0);
        SimDuration(left.sum())
    }

    fn clear(&mut self, now: SimTime) {
        self.open.clear();
        let cores = self.free.len();
        self.free = BinaryHeap::from(vec![Reverse(now); cores]);
    }
}

/// All at once on shared cores. A clock runs at the speed at which each piece of work is served, so
/// that its end, as read on that clock, never changes.
#[derive(Debug)]
struct Sharing<T> {
    cores: u32,
    room: usize,
    /// When each piece of work came, what it needs and for whom it is, by its end on the clock.
    open: BTreeMap<(u128, u64), (SimTime, SimDuration, T)>,
    /// Service that each piece of work has had since the start: nanoseconds in 64.64 fixed point.
    clock: u128,
    /// Time that cores were busy until the clock was read last, all together.
    busy: SimDuration,
    /// When the clock was read last.
    read: SimTime,
}

impl<T: Copy> Sharing<T> {
    fn take(&mut self, now: SimTime, needs: SimDuration, number: u64, whom: T) -> Taken {
        if self.open.len() >= self.room {
            return Taken::Refused;
        }
        self.run_clock(now);
        let mark = self.clock + (u128::from(needs.0) << 64);
        self.open.insert((mark, number), (now, needs, whom));
        Taken::Shared
    }

    fn next(&self) -> Option<(SimTime, T)> {
        let ((mark, _), (_, _, whom)) = self.open.first_key_value()?;
        let left = mark.saturating_sub(self.clock);
        // The first whole nanosecond at which the clock has reached the mark.
        let wait = u64::try_from(left.div_ceil(self.share())).unwrap_or(u64::MAX);
        Some((self.read + SimDuration(wait), *whom))
    }

    fn finish(&mut self, now: SimTime) -> (SimTime, SimDuration) {
        self.run_clock(now);
        let (_, (since, needs, _)) = self.open.pop_first().expect("who is done was there");
        (since, needs)
    }

    /// Service that each piece of work gets in a nanosecond, in 0.64 fixed point.
    fn share(&self) -> u128 {
        let whole = 1_u128 << 64;
        let count = self.open.len() as u128;
        if count <= u128::from(self.cores) {
            whole
        } else {
            whole * u128::from(self.cores) / count
        }
    }

    fn run_clock(&mut self, now: SimTime) {
        let passed = now.since(self.read).0;
        self.clock += u128::from(passed) * self.share();
        self.busy.0 += passed * (self.open.len() as u64).min(u64::from(self.cores));
        self.read = now;
    }
}

#[cfg(test)]
mod tests {
    use netduel_engine::{Streams, uniform_below};

    use super::*;

    /// Arrival and need of each of `count` pieces of work, in nanoseconds, at a load near 1.
    fn crowd(seed: u64, count: usize, cores: u32) -> Vec<(u64, u64)> {
        let mut stream = Streams::new(seed, 0).open("crowd", 0);
        let mut at = 0;
        let mut draw = |most: u32| u64::from(uniform_below(&mut stream, most));
        (0..count)
            .map(|_| {
                // Every now and then several come at the same instant.
                at += draw(2_000_000_000 / cores).saturating_sub(100_000_000);
                (at, 1 + draw(2_000_000_000))
            })
            .collect()
    }

    fn desk(cores: u32, queue: u32, discipline: Discipline) -> Desk<usize> {
        Desk::new(Processor {
            cores,
            speed: 1.0,
            queue,
            discipline,
        })
    }

    /// When each piece of work ends on cores that take the one that came first, by looking at
    /// every core every time; nothing for those that find no room.
    fn first_come(crowd: &[(u64, u64)], cores: usize, queue: usize) -> Vec<Option<u64>> {
        let mut free = vec![0; cores];
        let mut ends: Vec<Option<u64>> = Vec::new();
        for (at, needs) in crowd {
            let here = ends.iter().flatten().filter(|end| *end > at).count();
            if here >= cores + queue {
                ends.push(None);
                continue;
            }
            let core = (0..cores).min_by_key(|core| free[*core]).unwrap();
            free[core] = free[core].max(*at) + needs;
            ends.push(Some(free[core]));
        }
        ends
    }

    #[test]
    fn who_comes_first_is_served_first_as_a_search_through_all_cores_says() {
        for (seed, cores, queue) in [(1, 1, 1000), (2, 3, 1000), (3, 1, 2), (4, 4, 3), (5, 2, 0)] {
            let crowd = crowd(seed, 2000, cores);
            let mut desk = desk(cores, queue, Discipline::Fifo);
            let taken = crowd.iter().enumerate().map(|(index, (at, needs))| {
                match desk.take(SimTime(*at), SimDuration(*needs), index) {
                    Taken::DoneAt(end) => Some(end.0),
                    Taken::Refused => None,
                    Taken::Shared => panic!("nothing is shared"),
                }
            });
            let ends: Vec<Option<u64>> = taken.collect();
            let expected = first_come(&crowd, cores as usize, queue as usize);
            assert_eq!(ends, expected, "seed {seed}");
            let done: Vec<_> = crowd
                .iter()
                .zip(&ends)
                .filter(|(_, e)| e.is_some())
                .collect();
            let needs: u64 = done.iter().map(|((_, needs), _)| needs).sum();
            let waited = done
                .iter()
                .map(|((at, needs), end)| end.unwrap() - at - needs);
            let expected = Worked {
                done: done.len() as u64,
                refused: (crowd.len() - done.len()) as u64,
                busy: SimDuration(needs),
                waited: SimDuration(waited.sum()),
            };
            assert_eq!(desk.close(SimTime(u64::MAX / 2)), expected, "seed {seed}");
        }
    }

    /// When each piece of work ends on shared cores, by dividing them anew after every change.
    fn shared(crowd: &[(u64, u64)], cores: f64, room: usize) -> Vec<Option<f64>> {
        let mut ends = vec![None; crowd.len()];
        let mut here: Vec<(usize, f64)> = Vec::new();
        let (mut now, mut next) = (0.0, 0);
        while next < crowd.len() || !here.is_empty() {
            let share = (cores / here.len() as f64).min(1.0);
            let least = here.iter().map(|(_, left)| *left).fold(f64::MAX, f64::min);
            let end = now + least / share;
            let arrival = crowd.get(next).map_or(f64::MAX, |(at, _)| *at as f64);
            let until = end.min(arrival);
            for (_, left) in &mut here {
                *left -= (until - now) * share;
            }
            now = until;
            here.retain(|(index, left)| {
                let over = *left < 0.5;
                if over {
                    ends[*index] = Some(now);
                }
                !over
            });
            if arrival <= end && next < crowd.len() {
                if here.len() < room {
                    here.push((next, crowd[next].1 as f64));
                }
                next += 1;
            }
        }
        ends
    }

    #[test]
    fn shared_cores_are_divided_as_dividing_them_after_every_change_says() {
        for (seed, cores, queue) in [(1, 1, 1000), (2, 3, 1000), (3, 1, 5), (4, 4, 0)] {
            let crowd = crowd(seed, 1000, cores);
            let room = (cores + queue) as usize;
            let mut desk = desk(cores, queue, Discipline::ProcessorSharing);
            let mut ends = vec![None; crowd.len()];
            let mut until = |desk: &mut Desk<usize>, now: SimTime| {
                while let Some((at, index)) = desk.next().filter(|(at, _)| *at <= now) {
                    desk.finish(at);
                    ends[index] = Some(at.0 as f64);
                }
            };
            for (index, (at, needs)) in crowd.iter().enumerate() {
                until(&mut desk, SimTime(*at));
                desk.take(SimTime(*at), SimDuration(*needs), index);
            }
            until(&mut desk, SimTime(u64::MAX / 2));
            let expected = shared(&crowd, f64::from(cores), room);
            for (index, (found, expected)) in ends.iter().zip(&expected).enumerate() {
                match (found, expected) {
                    // Whoever ends up to a nanosecond late holds up those who come after.
                    (Some(found), Some(expected)) => assert!(
                        (found - expected).abs() < 1000.0,
                        "seed {seed}: {index} ends at {found}, not at {expected}"
                    ),
                    other => assert_eq!(other, (&None, &None), "seed {seed}: {index}"),
                }
            }
        }
    }

    #[test]
    fn a_crash_takes_back_what_was_not_done() {
        for discipline in [Discipline::Fifo, Discipline::ProcessorSharing] {
            let mut desk = desk(1, 10, discipline);
            for whom in 0..3 {
                desk.take(SimTime(100), SimDuration(60), whom);
            }
            assert_eq!(desk.busy(SimTime(100)), SimDuration(0));
            assert_eq!(desk.busy(SimTime(130)), SimDuration(30));
            desk.clear(SimTime(150));
            assert_eq!(desk.busy(SimTime(500)), SimDuration(50), "{discipline:?}");
            // It begins again with nothing to do.
            desk.take(SimTime(500), SimDuration(10), 3);
            let worked = desk.close(SimTime(505));
            assert_eq!(worked.busy, SimDuration(55));
            assert_eq!(worked.done, 0);
        }
    }
}
