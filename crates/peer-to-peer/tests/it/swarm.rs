use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::{Swarm, kademlia, swarm};
use netduel_world::{
    Access, AfterDownload, Arrivals, BitsPerSecond, Bytes, Cause, Demand, Failure, Latency, Law,
    Outcome, PerSecond, Pick, Routers, RunRecord, Seconds, SimDuration, SimTime, StateLoss, Trunk,
    What, Who, World, WorldSpec, run,
};

const PIECE: Bytes = Bytes(256 * 1024);
const UPLOAD: f64 = 10e6;

/// Equal uplinks, downlinks that never bind, no latency.
fn equal_uplinks(peers: u32, pieces: u64) -> WorldSpec {
    let mut spec = WorldSpec {
        latency: Latency::constant(SimDuration::ZERO),
        demand: Demand::one_object(Bytes(PIECE.0 * pieces), Arrivals::AllAtOnce),
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

/// J. Kurose and K. Ross, *Computer Networking*, chapter 2: no schedule beats
/// `max(F / u_s, F / d, N F / (u_s + sum u_i))`.
#[test]
fn no_seed_of_eight_takes_more_than_a_seventh_longer_than_the_bound() {
    let (peers, pieces) = (1000, 400);
    let mut spec = WorldSpec {
        demand: Demand::one_object(Bytes(PIECE.0 * pieces), Arrivals::AllAtOnce),
        ..Default::default()
    };
    spec.population.peers = peers;
    let (bits, count) = ((PIECE.0 * pieces * 8) as f64, f64::from(peers));
    let bound = (bits / 50e6).max(count * bits / (100e6 + count * 10e6));
    for seed in 1..=8 {
        let record = run_swarm(&spec, &swarm::Config::default(), seed);
        assert_eq!(record.served(), peers as usize);
        let stretch = record.ended.as_seconds() / bound;
        assert!((1.0..1.15).contains(&stretch), "seed {seed}: {stretch}");
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

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

fn failure(at: f64, lasts: Option<f64>, who: Who, what: What) -> Failure {
    Failure {
        at: seconds(at),
        lasts: lasts.map(seconds),
        who,
        what,
    }
}

fn server_crash(at: f64, lasts: Option<f64>, loss: StateLoss) -> Failure {
    let who = Who::Machine("server".into());
    failure(at, lasts, who, What::Crash(loss))
}

/// Thirty users and a file of 80 pieces: some 20 s for a swarm.
fn small_crowd(failures: Vec<Failure>) -> WorldSpec {
    let mut spec = WorldSpec {
        demand: Demand::one_object(Bytes(PIECE.0 * 80), Arrivals::AllAtOnce),
        failures,
        ..Default::default()
    };
    spec.population.peers = 30;
    spec
}

fn mean_time(record: &RunRecord, of: impl Fn(usize) -> bool) -> f64 {
    let users = record.requests.iter().enumerate();
    let times: Vec<f64> = users
        .filter(|(user, _)| of(*user))
        .map(|(_, request)| request.ended.as_seconds())
        .collect();
    times.iter().sum::<f64>() / times.len() as f64
}

#[test]
fn who_gives_nothing_waits_longer() {
    let mut spec = small_crowd(Vec::new());
    spec.population.free_riders = "30 %".parse().unwrap();
    // A large file, so that reviews count, and an origin that hands out all of it early, so that
    // pieces are not what is scarce.
    spec.demand = Demand::one_object(Bytes(PIECE.0 * 300), Arrivals::AllAtOnce);
    for seed in 1..=6 {
        let world = World::draw(&spec, seed, 0);
        let record = run_swarm(&spec, &swarm::Config::default(), seed);
        assert_eq!(record.served(), 30);
        let gives_nothing = |user: usize| world.devices[user + 1].free_rider;
        let riders = mean_time(&record, gives_nothing);
        let givers = mean_time(&record, |user| !gives_nothing(user));
        assert!(riders > givers, "seed {seed}: {riders} against {givers}");
    }
}

#[test]
fn a_swarm_that_has_every_piece_outlives_its_origin() {
    let gone = small_crowd(vec![server_crash(15.0, None, StateLoss::Lost)]);
    for seed in 1..=6 {
        let record = run_swarm(&gone, &swarm::Config::default(), seed);
        assert_eq!(record.served(), 30, "seed {seed}");
    }
}

#[test]
fn a_swarm_that_lacks_a_piece_waits_for_its_origin_and_goes_on_when_it_is_back() {
    let outage = small_crowd(vec![server_crash(0.5, Some(600.0), StateLoss::Kept)]);
    for seed in 1..=6 {
        let record = run_swarm(&outage, &swarm::Config::default(), seed);
        assert_eq!(record.served(), 30, "seed {seed}");
        let ended = record.ended.as_seconds();
        // Reports to a dead tracker are repeated after at most 15 x 2^5 s in this time.
        assert!((600.5..1200.0).contains(&ended), "seed {seed}: {ended}");
    }
}

#[test]
fn without_its_only_origin_a_swarm_serves_nobody() {
    let mut spec = small_crowd(vec![server_crash(0.5, None, StateLoss::Kept)]);
    spec.patience.deadline = Some(seconds(3600.0));
    let record = run_swarm(&spec, &swarm::Config::default(), 1);
    assert_eq!(record.served(), 0);
    let late = Outcome::Failed(Cause::DeadlinePassed);
    assert!(record.requests.iter().all(|r| r.outcome == late));
}

#[test]
fn a_dead_tracker_keeps_newcomers_out_until_it_is_back() {
    let mut spec = small_crowd(Vec::new());
    let mut tracker = spec.infrastructure[0].clone();
    tracker.name = "tracker".into();
    spec.infrastructure.push(tracker);
    let who = Who::Machine("tracker".into());
    let what = What::Crash(StateLoss::Kept);
    spec.failures = vec![failure(0.0, Some(100.0), who, what)];
    let config = swarm::Config {
        origin: Some("server".into()),
        tracker: Some("tracker".into()),
        ..Default::default()
    };
    let record = run_swarm(&spec, &config, 1);
    assert_eq!(record.served(), 30);
    let first = record.requests.iter().map(|r| r.ended).min().unwrap();
    assert!(first.as_seconds() > 100.0, "{first}");
}

/// The first user leaves with the file long before the second comes: only the origin has it.
#[test]
fn an_origin_is_found_hours_after_the_start() {
    for (loss, trackers) in [(None, 0), (None, 1), (Some(StateLoss::Lost), 1)] {
        let mut spec = small_crowd(Vec::new());
        spec.population.peers = 2;
        spec.population.after_download = AfterDownload::Leave;
        spec.demand.arrivals = Arrivals::Trace(vec![seconds(60.0), seconds(7200.0)]);
        let mut config = swarm::Config::default();
        if trackers == 1 {
            let mut tracker = spec.infrastructure[0].clone();
            tracker.name = "tracker".into();
            spec.infrastructure.push(tracker);
            config.origin = Some("server".into());
            config.tracker = Some("tracker".into());
        }
        spec.failures.extend(loss.map(|loss| {
            let who = Who::Machine("tracker".into());
            failure(600.0, Some(60.0), who, What::Crash(loss))
        }));
        let record = run_swarm(&spec, &config, 1);
        assert_eq!(record.served(), 2, "{loss:?}, {trackers} trackers");
        assert!(record.ended < SimTime::ZERO + SimDuration::from_seconds(7300.0));
    }
}

/// Nobody has connected to the origin when the tracker forgets everybody.
#[test]
fn an_origin_that_never_had_a_neighbour_reports_to_a_tracker_that_lost_its_disk() {
    let mut spec = small_crowd(Vec::new());
    spec.population.peers = 1;
    spec.demand.arrivals = Arrivals::Trace(vec![seconds(3600.0)]);
    let mut tracker = spec.infrastructure[0].clone();
    tracker.name = "tracker".into();
    spec.infrastructure.push(tracker);
    let config = swarm::Config {
        origin: Some("server".into()),
        tracker: Some("tracker".into()),
        ..Default::default()
    };
    let who = Who::Machine("tracker".into());
    let what = What::Crash(StateLoss::Lost);
    spec.failures = vec![failure(10.0, Some(60.0), who, what)];
    let record = run_swarm(&spec, &config, 1);
    assert_eq!(record.served(), 1);
    assert!(record.ended < SimTime::ZERO + SimDuration::from_seconds(3700.0));
}

/// Answers take longer than the second that BEP 5 implementations wait on Earth.
#[test]
fn a_distributed_directory_waits_as_long_as_answers_take() {
    let mut spec = small_crowd(Vec::new());
    spec.latency = Latency::constant(SimDuration::from_seconds(1.5));
    let mut config = swarm::Config {
        directory: swarm::Directory::Distributed,
        ..Default::default()
    };
    let record = run_swarm(&spec, &config, 1);
    assert_eq!(record.served(), 30);
    assert!(record.ended < SimTime::ZERO + SimDuration::from_seconds(600.0));
    config.distributed = Some(kademlia::Config {
        k: Some(8),
        ..Default::default()
    });
    let world = Arc::new(World::draw(&spec, 1, 0));
    let error = run::<Swarm>(&world, &config, &AtomicBool::new(false)).unwrap_err();
    let expected = "`contact-timeout`, which is 1 s; expected more than 3 s";
    assert!(error.to_string().contains(expected), "{error}");
}

/// Half of the users live beyond a trunk that a few transfers fill: what crosses it in vain keeps all
/// others waiting.
#[test]
fn a_single_piece_crosses_a_thin_trunk_hardly_more_often_than_from_a_server() {
    const TRUNK: f64 = 5e6;
    let trunk = |from, to| Trunk {
        from,
        to,
        rate: BitsPerSecond::new(TRUNK).unwrap(),
        latency: SimDuration::from_seconds(0.03),
    };
    let trunks = vec![trunk(0, 1), trunk(1, 0)];
    let size = Bytes(4 << 20);
    // Where half are on either side, some who are beyond it learn from it first that others there are done.
    for (shares, beyond, most) in [(vec![0.5, 0.5], 15.0, 1.25), (vec![0.0, 1.0], 30.0, 1.01)] {
        let mut spec = WorldSpec {
            demand: Demand::one_object(size, Arrivals::AllAtOnce),
            routers: Some(Routers::new(2, trunks.clone(), &[0, 1]).unwrap()),
            regions: vec!["here".into(), "there".into()],
            ..Default::default()
        };
        spec.population.peers = 30;
        spec.population.region_shares = shares;
        let config = swarm::Config {
            piece: size,
            ..Default::default()
        };
        let server = beyond * size.0 as f64 * 8.0 / TRUNK;
        for seed in 1..=6 {
            let record = run_swarm(&spec, &config, seed);
            assert_eq!(record.served(), 30);
            let stretch = record.ended.as_seconds() / server;
            assert!(stretch < most, "{beyond} beyond, seed {seed}: {stretch}");
        }
    }
}

#[test]
fn peers_that_come_and_go_are_served_in_the_end() {
    let what = What::Churn {
        session: Law::Exponential { mean: 20.0 },
        downtime: Law::Exponential { mean: 20.0 },
    };
    for seed in 1..=6 {
        let churn = failure(0.0, None, Who::Role(Pick::Users), what.clone());
        let record = run_swarm(&small_crowd(vec![churn]), &swarm::Config::default(), seed);
        assert_eq!(record.served(), 30, "seed {seed}");
    }
}

/// The first user's deadline passes while the device is off; the second comes when it is back.
#[test]
fn whose_user_gave_up_while_it_was_off_takes_part_no_more() {
    let crash = What::Crash(StateLoss::Kept);
    let mut spec = small_crowd(vec![failure(
        5.0,
        Some(60.0),
        Who::Role(Pick::Users),
        crash,
    )]);
    spec.population.peers = 2;
    spec.infrastructure[0].upload = BitsPerSecond::new(5e6).unwrap();
    spec.demand.arrivals = Arrivals::Trace(vec![seconds(0.0), seconds(100.0)]);
    spec.patience.deadline = Some(seconds(50.0));
    let record = run_swarm(&spec, &swarm::Config::default(), 1);
    assert_eq!(record.served(), 1);
    let first = record.loads[1];
    assert!(first.received > PIECE, "it had pieces to give");
    assert!(first.sent < PIECE, "{} sent", first.sent);
}

#[test]
fn peers_that_lose_their_disks_start_again() {
    let all = Who::Role(Pick::Users);
    let what = What::Crash(StateLoss::Lost);
    let spec = small_crowd(vec![failure(10.0, Some(5.0), all, what)]);
    for seed in 1..=6 {
        let record = run_swarm(&spec, &swarm::Config::default(), seed);
        let untouched = run_swarm(&small_crowd(Vec::new()), &swarm::Config::default(), seed);
        assert_eq!(record.served(), 30, "seed {seed}");
        assert!(record.ended.as_seconds() > untouched.ended.as_seconds() + 10.0);
    }
}

#[test]
fn damaged_pieces_are_thrown_away_and_fetched_again() {
    let mut spec = small_crowd(Vec::new());
    // A piece of 256 KiB arrives intact with probability exp(-0.26) = 0.77.
    spec.corruption = 1e-6;
    let record = run_swarm(&spec, &swarm::Config::default(), 1);
    assert_eq!(record.served(), 30);
    let overhead = record.traffic.received.0 as f64 / (30 * spec.demand.wants.size().0) as f64;
    // 1 / 0.77, and up to a tenth of messages and of last pieces asked for several times.
    assert!((1.28..1.43).contains(&overhead), "{overhead}");
}

#[test]
fn leaving_at_once_slows_the_others_down() {
    for seed in 1..=3 {
        let mut spec = small_crowd(Vec::new());
        spec.demand.arrivals = Arrivals::Poisson(PerSecond::new(0.5).unwrap());
        spec.infrastructure[0].upload = BitsPerSecond::new(20e6).unwrap();
        let times = [AfterDownload::Stay, AfterDownload::Leave].map(|after| {
            spec.population.after_download = after;
            let record = run_swarm(&spec, &swarm::Config::default(), seed);
            assert_eq!(record.served(), 30, "seed {seed}");
            mean_time(&record, |_| true)
        });
        assert!(times[0] < times[1], "seed {seed}: {times:?}");
    }
}
