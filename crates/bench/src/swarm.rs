//! `swarm`: a real architecture, from end to end.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::{Swarm, swarm::Config};
use netduel_world::{Arrivals, Bytes, Demand, World, WorldSpec, run as run_world};

use crate::{
    outcome::{Memory, Outcome, Timing},
    stopwatch::{Stopwatch, memory_peak},
};

const MEBIBYTE: f64 = 1_048_576.0;

/// `peers` download a file of `pieces`, all present from the start.
pub(crate) fn run(peers: u32, pieces: u64) -> Outcome {
    let before = memory_peak();
    let watch = Stopwatch::start();
    let config = Config::default();
    // 10 Mbit/s up, 50 Mbit/s down, a server of 100 Mbit/s, 20 ms: the default world.
    let mut spec = WorldSpec {
        demand: Demand::one_object(Bytes(config.piece.0 * pieces), Arrivals::AllAtOnce),
        ..WorldSpec::default()
    };
    spec.population.peers = peers;
    let world = Arc::new(World::draw(&spec, 1, 0));
    let timing = Timing::begin(watch);
    let record = run_world::<Swarm>(&world, &config, &AtomicBool::new(false));
    let record = record.expect("the settings fit, and it is not interrupted");
    assert_eq!(record.served(), peers as usize, "everybody has the file");
    // J. Kurose and K. Ross, Computer Networking, chapter 2: no schedule beats
    // max(F / u_s, F / d_min, N F / (u_s + sum u_i)).
    let (bits, count) = (spec.demand.wants.size().0 as f64 * 8.0, f64::from(peers));
    let bound = (bits / 50e6).max(count * bits / (100e6 + count * 10e6));
    let makespan = record.ended.as_seconds();
    let outcome = timing.end(u64::from(peers), record.events, makespan / bound);
    let bytes = (outcome.peak - before) * MEBIBYTE;
    let memory = Memory {
        per_peer: bytes / count,
        state_per_peer: record.state.end as f64 / count,
        // Every peer serves its slots and one neighbour more, each with one transfer at a time.
        per_transfer: bytes / (count * f64::from(config.slots + 1)),
    };
    Outcome {
        makespan: Some(makespan),
        memory: Some(memory),
        ..outcome
    }
}
