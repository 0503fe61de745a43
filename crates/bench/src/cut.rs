//! `cut`: the server of many downloads is slowed down, comes back and dies.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_client_server::{SingleServer, single_server::Config};
use netduel_world::{
    Access, Arrivals, BitsPerSecond, Bytes, Demand, Failure, Law, Seconds, Share, StateLoss, What,
    Who, World, WorldSpec, run as run_world,
};

use crate::{
    outcome::{Outcome, Timing},
    stopwatch::Stopwatch,
};

/// `clients` downloads of 900 kB, begun within 8 s, from an uplink of 250 kbps for each of them,
/// over downlinks of 50 kbps to 1 Mbps: from 10 s to 20 s the server has 30 % of its rates, at 40 s it dies.
pub(crate) fn run(clients: u32) -> Outcome {
    let watch = Stopwatch::start();
    let mut spec = WorldSpec {
        demand: Demand::one_object(Bytes(900_000), Arrivals::AllAtOnce),
        failures: vec![
            failure(10.0, Some(10.0), What::Slow(share(0.3))),
            failure(40.0, None, What::Crash(StateLoss::Kept)),
        ],
        ..WorldSpec::default()
    };
    spec.patience.retries = 0;
    let gap = 8.0 / f64::from(clients);
    let times = (0..clients).map(|client| seconds(gap * f64::from(client)));
    spec.demand.arrivals = Arrivals::Trace(times.collect());
    spec.population.peers = clients;
    spec.population.access = Access::Independent {
        upload: Law::Constant(1e6),
        download: Law::Uniform { min: 5e4, max: 1e6 },
    };
    let uplink = 250e3 * f64::from(clients);
    let uplink = BitsPerSecond::new(uplink).expect("rates of a workload are in range");
    spec.infrastructure[0].upload = uplink;
    let config = Config {
        connections: clients,
        ..Config::default()
    };
    let world = Arc::new(World::draw(&spec, 1, 0));
    let timing = Timing::begin(watch);
    let record = run_world::<SingleServer>(&world, &config, &AtomicBool::new(false));
    let record = record.expect("the settings fit, and it is not interrupted");
    let served = record.served();
    assert!(
        0 < served && served < clients as usize,
        "{served} are served"
    );
    let (machine, users) = record.loads.split_first().expect("there is a server");
    let received: Bytes = users.iter().map(|load| load.received).sum();
    let check = received.0 as f64 / machine.sent.0 as f64;
    timing.end(u64::from(clients), record.events, check)
}

fn failure(at: f64, lasts: Option<f64>, what: What) -> Failure {
    Failure {
        at: seconds(at),
        lasts: lasts.map(seconds),
        who: Who::Machine("server".into()),
        what,
    }
}

fn seconds(time: f64) -> Seconds {
    Seconds::new(time).expect("a short time is in range")
}

fn share(share: f64) -> Share {
    Share::new(share).expect("a share")
}
