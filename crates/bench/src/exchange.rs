//! `w5jit` and `w5tight`: everybody sends to everybody.

use netduel_engine::{EventQueue, SimDuration, SimTime};
use netduel_network::LinkId;
use netduel_units::Bytes;

use crate::{
    downloads::whole,
    draws::Draws,
    outcome::{Outcome, Timing},
    sharing::{Sharing, Workload, drive, link},
    stopwatch::Stopwatch,
};

const SLOTS: u32 = 4;
const CHUNKS: u32 = 25;
const LATENCY: SimDuration = SimDuration(50_000_000);

/// One chunk after the other in each upload slot.
struct Exchange {
    peers: u32,
    up: Vec<LinkId>,
    down: Vec<LinkId>,
    slots: Vec<Slot>,
    waited: f64,
    last: SimTime,
}

struct Slot {
    draws: Draws,
    left: u32,
    asked: SimTime,
}

impl Workload for Exchange {
    fn begin(&mut self, who: u32) -> ([LinkId; 2], Bytes) {
        let slot = &mut self.slots[who as usize];
        let peer = who / SLOTS;
        let to = slot.draws.other(self.peers, peer);
        let size = whole(131_072.0 + 262_144.0 * slot.draws.unit());
        slot.left -= 1;
        ([self.up[peer as usize], self.down[to as usize]], size)
    }

    fn ended(&mut self, who: u32, now: SimTime) -> Option<SimTime> {
        let slot = &mut self.slots[who as usize];
        self.waited += now.since(slot.asked).as_seconds();
        self.last = now;
        slot.asked = now;
        (slot.left > 0).then(|| now + LATENCY)
    }
}

/// `peers` with four upload slots and links of 10 Mbit/s up and `down` bits per second down.
pub(crate) fn run<S: Sharing>(peers: u32, down: f64, most: u64) -> Outcome {
    let watch = Stopwatch::start();
    let (mut sharing, mut queue) = (S::default(), EventQueue::default());
    let [up, down] = [10e6, down].map(|rate| {
        let links = (0..peers).map(|_| link(&mut sharing, rate));
        links.collect()
    });
    let slots = (0..SLOTS * peers).map(|slot| Slot {
        draws: Draws(1_000_003 + u64::from(slot) * 0x0123_4567),
        left: CHUNKS,
        asked: SimTime::ZERO,
    });
    let mut workload = Exchange {
        peers,
        up,
        down,
        slots: slots.collect(),
        waited: 0.0,
        last: SimTime::ZERO,
    };
    for who in 0..SLOTS * peers {
        queue.schedule(SimTime::ZERO + LATENCY, who);
    }
    let timing = Timing::begin(watch);
    let count = drive(
        &mut sharing,
        &mut workload,
        &mut queue,
        &mut Vec::new(),
        most,
    );
    Outcome {
        makespan: Some(workload.last.as_seconds()),
        ..timing.end(u64::from(peers), count, workload.waited / count as f64)
    }
}
