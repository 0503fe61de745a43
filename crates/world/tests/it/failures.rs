use netduel_world::{
    Arrivals, Cause, Failure, Latency, Law, NodeId, Outcome, Pick, RunRecord, Seconds, Share,
    SimDuration, SimTime, StateLoss, What, Who, WorldSpec,
};

use crate::probe::{Config, probe};

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

fn crash(at: f64, lasts: f64, who: Who) -> Failure {
    Failure {
        at: seconds(at),
        lasts: Some(seconds(lasts)),
        who,
        what: What::Crash(StateLoss::Kept),
    }
}

fn with(failures: Vec<Failure>) -> WorldSpec {
    WorldSpec {
        failures,
        ..Default::default()
    }
}

fn hit(record: &RunRecord) -> Vec<NodeId> {
    record.incidents[0].victims.iter().map(|v| v.node).collect()
}

#[test]
fn the_most_loaded_is_whoever_has_sent_most_by_then() {
    let spec = with(vec![crash(4.0, 10.0, Who::MostLoaded(1))]);
    let record = probe(&spec, &Config::default(), 1);
    assert_eq!(hit(&record), [NodeId(0)]);
    let share = record.incidents[0].victims[0].load_share;
    assert!(
        share > 0.999,
        "the server has sent nearly everything: {share}"
    );
    assert_eq!(record.incidents[0].until, SimTime(14_000_000_000));
}

#[test]
fn a_larger_random_share_includes_a_smaller_one() {
    let of = |share: f64| {
        let who = Who::Random {
            share: Share::new(share).unwrap(),
            of: Pick::Users,
        };
        hit(&probe(
            &with(vec![crash(1.0, 1.0, who)]),
            &Config::default(),
            7,
        ))
    };
    let (few, many) = (of(0.3), of(0.6));
    assert_eq!((few.len(), many.len()), (3, 6));
    assert!(few.iter().all(|node| many.contains(node)));
    assert!(!many.contains(&NodeId(0)), "users only");
}

#[test]
fn overlapping_failures_hold_a_node_down_until_the_last_is_over() {
    let server = || Who::Machine("server".into());
    let mut spec = with(vec![
        crash(1.0, 20.0, server()),
        crash(10.0, 30.0, server()),
    ]);
    // Whoever asks a dead server waits for ever, so nobody asks again before it is back.
    spec.patience.backoff = seconds(60.0);
    let record = probe(&spec, &Config::default(), 1);
    // Nothing moves between 1 s and 40 s.
    let at = |time: f64| {
        let points: Vec<(SimTime, u64)> = record.delivered.points().collect();
        let before = points.iter().rev().find(|(t, _)| t.as_seconds() <= time);
        before.unwrap().1
    };
    assert!(at(2.0) > 0);
    assert_eq!(at(2.0), at(39.5));
    assert_eq!(record.served(), 10);
}

#[test]
fn a_run_does_not_wait_for_devices_that_never_come_back() {
    let for_good = Failure {
        lasts: None,
        ..crash(
            1.0,
            0.0,
            Who::Random {
                share: Share::new(0.3).unwrap(),
                of: Pick::Users,
            },
        )
    };
    let mut spec = with(vec![for_good.clone(), for_good]);
    // One of the lost has not asked by then; all ten count as issued nevertheless.
    let late = spec.clone();
    spec.demand.arrivals =
        Arrivals::Trace((0..10).map(|second| seconds(f64::from(second))).collect());
    for spec in [late, spec] {
        let record = probe(&spec, &Config::default(), 1);
        let lost = hit(&record).len() + record.incidents[1].victims.len();
        let unfinished = Outcome::Failed(Cause::Unfinished);
        let left = record.requests.iter().filter(|r| r.outcome == unfinished);
        assert!(left.clone().count() <= lost && left.clone().count() >= 2);
        assert_eq!(record.served() + left.count(), 10);
        assert!(record.requests.iter().all(|request| request.attempts == 1));
        assert!(record.ended < SimTime(60_000_000_000), "{}", record.ended);
        // The readings are as dense as those of any run of that length.
        assert!(record.delivered.points().count() > 100);
    }
}

/// The server dies at 3 s, which its users would see at 4 s; but they are off from 3.2 s to 3.5 s
/// and ask anew.
#[test]
fn a_break_of_an_earlier_life_is_not_seen() {
    let mut spec = with(vec![
        crash(3.0, 0.4, Who::Role(Pick::Infrastructure)),
        crash(3.2, 0.3, Who::Role(Pick::Users)),
    ]);
    spec.latency = Latency::constant(SimDuration::from_seconds(1.0));
    let record = probe(&spec, &Config::default(), 1);
    assert_eq!(record.served(), 10);
    assert!(record.requests.iter().all(|request| request.attempts == 1));
}

#[test]
fn timers_do_not_outlive_a_crash_and_users_ask_again_when_they_are_back() {
    let waits = Config {
        waits: true,
        ..Default::default()
    };
    let spec = with(vec![crash(5.0, 2.0, Who::Role(Pick::Users))]);
    let record = probe(&spec, &waits, 1);
    // The timer of 10 s starts anew at 7 s; the attempt is still the first.
    for request in &record.requests {
        assert_eq!(request.ended, SimTime(17_000_000_000));
        assert_eq!(request.attempts, 1);
    }
}

#[test]
fn churn_keeps_a_node_on_the_network_for_its_share_of_time() {
    // 2,000 users with sessions of 30 s and downtimes of 10 s, each waiting for an unbroken 10 s
    // timer: the first session is long enough with probability exp(-1/3).
    let mut spec = with(vec![Failure {
        at: seconds(0.0),
        lasts: None,
        who: Who::Role(Pick::Users),
        what: What::Churn {
            session: Law::Exponential { mean: 30.0 },
            downtime: Law::Exponential { mean: 10.0 },
        },
    }]);
    spec.population.peers = 2000;
    let waits = Config {
        waits: true,
        ..Default::default()
    };
    for seed in 0..6 {
        let record = probe(&spec, &waits, seed);
        let unbroken = record
            .requests
            .iter()
            .filter(|r| r.ended == SimTime(10_000_000_000));
        let share = unbroken.count() as f64 / 2000.0;
        let expected: f64 = 0.716_531_310_573_789_3; // exp(-1/3)
        // 3.3 standard deviations of a binomial share of 2,000.
        let allowed = 3.3 * (expected * (1.0 - expected) / 2000.0).sqrt();
        assert!((share - expected).abs() < allowed, "seed {seed}: {share}");
        assert_eq!(record.served(), 2000);
    }
}
