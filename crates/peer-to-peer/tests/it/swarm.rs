use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::{Swarm, swarm};
use netduel_world::{
    Access, BitsPerSecond, Bytes, Latency, Law, RunRecord, SimDuration, World, WorldSpec, run,
};

const PIECE: Bytes = Bytes(256 * 1024);
const UPLOAD: f64 = 10e6;

/// Equal uplinks, downlinks that never bind, no latency.
fn equal_uplinks(peers: u32, pieces: u64) -> WorldSpec {
    let mut spec = WorldSpec {
        latency: Latency::constant(SimDuration::ZERO),
        object_size: Bytes(PIECE.0 * pieces),
        ..Default::default()
    };
    spec.population.peers = peers;
    spec.population.access = Access::Independent {
        upload: Law::Constant(UPLOAD),
        download: Law::Constant(1e12),
    };
    spec.infrastructure[0].upload = BitsPerSecond::new(UPLOAD).unwrap();
    spec
}

fn run_swarm(spec: &WorldSpec, config: &swarm::Config, seed: u64) -> RunRecord {
    let world = Arc::new(World::draw(spec, seed, 0));
    let record = run::<Swarm>(&world, config, &AtomicBool::new(false)).unwrap();
    let traffic = record.traffic;
    assert_eq!(traffic.sent, traffic.received + traffic.lost, "seed {seed}");
    record
}

/// Makespan over the optimum of Mundinger, Weber and Weiss (2008), 1 + floor(log2 N) / M file
/// times.
fn stretch(peers: u32, pieces: u64, config: &swarm::Config, seed: u64) -> f64 {
    let record = run_swarm(&equal_uplinks(peers, pieces), config, seed);
    assert_eq!(record.served(), peers as usize, "seed {seed}");
    let file_time = (PIECE.0 * pieces) as f64 * 8.0 / UPLOAD;
    let bound = file_time * (1.0 + f64::from(peers.ilog2()) / pieces as f64);
    record.ended.as_seconds() / bound
}

/// The mean of a few seeds, each of which is within `most`.
fn mean_stretch(peers: u32, pieces: u64, choice: swarm::Choice, most: f64) -> f64 {
    let config = swarm::Config {
        choice,
        ..Default::default()
    };
    let seeds = 1..=6;
    let all: Vec<f64> = seeds
        .map(|seed| stretch(peers, pieces, &config, seed))
        .collect();
    for (seed, stretch) in (1..).zip(&all) {
        let range = 1.0..=most;
        assert!(
            range.contains(stretch),
            "{peers} peers, {pieces} pieces, seed {seed}: {stretch}"
        );
    }
    all.iter().sum::<f64>() / all.len() as f64
}

#[test]
fn with_equal_uplinks_a_hundred_pieces_take_at_most_a_quarter_longer_than_the_optimum() {
    for peers in [10, 100] {
        let rarest = mean_stretch(peers, 100, swarm::Choice::RarestFirst, 1.25);
        let random = mean_stretch(peers, 100, swarm::Choice::Random, 2.0);
        assert!(rarest < random, "{peers} peers: {rarest} against {random}");
    }
}

#[test]
fn with_equal_uplinks_four_hundred_pieces_take_at_most_a_seventh_longer_than_the_optimum() {
    for peers in [10, 100] {
        let rarest = mean_stretch(peers, 400, swarm::Choice::RarestFirst, 1.15);
        let random = mean_stretch(peers, 400, swarm::Choice::Random, 2.0);
        assert!(rarest < random, "{peers} peers: {rarest} against {random}");
    }
}
