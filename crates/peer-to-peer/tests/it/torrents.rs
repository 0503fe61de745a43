//! Swarms for several objects at once.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicBool},
};

use netduel_peer_to_peer::{
    Swarm, chord, kademlia,
    swarm::{Config, Directory},
};
use netduel_world::{
    AfterDownload, Arrivals, BitsPerSecond, Bytes, Demand, Failure, Law, PerSecond, Pick,
    RequestRecord, RunRecord, Seconds, StateLoss, Want, Wants, What, Who, World, WorldSpec,
    run_strict,
};

const PIECE: Bytes = Bytes(256 * 1024);

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

/// `users` who make `requests` for one of `objects` of 40 pieces, five a second.
fn library(users: u32, objects: u32, zipf: f64, requests: u32) -> WorldSpec {
    let mut spec = WorldSpec {
        demand: Demand {
            wants: Wants::Download {
                objects,
                zipf,
                size: Bytes(PIECE.0 * 40),
            },
            arrivals: Arrivals::Poisson(PerSecond::new(5.0).unwrap()),
            requests: Some(requests),
            work: Law::Constant(0.0),
        },
        ..WorldSpec::default()
    };
    spec.population.peers = users;
    spec
}

fn run(spec: &WorldSpec, config: &Config, seed: u64) -> (Arc<World>, RunRecord) {
    let world = Arc::new(World::draw(spec, seed, 0));
    let record = run_strict::<Swarm>(&world, config, &AtomicBool::new(false)).unwrap();
    let traffic = record.traffic;
    assert_eq!(traffic.sent, traffic.received + traffic.lost, "seed {seed}");
    (world, record)
}

fn mean_time(record: &RunRecord) -> f64 {
    let time = |r: &RequestRecord| r.ended.as_seconds() - r.issued.as_seconds();
    record.requests.iter().map(time).sum::<f64>() / record.requests.len() as f64
}

fn object(want: Want) -> u32 {
    match want {
        Want::Download(object) => object.0,
        other => panic!("{other:?} is not a download"),
    }
}

/// Whoever asks again for what it has, or asks twice at once, fetches it once all the same.
#[test]
fn everybody_gets_every_object_once_however_often_it_is_asked_for() {
    for seed in 1..=6 {
        let spec = library(40, 12, 1.0, 400);
        let (world, record) = run(&spec, &Config::default(), seed);
        assert_eq!(record.served(), 400, "seed {seed}");
        let wanted = world.issues.iter().map(|i| (i.user.0, object(i.want)));
        let wanted: BTreeSet<(u32, u32)> = wanted.collect();
        assert!(wanted.len() < 350, "some ask again: {}", wanted.len());
        let payload = wanted.len() as u64 * 40 * PIECE.0;
        let overhead = record.traffic.received.0 as f64 / payload as f64;
        assert!((1.0..1.1).contains(&overhead), "seed {seed}: {overhead}");
    }
}

/// Two objects at once take the downlink as long as one after the other.
#[test]
fn a_user_may_want_several_objects_at_once() {
    for seed in 1..=6 {
        let mut spec = library(1, 1000, 0.0, 3);
        spec.demand.arrivals = Arrivals::AllAtOnce;
        spec.infrastructure[0].upload = BitsPerSecond::new(1e9).unwrap();
        let (_, record) = run(&spec, &Config::default(), seed);
        assert_eq!(record.served(), 3, "seed {seed}");
        let alone = spec.demand.wants.size().0 as f64 * 8.0 / 50e6;
        for request in &record.requests {
            let time = request.ended.as_seconds();
            assert!(
                (2.0 * alone..4.0 * alone).contains(&time),
                "seed {seed}: {time}"
            );
        }
    }
}

/// With a slot and an optimistic one, eight users who want eight objects are served two at a time.
#[test]
fn a_device_shares_its_slots_among_its_torrents() {
    let config = Config {
        slots: 1,
        turn: u32::from(u16::MAX),
        choke_interval: seconds(1000.0),
        ..Config::default()
    };
    for seed in 1..=6 {
        let mut spec = library(8, 10_000, 0.0, 8);
        spec.demand.arrivals = Arrivals::AllAtOnce;
        spec.demand.requests = None;
        spec.infrastructure[0].upload = BitsPerSecond::new(10e6).unwrap();
        let (world, record) = run(&spec, &config, seed);
        assert_eq!(record.served(), 8, "seed {seed}");
        let objects: BTreeSet<u32> = world.issues.iter().map(|i| object(i.want)).collect();
        assert_eq!(objects.len(), 8, "seed {seed}");
        let mut times: Vec<f64> = record
            .requests
            .iter()
            .map(|r| r.ended.as_seconds())
            .collect();
        times.sort_by(f64::total_cmp);
        for (pair, nth) in times.chunks(2).zip(1..) {
            let share = pair[1] / times[7];
            let expected = f64::from(nth) / 4.0;
            assert!((share - expected).abs() < 0.02, "seed {seed}: {times:?}");
        }
    }
}

#[test]
fn many_torrents_live_through_churn_and_lost_disks() {
    let churn = |loss| Failure {
        at: seconds(0.0),
        lasts: Some(seconds(300.0)),
        who: Who::Role(Pick::Users),
        what: match loss {
            None => What::Churn {
                session: Law::Exponential { mean: 40.0 },
                downtime: Law::Exponential { mean: 20.0 },
            },
            Some(loss) => What::Crash(loss),
        },
    };
    for seed in 1..=3 {
        for loss in [None, Some(StateLoss::Lost)] {
            let mut spec = library(30, 8, 0.8, 120);
            spec.failures = vec![churn(loss)];
            spec.failures[0].at = seconds(if loss.is_some() { 15.0 } else { 0.0 });
            let (_, record) = run(&spec, &Config::default(), seed);
            assert_eq!(record.served(), 120, "seed {seed}, {loss:?}");
        }
    }
}

/// A user gives up one of two requests for an object, and later one of two objects.
#[test]
fn giving_up_one_request_leaves_the_others() {
    let mut spec = library(20, 4, 0.5, 100);
    spec.infrastructure[0].upload = BitsPerSecond::new(5e6).unwrap();
    spec.patience.timeout = Some(seconds(15.0));
    for seed in 1..=3 {
        let (_, record) = run(&spec, &Config::default(), seed);
        let retried = record.requests.iter().filter(|r| r.attempts > 1).count();
        assert!(retried > 10, "seed {seed}: {retried}");
        assert_eq!(record.served(), 100, "seed {seed}");
    }
}

/// State is kept for the torrents in which a node takes part, and for no others.
#[test]
fn memory_grows_with_parts_and_not_with_nodes_times_objects() {
    let state = |objects: u32, requests: u32| {
        let spec = library(100, objects, 0.0, requests);
        let (_, record) = run(&spec, &Config::default(), 1);
        assert_eq!(record.served(), requests as usize);
        record.state.end as f64
    };
    let (few, many) = (state(10, 50), state(1000, 50));
    let origin = state(1000, 1) - state(10, 1);
    let more = (many - few) / origin;
    assert!((0.7..1.3).contains(&more), "{few} {many} {origin}");
}

fn crash(at: f64, who: Who) -> Failure {
    Failure {
        at: seconds(at),
        lasts: None,
        who,
        what: What::Crash(StateLoss::Kept),
    }
}

/// A file that takes minutes, an origin and a tracker, each a machine of its own.
fn with_tracker(peers: u32) -> (WorldSpec, Config) {
    let mut spec = WorldSpec {
        demand: Demand::one_object(Bytes(800 << 20), Arrivals::AllAtOnce),
        ..WorldSpec::default()
    };
    spec.population.peers = peers;
    let mut tracker = spec.infrastructure[0].clone();
    tracker.name = "tracker".into();
    spec.infrastructure.push(tracker);
    let config = Config {
        piece: Bytes(2 << 20),
        origin: Some("server".into()),
        tracker: Some("tracker".into()),
        ..Config::default()
    };
    (spec, config)
}

/// The tracker names two peers to each and is gone; later half of the peers are gone too. Those who
/// told each other of their neighbours find the rest.
#[test]
fn peers_that_tell_each_other_of_their_neighbours_need_no_tracker_any_more() {
    let mut lost = 0;
    for seed in 1..=6 {
        let (mut spec, mut config) = with_tracker(40);
        config.neighbours = 2;
        let half = Who::Random {
            share: "50 %".parse().unwrap(),
            of: Pick::Users,
        };
        // Nobody's downlink brings the file before 134 s.
        spec.failures = vec![crash(130.0, half)];
        spec.patience.deadline = Some(seconds(3000.0));
        let survivors = run(&spec, &config, seed).1.served();
        assert!((10..30).contains(&survivors), "seed {seed}: {survivors}");
        let tracker = Who::Machine("tracker".into());
        spec.failures.push(crash(20.0, tracker));
        let served = [false, true].map(|peer_exchange| {
            config.peer_exchange = peer_exchange;
            run(&spec, &config, seed).1.served()
        });
        assert_eq!(served[1], survivors, "seed {seed}");
        lost += survivors - served[0];
    }
    assert!(lost > 6, "{lost} survivors were cut off");
}

/// Telling of neighbours costs messages and no more.
#[test]
fn telling_each_other_of_neighbours_costs_next_to_nothing() {
    for seed in 1..=3 {
        let (spec, mut config) = with_tracker(60);
        let [quiet, told] = [false, true].map(|peer_exchange| {
            config.peer_exchange = peer_exchange;
            run(&spec, &config, seed).1
        });
        assert_eq!([quiet.served(), told.served()], [60, 60], "seed {seed}");
        let ratio = told.traffic.sent.0 as f64 / quiet.traffic.sent.0 as f64;
        assert!((0.99..1.01).contains(&ratio), "seed {seed}: {ratio}");
        assert!(told.digest != quiet.digest, "seed {seed}: nothing was told");
    }
}

fn distributed() -> Config {
    Config {
        directory: Directory::Distributed,
        ..Config::default()
    }
}

#[test]
fn peers_find_each_other_without_a_tracker() {
    for seed in 1..=6 {
        let spec = library(40, 12, 1.0, 200);
        let (_, with) = run(&spec, &Config::default(), seed);
        let (_, without) = run(&spec, &distributed(), seed);
        assert_eq!([with.served(), without.served()], [200, 200], "seed {seed}");
        // A look-up takes some round trips of 40 ms; who is looked for while it announces itself
        // is missed by some.
        let ratio = mean_time(&without) / mean_time(&with);
        assert!((0.8..1.5).contains(&ratio), "seed {seed}: {ratio}");
    }
}

#[test]
fn a_directory_that_nodes_join_one_by_one_serves_all_the_same() {
    let mut config = distributed();
    config.distributed = Some(kademlia::Config {
        k: Some(8),
        start: chord::Start::Join,
        bootstrap: Some("server".into()),
        ..kademlia::Config::default()
    });
    for seed in 1..=3 {
        let (_, record) = run(&library(40, 12, 1.0, 200), &config, seed);
        assert_eq!(record.served(), 200, "seed {seed}");
    }
}

/// The same machines, and the same one dies at the start: the tracker of one swarm, nobody to the
/// other.
#[test]
fn a_distributed_directory_outlives_any_machine() {
    let (mut spec, tracked) = with_tracker(40);
    spec.demand = Demand::one_object(
        Bytes(100 << 20),
        Arrivals::Poisson(PerSecond::new(0.5).unwrap()),
    );
    spec.failures = vec![crash(1.0, Who::Machine("tracker".into()))];
    spec.patience.deadline = Some(seconds(600.0));
    let config = Config {
        piece: tracked.piece,
        origin: tracked.origin.clone(),
        ..distributed()
    };
    for seed in 1..=6 {
        let (_, dead) = run(&spec, &tracked, seed);
        let (_, alive) = run(&spec, &config, seed);
        assert!(dead.served() <= 2, "seed {seed}: {}", dead.served());
        assert_eq!(alive.served(), 40, "seed {seed}");
    }
}

#[test]
fn a_distributed_directory_lives_through_churn_and_lost_disks() {
    for (seed, loss) in [
        (1, StateLoss::Kept),
        (2, StateLoss::Lost),
        (3, StateLoss::Lost),
    ] {
        let mut spec = library(40, 6, 0.8, 120);
        let some = |at, what| Failure {
            at: seconds(at),
            lasts: Some(seconds(30.0)),
            who: Who::Random {
                share: "60 %".parse().unwrap(),
                of: Pick::Users,
            },
            what,
        };
        let churn = What::Churn {
            session: Law::Exponential { mean: 40.0 },
            downtime: Law::Exponential { mean: 20.0 },
        };
        spec.failures = vec![some(5.0, What::Crash(loss)), some(40.0, churn)];
        spec.failures[1].lasts = Some(seconds(300.0));
        let (_, record) = run(&spec, &distributed(), seed);
        assert_eq!(record.served(), 120, "seed {seed}");
    }
}

/// Hours later the origin is still in the directory, because it announces itself again and again.
#[test]
fn announcements_are_made_again_before_they_run_out() {
    let mut spec = library(20, 1, 0.0, 2);
    spec.demand.requests = Some(2);
    spec.population.after_download = AfterDownload::Leave;
    spec.demand.arrivals = Arrivals::Trace(vec![seconds(60.0), seconds(10_000.0)]);
    let seeds = (1..=9).filter(|seed| {
        let world = World::draw(&spec, *seed, 0);
        world.issues[0].user != world.issues[1].user
    });
    for seed in seeds.take(5) {
        let (_, record) = run(&spec, &distributed(), seed);
        assert_eq!(record.served(), 2, "seed {seed}");
        let last = record.ended.as_seconds();
        assert!(last < 10_060.0, "seed {seed}: {last}");
    }
}

#[test]
fn settings_of_a_directory_that_is_not_there_are_refused() {
    let (mut spec, tracked) = with_tracker(4);
    spec.population.peers = 4;
    let problem = |config: &Config| {
        let world = Arc::new(World::draw(&spec, 1, 0));
        let error = run_strict::<Swarm>(&world, config, &AtomicBool::new(false));
        error.unwrap_err().to_string()
    };
    let mut config = tracked;
    config.distributed = Some(kademlia::Config {
        k: Some(20),
        ..kademlia::Config::default()
    });
    assert_eq!(
        problem(&config),
        "`distributed` has no effect while `directory` is \"tracker\""
    );
    config.directory = Directory::Distributed;
    assert_eq!(
        problem(&config),
        "`tracker` names a machine that nobody asks while `directory` is \"distributed\""
    );
    config.tracker = None;
    assert_eq!(
        problem(&config),
        "`distributed` has `k`, which is 20; expected 1 to 5, the number of nodes"
    );
    config.distributed = None;
    config.announce_interval = Some(seconds(1800.0));
    assert_eq!(
        problem(&config),
        "`announce-interval` is too long; expected less than 30 min, when an announcement is \
         forgotten"
    );
}
