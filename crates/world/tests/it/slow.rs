//! Nodes whose links carry a part of their rates, or nothing.

use netduel_world::{
    Access, Arrivals, Bytes, Cause, Demand, Failure, Law, NodeId, Outcome, Pick, RunRecord,
    Seconds, Share, SimDuration, SimTime, What, Who, WorldSpec,
};

use crate::probe::{Config, SMALL, probe};

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

fn slow(at: f64, lasts: f64, of: Pick, to: f64) -> Failure {
    Failure {
        at: seconds(at),
        lasts: Some(seconds(lasts)),
        who: Who::Role(of),
        what: What::Slow(Share::new(to).unwrap()),
    }
}

fn with(failures: Vec<Failure>) -> WorldSpec {
    WorldSpec {
        failures,
        ..Default::default()
    }
}

fn run(spec: &WorldSpec) -> RunRecord {
    probe(spec, &Config::default(), 1)
}

/// How much later the second run ended than the first.
fn later(first: &RunRecord, second: &RunRecord) -> SimDuration {
    second.ended - first.ended
}

#[test]
fn shares_of_several_slowdowns_multiply_while_they_last() {
    let server = Pick::Infrastructure;
    let slowed = run(&with(vec![
        slow(2.0, 2.0, server, 0.5),
        slow(3.0, 2.0, server, 0.5),
    ]));
    assert_eq!(slowed.served(), 10);
    // A half, three quarters and a half of a second each are lost.
    let lost = later(&run(&with(vec![])), &slowed);
    assert!(lost.0.abs_diff(1_750_000_000) <= 10, "{lost:?}");
    assert_eq!(slowed.incidents.len(), 2);
    assert_eq!(slowed.incidents[1].victims[0].node, NodeId(0));
}

#[test]
fn transfers_over_a_cut_link_stall_and_go_on_where_they_were() {
    let cut = run(&with(vec![slow(2.0, 3.0, Pick::Infrastructure, 0.0)]));
    let lost = later(&run(&with(vec![])), &cut);
    assert!(lost.0.abs_diff(3_000_000_000) <= 10, "{lost:?}");
    assert!(cut.requests.iter().all(|request| request.attempts == 1));
    assert_eq!(cut.stalled, 0, "none at the end");
}

#[test]
fn a_cut_for_good_ends_the_run_and_counts_what_is_stalled() {
    let cut = run(&with(vec![Failure {
        lasts: None,
        ..slow(2.0, 0.0, Pick::Infrastructure, 0.0)
    }]));
    assert_eq!((cut.served(), cut.stalled), (0, 10));
    let unfinished = Outcome::Failed(Cause::Unfinished);
    assert!(cut.requests.iter().all(|r| r.outcome == unfinished));
    assert_eq!(cut.ended, SimTime(2_000_000_000));
}

#[test]
fn messages_wait_for_the_end_of_a_cut() {
    let asks_last_at = |last: f64| {
        let mut spec = with(vec![slow(2.0, 3.0, Pick::Infrastructure, 0.0)]);
        let times = (0..10).map(|user| seconds(if user == 9 { last } else { 0.0 }));
        spec.demand.arrivals = Arrivals::Trace(times.collect());
        run(&spec).requests[9].ended
    };
    assert_eq!(asks_last_at(2.5), asks_last_at(5.0));
    assert!(asks_last_at(1.5) < asks_last_at(2.5));
}

#[test]
fn messages_that_wait_are_lost_with_their_sender() {
    let mut spec = with(vec![
        slow(0.0, 3.0, Pick::Infrastructure, 0.0),
        Failure {
            lasts: None,
            what: What::Crash(netduel_world::StateLoss::Kept),
            ..slow(1.0, 0.0, Pick::Users, 1.0)
        },
    ]);
    spec.run_for = Some(seconds(10.0));
    let record = run(&spec);
    assert_eq!(record.traffic.received, Bytes(0));
    assert_eq!(record.traffic.lost, Bytes(10 * SMALL.0));
}

#[test]
fn messages_are_serialised_at_what_is_left_of_the_rates() {
    // 100 bytes take 80 us at 10 Mbps, and 8 ms at a hundredth of it.
    let slowed = run(&with(vec![slow(0.0, 0.001, Pick::Users, 0.01)]));
    let lost = later(&run(&with(vec![])), &slowed);
    assert!(lost.0.abs_diff(7_920_000) <= 2, "{lost:?}");
}

#[test]
fn nothing_is_heard_across_a_cut() {
    let announces = Config {
        announces: true,
        ..Default::default()
    };
    // Posted at 20 ms by a server that is cut off from 10 ms on.
    let spec = with(vec![slow(0.01, 0.49, Pick::Infrastructure, 0.0)]);
    for request in probe(&spec, &announces, 1).requests {
        let heard = request.ended.as_seconds();
        assert!((0.5..0.502).contains(&heard), "at {heard} s");
    }
}

/// 100,000 downloads from a server that is slowed down to 30 %, comes back and dies.
#[test]
fn bytes_are_conserved_while_a_server_of_100_000_is_slowed_and_dies() {
    let mut spec = with(vec![
        slow(10.0, 10.0, Pick::Infrastructure, 0.3),
        Failure {
            lasts: None,
            what: What::Crash(netduel_world::StateLoss::Kept),
            ..slow(28.0, 0.0, Pick::Infrastructure, 1.0)
        },
    ]);
    spec.demand = Demand::one_object(Bytes(30_000), Arrivals::AllAtOnce);
    spec.infrastructure[0].upload = "1 Gbps".parse().unwrap();
    spec.population.peers = 100_000;
    spec.population.access = Access::Independent {
        upload: Law::Constant(1e6),
        download: Law::Uniform { min: 5e3, max: 1e5 },
    };
    let times = (0..100_000).map(|user| seconds(5e-5 * f64::from(user)));
    spec.demand.arrivals = Arrivals::Trace(times.collect());
    let record = run(&spec);
    let count = record.served();
    assert!((10_000..90_000).contains(&count), "{count}");
    // What left the server is what reached the users, to the byte; who was served has it all.
    let (machine, clients) = record.loads.split_first().unwrap();
    let received: Bytes = clients.iter().map(|load| load.received).sum();
    assert_eq!(machine.sent, received);
    for (request, load) in record.requests.iter().zip(clients) {
        let whole = request.outcome == Outcome::Served;
        assert_eq!(
            whole,
            load.received == spec.demand.wants.size(),
            "{request:?}"
        );
        assert!(load.received <= spec.demand.wants.size());
    }
    // Up to a byte more for each of those broken off.
    let (_, moved) = record.delivered.points().last().unwrap();
    let broken = 100_000 - count as u64;
    assert!((received.0..=received.0 + broken).contains(&moved));
    // The uplink is full from the time when enough have asked.
    let carried = 1e9 / 8.0 * (28.0 - 0.7 * 10.0);
    let used = received.0 as f64 / carried;
    assert!((0.93..=1.0).contains(&used), "{used} of the uplink");
}
