//! Kademlia: what becomes of values, contacts and announcements.
//!
//! `netduel verify` compares its look-ups with theory.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::{Kademlia, chord::Start, kademlia::Config};
use netduel_world::{
    Arrivals, Bytes, Cause, Law, Outcome, RunError, RunRecord, Share, StateLoss, What, World,
    WorldSpec, run, run_strict,
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
fn nodes_that_join_one_by_one_find_every_value_once_it_was_stored_again() {
    for seed in 0..6 {
        let config = Config {
            start: Start::Join,
            ..Config::default()
        };
        let mut spec = mixed(50, 200, Bytes(1000));
        spec.demand.arrivals = Arrivals::Trace(vec![seconds(9000.0); 200]);
        let record = strict(&spec, &config, seed);
        assert_eq!(record.served(), 200, "seed {seed}");
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
            k: 4,
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
        k: 8,
        ..Config::default()
    };
    let told = problem(Config { k: 0, ..base() });
    assert_eq!(told, "`k` is 0; expected 1 to 10, the number of nodes");
    let told = problem(Config { k: 11, ..base() });
    assert_eq!(told, "`k` is 11; expected 1 to 10, the number of nodes");
    let told = problem(Config { alpha: 0, ..base() });
    assert_eq!(told, "`alpha` is 0; expected at least 1");
    let told = problem(Config {
        replicas: Some(9),
        ..base()
    });
    assert_eq!(told, "`replicas` is 9; expected 1 to 8, which is `k`");
}
