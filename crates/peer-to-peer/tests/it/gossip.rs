use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::{
    Gossip,
    gossip::{Config, Exchange, Spread, Stop, StopBy, Timing},
};
use netduel_world::{
    Access, Arrivals, Bytes, Cause, Demand, Failure, Latency, Law, Outcome, PerSecond, Pick,
    RunError, RunRecord, Seconds, Share, SimDuration, StateLoss, Wants, What, Who, World,
    WorldSpec, run, run_strict,
};

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

/// One user tells all others something of no size, over links and ways that take no time to speak of.
fn instant(users: u32) -> WorldSpec {
    let mut spec = WorldSpec {
        infrastructure: Vec::new(),
        latency: Latency::constant(SimDuration(1)),
        demand: Demand {
            wants: Wants::Broadcast { size: Bytes(0) },
            arrivals: Arrivals::AllAtOnce,
            requests: None,
            work: Law::Constant(0.0),
        },
        ..Default::default()
    };
    spec.population.peers = users;
    spec.population.access = Access::Independent {
        upload: Law::Constant(1e11),
        download: Law::Constant(1e11),
    };
    spec
}

/// Nobody ever loses interest.
fn tireless(exchange: Exchange, timing: Timing) -> Config {
    Config {
        exchange: Some(exchange),
        timing: Some(timing),
        stop: Some(Stop::Blind),
        k: Some(u32::MAX),
        repair: Some(seconds(0.0)),
        ..Default::default()
    }
}

fn anti_entropy(exchange: Exchange) -> Config {
    Config {
        spread: Spread::AntiEntropy,
        exchange: Some(exchange),
        timing: Some(Timing::Rounds),
        ..Default::default()
    }
}

fn once(fanout: f64) -> Config {
    Config {
        spread: Spread::Once,
        fanout: Some(fanout),
        ..Default::default()
    }
}

fn gossip(spec: &WorldSpec, config: &Config, seed: u64, replication: u64) -> RunRecord {
    let world = Arc::new(World::draw(spec, seed, replication));
    let record = run::<Gossip>(&world, config, &AtomicBool::new(false)).unwrap();
    let traffic = record.traffic;
    assert_eq!(traffic.sent, traffic.received + traffic.lost, "seed {seed}");
    record
}

/// The same, with an eye on who knows whom.
fn strict(spec: &WorldSpec, config: &Config, seed: u64) -> RunRecord {
    let world = Arc::new(World::draw(spec, seed, 0));
    run_strict::<Gossip>(&world, config, &AtomicBool::new(false)).unwrap()
}

fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|value| (value - mean) * (value - mean));
    (mean, (squares.sum::<f64>() / (n - 1.0)).sqrt())
}

#[test]
#[ignore = "probe"]
fn probe() {
    for n in [10] {
        for exchange in [Exchange::Push, Exchange::Pull, Exchange::PushPull] {
            for config in [tireless(exchange, Timing::Rounds), anti_entropy(exchange)] {
                let t = std::time::SystemTime::UNIX_EPOCH;
                let _ = t;
                let runs = if n > 1000 { 50 } else { 500 };
                let rounds: Vec<f64> = (0..runs)
                    .map(|r| {
                        let record = gossip(&instant(n), &config, 1, r);
                        assert_eq!(record.served(), 1);
                        record.ended.as_seconds().floor()
                    })
                    .collect();
                println!("{n} {exchange:?} {:?}", mean_and_deviation(&rounds));
            }
        }
    }
    for n in [10] {
        for exchange in [Exchange::Push, Exchange::PushPull] {
            let config = tireless(exchange, Timing::Poisson);
            let runs = if n > 1000 { 50 } else { 500 };
            let all: Vec<_> = (0..runs)
                .map(|r| {
                    let record = gossip(&instant(n), &config, 1, r);
                    (
                        record.ended.as_seconds(),
                        record.reach[0].by[49].as_seconds(),
                    )
                })
                .collect();
            let ends: Vec<f64> = all.iter().map(|x| x.0).collect();
            let halves: Vec<f64> = all.iter().map(|x| x.1).collect();
            println!(
                "{n} {exchange:?} {:?} half {:?}",
                mean_and_deviation(&ends),
                mean_and_deviation(&halves)
            );
        }
    }
    for f in [1.5, 2., 3., 4., 5., 6., 7., 8., 10.] {
        let reached: Vec<f64> = (0..20)
            .map(|r| {
                let record = gossip(&instant(10_000), &once(f), 1, r);
                f64::from(record.reach[0].users) / 10_000.0
            })
            .collect();
        println!("once {f} {:?}", mean_and_deviation(&reached));
    }
    for k in 1..=5 {
        for (name, exchange, stop, by) in [
            (
                "1 push feedback counter",
                Exchange::Push,
                Stop::Feedback,
                StopBy::Counter,
            ),
            (
                "2 push blind coin",
                Exchange::Push,
                Stop::Blind,
                StopBy::Coin,
            ),
            (
                "push feedback coin",
                Exchange::Push,
                Stop::Feedback,
                StopBy::Coin,
            ),
            (
                "3 pull feedback counter",
                Exchange::Pull,
                Stop::Feedback,
                StopBy::Counter,
            ),
        ] {
            let config = Config {
                exchange: Some(exchange),
                timing: Some(Timing::Rounds),
                stop: Some(stop),
                stop_by: Some(by),
                k: Some(k),
                repair: Some(seconds(0.0)),
                ..Default::default()
            };
            let mut spec = instant(1000);
            spec.at_most = seconds(100.0);
            let missed: Vec<f64> = (0..50)
                .map(|r| {
                    let record = gossip(&spec, &config, 1, r);
                    1.0 - f64::from(record.reach[0].users) / 1000.0
                })
                .collect();
            let ended: Vec<f64> = (0..50)
                .map(|r| gossip(&spec, &config, 1, r).ended.as_seconds())
                .collect();
            println!(
                "{name} k={k} {:?} {:?}",
                mean_and_deviation(&missed),
                mean_and_deviation(&ended)
            );
        }
    }
}
