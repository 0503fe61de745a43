use netduel_peer_to_peer::{
    Flooding, RandomWalk, Wiring,
    flooding::{Answers, Config},
    random_walk,
    unstructured::Start,
};
use netduel_world::{Arrivals, Cause, Law, Outcome, RunRecord, Share, StateLoss, What, WorldSpec};

use crate::searching::{
    churn, clockwork, crash, latencies, mean, messages, never, refusal, seconds, village, watched,
};

/// Floods without pings, with answers straight to the asker.
fn bare(wiring: Wiring, ttl: u32) -> Config {
    Config {
        wiring: Some(wiring),
        ttl,
        answers: Answers::Direct,
        query_timeout: seconds(100_000.0),
        keep_alive: never(),
        ..Default::default()
    }
}

/// One search for one copy, and time for the flood to run dry.
fn one_search(peers: u32) -> WorldSpec {
    let mut spec = clockwork(peers, 1, 1.0, 1);
    spec.run_for = Some(seconds(10_000.0));
    spec
}

#[test]
fn a_handful_of_peers_are_linked_as_well_as_they_can_be() {
    for start in [Start::Converged, Start::Join] {
        for peers in 1..=6 {
            let mut spec = clockwork(peers, 1, 1.0, 20);
            // Late enough to have joined.
            let times = (0..20).map(|place| seconds(120.0 + f64::from(place)));
            spec.demand.arrivals = Arrivals::Trace(times.collect());
            for seed in 1..=6 {
                let flooding = Config {
                    start,
                    ..Default::default()
                };
                let walking = random_walk::Config {
                    start,
                    ..Default::default()
                };
                let served = [
                    flood(&spec, &flooding, seed).served(),
                    watched::<RandomWalk>(&spec, &walking, seed).served(),
                ];
                assert_eq!(served, [20; 2], "{peers} peers, {start:?}");
            }
        }
    }
}

fn flood(spec: &WorldSpec, config: &Config, seed: u64) -> RunRecord {
    watched::<Flooding>(spec, config, seed)
}

/// Messages that a flood took, the answer apart; nothing when the asker has the object.
fn flood_cost(record: &RunRecord) -> Option<u64> {
    let at_hand = record.served() == 1 && latencies(record).is_empty();
    (!at_hand).then(|| messages(record) - record.served() as u64)
}

/// VALIDATION 5.1: an unlimited flood costs 2E - N + 1 messages.
#[test]
fn an_unlimited_flood_passes_every_link_twice_but_for_those_that_first_brought_it() {
    let peers = 300;
    let rewired = Share::new(0.1).unwrap();
    let known = [
        (Wiring::RandomRegular { degree: 3 }, 450),
        (Wiring::RandomRegular { degree: 8 }, 1200),
        (Wiring::ErdosRenyi { mean_degree: 8.0 }, 1200),
        (Wiring::WattsStrogatz { degree: 4, rewired }, 600),
        (Wiring::BarabasiAlbert { links: 2 }, 2 * 297 + 3),
        (Wiring::Ring { degree: 2 }, 300),
    ];
    for (wiring, links) in known {
        for seed in 1..=6 {
            let record = flood(&one_search(peers), &bare(wiring.clone(), u32::MAX), seed);
            // What joins the parts of a random graph comes on top of its links.
            let joins = |cost: u64| cost.checked_sub(2 * links - u64::from(peers) + 1);
            if let Some(cost) = flood_cost(&record) {
                let exact = !matches!(wiring, Wiring::ErdosRenyi { .. });
                let more = joins(cost).unwrap_or_else(|| panic!("{wiring:?}: {cost} messages"));
                assert!(
                    more.is_multiple_of(2) && (more == 0 || !exact),
                    "{wiring:?}: {cost}"
                );
                assert_eq!(record.served(), 1, "seed {seed}");
            }
        }
    }
}

#[test]
fn an_answer_takes_as_long_as_the_way_there_and_back() {
    let ring = Wiring::Ring { degree: 2 };
    for seed in 1..=6 {
        let spec = one_search(41);
        let direct = latencies(&flood(&spec, &bare(ring.clone(), 99), seed));
        let config = Config {
            answers: Answers::ReversePath,
            ..bare(ring.clone(), 99)
        };
        let back = latencies(&flood(&spec, &config, seed));
        for (direct, back) in direct.iter().zip(&back) {
            let hops = direct - 1.0;
            assert!((back - 2.0 * hops).abs() < 1e-6, "{direct} against {back}");
        }
    }
}

#[test]
fn nothing_is_found_beyond_the_time_to_live() {
    let ring = Wiring::Ring { degree: 2 };
    let mut spec = clockwork(101, 101, 1.0, 500);
    spec.demand.arrivals = netduel_world::Arrivals::Poisson("1 /s".parse().unwrap());
    for ttl in [1, 3, 10] {
        let record = flood(
            &spec,
            &Config {
                query_timeout: seconds(200.0),
                ..bare(ring.clone(), ttl)
            },
            1,
        );
        let found = latencies(&record);
        let farthest = found.iter().fold(0.0_f64, |most, time| most.max(*time));
        assert!((farthest - 1.0 - f64::from(ttl)).abs() < 1e-6, "{farthest}");
        // Each of 101 users is as likely to have it; 1 + 2 TTL are near enough.
        let share = record.served() as f64 / 500.0;
        let expected = f64::from(1 + 2 * ttl) / 101.0;
        let allowed = 3.3 * (expected * (1.0 - expected) / 500.0).sqrt();
        assert!(
            (share - expected).abs() < allowed,
            "{ttl}: {share}, {expected}"
        );
        let others = record
            .requests
            .iter()
            .filter(|r| r.outcome != Outcome::Served);
        for request in others {
            assert_eq!(request.outcome, Outcome::Failed(Cause::NotFound));
        }
    }
}

/// A ring in which the k-th ring of the search finds what is that far.
#[test]
fn rings_grow_until_something_is_found() {
    let config = Config {
        rings: vec![1, 2, 4],
        query_timeout: seconds(100.0),
        ..bare(Wiring::Ring { degree: 2 }, 50)
    };
    for seed in 1..=20 {
        let record = flood(&one_search(101), &config, seed);
        assert_eq!(record.served(), 1, "seed {seed}");
        for time in latencies(&record) {
            let asked = (time / 100.0).floor();
            let hops = time - 100.0 * asked - 1.0;
            let ring = [1.0, 2.0, 4.0, 50.0]
                .iter()
                .position(|ttl| hops <= *ttl + 1e-6);
            assert!((asked - ring.unwrap() as f64).abs() < 1e-6, "{time}");
        }
    }
}

#[test]
fn a_short_memory_passes_questions_on_again() {
    let wiring = Wiring::RandomRegular { degree: 4 };
    let mut spec = clockwork(100, 100, 1.0, 40);
    spec.run_for = Some(seconds(10_000.0));
    let cost = |memory| {
        let config = Config {
            memory,
            ..bare(wiring.clone(), 7)
        };
        messages(&flood(&spec, &config, 3))
    };
    let (full, bare) = (cost(40), cost(5));
    assert_eq!(full, cost(1000), "40 questions fit a memory of 40");
    assert!(bare > full * 2, "{bare} against {full}");
}

#[test]
fn whoever_answers_works_and_may_have_no_time() {
    let mut spec = clockwork(50, 1, 1.0, 50);
    spec.demand.work = Law::Constant(2.0);
    spec.population.processor.queue = 3;
    let config = bare(Wiring::RandomRegular { degree: 4 }, 20);
    let config = Config {
        query_timeout: seconds(500.0),
        ..config
    };
    let record = flood(&spec, &config, 2);
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
    assert!(latencies(&record).iter().all(|time| *time >= 2.0 - 1e-6));
}

#[test]
fn free_riders_pass_on_and_answer_nobody() {
    let mut spec = clockwork(100, 1, 100.0, 20);
    spec.population.free_riders = Share::new(1.0).unwrap();
    let record = flood(&spec, &bare(Wiring::RandomRegular { degree: 4 }, 20), 1);
    assert_eq!(record.served(), 20, "everybody has it");
    assert!(latencies(&record).is_empty());
    spec.demand.wants = clockwork(100, 1, 30.0, 20).demand.wants;
    let record = flood(
        &spec,
        &Config {
            query_timeout: seconds(50.0),
            ..bare(Wiring::RandomRegular { degree: 4 }, 20)
        },
        1,
    );
    assert!(latencies(&record).is_empty(), "nobody is told");
    assert!(record.served() < 20);
}

#[test]
fn an_overlay_that_joined_serves_like_one_that_was_there() {
    for seed in 1..=6 {
        let mut shares = [Start::Converged, Start::Join].map(|start| {
            let mut spec = village(300);
            // The first two minutes are for joining.
            spec.demand.arrivals = netduel_world::Arrivals::Trace(
                (0..300)
                    .map(|index| seconds(120.0 + f64::from(index)))
                    .collect(),
            );
            let config = Config {
                start,
                ..Default::default()
            };
            let record = flood(&spec, &config, seed);
            assert!(mean(&latencies(&record)) < 2.0, "seed {seed}");
            record.served() as f64 / 300.0
        });
        shares.sort_by(f64::total_cmp);
        assert!(shares[0] > 0.97, "seed {seed}: {shares:?}");
    }
}

#[test]
fn dead_neighbours_are_replaced() {
    let mut spec = village(600);
    spec.failures = vec![crash(60.0, 0.5)];
    // Ten retries, as users do.
    spec.patience.retries = 10;
    for seed in 1..=6 {
        let replaced = flood(&spec, &Config::default(), seed);
        let kept = Config {
            keep_alive: never(),
            ..Default::default()
        };
        let kept = flood(&spec, &kept, seed);
        let late = |record: &RunRecord| {
            let late = record
                .requests
                .iter()
                .filter(|r| r.issued.as_seconds() > 300.0);
            let firsts = late.filter(|r| r.attempts == 1 && r.outcome == Outcome::Served);
            firsts.count()
        };
        let (with, without) = (late(&replaced), late(&kept));
        assert!(
            with > without,
            "seed {seed}: {with} with pings, {without} without"
        );
        let served = replaced.served() as f64 / 600.0;
        // Half of the users are gone, with their requests.
        assert!(served > 0.5, "seed {seed}: {served}");
    }
}

#[test]
fn the_overlay_outlives_churn() {
    for start in [Start::Converged, Start::Join] {
        for seed in 1..=6 {
            let mut spec = village(1000);
            spec.patience.retries = 10;
            spec.failures = vec![churn(600.0, 120.0)];
            let record = flood(
                &spec,
                &Config {
                    start,
                    ..Default::default()
                },
                seed,
            );
            let served = record.served() as f64 / 1000.0;
            assert!(served > 0.99, "seed {seed}, {start:?}: {served}");
        }
    }
}

#[test]
fn among_the_dead_nobody_answers() {
    let mut spec = village(20);
    spec.patience.retries = 10;
    spec.failures = vec![crash(0.0, 0.99)];
    for seed in 1..=6 {
        let record = flood(&spec, &Config::default(), seed);
        let alive = record
            .requests
            .iter()
            .filter(|r| r.attempts > 0 && r.ended > r.issued);
        for request in alive.filter(|r| r.outcome != Outcome::Served) {
            let causes = [Cause::NoAnswer, Cause::Unfinished].map(Outcome::Failed);
            assert!(causes.contains(&request.outcome), "{request:?}");
        }
    }
}

#[test]
fn what_is_lost_with_the_disk_is_not_found() {
    let mut spec = clockwork(30, 1, 30.0, 30);
    spec.demand.arrivals = netduel_world::Arrivals::Trace(vec![seconds(100.0); 30]);
    let mut failure = crash(10.0, 1.0);
    failure.lasts = Some(seconds(1.0));
    failure.what = What::Crash(StateLoss::Lost);
    spec.failures = vec![failure];
    let config = Config {
        query_timeout: seconds(60.0),
        keep_alive: seconds(10.0),
        ..Default::default()
    };
    let record = flood(&spec, &config, 1);
    assert_eq!(record.served(), 0);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let spec = clockwork(10, 1, 1.0, 1);
    let default = Config::default;
    for (config, problem) in [
        (
            Config {
                ttl: 0,
                ..default()
            },
            "`ttl` is 0; expected at least 1",
        ),
        (
            Config {
                memory: 0,
                ..default()
            },
            "`memory` is 0; expected at least 1",
        ),
        (
            Config {
                missed: 0,
                ..default()
            },
            "`missed` is 0; expected at least 1",
        ),
        (
            Config {
                missed: 256,
                ..default()
            },
            "`missed` is 256; expected at most 255",
        ),
        (
            Config {
                query_timeout: seconds(0.0),
                ..default()
            },
            "`query-timeout` is 0 s",
        ),
        (
            Config {
                keep_alive: seconds(0.0),
                ..default()
            },
            "`keep-alive` is 0 s",
        ),
        (
            Config {
                rings: vec![3, 8],
                ..default()
            },
            "rise from 1 up to the ttl, 7",
        ),
        (
            Config {
                rings: vec![0],
                ..default()
            },
            "`rings` is [0]",
        ),
        (
            Config {
                bootstrap: Some("x".into()),
                ..default()
            },
            "`bootstrap` names machines \"x\"",
        ),
        (
            Config {
                wiring: Some(Wiring::Ring { degree: 5 }),
                ..default()
            },
            "`wiring` has a degree of 5",
        ),
    ] {
        let error = refusal::<Flooding>(&spec, &config);
        assert!(error.contains(problem), "{error}");
    }
}
