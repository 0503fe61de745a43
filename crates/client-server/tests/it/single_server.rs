use std::sync::{Arc, atomic::AtomicBool};

use netduel_client_server::{SingleServer, single_server::Config};
use netduel_world::{
    Arrivals, Bytes, Cause, Demand, Failure, Latency, Law, Outcome, PerSecond, Pick, Replication,
    RunRecord, Share, SimDuration, SimTime, StateLoss, Wants, What, Who, World, WorldSpec, run,
};

use crate::worlds::{lookups, seconds, share, simulate, times};

fn run_server(spec: &WorldSpec, config: &Config) -> RunRecord {
    let world = Arc::new(World::draw(spec, 1, 0));
    let record = run::<SingleServer>(&world, config, &AtomicBool::new(false)).unwrap();
    let traffic = record.traffic;
    assert_eq!(traffic.sent, traffic.received + traffic.lost);
    assert_eq!(record.requests.len(), spec.population.peers as usize);
    record
}

fn causes(record: &RunRecord) -> Vec<Outcome> {
    record.requests.iter().map(|r| r.outcome).collect()
}

fn crash(at: f64, lasts: f64) -> Failure {
    Failure {
        at: seconds(at),
        lasts: Some(seconds(lasts)),
        who: Who::Machine("server".into()),
        what: What::Crash(StateLoss::Kept),
    }
}

#[test]
fn one_connection_at_a_time_serves_in_the_order_of_arrival() {
    let config = Config {
        connections: 1,
        ..Default::default()
    };
    let spec = WorldSpec {
        latency: Latency::constant(SimDuration::ZERO),
        ..Default::default()
    };
    let record = run_server(&spec, &config);
    // Each download takes 10 MB at the client's 50 Mbps; the mean of a queue is (N + 1) / 2 times that.
    let mean = record
        .requests
        .iter()
        .map(|r| r.ended.as_seconds())
        .sum::<f64>()
        / 10.0;
    assert!((mean / (5.5 * 1.6) - 1.0).abs() < 1e-3, "{mean}");
    assert!(record.requests.is_sorted_by_key(|r| r.ended));
}

#[test]
fn who_finds_connections_and_queue_full_is_refused() {
    let config = Config {
        connections: 2,
        queue: 3,
        ..Default::default()
    };
    let mut spec = WorldSpec::default();
    spec.patience.retries = 0;
    let record = run_server(&spec, &config);
    let refused = Outcome::Failed(Cause::Refused);
    let count = causes(&record).iter().filter(|o| **o == refused).count();
    assert_eq!((record.served(), count), (5, 5));
}

#[test]
fn a_broken_download_goes_on_where_it_stopped_unless_told_otherwise() {
    // 10 MB for each of 10 users at 100 Mbps: 8 s, and the server is gone from 4 s to 64 s.
    let spec = WorldSpec {
        failures: vec![crash(4.0, 60.0)],
        ..Default::default()
    };
    let resumed = run_server(&spec, &Config::default());
    let restart = Config {
        resume: false,
        ..Default::default()
    };
    let restarted = run_server(&spec, &restart);
    for (record, least, sent) in [(&resumed, 68.0, 100.0), (&restarted, 72.0, 149.0)] {
        assert_eq!(record.served(), 10);
        let ended = record.ended.as_seconds();
        assert!(ended > least, "{ended}");
        // Backing off costs at most 1.2 x 120 s beyond the outage.
        assert!(ended < least + 144.0, "{ended}");
        let bytes = record.loads[0].sent.0 as f64 / 1e6;
        assert!((sent..sent + 1.1).contains(&bytes), "{bytes} MB sent");
    }
}

#[test]
fn a_dead_server_fails_everybody_with_the_right_cause() {
    let mut spec = WorldSpec {
        failures: vec![Failure {
            lasts: None,
            ..crash(0.0, 0.0)
        }],
        ..Default::default()
    };
    spec.patience.retries = 1;
    let record = run_server(&spec, &Config::default());
    let expected = vec![Outcome::Failed(Cause::NoAnswer); 10];
    assert_eq!(causes(&record), expected);
    // Two silences of 30 s and one wait of 1 s within 20 %.
    let ended = record.ended.as_seconds();
    assert!((60.8..61.2).contains(&ended), "{ended}");
    assert!(record.requests.iter().all(|r| r.attempts == 2));
}

#[test]
fn a_server_without_its_disk_has_nothing() {
    let mut spec = WorldSpec {
        failures: vec![Failure {
            what: What::Crash(StateLoss::Lost),
            ..crash(1.0, 1.0)
        }],
        ..Default::default()
    };
    spec.patience.retries = 3;
    let record = run_server(&spec, &Config::default());
    let expected = vec![Outcome::Failed(Cause::NotFound); 10];
    assert_eq!(causes(&record), expected);
}

#[test]
fn nobody_waits_longer_than_the_deadline() {
    let mut spec = WorldSpec::default();
    spec.patience.deadline = Some(seconds(3.0));
    let record = run_server(&spec, &Config::default());
    let expected = vec![Outcome::Failed(Cause::DeadlinePassed); 10];
    assert_eq!(causes(&record), expected);
    assert!(
        record
            .requests
            .iter()
            .all(|r| r.ended == SimTime(3_000_000_000))
    );
}

#[test]
fn damaged_downloads_are_noticed_and_fetched_again() {
    let mut spec = WorldSpec {
        // 10 MB arrive intact with probability exp(-0.7) = 0.5.
        corruption: 7e-8,
        ..Default::default()
    };
    spec.population.peers = 200;
    spec.demand = Demand::one_object(Bytes(10_000_000), Arrivals::AllAtOnce);
    let record = run_server(&spec, &Config::default());
    assert_eq!(record.served(), 200);
    let attempts: u32 = record.requests.iter().map(|r| r.attempts).sum();
    // Geometric with p = 0.497: mean 2.01, standard deviation 1.43, of 200.
    let mean = f64::from(attempts) / 200.0;
    assert!((mean - 2.01).abs() < 3.3 * 1.43 / 200_f64.sqrt(), "{mean}");
}

/// Two users, one connection. The server's outage leaves the first with a part; it waits its turn
/// for the rest when one of the two, by chance, loses its disk.
#[test]
fn who_loses_the_disk_while_waiting_is_sent_everything_again() {
    let config = Config {
        connections: 1,
        response_timeout: seconds(2.0),
        ..Default::default()
    };
    let object = Bytes(100_000_000);
    let mut spec = WorldSpec {
        demand: Demand::one_object(object, Arrivals::AllAtOnce),
        ..Default::default()
    };
    spec.population.peers = 2;
    spec.patience.backoff = seconds(10.0);
    let disk = Failure {
        who: Who::Random {
            share: Share::new(0.5).unwrap(),
            of: Pick::Users,
        },
        what: What::Crash(StateLoss::Lost),
        ..crash(14.0, 0.5)
    };
    spec.failures = vec![crash(0.8, 0.1), disk];
    let mut hit = [0, 0];
    for seed in 1..=6 {
        let world = Arc::new(World::draw(&spec, seed, 0));
        let record = run::<SingleServer>(&world, &config, &AtomicBool::new(false)).unwrap();
        let victim = record.incidents[1].victims[0].node.index();
        hit[victim - 1] += 1;
        assert_eq!(record.served(), 2, "seed {seed}");
        let received = record.loads[victim].received;
        assert!(received.0 > object.0 + 4_000_000, "seed {seed}: {received}");
    }
    assert!(hit.iter().all(|times| *times > 0), "{hit:?}");
}

/// Twenty users over 10 ms, whatever they ask for.
fn small(wants: Wants, work: f64) -> WorldSpec {
    let mut spec = lookups(0.01, 50.0, 200, Law::Constant(work));
    spec.demand.wants = wants;
    spec
}

fn values(size: u64, reads: f64) -> Wants {
    Wants::Lookup {
        keys: 50,
        zipf: 0.8,
        value: Bytes(size),
        reads: share(reads),
    }
}

#[test]
fn a_look_up_takes_a_round_trip_its_work_and_the_value() {
    // Two messages of 120 bytes, at 10 Mbps up or 50 Mbps down and at 100 Mbps.
    let wire = 120.0 * 8.0 * (1.0 / 10e6 + 2.0 / 100e6 + 1.0 / 50e6);
    for (size, work) in [(0, 0.0), (0, 0.001), (1_000_000, 0.0)] {
        let mut spec = small(values(size, 1.0), work);
        spec.demand.arrivals = Arrivals::Trace((0..200).map(f64::from).map(seconds).collect());
        let record = simulate::<SingleServer>(&spec, &Config::default(), 1);
        assert_eq!(record.served(), 200);
        // The value follows its announcement without waiting for its serialisation.
        let expected = match size {
            0 => 0.02 + wire + work,
            _ => 0.02 + 120.0 * 8.0 * (1.0 / 10e6 + 1.0 / 100e6) + size as f64 * 8.0 / 50e6,
        };
        for time in times(&record) {
            assert!((time - expected).abs() < 1e-6, "{time}, not {expected}");
        }
    }
}

#[test]
fn no_attempt_serves_after_it_was_given_up() {
    // A round trip takes longer than users wait, so nobody can be served, however often they ask.
    for size in [0, 1000] {
        let mut spec = small(values(size, 1.0), 0.0);
        spec.latency = Latency::constant(SimDuration::from_seconds(2.0));
        spec.patience.timeout = Some(seconds(3.0));
        spec.patience.retries = 3;
        let record = simulate::<SingleServer>(&spec, &Config::default(), 1);
        assert_eq!(record.served(), 0, "{size} B");
    }
}

#[test]
fn what_is_stored_is_sent_first_and_outlives_a_crash_that_keeps_the_disk() {
    let spec = small(values(100_000, 0.0), 0.001);
    let record = simulate::<SingleServer>(&spec, &Config::default(), 1);
    assert_eq!(record.served(), 200);
    let server = record.loads[0].received.0;
    assert!((200 * 100_000..200 * 101_000).contains(&server), "{server}");
    // Asked, told to go on, sent, and told that it is done: four latencies.
    let least = 0.04 + 100_000.0 * 8.0 / 10e6 + 0.001;
    assert!(times(&record).iter().all(|time| *time > least));
    for (state, found) in [(StateLoss::Kept, true), (StateLoss::Lost, false)] {
        let mut spec = small(values(0, 1.0), 0.0);
        spec.patience.retries = 0;
        spec.failures = vec![Failure {
            what: What::Crash(state),
            ..crash(1.0, 0.5)
        }];
        let config = Config {
            response_timeout: seconds(0.1),
            ..Config::default()
        };
        let record = simulate::<SingleServer>(&spec, &config, 1);
        let late = |r: &&netduel_world::RequestRecord| r.issued > SimTime(1_600_000_000);
        let outcomes = record.requests.iter().filter(late).map(|r| r.outcome);
        let expected = if found {
            Outcome::Served
        } else {
            Outcome::Failed(Cause::NotFound)
        };
        assert!(outcomes.clone().count() > 50 && outcomes.clone().all(|o| o == expected));
    }
}

#[test]
fn a_user_may_have_several_requests_open() {
    // One user, work of 1 s, 200 requests within 4 s.
    let mut spec = small(values(1000, 0.5), 1.0);
    spec.population.peers = 1;
    let config = Config {
        response_timeout: seconds(1000.0),
        ..Config::default()
    };
    let record = simulate::<SingleServer>(&spec, &config, 1);
    assert_eq!(record.served(), 200);
    assert!(record.ended.as_seconds() > 200.0);
}

#[test]
fn what_the_processor_has_no_room_for_is_refused_and_frees_its_connection() {
    let mut spec = small(values(0, 1.0), 1.0);
    spec.patience.retries = 0;
    spec.infrastructure[0].processor.queue = 4;
    let config = Config {
        connections: 6,
        ..Config::default()
    };
    let record = simulate::<SingleServer>(&spec, &config, 1);
    let refused = causes(&record)
        .into_iter()
        .filter(|o| *o == Outcome::Failed(Cause::Refused));
    // 200 within 4 s: one a second is done and four wait.
    assert_eq!(record.served() + refused.count(), 200);
    assert!((7..=10).contains(&record.served()), "{}", record.served());
    assert_eq!(record.worked[0].done, record.served() as u64);
    assert_eq!(record.worked[0].refused + record.worked[0].done, 200);
}

#[test]
fn a_search_names_somebody_who_has_the_object() {
    let wants = Wants::Search {
        objects: 30,
        zipf: 0.5,
        replicas: 3.0,
        rule: Replication::Uniform,
    };
    let mut spec = small(wants, 0.001);
    let record = simulate::<SingleServer>(&spec, &Config::default(), 1);
    assert_eq!(record.served(), 200);
    spec.failures = vec![Failure {
        what: What::Crash(StateLoss::Lost),
        ..crash(0.0, 0.1)
    }];
    spec.patience.retries = 0;
    let config = Config {
        response_timeout: seconds(0.2),
        ..Config::default()
    };
    let record = simulate::<SingleServer>(&spec, &config, 1);
    assert_eq!(record.served(), 0, "the directory is gone");
}

fn broadcast(size: u64, users: u32) -> WorldSpec {
    let mut spec = WorldSpec {
        latency: Latency::constant(SimDuration::from_seconds(0.01)),
        ..WorldSpec::default()
    };
    spec.demand.wants = Wants::Broadcast { size: Bytes(size) };
    spec.population.peers = users;
    spec
}

#[test]
fn a_broadcast_goes_through_the_server_s_uplink_to_everybody() {
    // 99 copies of 1 MB at 100 Mbps; before, one at the asker's 10 Mbps; five latencies.
    for connections in [1, 7, 1000] {
        let config = Config {
            connections,
            ..Config::default()
        };
        let record = simulate::<SingleServer>(&broadcast(1_000_000, 100), &config, 1);
        assert_eq!(record.served(), 1);
        assert_eq!(record.reach[0].users, 100);
        let time = times(&record)[0];
        // One connection serves one user at 50 Mbps at a time, and idles for a latency in between.
        let least = match connections {
            1 => 0.8 + 99.0 * (0.16 + 0.01),
            _ => 0.8 + 99.0 * 0.08,
        };
        assert!(
            (least..least + 0.3).contains(&time),
            "{connections}: {time}"
        );
    }
}

#[test]
fn news_without_size_takes_a_message_each_and_a_round_trip_for_each_turn_of_connections() {
    for (connections, turns) in [(10, 10.0), (1000, 1.0)] {
        let config = Config {
            connections,
            ..Config::default()
        };
        let record = simulate::<SingleServer>(&broadcast(0, 101), &config, 1);
        assert_eq!(record.served(), 1);
        let time = times(&record)[0];
        let expected = 0.01 + (turns - 1.0) * 0.02 + 0.01;
        assert!((time - expected).abs() < 0.006, "{connections}: {time}");
    }
}

#[test]
fn who_was_away_is_told_when_it_is_back_even_by_a_server_that_was_away_too() {
    for size in [0, 100_000] {
        for seed in 1..=6 {
            let mut spec = broadcast(size, 200);
            spec.failures = vec![users_away(0.5, 0.02, 60.0), crash(0.3, 100.0)];
            let record = simulate::<SingleServer>(&spec, &Config::default(), seed);
            assert_eq!(record.reach[0].users, 200, "{size} B, seed {seed}");
            assert_eq!(record.served(), 1, "{size} B, seed {seed}");
        }
    }
}

/// Crashes some users, the asker perhaps among them.
fn users_away(share: f64, at: f64, lasts: f64) -> Failure {
    Failure {
        who: Who::Random {
            share: Share::new(share).unwrap(),
            of: Pick::Users,
        },
        ..crash(at, lasts)
    }
}

#[test]
fn who_comes_back_twice_is_sent_the_content_once() {
    let mut spec = broadcast(1_000_000, 50);
    // One at a time is told in 0.17 s: all miss their turn but the first few, and are back twice
    // before it comes again.
    spec.failures = vec![users_away(1.0, 2.0, 4.0), users_away(1.0, 6.2, 0.2)];
    spec.run_for = Some(seconds(60.0));
    let config = Config {
        connections: 1,
        ..Config::default()
    };
    let record = simulate::<SingleServer>(&spec, &config, 1);
    assert_eq!(record.served(), 1);
    for load in &record.loads[1..] {
        // A part that broke off, and the whole.
        let received = load.received.0;
        assert!(received < 2_000_000, "{received} B");
    }
}

#[test]
fn who_was_away_for_less_than_the_server_waits_for_word_is_told_again() {
    for seed in 1..=6 {
        let mut spec = broadcast(0, 100);
        spec.failures = vec![users_away(0.5, 0.005, 3.0)];
        let record = simulate::<SingleServer>(&spec, &Config::default(), seed);
        assert_eq!(record.reach[0].users, 100, "seed {seed}");
    }
}

#[test]
fn what_everybody_has_been_told_is_forgotten() {
    for size in [0, 1_000] {
        let state = |requests: u32| {
            let mut spec = broadcast(size, 20);
            spec.demand.requests = Some(requests);
            spec.demand.arrivals = Arrivals::Poisson(PerSecond::new(10.0).unwrap());
            let record = simulate::<SingleServer>(&spec, &Config::default(), 1);
            assert_eq!(record.served(), requests as usize);
            record.state.end
        };
        let (short, long) = (state(1_000), state(10_000));
        assert!(long < short + short / 5, "{short} B, then {long} B");
    }
}

#[test]
fn a_user_downloads_each_object_once() {
    let mut spec = lookups(0.01, 10.0, 100, Law::Constant(0.0));
    spec.demand.wants = Wants::Download {
        objects: 5,
        zipf: 0.0,
        size: Bytes(10_000),
    };
    spec.population.peers = 2;
    let record = simulate::<SingleServer>(&spec, &Config::default(), 1);
    assert_eq!(record.served(), 100);
    let sent = record.loads[0].sent.0;
    // Two users, five objects, each with an announcement of 120 bytes; an object that is asked for
    // again while it is on its way comes twice.
    assert!((10 * 10_120..=12 * 10_120).contains(&sent), "{sent}");
}
