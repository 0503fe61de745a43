//! What users want, when, and how much of it they put up with.

use netduel_world::{
    Arrivals, Bytes, Cause, Demand, Discipline, Failure, Law, Outcome, PerSecond, Pick,
    Replication, RetryBudget, Seconds, Share, SimDuration, SimTime, StateLoss, Want, Wants, What,
    Who, World, WorldSpec,
};

use crate::counter::{Config, counter, reads, watched};

fn seconds(value: f64) -> Seconds {
    Seconds::new(value).unwrap()
}

fn rate(value: f64) -> PerSecond {
    PerSecond::new(value).unwrap()
}

/// Look-ups of empty values by ten users.
fn lookups(requests: u32, arrivals: Arrivals, work: Law) -> WorldSpec {
    WorldSpec {
        demand: Demand {
            wants: Wants::Lookup {
                keys: 1000,
                zipf: 0.8,
                value: Bytes(0),
                reads: Share::new(0.75).unwrap(),
            },
            arrivals,
            requests: Some(requests),
            work,
        },
        ..Default::default()
    }
}

#[test]
fn a_longer_demand_begins_with_the_same_requests() {
    let draw = |count| {
        let spec = lookups(
            count,
            Arrivals::Poisson(rate(5.0)),
            Law::Exponential { mean: 0.1 },
        );
        World::draw(&spec, 3, 0).issues
    };
    assert_eq!(draw(100), draw(200)[..100]);
}

#[test]
fn users_keys_and_reads_come_in_their_proportions() {
    for seed in 0..6 {
        let spec = lookups(40_000, Arrivals::AllAtOnce, Law::Constant(0.0));
        let issues = World::draw(&spec, seed, 0).issues;
        let share = |of: &dyn Fn(&netduel_world::Issue) -> bool| {
            issues.iter().filter(|issue| of(issue)).count() as f64 / 40_000.0
        };
        let first_key = |want| matches!(want, Want::Lookup(key) | Want::Store(key) if key.0 == 0);
        // 1 / sum of k^-0.8 over 1000 keys.
        let popular = 0.064_642;
        for (found, expected) in [
            (share(&|issue| reads(issue.want)), 0.75),
            (share(&|issue| issue.user.0 == 4), 0.1),
            (share(&|issue| first_key(issue.want)), popular),
        ] {
            // 4 standard deviations of a binomial share: 1 false alarm in 900 runs of this test.
            let allowed = 4.0 * (expected * (1.0 - expected) / 40_000_f64).sqrt();
            assert!(
                (found - expected).abs() < allowed,
                "seed {seed}: {found}, not {expected}"
            );
        }
    }
}

#[test]
fn a_flash_crowd_and_a_day_come_at_their_rates() {
    let crowd = Arrivals::FlashCrowd {
        base: rate(10.0),
        peak: rate(100.0),
        at: seconds(100.0),
        rise: seconds(50.0),
        hold: seconds(100.0),
        fall: seconds(50.0),
    };
    // Expected in each window: the area under the rate.
    let windows = [
        (0.0, 100.0, 1000.0),
        (100.0, 150.0, 2750.0),
        (150.0, 250.0, 10_000.0),
        (250.0, 300.0, 2750.0),
        (300.0, 400.0, 1000.0),
    ];
    let day = Arrivals::Diurnal {
        mean: rate(10.0),
        swing: Share::new(0.8).unwrap(),
        period: seconds(400.0),
    };
    let bulge = 10.0 * 0.8 * 400.0 / std::f64::consts::PI;
    let halves = [(0.0, 200.0, 2000.0 + bulge), (200.0, 400.0, 2000.0 - bulge)];
    for seed in 0..6 {
        for (arrivals, windows) in [(&crowd, &windows[..]), (&day, &halves[..])] {
            let spec = lookups(30_000, arrivals.clone(), Law::Constant(0.0));
            let issues = World::draw(&spec, seed, 0).issues;
            for (from, to, expected) in windows {
                let within = |at: SimTime| (*from..*to).contains(&at.as_seconds());
                let found = issues.iter().filter(|issue| within(issue.at)).count() as f64;
                // 4 standard deviations of a Poisson count.
                assert!(
                    (found - expected).abs() < 4.0 * expected.sqrt(),
                    "seed {seed}: {found}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn copies_are_spread_by_their_rule() {
    let counts = |rule| {
        let mut spec = lookups(1, Arrivals::AllAtOnce, Law::Constant(0.0));
        spec.population.peers = 1000;
        spec.demand.wants = Wants::Search {
            objects: 100,
            zipf: 1.0,
            replicas: 10.0,
            rule,
        };
        let world = World::draw(&spec, 1, 0);
        let mut counts = vec![0.0_f64; 100];
        for user in 0..1000 {
            let objects = world.objects_of(world.user(user));
            assert!(
                objects.is_sorted_by(|a, b| a < b),
                "nobody has a thing twice"
            );
            for object in objects {
                counts[object.0 as usize] += 1.0;
            }
        }
        counts
    };
    assert!(
        counts(Replication::Uniform)
            .iter()
            .all(|count| (count - 10.0).abs() < 0.5)
    );
    let (proportional, root) = (
        counts(Replication::Proportional),
        counts(Replication::SquareRoot),
    );
    // The first is wanted ten times as often as the tenth.
    assert!(
        (proportional[0] / proportional[9] - 10.0).abs() < 0.5,
        "{proportional:?}"
    );
    assert!((root[0] / root[9] - 10_f64.sqrt()).abs() < 0.2, "{root:?}");
    for counts in [proportional, root] {
        assert!(
            (counts.iter().sum::<f64>() - 1000.0).abs() < 30.0,
            "rounding apart"
        );
    }
}

#[test]
fn work_waits_for_a_core_and_is_refused_when_the_queue_is_full() {
    let mut spec = lookups(10, Arrivals::AllAtOnce, Law::Constant(2.0));
    spec.demand.requests = None;
    spec.patience.retries = 0;
    let processor = &mut spec.infrastructure[0].processor;
    (processor.cores, processor.speed, processor.queue) = (2, 4.0, 5);
    let record = counter(&spec, &Config::default(), 1);
    // Two at a time, half a second each; seven fit in at once.
    let ends = record
        .requests
        .iter()
        .filter(|r| r.outcome == Outcome::Served);
    let mut ends: Vec<f64> = ends.map(|r| (r.ended.as_seconds() * 2.0).floor()).collect();
    ends.sort_by(f64::total_cmp);
    assert_eq!(ends, [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0]);
    let worked = record.worked[0];
    assert_eq!((worked.done, worked.refused), (7, 3));
    assert_eq!(worked.busy, SimDuration::from_seconds(3.5));
    let waited = 2.0 * 0.5 + 2.0 * 1.0 + 1.5;
    assert_eq!(worked.waited, SimDuration::from_seconds(waited));
}

#[test]
fn shared_cores_serve_all_at_once() {
    let mut spec = lookups(10, Arrivals::AllAtOnce, Law::Constant(1.0));
    spec.demand.requests = None;
    let processor = &mut spec.infrastructure[0].processor;
    (processor.cores, processor.discipline) = (5, Discipline::ProcessorSharing);
    let record = counter(&spec, &Config::default(), 1);
    for request in &record.requests {
        // Ten on five cores: half a core each, and two latencies of 20 ms.
        assert!(
            (request.ended.as_seconds() - 2.04).abs() < 1e-3,
            "{}",
            request.ended
        );
    }
}

#[test]
fn a_crash_takes_the_work_with_it() {
    for discipline in [Discipline::Fifo, Discipline::ProcessorSharing] {
        let mut spec = lookups(10, Arrivals::AllAtOnce, Law::Constant(10.0));
        spec.patience.timeout = Some(seconds(200.0));
        spec.patience.retries = 0;
        spec.infrastructure[0].processor.discipline = discipline;
        spec.failures = vec![Failure {
            at: seconds(5.0),
            lasts: Some(seconds(1.0)),
            who: Who::Role(Pick::Infrastructure),
            what: What::Crash(StateLoss::Kept),
        }];
        let record = counter(&spec, &Config::default(), 1);
        assert_eq!(record.served(), 0);
        assert!(
            (record.worked[0].busy.as_seconds() - 5.0).abs() < 0.1,
            "{:?}",
            record.worked[0]
        );
    }
}

#[test]
fn in_a_closed_loop_nobody_asks_before_the_answer_came_and_the_thinking_is_done() {
    let think = Law::Constant(1.0);
    let spec = lookups(50, Arrivals::ClosedLoop { think }, Law::Constant(0.1));
    let record = counter(&spec, &Config::default(), 1);
    assert_eq!(record.served(), 50);
    for (id, request) in record.requests.iter().enumerate() {
        let before = id.checked_sub(10).map(|before| record.requests[before]);
        let from = before.map_or(0.0, |before| before.ended.as_seconds());
        assert!((request.issued.as_seconds() - from - 1.0).abs() < 1e-9);
        assert!(before.is_none_or(|before| before.user == request.user));
    }
}

#[test]
fn an_attempt_that_takes_too_long_is_given_up_and_made_again() {
    let mut spec = lookups(10, Arrivals::AllAtOnce, Law::Constant(0.0));
    spec.patience.timeout = Some(seconds(3.0));
    spec.patience.retries = 2;
    let config = Config {
        silent: true,
        ..Default::default()
    };
    let record = counter(&spec, &config, 1);
    for request in &record.requests {
        assert_eq!(request.outcome, Outcome::Failed(Cause::NoAnswer));
        assert_eq!(request.attempts, 3);
        // Three attempts of 3 s and waits of 1 s and 1.6 s, within 20 %.
        let took = request.ended.as_seconds();
        assert!(
            (9.0 + 0.8 * 2.6..=9.0 + 1.2 * 2.6).contains(&took),
            "{took}"
        );
    }
}

#[test]
fn a_time_out_counts_from_when_the_device_was_back() {
    let mut spec = lookups(1, Arrivals::AllAtOnce, Law::Constant(0.0));
    spec.population.peers = 1;
    spec.patience.timeout = Some(seconds(60.0));
    spec.patience.retries = 0;
    spec.failures = vec![Failure {
        at: seconds(30.0),
        lasts: Some(seconds(20.0)),
        who: Who::Role(Pick::Users),
        what: What::Crash(StateLoss::Kept),
    }];
    let config = Config {
        silent: true,
        ..Default::default()
    };
    let record = counter(&spec, &config, 1);
    assert_eq!(record.requests[0].ended, SimTime(110_000_000_000));
}

#[test]
fn a_budget_ends_retries_when_they_would_be_half_of_all_tokens() {
    let mut spec = lookups(40, Arrivals::AllAtOnce, Law::Constant(0.0));
    spec.population.peers = 1;
    spec.patience.timeout = Some(seconds(1.0));
    spec.patience.budget = Some(RetryBudget {
        tokens: 10,
        ratio: 0.1,
    });
    let config = Config {
        silent: true,
        ..Default::default()
    };
    let record = counter(&spec, &config, 1);
    let attempts: u32 = record.requests.iter().map(|request| request.attempts).sum();
    // Four failures leave 6 of 10 tokens and are followed by a retry; from the fifth on none is.
    assert_eq!(attempts, 44);
}

#[test]
fn a_broadcast_is_served_when_the_last_user_has_it() {
    let mut spec = lookups(1, Arrivals::AllAtOnce, Law::Constant(0.0));
    spec.demand.wants = Wants::Broadcast { size: Bytes(0) };
    spec.demand.requests = None;
    let config = Config {
        indiscreet: true,
        ..Default::default()
    };
    let stop = std::sync::atomic::AtomicBool::new(false);
    let world = std::sync::Arc::new(World::draw(&spec, 1, 0));
    let record = netduel_world::run::<crate::counter::Counter>(&world, &config, &stop).unwrap();
    let reach = &record.reach[0];
    assert_eq!((reach.users, reach.by.len()), (10, 100));
    assert_eq!(reach.by[9], SimTime::ZERO, "who tells has it");
    assert_eq!(record.requests[0].ended, reach.by[99]);
}

#[test]
fn whoever_is_told_of_nobody_contacts_nobody_else() {
    let spec = lookups(10, Arrivals::AllAtOnce, Law::Constant(0.1));
    assert_eq!(watched(&spec, &Config::default()).served(), 10);
}

#[test]
#[should_panic(expected = "node 0 contacts node")]
fn contacting_somebody_of_whom_nothing_told_is_noticed() {
    let mut spec = lookups(1, Arrivals::AllAtOnce, Law::Constant(0.1));
    spec.population.peers = 5;
    let config = Config {
        indiscreet: true,
        ..Default::default()
    };
    watched(&spec, &config);
}
