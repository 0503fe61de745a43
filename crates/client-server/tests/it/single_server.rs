use std::sync::{Arc, atomic::AtomicBool};

use netduel_client_server::{SingleServer, single_server::Config};
use netduel_world::{
    Arrivals, Bytes, Cause, Demand, Failure, Latency, Outcome, Pick, RunRecord, Seconds, Share,
    SimDuration, SimTime, StateLoss, What, Who, World, WorldSpec, run,
};

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

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
