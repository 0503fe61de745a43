//! How long walks take is held against theory by `netduel verify`.

use netduel_peer_to_peer::{
    RandomWalk, Wiring,
    random_walk::{Config, Walk},
    unstructured::Start,
};
use netduel_world::{Cause, Law, Outcome, RunRecord};

use crate::searching::{
    churn, clockwork, crash, latencies, messages, never, refusal, seconds, village, watched,
};

/// Walkers that never check back, without pings.
fn bare(degree: u32, walkers: u32, walk: Walk) -> Config {
    Config {
        wiring: Some(Wiring::RandomRegular { degree }),
        walkers,
        ttl: u32::MAX,
        check_every: u32::MAX,
        walk,
        silence: never(),
        keep_alive: never(),
        ..Default::default()
    }
}

fn walk(spec: &netduel_world::WorldSpec, config: &Config, seed: u64) -> RunRecord {
    watched::<RandomWalk>(spec, config, seed)
}

#[test]
fn checking_back_stops_walkers_that_are_no_longer_needed() {
    let mut spec = clockwork(500, 50, 10.0, 200);
    spec.run_for = Some(seconds(100_000.0));
    let cost = |check_every| {
        let config = Config {
            check_every,
            ttl: 1024,
            ..bare(4, 16, Walk::NonBacktracking)
        };
        let record = walk(&spec, &config, 1);
        assert_eq!(record.served(), 200);
        messages(&record)
    };
    let (often, never) = (cost(4), cost(u32::MAX));
    assert!(
        often < never / 2,
        "{often} messages, {never} without checks"
    );
}

/// On a ring two walkers that never turn go round either way.
#[test]
fn walkers_give_up_at_the_end_of_their_life() {
    let mut spec = clockwork(101, 101, 1.0, 300);
    spec.demand.arrivals = netduel_world::Arrivals::Poisson("1 /s".parse().unwrap());
    for ttl in [1, 8] {
        let config = Config {
            wiring: Some(Wiring::Ring { degree: 2 }),
            ttl,
            ..bare(2, 8, Walk::NonBacktracking)
        };
        let record = walk(&spec, &config, 1);
        let farthest = latencies(&record).iter().fold(0.0_f64, |m, t| m.max(*t));
        assert!(farthest <= f64::from(ttl) + 1.0 + 1e-6, "{farthest}");
        let failed: Vec<_> = record
            .requests
            .iter()
            .filter(|request| request.outcome != Outcome::Served)
            .collect();
        assert!(failed.len() > 200);
        for request in failed {
            assert_eq!(request.outcome, Outcome::Failed(Cause::NotFound));
            let time = request.ended.as_seconds() - request.issued.as_seconds();
            // The last steps are reported back straight.
            assert!((time - f64::from(ttl) - 1.0).abs() < 1e-6, "{time}");
        }
    }
}

#[test]
fn whoever_answers_works_and_may_have_no_time() {
    let mut spec = clockwork(50, 1, 1.0, 50);
    spec.demand.work = Law::Constant(200.0);
    spec.population.processor.queue = 3;
    let record = walk(&spec, &bare(4, 1, Walk::NonBacktracking), 2);
    let refused = Outcome::Failed(Cause::Refused);
    let count = record
        .requests
        .iter()
        .filter(|r| r.outcome == refused)
        .count();
    assert!(
        record.served() >= 4 && count > 10,
        "{} and {count}",
        record.served()
    );
    assert_eq!(record.served() + count, 50);
    assert!(latencies(&record).iter().all(|time| *time >= 200.0 - 1e-6));
}

#[test]
fn the_overlay_outlives_churn() {
    for start in [Start::Converged, Start::Join] {
        for seed in 1..=6 {
            let mut spec = village(500);
            spec.patience.retries = 10;
            spec.failures = vec![churn(600.0, 120.0)];
            let config = Config {
                start,
                ..Default::default()
            };
            let served = walk(&spec, &config, seed).served() as f64 / 500.0;
            assert!(served > 0.99, "seed {seed}, {start:?}: {served}");
        }
    }
}

#[test]
fn lost_walkers_are_noticed_by_their_silence() {
    let mut spec = clockwork(100, 100, 1.0, 100);
    spec.failures = vec![crash(0.0, 0.9)];
    let config = Config {
        silence: seconds(50.0),
        ttl: 1024,
        ..bare(4, 4, Walk::NonBacktracking)
    };
    let record = walk(&spec, &config, 1);
    let alive = record.requests.iter().filter(|r| r.ended > r.issued);
    let lost: Vec<_> = alive.filter(|r| r.outcome != Outcome::Served).collect();
    assert!(lost.len() >= 5);
    for request in lost {
        let known = [Cause::NoAnswer, Cause::NotFound, Cause::Unfinished];
        assert!(
            known.map(Outcome::Failed).contains(&request.outcome),
            "{request:?}"
        );
    }
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let spec = clockwork(10, 1, 1.0, 1);
    let default = Config::default;
    for (config, problem) in [
        (
            Config {
                walkers: 0,
                ..default()
            },
            "`walkers` is 0; expected at least 1",
        ),
        (
            Config {
                ttl: 0,
                ..default()
            },
            "`ttl` is 0; expected at least 1",
        ),
        (
            Config {
                check_every: 0,
                ..default()
            },
            "`check-every` is 0; expected at least 1",
        ),
        (
            Config {
                silence: seconds(0.0),
                ..default()
            },
            "`silence` is 0 s",
        ),
    ] {
        let error = refusal::<RandomWalk>(&spec, &config);
        assert!(error.contains(problem), "{error}");
    }
}
