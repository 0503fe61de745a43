//! Worlds to run architectures in, and what holds in every run.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_world::{
    Architecture, Arrivals, BitsPerSecond, Bytes, Demand, Failure, Latency, Law, MachineGroup,
    Outcome, PerHour, PerSecond, Processor, RunRecord, Seconds, Share, SimDuration, StateLoss,
    Wants, What, Who, World, WorldSpec, run, run_strict,
};

pub(crate) fn rate(bits: f64) -> BitsPerSecond {
    BitsPerSecond::new(bits).unwrap()
}

pub(crate) fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

pub(crate) fn share(share: f64) -> Share {
    Share::new(share).unwrap()
}

/// Runs an architecture and checks that the books close and that nobody contacts a stranger.
pub(crate) fn simulate<A: Architecture>(
    spec: &WorldSpec,
    config: &A::Config,
    seed: u64,
) -> RunRecord {
    let world = Arc::new(World::draw(spec, seed, 0));
    let record = run::<A>(&world, config, &AtomicBool::new(false)).unwrap();
    let strict = run_strict::<A>(&world, config, &AtomicBool::new(false)).unwrap();
    assert_eq!(record, strict, "the same course whether watched or not");
    let traffic = record.traffic;
    assert_eq!(traffic.sent, traffic.received + traffic.lost);
    record
}

pub(crate) fn outcomes(record: &RunRecord, outcome: Outcome) -> usize {
    record
        .requests
        .iter()
        .filter(|r| r.outcome == outcome)
        .count()
}

/// Machines at 1 Gbps.
pub(crate) fn machines(name: &str, count: u32, processor: Processor) -> MachineGroup {
    MachineGroup {
        name: name.into(),
        count,
        upload: rate(1e9),
        download: rate(1e9),
        region: 0,
        processor,
        storage: None,
        price: PerHour::default(),
    }
}

/// Users who look up keys, a Poisson process, where messages take `latency` seconds.
pub(crate) fn lookups(latency: f64, per_second: f64, requests: u32, work: Law) -> WorldSpec {
    let mut spec = WorldSpec {
        latency: Latency::constant(SimDuration::from_seconds(latency)),
        demand: Demand {
            wants: Wants::Lookup {
                keys: 100,
                zipf: 0.8,
                value: Bytes(0),
                reads: share(1.0),
            },
            arrivals: Arrivals::Poisson(PerSecond::new(per_second).unwrap()),
            requests: Some(requests),
            work,
        },
        ..WorldSpec::default()
    };
    spec.population.peers = 20;
    spec
}

pub(crate) fn crash(who: Who, at: f64, lasts: f64, state: StateLoss) -> Failure {
    Failure {
        at: seconds(at),
        lasts: Some(seconds(lasts)),
        who,
        what: What::Crash(state),
    }
}

/// Seconds from issue to end of every request, in order.
pub(crate) fn times(record: &RunRecord) -> Vec<f64> {
    let times = record
        .requests
        .iter()
        .map(|r| (r.ended - r.issued).as_seconds());
    times.collect()
}
