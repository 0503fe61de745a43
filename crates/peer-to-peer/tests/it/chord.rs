//! Chord: what becomes of values and of the ring.
//!
//! `netduel verify` compares its look-ups with theory.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::{
    Chord,
    chord::{Config, Routing, Start},
};
use netduel_world::{
    Access, Arrivals, Bytes, Cause, Demand, Failure, Law, Outcome, Patience, Pick, RequestRecord,
    RunError, RunRecord, Seconds, Share, SimDuration, SimTime, StateLoss, Wants, What, Who, World,
    WorldSpec, run, run_strict,
};

pub(crate) fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

/// `requests` requests for 500 keys from `nodes` nodes, two thirds of which read, all at the start.
pub(crate) fn mixed(nodes: u32, requests: u32, value: Bytes) -> WorldSpec {
    let mut spec = WorldSpec {
        infrastructure: Vec::new(),
        demand: Demand {
            wants: Wants::Lookup {
                keys: 500,
                zipf: 0.8,
                value,
                reads: Share::new(0.67).unwrap(),
            },
            arrivals: Arrivals::AllAtOnce,
            requests: Some(requests),
            work: Law::Constant(0.0),
        },
        patience: Patience {
            retries: 0,
            ..Patience::default()
        },
        ..WorldSpec::default()
    };
    spec.population.peers = nodes;
    spec
}

pub(crate) fn crash(share: f64, at: f64) -> Failure {
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

fn strict(spec: &WorldSpec, config: &Config, seed: u64) -> RunRecord {
    let world = Arc::new(World::draw(spec, seed, 0));
    let record = run_strict::<Chord>(&world, config, &AtomicBool::new(false)).unwrap();
    let traffic = record.traffic;
    assert_eq!(traffic.sent, traffic.received + traffic.lost);
    record
}

/// Recursive with and without acknowledgements, and iterative.
fn routings() -> [Config; 3] {
    let routing = |routing, acknowledge| Config {
        routing,
        acknowledge,
        ..Config::default()
    };
    [
        routing(Routing::Recursive, true),
        routing(Routing::Recursive, false),
        routing(Routing::Iterative, true),
    ]
}

#[test]
fn every_value_is_found_and_set_whatever_its_size() {
    for seed in 0..6 {
        for value in [0, 100_000] {
            for config in routings() {
                let record = strict(&mixed(60, 300, Bytes(value)), &config, seed);
                assert_eq!(record.served(), 300, "seed {seed}, {value} B");
            }
        }
    }
}

#[test]
fn a_ring_of_a_few_nodes_needs_no_settings() {
    for nodes in 1..=9 {
        for config in routings() {
            let record = strict(&mixed(nodes, 50, Bytes(1000)), &config, 1);
            assert_eq!(record.served(), 50, "{nodes} nodes");
        }
    }
}

#[test]
fn a_few_nodes_join_one_by_one_without_settings() {
    for nodes in 1..=4 {
        for config in routings() {
            let config = Config {
                start: Start::Join,
                ..config
            };
            let mut spec = mixed(nodes, 50, Bytes(1000));
            spec.demand.arrivals = Arrivals::Trace(vec![seconds(3600.0); 50]);
            let record = strict(&spec, &config, 1);
            assert_eq!(record.served(), 50, "{nodes} nodes");
        }
    }
}

/// One store of 10 MB over 1 Mbit/s, which takes 80 s.
fn slow_store() -> WorldSpec {
    let mut spec = mixed(20, 1, Bytes(10_000_000));
    spec.population.access = Access::Independent {
        upload: Law::Constant(1e6),
        download: Law::Constant(1e6),
    };
    if let Wants::Lookup { reads, .. } = &mut spec.demand.wants {
        *reads = Share::new(0.0).unwrap();
    }
    spec
}

#[test]
fn a_value_may_take_longer_than_any_timeout_while_its_bytes_flow() {
    let mut remote = 0;
    for seed in 0..6 {
        for config in routings() {
            let record = strict(&slow_store(), &config, seed);
            assert_eq!(record.served(), 1, "seed {seed}");
            remote += u32::from(record.ended > SimTime::ZERO + SimDuration::from(seconds(80.0)));
        }
    }
    assert!(remote > 9, "most values are for another node");
}

#[test]
fn nothing_moves_any_more_for_a_user_who_gave_up() {
    for reads in [0.0, 1.0] {
        for seed in 0..6 {
            let mut spec = slow_store();
            if let Wants::Lookup { reads: share, .. } = &mut spec.demand.wants {
                *share = Share::new(reads).unwrap();
            }
            spec.patience.deadline = Some(seconds(5.0));
            spec.run_for = Some(seconds(200.0));
            let config = Config {
                replicas: Some(1),
                ..Config::default()
            };
            let record = strict(&spec, &config, seed);
            // 5 s at 1 Mbit/s and whatever upkeep says.
            let most = Bytes(5 * 125_000 + 500_000);
            assert!(
                record.traffic.sent < most,
                "seed {seed}: {:?}",
                record.traffic
            );
        }
    }
}

#[test]
fn nodes_that_join_one_by_one_form_a_ring_and_find_every_value() {
    for seed in 0..6 {
        for config in routings() {
            let config = Config {
                start: Start::Join,
                ..config
            };
            let mut spec = mixed(50, 200, Bytes(1000));
            spec.demand.arrivals = Arrivals::Trace(vec![seconds(14_400.0); 200]);
            let record = strict(&spec, &config, seed);
            let failed: Vec<_> = record
                .requests
                .iter()
                .filter(|r| r.outcome != Outcome::Served)
                .map(|r| (r.outcome, r.ended.as_seconds() - r.issued.as_seconds()))
                .collect();
            assert!(
                failed.is_empty(),
                "seed {seed} {:?}: {failed:?}",
                config.routing
            );
        }
    }
}

#[test]
fn a_mended_ring_finds_what_the_dead_had() {
    for seed in 0..6 {
        let mut spec = mixed(100, 400, Bytes(1000));
        spec.demand.arrivals = Arrivals::Trace(vec![seconds(1800.0); 400]);
        spec.failures = vec![crash(0.3, 10.0)];
        let config = Config {
            replicas: Some(8),
            ..Config::default()
        };
        let record = strict(&spec, &config, seed);
        let asked = |r: &&RequestRecord| r.outcome != Outcome::Failed(Cause::Unfinished);
        let count = record.requests.iter().filter(asked).count();
        assert!(count > 200, "seed {seed}");
        assert_eq!(record.served(), count, "seed {seed}");
    }
}

#[test]
fn look_ups_go_on_while_nodes_come_and_go() {
    for seed in 0..6 {
        for config in [&routings()[0], &routings()[2]] {
            let mut spec = mixed(80, 400, Bytes(2000));
            spec.demand.arrivals = Arrivals::Poisson("1 /s".parse().unwrap());
            spec.failures = vec![churn(1800.0, 60.0)];
            let record = strict(&spec, config, seed);
            let served = record.served();
            let failed: Vec<_> = record
                .requests
                .iter()
                .filter(|r| r.outcome != Outcome::Served)
                .map(|r| r.outcome)
                .collect();
            assert!(served > 380, "seed {seed}: {served} {failed:?}");
        }
    }
}

#[test]
fn values_that_are_lost_with_their_disks_are_not_found() {
    let mut spec = mixed(50, 100, Bytes(0));
    spec.demand.arrivals = Arrivals::Trace(vec![seconds(600.0); 100]);
    let mut failure = crash(1.0, 5.0);
    failure.lasts = Some(seconds(5.0));
    failure.what = What::Crash(StateLoss::Lost);
    spec.failures = vec![failure];
    let record = strict(&spec, &Config::default(), 1);
    for request in &record.requests {
        let expected = [Outcome::Served, Outcome::Failed(Cause::NotFound)];
        assert!(expected.contains(&request.outcome), "{:?}", request.outcome);
    }
    assert!(record.served() < 60, "only what was set anew is there");
}

#[test]
fn work_that_finds_no_room_is_refused() {
    let mut spec = mixed(10, 200, Bytes(0));
    spec.demand.work = Law::Constant(5.0);
    spec.population.processor.queue = 0;
    let record = strict(&spec, &Config::default(), 1);
    let refused = |r: &&RequestRecord| r.outcome == Outcome::Failed(Cause::Refused);
    assert!(record.requests.iter().filter(refused).count() > 100);
    assert!(record.served() > 0);
}

#[test]
fn settings_out_of_range_are_told() {
    let world = Arc::new(World::draw(&mixed(10, 1, Bytes(0)), 1, 0));
    let problem = |config: Config| match run::<Chord>(&world, &config, &AtomicBool::new(false)) {
        Err(RunError::Assemble(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    for successors in [0, 11] {
        let told = problem(Config {
            successors: Some(successors),
            ..Config::default()
        });
        let expected =
            format!("`successors` is {successors}; expected 1 to 10, the number of nodes");
        assert_eq!(told, expected);
    }
    let told = problem(Config {
        replicas: Some(10),
        ..Config::default()
    });
    let expected = "`replicas` is 10; expected 1 to 9, with 8 successors and 10 nodes";
    assert_eq!(told, expected);
    let told = problem(Config {
        stabilise: seconds(0.0),
        ..Config::default()
    });
    assert_eq!(told, "`stabilise` is 0 s; expected a time above 0");
}
