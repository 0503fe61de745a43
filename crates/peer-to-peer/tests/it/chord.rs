//! Chord against what is known of it.
//!
//! With 1 s for every message and 1,000 s of silence for every dead contact, the time that a look-up
//! takes tells how many hops it made and how many contacts were dead.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::{
    Chord, Placing,
    chord::{Config, Routing, Start},
};
use netduel_world::{
    Access, Arrivals, Bytes, Cause, Demand, Failure, Key, Latency, Law, NodeId, Outcome, Patience,
    Pick, RunRecord, Seconds, Share, SimDuration, StateLoss, Want, Wants, What, Who, World,
    WorldSpec, run, run_strict,
};

pub(crate) fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

/// `lookups` look-ups of random keys from random nodes, all at `at`, with 1 s for every message.
pub(crate) fn spec(nodes: u32, keys: u32, lookups: u32, at: f64) -> WorldSpec {
    let mut spec = WorldSpec {
        infrastructure: Vec::new(),
        latency: Latency::constant(SimDuration::from_seconds(1.0)),
        demand: Demand {
            wants: Wants::Lookup {
                keys,
                zipf: 0.0,
                value: Bytes(0),
                reads: Share::new(1.0).unwrap(),
            },
            arrivals: Arrivals::Trace(vec![seconds(at); lookups as usize]),
            requests: Some(lookups),
            work: Law::Constant(0.0),
        },
        patience: Patience {
            retries: 0,
            ..Patience::default()
        },
        ..WorldSpec::default()
    };
    spec.population.peers = nodes;
    spec.population.access = Access::Independent {
        upload: Law::Constant(100e9),
        download: Law::Constant(100e9),
    };
    spec
}

/// No upkeep, and 1,000 s of silence for a dead contact.
fn still() -> Config {
    let never = seconds(1e9);
    Config {
        contact_timeout: seconds(1000.0),
        answer_timeout: seconds(1e7),
        stabilise: never,
        fix_fingers: never,
        check_predecessor: never,
        ..Config::default()
    }
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

/// Hops up to the key's predecessor and dead contacts of each look-up that reached an owner, and
/// the share of those that did not.
fn measure(record: &RunRecord) -> (Vec<(u32, u32)>, f64) {
    let mut measured = Vec::new();
    let (mut lost, mut asked) = (0, 0);
    for request in &record.requests {
        match request.outcome {
            Outcome::Failed(Cause::Unfinished) => continue,
            Outcome::Failed(Cause::NoAnswer) => {
                lost += 1;
                asked += 1;
                continue;
            }
            _ => asked += 1,
        }
        let taken = (request.ended.as_seconds() - request.issued.as_seconds()).round() as u32;
        let hops = taken % 1000;
        // The hop to the owner and the answer are not counted; an owner that asks needs no answer.
        measured.push((hops.saturating_sub(2), taken / 1000));
    }
    (measured, f64::from(lost) / f64::from(asked))
}

fn mean(of: impl Iterator<Item = u32>) -> f64 {
    let (sum, count) = of.fold((0.0, 0.0), |(sum, count), x| {
        (sum + f64::from(x), count + 1.0)
    });
    sum / count
}

fn run_ring(spec: &WorldSpec, config: &Config, seed: u64) -> RunRecord {
    let world = Arc::new(World::draw(spec, seed, 0));
    run::<Chord>(&world, config, &AtomicBool::new(false)).unwrap()
}

#[test]
fn look() {
    for n in [16, 64, 256, 1024, 4096, 16384] {
        let mut all = Vec::new();
        for seed in 0..if n < 1000 { 40 } else { 3 } {
            let config = Config {
                successors: 1,
                replicas: 1,
                ..still()
            };
            let record = run_ring(&spec(n, 100 * n, 10_000, 0.0), &config, seed);
            assert_eq!(record.served(), 10_000);
            let (m, lost) = measure(&record);
            all.extend(m);
            assert_eq!(lost, 0.0);
        }
        println!(
            "{n} {} {}",
            mean(all.iter().map(|m| m.0)),
            f64::from(n).log2() / 2.0 - 0.13
        );
    }
    for r in [20, 1] {
        for p in [0.0, 0.1, 0.2, 0.3, 0.4, 0.5] {
            let mut all = Vec::new();
            let mut losts = 0.0;
            for seed in 0..5 {
                let config = Config {
                    successors: r,
                    replicas: r,
                    ..still()
                };
                let mut spec = spec(1000, 10000, 10_000, 10.0);
                if p > 0.0 {
                    spec.failures = vec![crash(p, 5.0)];
                }
                let record = run_ring(&spec, &config, seed);
                let (m, lost) = measure(&record);
                losts += lost / 5.0;
                all.extend(m);
            }
            let mut h: Vec<u32> = all.iter().map(|m| m.0).collect();
            h.sort();
            println!(
                "r{r} p{p} {} {} lost {losts} {} {}",
                mean(all.iter().map(|m| m.0)),
                mean(all.iter().map(|m| m.1)),
                h[h.len() / 100],
                h[h.len() * 99 / 100]
            );
        }
    }
}
