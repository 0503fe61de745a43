//! Worlds for experiments.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_world::{
    Access, Architecture, BitsPerSecond, Latency, Law, RunRecord, SimDuration, World, WorldSpec,
    run,
};

/// A world in which messages take no time.
pub(super) fn without_latency() -> WorldSpec {
    WorldSpec {
        latency: Latency::constant(SimDuration::ZERO),
        ..WorldSpec::default()
    }
}

/// Users whose links have these rates, in bit/s.
pub(super) fn users(spec: &mut WorldSpec, peers: u32, upload: f64, download: f64) {
    spec.population.peers = peers;
    spec.population.access = Access::Independent {
        upload: Law::Constant(upload),
        download: Law::Constant(download),
    };
}

/// A rate in bit/s.
pub(super) fn rate(bits: f64) -> BitsPerSecond {
    BitsPerSecond::new(bits).expect("the rate of an experiment is in range")
}

/// Runs an architecture in the world of one seed.
pub(super) fn simulate<A: Architecture>(
    spec: &WorldSpec,
    config: &A::Config,
    seed: u64,
) -> RunRecord {
    let world = Arc::new(World::draw(spec, seed, 0));
    run::<A>(&world, config, &AtomicBool::new(false)).expect("the set-up of an experiment fits")
}
