//! Laws that every architecture in the registry upholds, whatever it does: for each kind of request
//! that it serves. An architecture that is registered is put through them without a line here; one
//! that needs more than a machine called `server` and its default settings says so in
//! [`cases`].

mod cases;

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicBool},
};

use netduel_scenario::Scenario;
use netduel_world::{Bytes, Cause, Outcome, RequestRecord, RunRecord, World, WorldKey};

use cases::{Case, cases};

/// Runs the only contender. A node that contacts another of which nothing told it breaks the run.
fn run(scenario: &Scenario, replication: u64) -> RunRecord {
    let point = &scenario.points[0];
    let world = World::draw(&point.world, scenario.experiment.seed, replication);
    let stop = AtomicBool::new(false);
    let contender = &point.contenders[0];
    let record = contender.run_strict(&Arc::new(world), &stop).unwrap();
    assert_books_close(&record);
    record
}

fn assert_books_close(record: &RunRecord) {
    let issued = record.requests.len();
    let failed = Cause::ALL.map(|cause| {
        let with = |r: &&RequestRecord| r.outcome == Outcome::Failed(cause);
        record.requests.iter().filter(with).count()
    });
    assert_eq!(issued, record.served() + failed.iter().sum::<usize>());
    let traffic = record.traffic;
    assert_eq!(traffic.sent, traffic.received + traffic.lost);
    let sent: Bytes = record.loads.iter().map(|load| load.sent).sum();
    let received: Bytes = record.loads.iter().map(|load| load.received).sum();
    assert_eq!((traffic.sent, traffic.received), (sent, received));
    for request in &record.requests {
        let asked = request.attempts > 0;
        assert!(request.issued <= request.ended && (request.ended <= record.ended || !asked));
    }
}

/// Puts every case to a law, and says which one was at it when the law was broken.
#[expect(
    clippy::print_stdout,
    reason = "a test that fails shows what it printed"
)]
fn every_case(law: impl Fn(&Case)) {
    for case in cases() {
        println!("{}", case.name());
        law(&case);
    }
}

#[test]
fn every_overlay_can_be_joined() {
    let joined: BTreeSet<&str> = cases()
        .iter()
        .filter(|case| case.joins)
        .map(|case| case.kind.name)
        .collect();
    let registry = netduel::architectures();
    let overlays = registry
        .kinds()
        .iter()
        .filter(|kind| kind.family == "peer-to-peer");
    // Whoever downloads from a swarm finds it by then and there; there is no other start.
    let overlays = overlays
        .map(|kind| kind.name)
        .filter(|name| *name != "swarm");
    assert_eq!(joined, overlays.collect());
}

#[test]
fn the_books_close_whatever_happens() {
    every_case(|case| {
        let turmoil = case.turmoil();
        for replication in 0..6 {
            run(&turmoil, replication);
        }
    });
}

#[test]
fn the_same_seed_takes_the_same_course_and_another_seed_another() {
    every_case(|case| {
        let turmoil = case.turmoil();
        let record = run(&turmoil, 0);
        assert_eq!(record, run(&turmoil, 0));
        assert_ne!(record.digest, run(&turmoil, 1).digest);
    });
}

#[test]
fn with_nothing_in_the_way_everybody_is_served() {
    every_case(|case| {
        // Who is asked before anybody has joined cannot find it. News can wait.
        if case.joins && case.demand.table != "broadcast" {
            return;
        }
        let record = run(&case.calm(), 0);
        let failed: Vec<_> = record.requests.iter().map(|r| r.outcome).collect();
        assert_eq!(record.served(), case.demand.quiet_count, "{failed:?}");
    });
}

#[test]
fn nobody_has_the_object_before_its_bytes_and_one_latency_have_come() {
    every_case(|case| {
        if case.demand.table != "download" {
            return;
        }
        let scenario = case.calm();
        let record = run(&scenario, 0);
        // 5 MB at 20 Mbps, and a question and an answer at 40 ms each.
        let soonest = 2.0 + 0.08;
        for request in &record.requests {
            assert!(request.ended.as_seconds() > soonest, "{}", request.ended);
        }
        let users = scenario.points[0].world.population.peers as usize;
        for load in &record.loads[record.loads.len() - users..] {
            assert!(load.received >= Bytes(5_000_000), "{load:?}");
        }
    });
}

#[test]
fn nobody_is_told_anything_before_one_latency_has_passed() {
    every_case(|case| {
        if case.demand.table != "broadcast" {
            return;
        }
        let record = run(&case.calm(), 0);
        for (request, reach) in record.requests.iter().zip(&record.reach) {
            assert_eq!(reach.users, 12, "everybody is reached");
            // The teller is one of twelve; the next in whom it arrives makes two.
            let second = reach.by[15] - request.issued;
            assert!(second.as_seconds() > 0.04, "{} s", second.as_seconds());
        }
    });
}

/// Whoever asks in a world in which nobody else is left may find the answer at home, but nowhere
/// else; when it does not, it says so by itself or gives up.
#[test]
fn a_request_to_a_dead_world_fails_with_a_cause() {
    every_case(|case| {
        let scenario = case.dead_world();
        let at_home =
            case.kind.family != "client-server" && matches!(case.demand.table, "lookup" | "search");
        let by_itself = case.kind.uses.contains(&WorldKey::Retries);
        for replication in 0..5 {
            let record = run(&scenario, replication);
            assert_eq!(record.traffic.received, Bytes(0), "nobody is there");
            let asked = record.requests.iter().filter(|r| r.attempts > 0);
            let alive = asked.filter(|r| record.loads[r.user.index()].sent > Bytes(0));
            for request in alive {
                let right = match request.outcome {
                    Outcome::Served | Outcome::Failed(Cause::NotFound) => at_home,
                    Outcome::Failed(Cause::NoAnswer | Cause::ConnectionLost) => true,
                    Outcome::Failed(Cause::DeadlinePassed) => {
                        !by_itself || case.demand.table == "broadcast"
                    }
                    Outcome::Failed(_) => false,
                };
                assert!(right, "{:?}", request.outcome);
            }
        }
    });
}

#[test]
fn nothing_is_charged_for_waiting_but_signs_of_life() {
    // An hour after everybody was served, an architecture may keep in touch but not grow.
    every_case(|case| {
        let fixed = |length: &str| run(&case.calm_until(length), 0);
        let (one, two, three) = (fixed("1 h"), fixed("2 h"), fixed("3 h"));
        let second = two.traffic.sent.0 - one.traffic.sent.0;
        let third = three.traffic.sent.0 - two.traffic.sent.0;
        assert!(
            third <= second + second / 10 + 1000,
            "{second} B, then {third} B"
        );
        // A thousandth of the slowest link, 5 Mbps, of each node.
        let nodes = two.loads.len() as u64;
        assert!(second < nodes * 625 * 3600, "{second} B");
        // What nobody asks for needs no memory.
        let (second, third) = (two.state.end, three.state.end);
        assert!(third <= second + second / 100, "{second} B, then {third} B");
    });
}

#[test]
fn no_state_grows_with_the_number_of_requests() {
    every_case(|case| {
        let end = |minutes| {
            let (scenario, requests) = case.steady(minutes)?;
            Some((run(&scenario, 0).state.end, requests))
        };
        let (Some((second, requests)), Some((third, _))) = (end(20), end(30)) else {
            return;
        };
        // A bit for each request that came in between; what was full before grows no more.
        let kept = requests / 2.0 / 8.0;
        let allowed = second as f64 * 1.05 + kept;
        assert!(third as f64 <= allowed, "{second} B, then {third} B");
    });
}
