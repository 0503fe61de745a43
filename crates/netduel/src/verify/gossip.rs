//! Gossip: how long until all have heard, and how many never do.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::gossip::{Config, Exchange, Gossip, Spread, Stop, StopBy, Timing};
use netduel_world::{
    Arrivals, Bytes, Demand, Failure, Latency, Law, Pick, RunRecord, Seconds, Share, SimDuration,
    StateLoss, Wants, What, Who, World, WorldSpec, run,
};

use super::{Accept, Cost, Experiment, Figure, Measured, set_up::users};

const TOPIC: &str = "gossip";
const ROUNDS: &str = "Pittel, SIAM J. Appl. Math. 47, 1987; Karp et al., FOCS 2000; means of a \
                      simulation of the definition";
const EXACT: &str = "sum of the mean times between one user hearing and the next";
const KERMARREC: &str = "Kermarrec, Massoulié and Ganesh, IEEE TPDS 14(3), 2003";
const DEMERS: &str = "Demers et al., PODC 1987";

pub(super) fn experiments() -> Vec<Experiment> {
    let mut all = Vec::new();
    // Mean rounds until all have heard: push, pull, push-pull.
    all.extend(rounds(10, 1000, Cost::Quick, [6.04, 5.07, 3.46]));
    all.extend(rounds(100, 1000, Cost::Quick, [12.29, 9.79, 6.53]));
    all.extend(rounds(1000, 1000, Cost::Slow, [18.04, 13.79, 9.15]));
    all.extend(rounds(10_000, 200, Cost::Slow, [23.64, 17.48, 11.62]));
    all.extend(rounds(100_000, 20, Cost::Slow, [29.25, 21.18, 14.05]));
    for (n, runs, cost) in [
        (10, 1000, Cost::Quick),
        (100, 500, Cost::Quick),
        (1000, 100, Cost::Quick),
        (10_000, 100, Cost::Slow),
    ] {
        all.push(calls_at_random(n, runs, cost, Exchange::Push));
        all.push(calls_at_random(n, runs, cost, Exchange::PushPull));
    }
    all.push(one_shot());
    all.push(one_shot_among_dead());
    all.push(one_shot_under_loss());
    all.push(one_shot_reaches_all());
    all.extend([
        residue(
            "table 1",
            (Exchange::Push, Stop::Feedback, StopBy::Counter),
            &[
                (1, 0.176, 0.01),
                (2, 0.037, 0.005),
                (3, 0.011, 0.003),
                (4, 0.0036, 0.0015),
                (5, 0.0012, 0.0008),
            ],
        ),
        residue(
            "table 2",
            (Exchange::Push, Stop::Blind, StopBy::Coin),
            &[
                (1, 0.96, 0.015),
                (2, 0.205, 0.015),
                (3, 0.06, 0.008),
                (4, 0.021, 0.004),
                (5, 0.008, 0.002),
            ],
        ),
        residue(
            "table 3",
            (Exchange::Pull, Stop::Feedback, StopBy::Counter),
            &[(1, 0.031, 0.004), (2, 0.000_58, 0.0004)],
        ),
    ]);
    all
}

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).expect("the times of an experiment are in range")
}

/// One user tells all others something of no size, over a network that takes no time to speak of.
fn instant(n: u32) -> WorldSpec {
    let mut spec = WorldSpec {
        infrastructure: Vec::new(),
        latency: Latency::constant(SimDuration(1)),
        demand: Demand {
            wants: Wants::Broadcast { size: Bytes(0) },
            arrivals: Arrivals::AllAtOnce,
            requests: None,
            work: Law::Constant(0.0),
        },
        ..WorldSpec::default()
    };
    users(&mut spec, n, 1e11, 1e11);
    spec
}

fn repeat(spec: &WorldSpec, config: &Config, seed: u64, runs: u32) -> Vec<RunRecord> {
    let replications = 0..u64::from(runs);
    let replications = replications.map(|replication| {
        let world = Arc::new(World::draw(spec, seed, replication));
        run::<Gossip>(&world, config, &AtomicBool::new(false)).expect("the settings fit")
    });
    replications.collect()
}

/// Nobody loses interest, and a period is a second.
fn tireless(exchange: Exchange, timing: Timing) -> Config {
    Config {
        exchange: Some(exchange),
        timing: Some(timing),
        stop: Some(Stop::Blind),
        k: Some(u32::MAX),
        ..rumours()
    }
}

/// Rumours that nothing backs up, a period being a second.
fn rumours() -> Config {
    Config {
        period: Some(seconds(1.0)),
        repair: Some(seconds(0.0)),
        ..Config::default()
    }
}

fn once(fanout: f64) -> Config {
    Config {
        spread: Spread::Once,
        fanout: Some(fanout),
        ..Config::default()
    }
}

fn name(exchange: Exchange) -> &'static str {
    match exchange {
        Exchange::Push => "push",
        Exchange::Pull => "pull",
        Exchange::PushPull => "push-pull",
    }
}

fn rounds(n: u32, runs: u32, cost: Cost, means: [f64; 3]) -> [Experiment; 3] {
    let exchanges = [Exchange::Push, Exchange::Pull, Exchange::PushPull];
    let cases: Vec<(Exchange, f64)> = exchanges.into_iter().zip(means).collect();
    [0, 1, 2].map(|case| {
        let (exchange, theory) = cases[case];
        Experiment {
            topic: TOPIC,
            source: ROUNDS,
            set_up: format!("{} in rounds, {n} users", name(exchange)),
            cost,
            figures: vec![Figure {
                quantity: format!("rounds until all have heard, {runs} runs"),
                theory,
                // What the literature's means were found to keep to, where there are runs enough.
                accept: if runs >= 500 {
                    Accept::Absolute(0.15)
                } else {
                    Accept::StandardErrors(3.3)
                },
            }],
            simulate: Box::new(move |seed| {
                let config = tireless(exchange, Timing::Rounds);
                let records = repeat(&instant(n), &config, seed, runs);
                let rounds = records.iter().map(|r| r.ended.as_seconds().floor());
                vec![Measured::mean(&rounds.collect::<Vec<_>>())]
            }),
        }
    })
}

/// Mean time until `heard` of `n` users have heard, when each who has calls a random other once a
/// second.
fn time_until(heard: u32, n: u32) -> f64 {
    let pairs = f64::from(n - 1);
    (1..heard)
        .map(|i| pairs / (f64::from(i) * f64::from(n - i)))
        .sum()
}

fn calls_at_random(n: u32, runs: u32, cost: Cost, exchange: Exchange) -> Experiment {
    // When those who have not heard call as well, twice as many calls are of use.
    let speed = if exchange == Exchange::Push { 1.0 } else { 2.0 };
    let figure = |quantity, heard| Figure {
        quantity: format!("periods until {quantity} have heard, {runs} runs"),
        theory: time_until(heard, n) / speed,
        accept: Accept::StandardErrors(3.3),
    };
    Experiment {
        topic: TOPIC,
        source: EXACT,
        set_up: format!("{}, calls as Poisson processes, {n} users", name(exchange)),
        cost,
        figures: vec![figure("half", n / 2), figure("all", n)],
        simulate: Box::new(move |seed| {
            let config = tireless(exchange, Timing::Poisson);
            let records = repeat(&instant(n), &config, seed, runs);
            let mean = |percent: usize| {
                let times = records
                    .iter()
                    .map(|r| r.reach[0].by[percent - 1].as_seconds());
                Measured::mean(&times.collect::<Vec<_>>())
            };
            vec![mean(50), mean(100)]
        }),
    }
}

/// The share that hears when everybody who hears tells `fanout` others, once it has taken off: the
/// root of x = 1 - exp(-fanout x) above 0.
fn reached(fanout: f64) -> f64 {
    let mut share = 1.0;
    for _ in 0..1000 {
        share = -libm::expm1(-fanout * share);
    }
    share
}

const USERS: u32 = 3000;

fn one_shot() -> Experiment {
    const FANOUTS: [f64; 8] = [1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    Experiment {
        topic: TOPIC,
        source: KERMARREC,
        set_up: format!("once, {USERS} users"),
        cost: Cost::Quick,
        figures: FANOUTS
            .map(|fanout| Figure {
                quantity: format!("share reached with a fan-out of {fanout}, 40 runs"),
                theory: reached(fanout),
                accept: Accept::StandardErrors(3.3),
            })
            .into(),
        simulate: Box::new(|seed| {
            FANOUTS
                .map(|fanout| {
                    let records = repeat(&instant(USERS), &once(fanout), seed, 40);
                    let shares = records.iter().map(|record| share_reached(record, 0));
                    Measured::mean(&shares.collect::<Vec<_>>())
                })
                .into()
        }),
    }
}

fn share_reached(record: &RunRecord, dead: u32) -> f64 {
    f64::from(record.reach[0].users) / f64::from(USERS - dead)
}

fn one_shot_among_dead() -> Experiment {
    const DEAD: [f64; 4] = [0.1, 0.2, 0.3, 0.5];
    const FANOUT: f64 = 5.0;
    Experiment {
        topic: TOPIC,
        source: KERMARREC,
        set_up: format!("once, fan-out {FANOUT}, {USERS} users of whom some are dead"),
        cost: Cost::Quick,
        figures: DEAD
            .map(|dead| Figure {
                quantity: format!(
                    "share of the living reached where {} % are dead, runs that take off of 40",
                    dead * 100.0
                ),
                theory: reached(FANOUT * (1.0 - dead)),
                accept: Accept::StandardErrors(3.3),
            })
            .into(),
        simulate: Box::new(|seed| {
            DEAD.map(|dead| {
                let mut spec = instant(USERS);
                spec.failures = vec![Failure {
                    at: seconds(0.0),
                    lasts: None,
                    who: Who::Random {
                        share: Share::new(dead).expect("a share"),
                        of: Pick::Users,
                    },
                    what: What::Crash(StateLoss::Kept),
                }];
                let records = repeat(&spec, &once(FANOUT), seed, 40);
                let shares: Vec<f64> = records
                    .iter()
                    .map(|record| {
                        let dead = record.incidents[0].victims.len();
                        share_reached(record, u32::try_from(dead).expect("users are few"))
                    })
                    // Where the first user is dead, or all whom it tells, nothing takes off.
                    .filter(|share| *share > 0.1)
                    .collect();
                Measured::mean(&shares)
            })
            .into()
        }),
    }
}

fn one_shot_under_loss() -> Experiment {
    const LOSS: [f64; 4] = [0.1, 0.2, 0.3, 0.5];
    const FANOUT: f64 = 5.0;
    Experiment {
        topic: TOPIC,
        source: KERMARREC,
        set_up: format!("once, fan-out {FANOUT}, {USERS} users, some messages lost"),
        cost: Cost::Quick,
        figures: LOSS
            .map(|loss| Figure {
                quantity: format!(
                    "share reached where {} % are lost, runs that take off of 40",
                    loss * 100.0
                ),
                theory: reached(FANOUT * (1.0 - loss)),
                accept: Accept::StandardErrors(3.3),
            })
            .into(),
        simulate: Box::new(|seed| {
            LOSS.map(|loss| {
                let mut spec = instant(USERS);
                spec.message_loss = loss;
                let records = repeat(&spec, &once(FANOUT), seed, 40);
                let shares = records.iter().map(|record| share_reached(record, 0));
                // Where all that the first user sends are lost, nothing takes off.
                let shares: Vec<f64> = shares.filter(|share| *share > 0.1).collect();
                Measured::mean(&shares)
            })
            .into()
        }),
    }
}

fn one_shot_reaches_all() -> Experiment {
    const MORE: [f64; 4] = [0.0, 1.0, 2.0, 3.0];
    const N: u32 = 1000;
    const RUNS: u32 = 300;
    Experiment {
        topic: TOPIC,
        source: KERMARREC,
        set_up: format!("once, fan-out ln n + c on average, n = {N} users"),
        cost: Cost::Quick,
        figures: MORE
            .map(|c| Figure {
                quantity: format!("share of {RUNS} runs that reach all, c = {c}"),
                theory: libm::exp(-libm::exp(-c)),
                accept: Accept::StandardErrors(3.3),
            })
            .into(),
        simulate: Box::new(|seed| {
            MORE.map(|c| {
                let config = once(libm::log(f64::from(N)) + c);
                let records = repeat(&instant(N), &config, seed, RUNS);
                let all = records.iter().filter(|record| record.served() == 1);
                Measured::share(all.count(), records.len())
            })
            .into()
        }),
    }
}

/// Who never hears a rumour among 1,000: for each `k` the published share and how far off we may
/// be, which is three times the error of our mean and what was rounded off.
fn residue(
    table: &'static str,
    (exchange, stop, stop_by): (Exchange, Stop, StopBy),
    published: &'static [(u32, f64, f64)],
) -> Experiment {
    const N: u32 = 1000;
    const RUNS: u32 = 50;
    let rule = match (stop, stop_by) {
        (Stop::Feedback, StopBy::Counter) => "feedback, counter",
        (Stop::Feedback, StopBy::Coin) => "feedback, coin",
        (Stop::Blind, StopBy::Counter) => "blind, counter",
        (Stop::Blind, StopBy::Coin) => "blind, coin",
    };
    let figure = |(k, theory, off): &(u32, f64, f64)| Figure {
        quantity: format!("share that never hears, k = {k}, {RUNS} runs"),
        theory: *theory,
        accept: Accept::Absolute(*off),
    };
    Experiment {
        topic: TOPIC,
        source: DEMERS,
        set_up: format!("{}, {rule}, in rounds, {N} users ({table})", name(exchange)),
        cost: Cost::Quick,
        figures: published.iter().map(figure).collect(),
        simulate: Box::new(move |seed| {
            let missed = |(k, ..): &(u32, f64, f64)| {
                let config = Config {
                    exchange: Some(exchange),
                    timing: Some(Timing::Rounds),
                    stop: Some(stop),
                    stop_by: Some(stop_by),
                    k: Some(*k),
                    ..rumours()
                };
                let mut spec = instant(N);
                // Who pulls calls for ever; no rumour lives that long.
                spec.at_most = seconds(100.0);
                let records = repeat(&spec, &config, seed, RUNS);
                let missed = records
                    .iter()
                    .map(|record| 1.0 - f64::from(record.reach[0].users) / f64::from(N));
                Measured::mean(&missed.collect::<Vec<_>>())
            };
            published.iter().map(missed).collect()
        }),
    }
}
