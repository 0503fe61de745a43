//! Kademlia: what becomes of values, contacts and announcements.
//!
//! `netduel verify` compares its look-ups with theory.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::{Kademlia, chord::Start, kademlia::Config};
use netduel_world::{
    Access, Arrivals, Bytes, Cause, Law, Outcome, RunError, RunRecord, Share, SimDuration, SimTime,
    StateLoss, Wants, What, World, WorldSpec, run, run_strict,
};

use crate::chord::{churn, crash, mixed, seconds};

fn strict(spec: &WorldSpec, config: &Config, seed: u64) -> RunRecord {
    let world = Arc::new(World::draw(spec, seed, 0));
    let record = run_strict::<Kademlia>(&world, config, &AtomicBool::new(false)).unwrap();
    let traffic = record.traffic;
    assert_eq!(traffic.sent, traffic.received + traffic.lost);
    record
}

#[test]
fn every_value_is_found_and_set_whatever_its_size() {
    for seed in 0..6 {
        for value in [0, 100_000] {
            for rounds in [false, true] {
                let config = Config {
                    rounds,
                    ..Config::default()
                };
                let spec = mixed(60, 300, Bytes(value));
                let record = strict(&spec, &config, seed);
                assert_eq!(record.served(), 300, "seed {seed}, {value} B");
            }
        }
    }
}

#[test]
fn a_few_nodes_need_no_settings() {
    for nodes in 1..=9 {
        for value in [0, 1000] {
            let record = strict(&mixed(nodes, 50, Bytes(value)), &Config::default(), 1);
            assert_eq!(record.served(), 50, "{nodes} nodes, {value} B");
        }
    }
}

/// Requests that come `after` so many seconds, when all have joined long ago.
fn joined(nodes: u32, value: Bytes, after: f64) -> WorldSpec {
    let mut spec = mixed(nodes, 200, value);
    spec.demand.arrivals = Arrivals::Trace(vec![seconds(after); 200]);
    spec
}

#[test]
fn a_few_nodes_join_one_by_one_without_settings() {
    let config = Config {
        start: Start::Join,
        ..Config::default()
    };
    for nodes in 1..=4 {
        let record = strict(&joined(nodes, Bytes(1000), 600.0), &config, 1);
        assert_eq!(record.served(), 200, "{nodes} nodes");
    }
}

#[test]
fn newcomers_are_given_their_values_long_before_these_are_stored_again() {
    for (nodes, k) in [(20, 8), (50, 20), (50, 8), (200, 20)] {
        for seed in 0..4 {
            let config = Config {
                start: Start::Join,
                k: Some(k),
                ..Config::default()
            };
            assert!(config.republish.get() > 600.0);
            let record = strict(&joined(nodes, Bytes(1000), 600.0), &config, seed);
            assert_eq!(record.served(), 200, "{nodes} nodes, k {k}, seed {seed}");
        }
    }
}

/// One request for a value of 10 MB, which takes 80 s over 1 Mbit/s.
fn slow(reads: f64) -> WorldSpec {
    let mut spec = mixed(20, 1, Bytes(10_000_000));
    spec.population.access = Access::Independent {
        upload: Law::Constant(1e6),
        download: Law::Constant(1e6),
    };
    if let Wants::Lookup { reads: share, .. } = &mut spec.demand.wants {
        *share = Share::new(reads).unwrap();
    }
    spec
}

fn single() -> Config {
    Config {
        replicas: Some(1),
        ..Config::default()
    }
}

#[test]
fn a_value_may_take_longer_than_any_timeout_while_its_bytes_flow() {
    let mut remote = 0;
    for seed in 0..12 {
        assert!(single().answer_timeout.get() < 80.0);
        let record = strict(&slow(0.0), &single(), seed);
        assert_eq!(record.served(), 1, "seed {seed}");
        remote += u32::from(record.ended > SimTime::ZERO + SimDuration::from(seconds(80.0)));
    }
    assert!(remote > 6, "most values are for another node");
}

#[test]
fn nothing_moves_any_more_for_a_user_who_gave_up() {
    for reads in [0.0, 1.0] {
        for seed in 0..6 {
            let mut spec = slow(reads);
            spec.patience.deadline = Some(seconds(5.0));
            spec.run_for = Some(seconds(200.0));
            let record = strict(&spec, &single(), seed);
            // 5 s at 1 Mbit/s and whatever upkeep says.
            let most = Bytes(5 * 125_000 + 200_000);
            assert!(
                record.traffic.sent < most,
                "seed {seed}: {:?}",
                record.traffic
            );
        }
    }
}

#[test]
fn values_outlive_half_of_the_nodes() {
    for seed in 0..6 {
        let mut spec = mixed(100, 400, Bytes(0));
        spec.demand.arrivals = Arrivals::Trace(vec![seconds(60.0); 400]);
        spec.failures = vec![crash(0.5, 10.0)];
        let record = strict(&spec, &Config::default(), seed);
        let asked =
            |r: &&netduel_world::RequestRecord| r.outcome != Outcome::Failed(Cause::Unfinished);
        let count = record.requests.iter().filter(asked).count();
        assert!(count > 100, "seed {seed}");
        assert_eq!(record.served(), count, "seed {seed}");
    }
}

#[test]
fn look_ups_go_on_while_nodes_come_and_go() {
    for seed in 0..6 {
        let mut spec = mixed(80, 400, Bytes(2000));
        spec.demand.arrivals = Arrivals::Poisson("1 /s".parse().unwrap());
        spec.failures = vec![churn(600.0, 60.0)];
        let record = strict(&spec, &Config::default(), seed);
        assert!(record.served() > 390, "seed {seed}: {}", record.served());
    }
}

#[test]
fn nobody_is_found_in_a_dead_world() {
    let mut spec = mixed(20, 40, Bytes(0));
    spec.demand.arrivals = Arrivals::Trace(vec![seconds(20.0); 40]);
    spec.failures = vec![crash(0.95, 10.0)];
    let record = strict(&spec, &Config::default(), 1);
    for request in &record.requests {
        let expected = [Cause::NoAnswer, Cause::NotFound, Cause::Unfinished];
        let served = request.outcome == Outcome::Served;
        let fits = expected.map(Outcome::Failed).contains(&request.outcome);
        // The one that is left has copies of most values itself.
        assert!(served || fits, "{:?}", request.outcome);
    }
}

#[test]
fn values_that_are_lost_with_their_disks_are_not_found() {
    let config = Config {
        replicas: Some(1),
        ..Config::default()
    };
    let mut spec = mixed(50, 100, Bytes(0));
    spec.demand.arrivals = Arrivals::Trace(vec![seconds(60.0); 100]);
    let all = Share::new(1.0).unwrap();
    spec.demand.wants = match spec.demand.wants {
        netduel_world::Wants::Lookup {
            keys, zipf, value, ..
        } => netduel_world::Wants::Lookup {
            keys,
            zipf,
            value,
            reads: all,
        },
        other => other,
    };
    let mut failure = crash(1.0, 5.0);
    failure.lasts = Some(seconds(5.0));
    failure.what = What::Crash(StateLoss::Lost);
    spec.failures = vec![failure];
    let record = strict(&spec, &config, 1);
    for request in &record.requests {
        assert_eq!(request.outcome, Outcome::Failed(Cause::NotFound));
    }
}

#[test]
fn work_that_finds_no_room_is_refused() {
    let mut spec = mixed(10, 200, Bytes(0));
    spec.demand.work = Law::Constant(5.0);
    spec.population.processor.queue = 0;
    let record = strict(
        &spec,
        &Config {
            k: Some(4),
            ..Config::default()
        },
        1,
    );
    let refused = |r: &&netduel_world::RequestRecord| r.outcome == Outcome::Failed(Cause::Refused);
    assert!(record.requests.iter().filter(refused).count() > 20);
    assert!(record.served() > 0);
}

#[test]
fn settings_out_of_range_are_told() {
    let world = Arc::new(World::draw(&mixed(10, 1, Bytes(0)), 1, 0));
    let problem = |config: Config| match run::<Kademlia>(&world, &config, &AtomicBool::new(false)) {
        Err(RunError::Assemble(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let base = || Config {
        k: Some(8),
        ..Config::default()
    };
    let told = problem(Config {
        k: Some(0),
        ..base()
    });
    assert_eq!(told, "`k` is 0; expected 1 to 10, the number of nodes");
    let told = problem(Config {
        k: Some(11),
        ..base()
    });
    assert_eq!(told, "`k` is 11; expected 1 to 10, the number of nodes");
    let told = problem(Config { alpha: 0, ..base() });
    assert_eq!(told, "`alpha` is 0; expected at least 1");
    let told = problem(Config {
        replicas: Some(9),
        ..base()
    });
    assert_eq!(told, "`replicas` is 9; expected 1 to 8, which is `k`");
}
