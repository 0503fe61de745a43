//! `w4`, `w4het` and `steady`: downloads from one uplink.

use netduel_engine::{EventQueue, SimDuration, SimTime};
use netduel_network::LinkId;
use netduel_units::Bytes;

use crate::{
    draws::Draws,
    outcome::{Outcome, Timing},
    sharing::{Sharing, Workload, drive, link},
    stopwatch::Stopwatch,
};

const LATENCY: f64 = 0.05;

/// Whole bytes of a size, at least one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounding down is meant"
)]
pub(crate) fn whole(bytes: f64) -> Bytes {
    Bytes((bytes as u64).max(1))
}

/// One download for each client.
struct Downloads {
    uplink: LinkId,
    clients: Vec<(LinkId, Bytes, f64)>,
    waited: f64,
    last: SimTime,
}

impl Workload for Downloads {
    fn begin(&mut self, who: u32) -> ([LinkId; 2], Bytes) {
        let (downlink, size, _) = self.clients[who as usize];
        ([self.uplink, downlink], size)
    }

    fn ended(&mut self, who: u32, now: SimTime) -> Option<SimTime> {
        self.waited += now.as_seconds() - self.clients[who as usize].2;
        self.last = now;
        None
    }
}

/// `clients` downloads of 10 MB, 10 a second.
pub(crate) fn poisson<S: Sharing>(clients: u32, most: u64) -> Outcome {
    let (mut draws, mut at) = (Draws(42), 0.0);
    run::<S>(clients, most, 1e9, move || {
        at += draws.exponential() / 10.0;
        (100e6, whole(1e7), at)
    })
}

/// `clients` downloads of different sizes to links of different rates, all at once.
pub(crate) fn heterogeneous<S: Sharing>(clients: u32, most: u64) -> Outcome {
    let mut draws = Draws(42);
    run::<S>(clients, most, 30e6 * f64::from(clients), move || {
        let rate = (5.0 + 95.0 * draws.unit()) * 1e6;
        let size = whole((5.0 + 10.0 * draws.unit()) * 1e6);
        (rate, size, 0.0)
    })
}

fn run<S: Sharing>(
    clients: u32,
    most: u64,
    uplink: f64,
    mut draw: impl FnMut() -> (f64, Bytes, f64),
) -> Outcome {
    let watch = Stopwatch::start();
    let (mut sharing, mut queue) = (S::default(), EventQueue::default());
    let mut workload = Downloads {
        uplink: link(&mut sharing, uplink),
        clients: Vec::new(),
        waited: 0.0,
        last: SimTime::ZERO,
    };
    for who in 0..clients {
        let (rate, size, asked) = draw();
        let downlink = link(&mut sharing, rate);
        workload.clients.push((downlink, size, asked));
        let at = SimTime::ZERO + SimDuration::from_seconds(asked + LATENCY);
        queue.schedule(at, who);
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
        ..timing.end(u64::from(clients), count, workload.waited / count as f64)
    }
}

/// One download after the other for each client.
struct Steady {
    uplink: LinkId,
    clients: Vec<LinkId>,
    under_way: Vec<Bytes>,
    draws: Draws,
    delivered: f64,
    last: SimTime,
}

impl Workload for Steady {
    fn begin(&mut self, who: u32) -> ([LinkId; 2], Bytes) {
        let size = whole(1e7 * self.draws.exponential());
        self.under_way[who as usize] = size;
        ([self.uplink, self.clients[who as usize]], size)
    }

    fn ended(&mut self, who: u32, now: SimTime) -> Option<SimTime> {
        self.delivered += self.under_way[who as usize].0 as f64 * 8.0;
        self.last = now;
        Some(now)
    }
}

/// `clients` downloads at all times, and `completions` after a first one that is not measured: it
/// comes when all are under way.
pub(crate) fn steady<S: Sharing>(clients: u32, completions: u64) -> Outcome {
    let watch = Stopwatch::start();
    let (mut sharing, mut queue) = (S::default(), EventQueue::default());
    let mut draws = Draws(42);
    let uplink = link(&mut sharing, 40e6 * f64::from(clients));
    let downlinks = (0..clients).map(|_| (5.0 + 95.0 * draws.unit()) * 1e6);
    let downlinks = downlinks.map(|rate| link(&mut sharing, rate)).collect();
    for who in 0..clients {
        queue.schedule(SimTime::ZERO, who);
    }
    let mut workload = Steady {
        uplink,
        clients: downlinks,
        under_way: vec![Bytes(0); clients as usize],
        draws,
        delivered: 0.0,
        last: SimTime::ZERO,
    };
    let mut owner = Vec::new();
    drive(&mut sharing, &mut workload, &mut queue, &mut owner, 1);
    let timing = Timing::begin(watch);
    let count = drive(
        &mut sharing,
        &mut workload,
        &mut queue,
        &mut owner,
        completions,
    );
    let seconds = workload.last.as_seconds();
    let rate = workload.delivered / seconds / f64::from(clients);
    timing.end(u64::from(clients), count, rate)
}
