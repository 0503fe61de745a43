use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::{Kademlia, Placing, kademlia::Config};
use netduel_world::*;

use crate::chord::{crash, seconds, spec};

fn still() -> Config {
    let never = seconds(1e9);
    Config {
        contact_timeout: seconds(1000.0),
        answer_timeout: seconds(1e7),
        refresh: never,
        republish: never,
        rounds: true,
        replicas: Some(1),
        placing: Placing::KeysAtNodes,
        ..Config::default()
    }
}

#[test]
fn look_kademlia() {
    for (n, k, alpha, q) in [
        (1000, 1, 1, 0.0),
        (10000, 1, 1, 0.0),
        (1000, 8, 1, 0.0),
        (1000, 8, 3, 0.0),
        (1000, 20, 3, 0.0),
        (10000, 8, 3, 0.0),
        (10000, 20, 3, 0.0),
        (10000, 20, 3, 0.3),
        (10000, 20, 3, 0.5),
        (10000, 20, 3, 0.7),
        (10000, 20, 3, 0.8),
        (10000, 8, 3, 0.5),
        (10000, 8, 3, 0.8),
    ] {
        let mut spec = spec(n, n, n, 10.0);
        spec.demand.requests = None;
        if q > 0.0 {
            spec.failures = vec![crash(q, 5.0)];
        }
        let mut world = World::draw(&spec, 1, 0);
        let config = Config {
            k,
            alpha,
            ..still()
        };
        let mut dead = vec![false; n as usize];
        if q > 0.0 {
            let mut short = spec.clone();
            short.run_for = Some(seconds(6.0));
            let record = run::<Kademlia>(
                &Arc::new(World::draw(&short, 1, 0)),
                &config,
                &AtomicBool::new(false),
            )
            .unwrap();
            for v in &record.incidents[0].victims {
                dead[v.node.index()] = true;
            }
        }
        let live: Vec<u32> = (0..n).filter(|i| !dead[*i as usize]).collect();
        for issue in &mut world.issues {
            let Want::Lookup(key) = issue.want else {
                panic!()
            };
            issue.want = Want::Lookup(Key(live[key.0 as usize % live.len()]));
        }
        let record = run::<Kademlia>(&Arc::new(world), &config, &AtomicBool::new(false)).unwrap();
        let (mut asked, mut served, mut rounds) = (0.0, 0.0, 0.0);
        for r in &record.requests {
            if r.outcome == Outcome::Failed(Cause::Unfinished) {
                continue;
            }
            asked += 1.0;
            if r.outcome == Outcome::Served {
                served += 1.0;
                let taken = (r.ended.as_seconds() - r.issued.as_seconds()).round() as u32;
                rounds += f64::from(taken % 1000 / 2 + taken / 1000);
            }
        }
        let messages: u64 = record.loads.iter().map(|l| l.messages).sum();
        let timeouts = record.traffic.lost.0 as f64 / 89.0;
        let rpcs = (messages as f64 + timeouts) / 2.0;
        println!(
            "{n} {k} {alpha} {q}: rounds {:.2} failed {:.3}% rpcs {:.2} timeouts {:.2}",
            rounds / served,
            100.0 * (1.0 - served / asked),
            rpcs / asked,
            timeouts / asked
        );
    }
}
