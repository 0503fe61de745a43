//! Searches in overlays without structure: floods and random walks.

use netduel_peer_to_peer::{
    Flooding, RandomWalk, Wiring,
    flooding::{self, Answers},
    random_walk::{self, Walk},
};
use netduel_world::{
    Arrivals, Demand, Latency, Law, Replication, RunRecord, Seconds, SimDuration, Wants, WorldSpec,
};

use super::{
    Accept, Cost, Experiment, Figure, Measured,
    set_up::{simulate, users},
};

const COUNTING: &str =
    "every link is passed twice, but for the N - 1 that brought the question first";
const GRAPHS: &str = "an independent simulation of 20 random graphs with 20 floods each";
const WALKS: &str = "mean of a geometric law; times (d - 1) / (d - 2) for walks that may turn back";

const PEERS: u32 = 10_000;

/// Nodes reached, asker and all, and messages sent, by time to live from 3 on.
const REACH: [(u32, &[(f64, f64)]); 4] = [
    (
        3,
        &[
            (22.0, 21.0),
            (45.9, 45.0),
            (93.6, 93.0),
            (188.0, 188.0),
            (375.0, 378.0),
            (738.0, 751.0),
        ],
    ),
    (
        4,
        &[
            (52.9, 52.0),
            (159.8, 160.0),
            (473.9, 480.0),
            (1358.0, 1423.0),
            (3549.0, 4076.0),
            (7312.0, 10_648.0),
        ],
    ),
    (
        6,
        &[
            (185.5, 186.0),
            (897.0, 929.0),
            (3749.0, 4484.0),
            (9046.0, 18_748.0),
            (9999.9, 45_230.0),
        ],
    ),
    (
        8,
        &[
            (447.0, 455.0),
            (2744.0, 3131.0),
            (8942.0, 19_207.0),
            (10_000.0, 62_592.0),
            (10_000.0, 70_001.0),
        ],
    ),
];

pub(super) fn experiments() -> Vec<Experiment> {
    let mut all = vec![
        whole_flood(Wiring::RandomRegular { degree: 4 }, "degree 4", 20_000),
        whole_flood(Wiring::RandomRegular { degree: 8 }, "degree 8", 40_000),
        // Three links among the first three, and two for every further peer.
        whole_flood(
            Wiring::BarabasiAlbert { links: 2 },
            "Barabási-Albert graph, 2 links each",
            3 + 2 * (PEERS - 3),
        ),
    ];
    all.extend(REACH.map(|(degree, reach)| flood_by_ttl(degree, reach)));
    all.push(walk(4, Walk::NonBacktracking, 100.0));
    for degree in [3, 4, 6, 8] {
        let d = f64::from(degree);
        all.push(walk(degree, Walk::Simple, 100.0 * (d - 1.0) / (d - 2.0)));
    }
    all.push(walkers(4));
    all
}

/// A time at which nothing happens any more.
fn never() -> Seconds {
    Seconds::new(3e9).expect("ninety-five years are in range")
}

/// Every message takes a second; `requests` searches for `objects`, each of which `replicas` of
/// 10,000 users have.
fn clockwork(objects: u32, replicas: f64, requests: u32) -> WorldSpec {
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
        ..WorldSpec::default()
    };
    users(&mut spec, PEERS, 1e12, 1e12);
    spec.patience.retries = 0;
    spec
}

/// How many peers a flood reached and how many messages it took, the answer apart.
fn flood(wiring: &Wiring, ttl: u32, seed: u64) -> (f64, f64) {
    let mut spec = clockwork(1, 1.0, 1);
    // A minute is longer than the longest way through such graphs, and so short that no ping falls
    // into it.
    spec.run_for = Some(Seconds::new(60.0).expect("a minute is in range"));
    let config = flooding::Config {
        wiring: Some(wiring.clone()),
        ttl,
        answers: Answers::Direct,
        query_timeout: never(),
        keep_alive: never(),
        ..flooding::Config::default()
    };
    let record = simulate::<Flooding>(&spec, &config, seed);
    let asker = record.requests[0].user.index();
    let loads = record.loads.iter().enumerate();
    let reached = loads.filter(|(node, load)| *node == asker || load.received.0 > 0);
    let messages: u64 = record.loads.iter().map(|load| load.messages).sum();
    let answers = u64::from(messages > 0) * record.served() as u64;
    (reached.count() as f64, (messages - answers) as f64)
}

/// Several floods. An asker who has the object floods nothing, and another seed asks instead.
fn floods(wiring: &Wiring, ttl: u32, seed: u64, count: usize) -> Vec<(f64, f64)> {
    let seeds = (0..).map(|index| 1000 * seed + index);
    let floods = seeds.map(|seed| flood(wiring, ttl, seed));
    floods.filter(|(_, cost)| *cost > 0.0).take(count).collect()
}

fn whole_flood(wiring: Wiring, name: &str, links: u32) -> Experiment {
    Experiment {
        topic: "search",
        source: COUNTING,
        set_up: format!("flooding, 10,000 peers, {name}, no time to live"),
        cost: Cost::Quick,
        figures: vec![Figure {
            quantity: "messages, 2E - N + 1".into(),
            theory: f64::from(2 * links - PEERS + 1),
            accept: Accept::Absolute(0.0),
        }],
        simulate: Box::new(move |seed| {
            let (_, cost) = floods(&wiring, u32::MAX, seed, 1)[0];
            vec![Measured::exact(cost)]
        }),
    }
}

fn flood_by_ttl(degree: u32, reach: &'static [(f64, f64)]) -> Experiment {
    let figure = |ttl: u32, what: &str, theory: f64| Figure {
        quantity: format!("{what} at a TTL of {ttl}"),
        theory,
        accept: Accept::Relative(0.02),
    };
    let figures = (3..).zip(reach).flat_map(|(ttl, (nodes, messages))| {
        [
            figure(ttl, "peers reached", *nodes),
            figure(ttl, "messages", *messages),
        ]
    });
    Experiment {
        topic: "search",
        source: GRAPHS,
        set_up: format!("flooding, 10,000 peers, random graphs of degree {degree}, 20 floods"),
        cost: if degree == 4 { Cost::Quick } else { Cost::Slow },
        figures: figures.collect(),
        simulate: Box::new(move |seed| {
            let wiring = Wiring::RandomRegular { degree };
            let ttls = (3..).zip(reach).map(|(ttl, _)| ttl);
            let measured = ttls.flat_map(|ttl| {
                let (nodes, costs): (Vec<f64>, Vec<f64>) =
                    floods(&wiring, ttl, seed, 20).into_iter().unzip();
                [Measured::mean(&nodes), Measured::mean(&costs)]
            });
            measured.collect()
        }),
    }
}

/// Steps until each search met an object that a hundredth of peers have; the answer takes a second
/// more, and whoever had it did not walk.
fn steps(walkers: u32, degree: u32, walk: Walk, searches: u32, seed: u64) -> Vec<f64> {
    let spec = clockwork(100, 100.0, searches);
    let config = random_walk::Config {
        wiring: Some(Wiring::RandomRegular { degree }),
        walkers,
        ttl: u32::MAX,
        check_every: u32::MAX,
        walk,
        silence: never(),
        keep_alive: never(),
        ..random_walk::Config::default()
    };
    let record: RunRecord = simulate::<RandomWalk>(&spec, &config, seed);
    assert_eq!(record.served(), record.requests.len(), "walks end");
    let times = record.requests.iter();
    let times = times.map(|request| request.ended.as_seconds() - request.issued.as_seconds());
    times
        .filter(|time| *time > 0.0)
        .map(|time| time - 1.0)
        .collect()
}

fn walk(degree: u32, walk: Walk, theory: f64) -> Experiment {
    let kind = match walk {
        Walk::NonBacktracking => "never turns back",
        Walk::Simple => "may turn back",
    };
    Experiment {
        topic: "search",
        source: WALKS,
        set_up: format!(
            "random-walk, 10,000 peers, random graphs of degree {degree}, a hundredth have it, one \
             walker that {kind}"
        ),
        cost: Cost::Quick,
        figures: vec![Figure {
            quantity: "steps".into(),
            theory,
            accept: Accept::Relative(0.03),
        }],
        simulate: Box::new(move |seed| vec![Measured::mean(&steps(1, degree, walk, 15_000, seed))]),
    }
}

/// The first of so many independent walks to end.
fn walkers(count: u32) -> Experiment {
    let miss = (0..count).fold(1.0, |miss, _| miss * 0.99);
    Experiment {
        topic: "search",
        source: WALKS,
        set_up: format!(
            "random-walk, 10,000 peers, random graphs of degree 4, a hundredth have it, {count} \
             walkers that never turn back"
        ),
        cost: Cost::Quick,
        figures: vec![Figure {
            quantity: "steps of the first to find it".into(),
            theory: 1.0 / (1.0 - miss),
            accept: Accept::Relative(0.03),
        }],
        simulate: Box::new(move |seed| {
            let steps = steps(count, 4, Walk::NonBacktracking, 15_000, seed);
            vec![Measured::mean(&steps)]
        }),
    }
}
