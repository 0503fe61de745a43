//! Messages that the network loses.

use netduel_world::{
    Access, Arrivals, Bytes, Cause, Demand, Failure, Law, Outcome, Pick, RunRecord, Seconds,
    SimDuration, StateLoss, What, Who, WorldSpec,
};

use crate::probe::{Config, SMALL, probe};

const USERS: u32 = 2000;

/// Users who ask for one byte, over links that take no time to speak of, 20 ms away.
fn losing(share: f64) -> WorldSpec {
    let mut spec = WorldSpec {
        message_loss: share,
        demand: Demand::one_object(Bytes(1), Arrivals::AllAtOnce),
        ..WorldSpec::default()
    };
    spec.population.peers = USERS;
    spec.population.access = Access::Independent {
        upload: Law::Constant(1e11),
        download: Law::Constant(1e11),
    };
    let server = &mut spec.infrastructure[0];
    server.upload = netduel_world::BitsPerSecond::new(1e11).unwrap();
    server.download = server.upload;
    spec
}

fn messages(record: &RunRecord) -> u64 {
    record.loads.iter().map(|load| load.messages).sum()
}

/// 3.3 standard errors of a share of all users.
fn allowed(share: f64) -> f64 {
    3.3 * (share * (1.0 - share) / f64::from(USERS)).sqrt()
}

#[test]
fn a_connection_sends_again_until_the_message_arrives_and_pays_each_time() {
    for seed in 0..6 {
        let record = probe(&losing(0.3), &Config::default(), seed);
        assert_eq!(record.served(), USERS as usize);
        let lost = messages(&record) - u64::from(USERS);
        assert_eq!(record.traffic.lost, Bytes(lost * SMALL.0));
        // Geometric: 0.3 / 0.7 losses on average, with a variance of 0.3 / 0.7^2.
        let mean = lost as f64 / f64::from(USERS);
        let off = 3.3 * (0.3 / 0.49 / f64::from(USERS)).sqrt();
        assert!((mean - 0.3 / 0.7).abs() < off, "seed {seed}: {mean}");
    }
}

#[test]
fn each_further_loss_takes_twice_as_long_to_be_noticed() {
    let record = probe(&losing(0.3), &Config::default(), 1);
    let mut after = [0; 4];
    for request in &record.requests {
        let wait = request.ended - request.issued;
        // A round trip, and whole timeouts.
        let (seconds, rest) = (wait.0 / 1_000_000_000, wait.0 % 1_000_000_000);
        assert!(rest.abs_diff(40_000_000) < 1_000_000, "{wait:?}");
        let doublings = [0, 1, 3, 7].iter().position(|sum| *sum == seconds);
        if let Some(losses) = doublings {
            after[losses] += 1;
        } else {
            assert!([15, 31, 63, 123].contains(&seconds), "{wait:?}");
        }
    }
    let mut share = 0.7;
    for count in after {
        let off = (f64::from(count) / f64::from(USERS) - share).abs();
        assert!(off < allowed(share), "{count} of {share}");
        share *= 0.3;
    }
}

#[test]
fn a_timeout_is_three_round_trips_where_those_are_long() {
    let mut spec = losing(0.3);
    spec.latency = netduel_world::Latency::constant(SimDuration::from_seconds(1.0));
    let record = probe(&spec, &Config::default(), 1);
    let waits = record.requests.iter().map(|r| r.ended - r.issued);
    let once = waits.filter(|wait| (wait.as_seconds() - 8.0).abs() < 1e-3);
    let share = once.count() as f64 / f64::from(USERS);
    assert!((share - 0.21).abs() < allowed(0.21), "{share}");
}

#[test]
fn a_lost_datagram_is_lost_for_good() {
    for seed in 0..6 {
        let config = Config {
            datagrams: true,
            ..Config::default()
        };
        let record = probe(&losing(0.3), &config, seed);
        assert_eq!(messages(&record), u64::from(USERS));
        let served = record.served() as f64 / f64::from(USERS);
        assert!((served - 0.7).abs() < allowed(0.7), "seed {seed}: {served}");
    }
}

#[test]
fn what_waits_to_be_sent_again_is_gone_when_its_sender_crashes() {
    let mut spec = losing(0.5);
    spec.failures = vec![Failure {
        at: Seconds::new(0.5).unwrap(),
        lasts: None,
        who: Who::Role(Pick::Users),
        what: What::Crash(StateLoss::Kept),
    }];
    let record = probe(&spec, &Config::default(), 1);
    assert_eq!(messages(&record), u64::from(USERS));
    let unfinished = Outcome::Failed(Cause::Unfinished);
    let lost = record.requests.iter().filter(|r| r.outcome == unfinished);
    let share = lost.count() as f64 / f64::from(USERS);
    assert!((share - 0.5).abs() < allowed(0.5), "{share}");
}
