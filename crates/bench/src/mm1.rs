//! `mm1`: a queue at a node's processor, through a real architecture.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_client_server::{SingleServer, single_server::Config};
use netduel_units::{BitsPerSecond, Bytes, PerSecond, Seconds, Share};
use netduel_world::{
    Access, Arrivals, Demand, Latency, Law, SimDuration, Wants, World, WorldSpec, run as run_world,
};

use crate::{
    outcome::{Outcome, Timing},
    stopwatch::Stopwatch,
};

/// `customers` look-ups at a server, 0.8 a second, each with work of 1 s on average.
pub(crate) fn run(customers: u32) -> Outcome {
    let watch = Stopwatch::start();
    let mut spec = WorldSpec {
        latency: Latency::constant(SimDuration::ZERO),
        demand: Demand {
            wants: Wants::Lookup {
                keys: 1,
                zipf: 0.0,
                value: Bytes(0),
                reads: Share::new(1.0).expect("all"),
            },
            arrivals: Arrivals::Poisson(PerSecond::new(0.8).expect("a rate above 0")),
            requests: Some(customers),
            work: Law::Exponential { mean: 1.0 },
        },
        ..WorldSpec::default()
    };
    let wire = BitsPerSecond::MAX.get();
    spec.population.access = Access::Independent {
        upload: Law::Constant(wire),
        download: Law::Constant(wire),
    };
    spec.population.peers = 1000;
    let server = &mut spec.infrastructure[0];
    (server.upload, server.download) = (BitsPerSecond::MAX, BitsPerSecond::MAX);
    server.processor.queue = u32::MAX / 2;
    let config = Config {
        connections: u32::MAX,
        // Nobody waits nearly as long: P(T > 1000 s) = exp(-200).
        response_timeout: Seconds::new(1000.0).expect("a time in range"),
        ..Config::default()
    };
    let world = Arc::new(World::draw(&spec, 1, 0));
    let timing = Timing::begin(watch);
    let record = run_world::<SingleServer>(&world, &config, &AtomicBool::new(false));
    let record = record.expect("the settings fit, and it is not interrupted");
    let worked = record.worked[0];
    assert_eq!(worked.done, u64::from(customers), "everybody is served");
    // L. Kleinrock, Queueing Systems, 1975, sect. 3.2: rho / (mu - lambda) = 4 s.
    let wait = worked.waited.as_seconds() / f64::from(customers);
    timing.end(u64::from(customers), record.events, wait)
}
