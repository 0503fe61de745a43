//! Look-ups in structured overlays.
//!
//! With 1 s for every message and 1,000 s of silence for every dead contact, the time that a look-up
//! takes tells how many hops it made and how many contacts were dead.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::{
    Chord, Kademlia, Placing, chord,
    kademlia::{self, QUESTION},
};
use netduel_world::{
    Architecture, Arrivals, Bytes, Cause, Demand, Failure, Key, Latency, Law, Outcome, Patience,
    Pick, RequestRecord, RunRecord, Seconds, Share, SimDuration, StateLoss, Want, Wants, What, Who,
    World, WorldSpec, run,
};

use super::{Accept, Cost, Experiment, Figure, Measured, set_up::users};

const STOICA: &str = "Stoica et al., ToN 11(1), 2003";
const KADEMLIA: &str = "own simulation of Maymounkov and Mazières, IPTPS 2002";
const HASHING: &str = "order statistics of uniform points on a circle";
const TOPIC: &str = "structured overlays";

pub(super) fn experiments() -> Vec<Experiment> {
    let mut all = vec![full_ring(8, Cost::Quick), full_ring(10, Cost::Slow)];
    let sizes = [
        (64, Cost::Quick),
        (256, Cost::Quick),
        (1024, Cost::Quick),
        (4096, Cost::Slow),
        (16_384, Cost::Slow),
    ];
    all.extend(sizes.map(|(nodes, cost)| random_ring(nodes, cost)));
    // Path length and timeouts as published for 1,000 nodes with 20 successors.
    let published = [
        (0.0, 3.84, 0.0),
        (0.1, 4.03, 0.60),
        (0.2, 4.22, 1.17),
        (0.3, 4.44, 2.02),
        (0.4, 4.69, 3.23),
        (0.5, 5.09, 5.10),
    ];
    all.extend(published.map(|(share, path, timeouts)| broken_ring(share, path, timeouts)));
    let lost = [
        (0.1, 0.22),
        (0.2, 0.40),
        (0.3, 0.58),
        (0.4, 0.71),
        (0.5, 0.83),
    ];
    all.extend(lost.map(|(share, lost)| thin_ring(share, lost)));
    all.extend([0.1, 0.3].map(lost_keys));
    all.extend(TABLE.iter().map(buckets));
    all.extend([10, 100].map(largest_share));
    all
}

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).expect("the time of an experiment is in range")
}

fn figure(quantity: &str, theory: f64, accept: Accept) -> Figure {
    Figure {
        quantity: quantity.into(),
        theory,
        accept,
    }
}

/// `lookups` look-ups of random keys from random nodes, all at `at`, with 1 s for every message.
fn spec(nodes: u32, keys: u32, lookups: u32, at: f64) -> WorldSpec {
    let mut spec = WorldSpec {
        infrastructure: Vec::new(),
        latency: Latency::constant(SimDuration::from_seconds(1.0)),
        demand: Demand {
            wants: Wants::Lookup {
                keys,
                zipf: 0.0,
                value: Bytes(0),
                reads: Share::new(1.0).expect("all is a share"),
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
    users(&mut spec, nodes, 100e9, 100e9);
    spec
}

/// At 5 s a share of all nodes dies.
fn kill(spec: &mut WorldSpec, share: f64) {
    let share = Share::new(share).expect("the share of an experiment is one");
    if share.get() > 0.0 {
        spec.failures = vec![Failure {
            at: seconds(5.0),
            lasts: None,
            who: Who::Random {
                share,
                of: Pick::Users,
            },
            what: What::Crash(StateLoss::Kept),
        }];
    }
}

fn run_world<A: Architecture>(world: World, config: &A::Config) -> RunRecord {
    let never = AtomicBool::new(false);
    run::<A>(&Arc::new(world), config, &never).expect("the set-up of an experiment fits")
}

/// No upkeep, and 1,000 s of silence for a dead contact.
fn still(successors: u32, replicas: u32) -> chord::Config {
    let never = seconds(1e9);
    chord::Config {
        successors: Some(successors),
        replicas: Some(replicas),
        contact_timeout: seconds(1000.0),
        answer_timeout: seconds(1e7),
        stabilise: never,
        fix_fingers: never,
        check_predecessor: never,
        ..chord::Config::default()
    }
}

/// The same, where nobody dies.
fn calm() -> chord::Config {
    chord::Config {
        acknowledge: false,
        ..still(1, 1)
    }
}

/// Whole seconds that a request took.
fn taken(request: &RequestRecord) -> f64 {
    (request.ended.as_seconds() - request.issued.as_seconds()).round()
}

/// What look-ups on a ring came to.
#[derive(Default)]
struct Ring {
    /// Hops up to the key's predecessor of each that reached an owner.
    hops: Vec<f64>,
    /// Dead contacts of each of them.
    timeouts: Vec<f64>,
    /// Those that reached nobody, those that found no value, and all.
    lost: usize,
    valueless: usize,
    asked: usize,
}

impl Ring {
    fn of(record: &RunRecord) -> Self {
        let mut ring = Self::default();
        for request in &record.requests {
            match request.outcome {
                // The device that was to ask is dead.
                Outcome::Failed(Cause::Unfinished) => continue,
                Outcome::Failed(Cause::NoAnswer) => ring.lost += 1,
                outcome => {
                    let seconds = taken(request);
                    // The hop to the owner and its answer are not counted.
                    ring.hops.push((seconds % 1000.0 - 2.0).max(0.0));
                    ring.timeouts.push((seconds / 1000.0).floor());
                    ring.valueless += usize::from(outcome != Outcome::Served);
                }
            }
            ring.asked += 1;
        }
        ring
    }
}

/// A ring of 2^`bits` nodes at even distances.
fn full_ring(bits: u32, cost: Cost) -> Experiment {
    let nodes = 1_u32 << bits;
    let n = f64::from(nodes);
    Experiment {
        topic: TOPIC,
        source: STOICA,
        set_up: format!("chord, {nodes} nodes at even distances, from each to each"),
        cost,
        figures: vec![
            figure(
                "mean hops to another node that precedes the key",
                f64::from(bits) / 2.0 * n / (n - 1.0),
                Accept::Relative(1e-12),
            ),
            figure(
                "pairs whose hops are not the one bits of their distance",
                0.0,
                Accept::Absolute(0.0),
            ),
        ],
        simulate: Box::new(move |seed| {
            let mut spec = spec(nodes, nodes, nodes * nodes, 0.0);
            spec.demand.arrivals = Arrivals::ClosedLoop {
                think: Law::Constant(0.0),
            };
            let mut world = World::draw(&spec, seed, 0);
            // The n-th look-up of every node is for the key right behind the n-th node after it.
            for (issue, at) in world.issues.iter_mut().zip(0..) {
                issue.want = Want::Lookup(Key((at % nodes + at / nodes) % nodes));
            }
            let config = chord::Config {
                placing: Placing::Even { bits },
                ..calm()
            };
            let record = run_world::<Chord>(world, &config);
            let (mut sum, mut off) = (0.0, 0_u32);
            for (request, at) in record.requests.iter().zip(0..) {
                let distance: u32 = at / nodes;
                // An owner that asks needs no answer.
                let last = if distance == nodes - 1 { 1.0 } else { 2.0 };
                let hops = taken(request) - last;
                sum += hops;
                off += u32::from((hops - f64::from(distance.count_ones())).abs() > 0.5);
            }
            let pairs = n * (n - 1.0);
            vec![
                Measured::exact(sum / pairs),
                Measured::exact(f64::from(off)),
            ]
        }),
    }
}

/// A ring of nodes at random places that know their fingers and one successor.
fn random_ring(nodes: u32, cost: Cost) -> Experiment {
    Experiment {
        topic: TOPIC,
        source: STOICA,
        set_up: format!("chord, {nodes} random nodes, fingers and one successor"),
        cost,
        figures: vec![figure(
            "mean hops to the key's predecessor",
            libm::log2(f64::from(nodes)) / 2.0 - 0.13,
            Accept::Absolute(0.05),
        )],
        simulate: Box::new(move |seed| {
            // Small rings differ more from each other.
            let rings = u64::from(20_000 / nodes).clamp(3, 100);
            let means: Vec<f64> = (0..rings)
                .map(|ring| {
                    let lookups = 2000.max(nodes * 2);
                    let spec = spec(nodes, 100 * nodes, lookups, 0.0);
                    let world = World::draw(&spec, seed, ring);
                    let hops = Ring::of(&run_world::<Chord>(world, &calm())).hops;
                    hops.iter().sum::<f64>() / hops.len() as f64
                })
                .collect();
            vec![Measured::mean(&means)]
        }),
    }
}

/// 10,000 look-ups on each of some rings of 1,000 nodes of which a share died.
fn broken(share: f64, successors: u32, replicas: u32, seed: u64) -> Vec<Ring> {
    let rings = (0..4).map(|ring| {
        let mut spec = spec(1000, 10_000, 10_000, 10.0);
        kill(&mut spec, share);
        let world = World::draw(&spec, seed, ring);
        Ring::of(&run_world::<Chord>(world, &still(successors, replicas)))
    });
    rings.collect()
}

fn mean_of(rings: &[Ring], of: fn(&Ring) -> &[f64]) -> Measured {
    let mean = |ring: &Ring| of(ring).iter().sum::<f64>() / of(ring).len() as f64;
    let means: Vec<f64> = rings.iter().map(mean).collect();
    Measured::mean(&means)
}

fn share_of(rings: &[Ring], of: fn(&Ring) -> usize) -> Measured {
    let share = |ring: &Ring| of(ring) as f64 / ring.asked as f64;
    let shares: Vec<f64> = rings.iter().map(share).collect();
    Measured::mean(&shares)
}

fn broken_ring(share: f64, path: f64, timeouts: f64) -> Experiment {
    let percent = 100.0 * share;
    Experiment {
        topic: TOPIC,
        source: STOICA,
        set_up: format!("chord, 1000 nodes with 20 successors, {percent} % die at once"),
        cost: Cost::Slow,
        figures: vec![
            figure("mean path length (hops)", path, Accept::Relative(0.05)),
            figure("mean timeouts", timeouts, Accept::Relative(0.2)),
            figure("look-ups that fail (share)", 0.0, Accept::Absolute(0.0)),
        ],
        simulate: Box::new(move |seed| {
            let rings = broken(share, 20, 20, seed);
            vec![
                mean_of(&rings, |ring| &ring.hops),
                mean_of(&rings, |ring| &ring.timeouts),
                share_of(&rings, |ring| ring.lost + ring.valueless),
            ]
        }),
    }
}

fn thin_ring(share: f64, lost: f64) -> Experiment {
    let percent = 100.0 * share;
    Experiment {
        topic: TOPIC,
        source: "own simulation of Stoica et al., ToN 11(1), 2003",
        set_up: format!("chord, 1000 nodes with 1 successor, {percent} % die at once"),
        cost: Cost::Slow,
        figures: vec![figure(
            "look-ups that reach no owner (share)",
            lost,
            // Rings differ.
            Accept::Absolute(0.03),
        )],
        simulate: Box::new(move |seed| {
            vec![share_of(&broken(share, 1, 1, seed), |ring| ring.lost)]
        }),
    }
}

/// Without copies the keys of the dead are lost, and no other.
fn lost_keys(share: f64) -> Experiment {
    let percent = 100.0 * share;
    Experiment {
        topic: TOPIC,
        source: "Stoica et al., SIGCOMM 2001",
        set_up: format!("chord, 1000 nodes, 20 successors, no copies, {percent} % die at once"),
        cost: Cost::Slow,
        figures: vec![figure(
            "look-ups that find no value (share)",
            share,
            // What a node owns varies as much as its mean; four rings, 3.3 standard errors.
            Accept::Absolute(0.035),
        )],
        simulate: Box::new(move |seed| {
            vec![share_of(&broken(share, 20, 1, seed), |ring| ring.valueless)]
        }),
    }
}

/// Nodes, k, alpha and the share that is dead; rounds, questions, timeouts and failed look-ups.
struct Case {
    nodes: u32,
    k: u32,
    alpha: u32,
    dead: f64,
    rounds: f64,
    questions: f64,
    timeouts: f64,
    failed: f64,
}

const fn case(set_up: (u32, u32, u32, f64), found: (f64, f64, f64, f64)) -> Case {
    Case {
        nodes: set_up.0,
        k: set_up.1,
        alpha: set_up.2,
        dead: set_up.3,
        rounds: found.0,
        questions: found.1,
        timeouts: found.2,
        failed: found.3,
    }
}

const TABLE: &[Case] = &[
    case((1000, 1, 1, 0.0), (4.91, 4.91, 0.0, 0.0)),
    case((10_000, 1, 1, 0.0), (6.59, 6.59, 0.0, 0.0)),
    case((1000, 8, 1, 0.0), (2.38, 2.38, 0.0, 0.0)),
    case((1000, 8, 3, 0.0), (2.26, 4.8, 0.0, 0.0)),
    case((1000, 20, 3, 0.0), (1.89, 3.7, 0.0, 0.0)),
    case((10_000, 8, 3, 0.0), (2.90, 6.7, 0.0, 0.0)),
    case((10_000, 20, 3, 0.0), (2.43, 5.3, 0.0, 0.0)),
    case((10_000, 20, 3, 0.3), (2.59, 5.8, 1.44, 0.0)),
    case((10_000, 20, 3, 0.5), (2.92, 6.8, 2.89, 0.0)),
    case((10_000, 20, 3, 0.7), (3.89, 9.7, 6.06, 0.0004)),
    case((10_000, 20, 3, 0.8), (5.44, 14.4, 10.8, 0.013)),
    case((10_000, 8, 3, 0.5), (3.80, 9.4, 4.2, 0.003)),
    case((10_000, 8, 3, 0.8), (6.95, 17.6, 13.5, 0.28)),
];

fn buckets(case: &'static Case) -> Experiment {
    let dead = match case.dead {
        0.0 => String::new(),
        share => format!(", {} % dead", 100.0 * share),
    };
    let hops = if case.alpha == 1 { 0.03 } else { 0.1 };
    let (nodes, k, alpha) = (case.nodes, case.k, case.alpha);
    Experiment {
        topic: TOPIC,
        source: KADEMLIA,
        set_up: format!(
            "kademlia, {nodes} nodes, k {k}, alpha {alpha}, in rounds, each looks up a live node{dead}"
        ),
        cost: if nodes > 1000 {
            Cost::Slow
        } else {
            Cost::Quick
        },
        figures: vec![
            figure("rounds", case.rounds, Accept::Relative(hops)),
            figure("questions", case.questions, Accept::Relative(0.1)),
            figure("timeouts", case.timeouts, Accept::Relative(0.1)),
            figure(
                "look-ups that fail (share)",
                case.failed,
                // Of two to ten thousand, in networks that differ.
                Accept::Absolute(0.003 + 0.15 * case.failed),
            ),
        ],
        simulate: Box::new(move |seed| simulate_buckets(case, seed)),
    }
}

fn simulate_buckets(case: &Case, seed: u64) -> Vec<Measured> {
    let never = seconds(1e9);
    let config = kademlia::Config {
        k: Some(case.k),
        alpha: case.alpha,
        replicas: Some(1),
        rounds: true,
        contact_timeout: seconds(1000.0),
        answer_timeout: seconds(1e7),
        refresh: never,
        republish: never,
        placing: Placing::KeysAtNodes,
        ..kademlia::Config::default()
    };
    let networks = if case.nodes > 1000 { 1 } else { 8 };
    let mut measured = [const { Vec::new() }; 4];
    for network in 0..networks {
        let once = look_once(case, &config, seed, network);
        for (all, one) in measured.iter_mut().zip(once) {
            all.push(one);
        }
    }
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    measured.map(mean).map(Measured::exact).into()
}

/// Everybody looks up one node that is still there. Rounds, questions, timeouts and failures.
fn look_once(case: &Case, config: &kademlia::Config, seed: u64, network: u64) -> [f64; 4] {
    let mut spec = spec(case.nodes, case.nodes, case.nodes, 10.0);
    spec.demand.requests = None;
    kill(&mut spec, case.dead);
    // Who dies is the same in each run of this world.
    let mut short = spec.clone();
    short.run_for = Some(seconds(6.0));
    let early = run_world::<Kademlia>(World::draw(&short, seed, network), config);
    let mut dead = vec![false; case.nodes as usize];
    for victim in early
        .incidents
        .iter()
        .flat_map(|incident| &incident.victims)
    {
        dead[victim.node.index()] = true;
    }
    let live: Vec<u32> = (0..case.nodes)
        .filter(|node| !dead[*node as usize])
        .collect();
    let mut world = World::draw(&spec, seed, network);
    for issue in &mut world.issues {
        if let Want::Lookup(key) = &mut issue.want {
            *key = Key(live[key.0 as usize % live.len()]);
        }
    }
    let record = run_world::<Kademlia>(world, config);
    let served = record.requests.iter();
    let served = served.filter(|request| request.outcome == Outcome::Served);
    let rounds: f64 = served
        .map(|request| {
            let seconds = taken(request);
            // A round takes 2 s, or 1,000 s when somebody who is asked is dead.
            seconds % 1000.0 / 2.0 + (seconds / 1000.0).floor()
        })
        .sum();
    let messages: u64 = record.loads.iter().map(|load| load.messages).sum();
    // Only questions to the dead are lost; every other one is answered.
    let timeouts = record.traffic.lost.0 as f64 / QUESTION.0 as f64;
    let (asked, served) = (live.len() as f64, record.served() as f64);
    [
        rounds / served,
        f64::midpoint(messages as f64, timeouts) / asked,
        timeouts / asked,
        1.0 - served / asked,
    ]
}

/// Every key is looked up once, which takes its owner some work: how much each has done tells the
/// shares of nodes.
fn largest_share(nodes: u32) -> Experiment {
    let harmonic: f64 = (1..=nodes).map(|i| 1.0 / f64::from(i)).sum();
    let n = f64::from(nodes);
    let errors = Accept::StandardErrors(3.3);
    Experiment {
        topic: TOPIC,
        source: HASHING,
        set_up: format!("chord, {nodes} random nodes, then one more; no copies"),
        cost: Cost::Slow,
        figures: vec![
            figure("largest share of keys, in mean shares", harmonic, errors),
            figure(
                "keys that one more node moves (share)",
                1.0 / (n + 1.0),
                errors,
            ),
        ],
        simulate: Box::new(move |seed| {
            let rings = if nodes <= 10 { 200 } else { 40 };
            let keys = 200 * nodes;
            let (mut largest, mut moved) = (Vec::new(), Vec::new());
            for ring in 0..rings {
                let before = shares(nodes, keys, seed, ring);
                let after = shares(nodes + 1, keys, seed, ring);
                let most = before.iter().copied().fold(0.0, f64::max);
                largest.push(most * n / f64::from(keys));
                // Whoever was there may only lose keys to the newcomer.
                let gained = |(old, new): (&f64, &f64)| (new - old).max(0.0);
                let shuffled: f64 = before.iter().zip(&after).map(gained).sum();
                moved.push((after[nodes as usize] + shuffled) / f64::from(keys));
            }
            vec![Measured::mean(&largest), Measured::mean(&moved)]
        }),
    }
}

/// How many of all keys each node answered for.
fn shares(nodes: u32, keys: u32, seed: u64, ring: u64) -> Vec<f64> {
    let mut spec = spec(nodes, keys, keys, 0.0);
    spec.demand.work = Law::Constant(1e-6);
    spec.population.processor.queue = keys;
    let mut world = World::draw(&spec, seed, ring);
    for (issue, key) in world.issues.iter_mut().zip(0..) {
        issue.want = Want::Lookup(Key(key));
    }
    let record = run_world::<Chord>(world, &calm());
    let done = record.worked.iter().map(|worked| worked.done as f64);
    done.collect()
}
