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
            _ => self.worked.busy.0 += needs.0,
        }
        taken
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
                fifo.clear(now, &mut self.worked);
                Vec::new()
            }
            Jobs::Sharing(sharing) => {
                sharing.run_clock(now);
                let clock = sharing.clock;
                for (mark, _) in sharing.open.keys() {
                    let left = u64::try_from(mark.saturating_sub(clock) >> 64);
                    self.worked.busy.0 -= left.expect("what is left is a time");
                }
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

    fn clear(&mut self, now: SimTime, worked: &mut Worked) {
        self.count_done(now, worked);
        for ((end, _), start) in std::mem::take(&mut self.open) {
            worked.busy.0 -= end.since(start.max(now)).0;
        }
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
        self.clock += u128::from(now.since(self.read).0) * self.share();
        self.read = now;
    }
}
