//! `chord` and `kademlia`: look-ups through the real architectures.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::{Chord, Kademlia, chord, kademlia};
use netduel_world::{
    Architecture, Arrivals, Bytes, Demand, Latency, Law, RunError, Seconds, Share, SimDuration,
    Wants, World, WorldSpec, run as run_world,
};

use crate::{
    outcome::{Outcome, Timing},
    stopwatch::Stopwatch,
};

/// `nodes` look-ups of random keys under way at all times, `lookups` in all, 50 ms for every message.
fn spec(nodes: u32, lookups: u32) -> WorldSpec {
    let mut spec = WorldSpec {
        infrastructure: Vec::new(),
        latency: Latency::constant(SimDuration::from_seconds(0.05)),
        demand: Demand {
            wants: Wants::Lookup {
                keys: nodes,
                zipf: 0.0,
                value: Bytes(0),
                reads: Share::new(1.0).expect("all is a share"),
            },
            arrivals: Arrivals::ClosedLoop {
                think: Law::Constant(0.0),
            },
            requests: Some(lookups),
            work: Law::Constant(0.0),
        },
        ..WorldSpec::default()
    };
    spec.population.peers = nodes;
    spec
}

fn measure<A: Architecture>(nodes: u32, lookups: u64, config: &A::Config) -> Outcome {
    let lookups = u32::try_from(lookups).expect("requests are counted in 32 bits");
    let watch = Stopwatch::start();
    let world = Arc::new(World::draw(&spec(nodes, lookups), 1, 0));
    let assembling = Stopwatch::start();
    // Told to stop at once, a run ends when everything is set up and little has happened.
    let stopped = run_world::<A>(&world, config, &AtomicBool::new(true));
    if let Err(error @ RunError::Assemble(_)) = stopped {
        panic!("the settings fit: {error}");
    }
    let assembled = assembling.seconds();
    let timing = Timing::begin(watch);
    let record = run_world::<A>(&world, config, &AtomicBool::new(false));
    let record = record.expect("the settings fit, and it is not interrupted");
    assert_eq!(record.served(), lookups as usize, "every key is found");
    let messages: u64 = record.loads.iter().map(|load| load.messages).sum();
    let per_node = record.state.start as f64 / f64::from(nodes);
    let outcome = timing.end(
        u64::from(nodes),
        messages,
        messages as f64 / f64::from(lookups),
    );
    // The second run assembled the same once more.
    Outcome {
        run: outcome.run - assembled,
        bytes_per_node: Some(per_node),
        ..outcome
    }
}

/// A time that no run here reaches.
fn never() -> Seconds {
    Seconds::new(1e9).expect("some years are in range")
}

/// Recursive look-ups, a message for each hop.
pub(crate) fn chord(nodes: u32, lookups: u64) -> Outcome {
    let config = chord::Config {
        acknowledge: false,
        replicas: Some(1),
        stabilise: never(),
        fix_fingers: never(),
        check_predecessor: never(),
        ..chord::Config::default()
    };
    measure::<Chord>(nodes, lookups, &config)
}

/// Iterative look-ups, three questions at once; a value lies with the one node closest to its key.
pub(crate) fn kademlia(nodes: u32, lookups: u64) -> Outcome {
    let config = kademlia::Config {
        k: Some(8),
        replicas: Some(1),
        refresh: never(),
        republish: never(),
        ..kademlia::Config::default()
    };
    measure::<Kademlia>(nodes, lookups, &config)
}
