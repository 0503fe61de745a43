//! Worlds in which users search.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_world::{
    Access, Architecture, Arrivals, Demand, Failure, Latency, Law, Outcome, Pick, Replication,
    RunRecord, Seconds, Share, SimDuration, StateLoss, Wants, What, Who, World, WorldSpec,
    run_strict,
};

pub(crate) fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

/// A time at which nothing happens any more.
pub(crate) fn never() -> Seconds {
    seconds(1e9)
}

/// Every message takes a second, whatever its size, and answers take no work; `requests` searches
/// for `objects`, each of which `replicas` users have.
pub(crate) fn clockwork(peers: u32, objects: u32, replicas: f64, requests: u32) -> WorldSpec {
    let mut spec = WorldSpec {
        latency: Latency::constant(SimDuration::from_seconds(1.0)),
        infrastructure: Vec::new(),
        demand: Demand {
            wants: Wants::Search {
                objects,
                zipf: 0.0,
                replicas,
                rule: Replication::Uniform,
            },
            arrivals: Arrivals::AllAtOnce,
            requests: Some(requests),
            work: Law::Constant(0.0),
        },
        ..Default::default()
    };
    spec.population.peers = peers;
    spec.population.access = Access::Independent {
        upload: Law::Constant(1e12),
        download: Law::Constant(1e12),
    };
    spec.patience.retries = 0;
    spec
}

/// A small world with places, churn or whatever a test adds: 200 users, one search every second.
pub(crate) fn village(requests: u32) -> WorldSpec {
    let mut spec = clockwork(200, 20, 10.0, requests);
    spec.latency = Latency::constant(SimDuration::from_seconds(0.05)).with_jitter(0.3);
    spec.demand.arrivals = Arrivals::Poisson("1 /s".parse().unwrap());
    spec.population.access = Access::Independent {
        upload: Law::Constant(1e6),
        download: Law::Constant(10e6),
    };
    spec
}

/// Users come and go.
pub(crate) fn churn(session: f64, downtime: f64) -> Failure {
    Failure {
        at: seconds(0.0),
        lasts: None,
        who: Who::Role(Pick::Users),
        what: What::Churn {
            session: Law::Exponential { mean: session },
            downtime: Law::Exponential { mean: downtime },
        },
    }
}

/// A share of users crash for good.
pub(crate) fn crash(at: f64, share: f64) -> Failure {
    Failure {
        at: seconds(at),
        lasts: None,
        who: Who::Random {
            share: Share::new(share).unwrap(),
            of: Pick::Users,
        },
        what: What::Crash(StateLoss::Kept),
    }
}

/// Runs it, and watches that nobody contacts whom it cannot know.
pub(crate) fn watched<A: Architecture>(
    spec: &WorldSpec,
    config: &A::Config,
    seed: u64,
) -> RunRecord {
    let world = Arc::new(World::draw(spec, seed, 0));
    let record = run_strict::<A>(&world, config, &AtomicBool::new(false)).unwrap();
    let traffic = record.traffic;
    assert_eq!(traffic.sent, traffic.received + traffic.lost, "seed {seed}");
    record
}

/// Why it does not run.
pub(crate) fn refusal<A: Architecture>(spec: &WorldSpec, config: &A::Config) -> String {
    let world = Arc::new(World::draw(spec, 1, 0));
    let error = run_strict::<A>(&world, config, &AtomicBool::new(false));
    error.unwrap_err().to_string()
}

pub(crate) fn messages(record: &RunRecord) -> u64 {
    record.loads.iter().map(|load| load.messages).sum()
}

/// Seconds that each search took that was served and was not at hand.
pub(crate) fn latencies(record: &RunRecord) -> Vec<f64> {
    let served = record.requests.iter();
    let served = served.filter(|request| request.outcome == Outcome::Served);
    let times = served.map(|request| request.ended.as_seconds() - request.issued.as_seconds());
    times.filter(|time| *time > 0.0).collect()
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    assert!(!values.is_empty(), "there is something to average");
    values.iter().sum::<f64>() / values.len() as f64
}
