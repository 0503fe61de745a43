//! Many objects of unequal popularity: what a swarm makes of it, and what a server does.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_client_server::single_server::{self, SingleServer};
use netduel_peer_to_peer::swarm::{self, Directory, Swarm};
use netduel_world::{
    Architecture, Arrivals, Bytes, Demand, Law, ObjectId, Want, Wants, World, WorldSpec, run_strict,
};

/// Mean time to the most wanted object over the mean time to the ten least wanted that are.
fn head_to_tail<A: Architecture>(world: &Arc<World>, config: &A::Config) -> f64 {
    let record = run_strict::<A>(world, config, &AtomicBool::new(false)).unwrap();
    assert_eq!(record.served(), record.requests.len());
    let mut times: Vec<(u32, f64)> = Vec::new();
    for (issue, request) in world.issues.iter().zip(&record.requests) {
        let Want::Download(ObjectId(object)) = issue.want else {
            panic!("{:?} is not a download", issue.want);
        };
        times.push((
            object,
            request.ended.as_seconds() - request.issued.as_seconds(),
        ));
    }
    times.sort_by_key(|(object, _)| *object);
    let head: Vec<f64> = times.iter().filter(|(o, _)| *o == 0).map(|t| t.1).collect();
    let tail: Vec<f64> = times.iter().rev().take(10).map(|t| t.1).collect();
    let mean = |times: &[f64]| times.iter().sum::<f64>() / times.len() as f64;
    mean(&head) / mean(&tail)
}

/// All ask at once. A server's link is shared by all, whatever they ask for; in a swarm, those who
/// want the same have each other.
#[test]
fn in_a_swarm_what_many_want_comes_sooner_than_to_a_server() {
    for seed in 1..=5 {
        let mut spec = WorldSpec {
            demand: Demand {
                wants: Wants::Download {
                    objects: 50,
                    zipf: 1.2,
                    size: Bytes(20 << 20),
                },
                arrivals: Arrivals::AllAtOnce,
                requests: None,
                work: Law::Constant(0.0),
            },
            ..WorldSpec::default()
        };
        spec.population.peers = 120;
        let world = Arc::new(World::draw(&spec, seed, 0));
        let server = head_to_tail::<SingleServer>(&world, &single_server::Config::default());
        assert!((0.9..1.1).contains(&server), "seed {seed}: {server}");
        for directory in [Directory::Tracker, Directory::Distributed] {
            let config = swarm::Config {
                directory,
                ..swarm::Config::default()
            };
            let swarm = head_to_tail::<Swarm>(&world, &config);
            assert!(swarm < 0.9 * server, "seed {seed}, {directory:?}: {swarm}");
        }
    }
}
