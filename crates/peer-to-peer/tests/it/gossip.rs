use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::{
    Gossip,
    gossip::{Config, Exchange, Spread, Stop, StopBy, Timing},
};
use netduel_world::{
    Access, Arrivals, Bytes, Cause, Demand, Failure, Latency, Law, Outcome, PerSecond, Pick,
    RunError, RunRecord, Seconds, Share, SimDuration, StateLoss, Wants, What, Who, World,
    WorldSpec, run, run_strict,
};

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

/// One user tells all others something of no size, over links and ways that take no time to speak of.
fn instant(users: u32) -> WorldSpec {
    let mut spec = WorldSpec {
        infrastructure: Vec::new(),
        latency: Latency::constant(SimDuration(1)),
        demand: Demand {
            wants: Wants::Broadcast { size: Bytes(0) },
            arrivals: Arrivals::AllAtOnce,
            requests: None,
            work: Law::Constant(0.0),
        },
        ..Default::default()
    };
    spec.population.peers = users;
    spec.population.access = Access::Independent {
        upload: Law::Constant(1e11),
        download: Law::Constant(1e11),
    };
    spec
}

/// The same over homes that pass on a photograph of 1 MB.
fn photograph(users: u32) -> WorldSpec {
    let mut spec = WorldSpec {
        infrastructure: Vec::new(),
        demand: instant(users).demand,
        ..Default::default()
    };
    spec.demand.wants = Wants::Broadcast { size: PHOTOGRAPH };
    spec.population.peers = users;
    spec
}

const PHOTOGRAPH: Bytes = Bytes(1_000_000);

/// A rumour that nothing backs up.
fn rumour(exchange: Exchange, stop: Stop, stop_by: StopBy, k: u32) -> Config {
    Config {
        exchange: Some(exchange),
        stop: Some(stop),
        stop_by: Some(stop_by),
        k: Some(k),
        repair: Some(seconds(0.0)),
        ..Default::default()
    }
}

fn once(fanout: f64) -> Config {
    Config {
        spread: Spread::Once,
        fanout: Some(fanout),
        ..Default::default()
    }
}

fn anti_entropy(exchange: Exchange) -> Config {
    Config {
        spread: Spread::AntiEntropy,
        exchange: Some(exchange),
        ..Default::default()
    }
}

/// Every way of spreading with every timing.
fn all_ways() -> Vec<Config> {
    let mut all = vec![once(4.0)];
    for exchange in [Exchange::Push, Exchange::Pull, Exchange::PushPull] {
        for timing in [Timing::Rounds, Timing::Staggered, Timing::Poisson] {
            for (stop, stop_by) in [
                (Stop::Feedback, StopBy::Counter),
                (Stop::Feedback, StopBy::Coin),
                (Stop::Blind, StopBy::Counter),
                (Stop::Blind, StopBy::Coin),
            ] {
                all.push(Config {
                    timing: Some(timing),
                    ..rumour(exchange, stop, stop_by, 3)
                });
            }
            all.push(Config {
                timing: Some(timing),
                ..anti_entropy(exchange)
            });
        }
    }
    all
}

fn crash(at: f64, lasts: Option<f64>, share: f64, loss: StateLoss) -> Failure {
    Failure {
        at: seconds(at),
        lasts: lasts.map(seconds),
        who: Who::Random {
            share: Share::new(share).unwrap(),
            of: Pick::Users,
        },
        what: What::Crash(loss),
    }
}

fn gossip(spec: &WorldSpec, config: &Config, seed: u64, replication: u64) -> RunRecord {
    let world = Arc::new(World::draw(spec, seed, replication));
    let record = run::<Gossip>(&world, config, &AtomicBool::new(false)).unwrap();
    let traffic = record.traffic;
    assert_eq!(traffic.sent, traffic.received + traffic.lost, "seed {seed}");
    record
}

/// Runs with an eye on who knows whom.
fn strict(spec: &WorldSpec, config: &Config, seed: u64) -> RunRecord {
    let world = Arc::new(World::draw(spec, seed, 0));
    run_strict::<Gossip>(&world, config, &AtomicBool::new(false)).unwrap()
}

#[test]
fn users_call_only_whom_they_know() {
    for config in all_ways() {
        for view in [None, Some(5)] {
            for mut spec in [instant(40), photograph(40)] {
                spec.at_most = seconds(60.0);
                spec.failures = vec![crash(0.5, Some(5.0), 0.3, StateLoss::Kept)];
                let config = Config {
                    view,
                    ..config.clone()
                };
                // The first user may be among the dead, or tell none but them.
                let reached = (1..=3).map(|seed| strict(&spec, &config, seed).reach[0].users);
                assert!(reached.max() > Some(1), "{config:?}");
            }
        }
    }
}

#[test]
fn the_run_ends_when_a_rumour_dies() {
    for seed in 1..=6 {
        for (stop, stop_by) in [
            (Stop::Blind, StopBy::Counter),
            (Stop::Blind, StopBy::Coin),
            (Stop::Feedback, StopBy::Counter),
            (Stop::Feedback, StopBy::Coin),
        ] {
            let config = rumour(Exchange::Push, stop, stop_by, 1);
            let record = gossip(&instant(1000), &config, seed, 0);
            let reached = record.reach[0].users;
            assert!((2..1000).contains(&reached), "seed {seed}: {reached}");
            let outcome = record.requests[0].outcome;
            assert_eq!(outcome, Outcome::Failed(Cause::Unfinished));
            assert!(record.ended.as_seconds() < 200.0, "{}", record.ended);
        }
    }
}

#[test]
fn nothing_comes_back_from_the_dead_and_interest_ends_when_memory_does() {
    // Two users, one of them dead: blind the first stops after k calls, with feedback it goes on.
    let mut spec = instant(2);
    spec.failures = vec![crash(0.0, None, 0.5, StateLoss::Kept)];
    let lonely = |seed: &u64| gossip(&spec, &once(1.0), *seed, 0).reach[0].users == 1;
    let seed = (1..100).find(lonely).unwrap();
    let sent = |config: &Config| {
        let record = gossip(&spec, config, seed, 0);
        assert_eq!(record.reach[0].users, 1);
        assert_eq!(record.traffic.received, Bytes(0));
        let messages: u64 = record.loads.iter().map(|load| load.messages).sum();
        (messages, record.ended.as_seconds())
    };
    let config = rumour(Exchange::Push, Stop::Blind, StopBy::Counter, 7);
    assert_eq!(sent(&config).0, 7);
    let config = Config {
        remember: Some(seconds(60.0)),
        timing: Some(Timing::Rounds),
        ..rumour(Exchange::Push, Stop::Feedback, StopBy::Counter, 7)
    };
    assert_eq!(sent(&config), (59, 60.0));
}

#[test]
fn repair_reaches_whom_the_rumour_missed_and_who_was_away() {
    for seed in 1..=6 {
        let mut spec = instant(200);
        spec.failures = vec![crash(0.0, Some(100.0), 0.3, StateLoss::Kept)];
        let config = rumour(Exchange::Push, Stop::Feedback, StopBy::Counter, 1);
        let without = gossip(&spec, &config, seed, 0);
        assert_eq!(without.served(), 0, "seed {seed}");
        let config = Config {
            repair: None,
            ..config
        };
        let with = gossip(&spec, &config, seed, 0);
        assert_eq!(with.served(), 1, "seed {seed}");
        let after = with.ended.as_seconds();
        assert!((100.0..400.0).contains(&after), "seed {seed}: {after} s");
    }
}

#[test]
fn who_loses_the_disk_hears_again() {
    // Everybody loses everything but two who hold on to it, whoever they are.
    for seed in 1..=6 {
        let mut spec = instant(50);
        spec.run_for = Some(seconds(400.0));
        spec.failures = vec![crash(200.0, Some(10.0), 0.9, StateLoss::Lost)];
        let state = |loss| {
            let mut spec = spec.clone();
            spec.failures[0].what = What::Crash(loss);
            let record = gossip(&spec, &Config::default(), seed, 0);
            assert_eq!(record.served(), 1, "seed {seed}");
            (record.traffic.sent, record.state.end)
        };
        // The same is known at the end, but had to be told again.
        let (kept, lost) = (state(StateLoss::Kept), state(StateLoss::Lost));
        assert!(lost.0 > kept.0, "seed {seed}: {lost:?} against {kept:?}");
    }
}

#[test]
fn what_is_offered_or_asked_for_comes_once_and_what_is_pushed_straight_comes_again_and_again() {
    for seed in 1..=6 {
        let spec = photograph(50);
        let copies = |config: &Config| {
            let record = gossip(&spec, config, seed, 0);
            assert_eq!(record.served(), 1, "seed {seed}: {config:?}");
            record.traffic.received.0 as f64 / PHOTOGRAPH.0 as f64 / 49.0
        };
        let straight = copies(&Config::default());
        assert!(straight > 1.3, "seed {seed}: {straight}");
        let offered = copies(&Config {
            offer: Some(true),
            ..Default::default()
        });
        let compared = copies(&anti_entropy(Exchange::Push));
        for once in [offered, compared] {
            assert!((1.0..1.02).contains(&once), "seed {seed}: {once}");
        }
        // Two who are called at the same time may both begin to send.
        let pulled = copies(&anti_entropy(Exchange::PushPull));
        assert!((1.0..1.2).contains(&pulled), "seed {seed}: {pulled}");
    }
}

#[test]
fn damaged_content_does_not_count() {
    for seed in 1..=6 {
        let mut spec = photograph(20);
        // Half of all photographs arrive damaged.
        spec.corruption = 7e-7;
        let record = gossip(&spec, &anti_entropy(Exchange::Push), seed, 0);
        assert_eq!(record.served(), 1, "seed {seed}");
        let copies = record.traffic.received.0 as f64 / PHOTOGRAPH.0 as f64 / 19.0;
        assert!((1.2..4.0).contains(&copies), "seed {seed}: {copies}");
    }
}

#[test]
fn content_that_came_to_nothing_before_it_was_announced_is_asked_for_again() {
    for seed in 1..=6 {
        // Ten bytes overtake the message of 44 that announces them; half of them arrive damaged.
        let mut spec = photograph(20);
        spec.demand.wants = Wants::Broadcast { size: Bytes(10) };
        spec.corruption = 0.07;
        for config in [Config::default(), anti_entropy(Exchange::PushPull)] {
            let record = gossip(&spec, &config, seed, 0);
            assert_eq!(record.served(), 1, "seed {seed}");
            let after = record.ended.as_seconds();
            // Well before it would be forgotten.
            assert!(after < 200.0, "seed {seed}: {after} s");
        }
    }
}

#[test]
fn content_waits_for_its_way_through_the_links() {
    let spec = photograph(2);
    let config = Config {
        timing: Some(Timing::Rounds),
        ..Default::default()
    };
    let record = gossip(&spec, &config, 1, 0);
    // The first round after 1 s, 20 ms of latency, 8 Mbit at 10 Mbps.
    let expected = 1.0 + 0.02 + 0.8;
    let off = (record.ended.as_seconds() - expected).abs();
    assert!(off < 1e-6, "{}", record.ended);
}

#[test]
fn many_things_are_told_at_once() {
    for config in [
        Config::default(),
        Config {
            exchange: Some(Exchange::PushPull),
            ..Default::default()
        },
        anti_entropy(Exchange::PushPull),
        Config {
            repair: Some(seconds(5.0)),
            ..once(6.0)
        },
    ] {
        for seed in 1..=3 {
            for mut spec in [instant(60), photograph(60)] {
                spec.demand.wants = match spec.demand.wants {
                    Wants::Broadcast { size: Bytes(0) } => Wants::Broadcast { size: Bytes(0) },
                    _ => Wants::Broadcast {
                        size: Bytes(10_000),
                    },
                };
                spec.demand.requests = Some(100);
                spec.demand.arrivals = Arrivals::Poisson(PerSecond::new(5.0).unwrap());
                let record = gossip(&spec, &config, seed, 0);
                assert_eq!(record.served(), 100, "seed {seed}: {config:?}");
            }
        }
    }
}

#[test]
fn memory_is_bounded_however_much_is_told() {
    let state = |requests: u32| {
        let mut spec = instant(20);
        spec.demand.requests = Some(requests);
        spec.demand.arrivals = Arrivals::Poisson(PerSecond::new(10.0).unwrap());
        let config = Config {
            remember: Some(seconds(20.0)),
            repair: Some(seconds(5.0)),
            ..Default::default()
        };
        gossip(&spec, &config, 1, 0).state.end
    };
    let (short, long) = (state(500), state(5000));
    assert!(long < 2 * short, "{short} B, then {long} B");
}

#[test]
fn a_retry_tells_it_anew() {
    for seed in 1..=6 {
        let mut spec = instant(100);
        let missed = gossip(&spec, &once(2.0), seed, 0);
        assert_eq!(missed.served(), 0, "seed {seed}");
        spec.patience.timeout = Some(seconds(5.0));
        spec.patience.retries = 100;
        let record = gossip(&spec, &once(2.0), seed, 0);
        assert_eq!(record.served(), 1, "seed {seed}");
        assert!(record.requests[0].attempts > 1, "seed {seed}");
    }
}

#[test]
fn whoever_tells_does_the_work_first_and_may_have_no_room_for_it() {
    let mut spec = instant(10);
    spec.demand.work = Law::Constant(3.0);
    let config = Config {
        timing: Some(Timing::Rounds),
        ..Default::default()
    };
    let delay = gossip(&spec, &config, 1, 0).ended.as_seconds();
    spec.demand.work = Law::Constant(0.0);
    let without = gossip(&spec, &config, 1, 0).ended.as_seconds();
    assert!((delay - without - 3.0).abs() < 1e-6, "{delay}, {without}");

    spec.demand.work = Law::Constant(1000.0);
    spec.demand.requests = Some(100);
    spec.population.processor.queue = 0;
    spec.patience.retries = 0;
    let record = gossip(&spec, &config, 1, 0);
    let refused = Outcome::Failed(Cause::Refused);
    let refused = record.requests.iter().filter(|r| r.outcome == refused);
    // Each of ten works at one.
    assert_eq!(refused.count(), 90);
}

#[test]
fn who_gives_up_before_it_is_told_does_not_tell_it() {
    let mut spec = instant(10);
    spec.demand.work = Law::Constant(3.0);
    spec.patience.deadline = Some(seconds(2.0));
    spec.run_for = Some(seconds(100.0));
    let record = gossip(&spec, &Config::default(), 1, 0);
    assert_eq!(record.traffic.sent, Bytes(0));
    let outcome = record.requests[0].outcome;
    assert_eq!(outcome, Outcome::Failed(Cause::DeadlinePassed));
}

#[test]
fn a_small_view_does_as_well_as_knowing_everybody() {
    // Directed random graphs of out-degree 10 are connected, but for one in twenty.
    let mean = |view| {
        let config = Config {
            view,
            ..rumour(Exchange::Push, Stop::Feedback, StopBy::Counter, 4)
        };
        let runs = (0..20).map(|run| gossip(&instant(500), &config, 1, run));
        runs.map(|record| f64::from(record.reach[0].users))
            .sum::<f64>()
            / 20.0
            / 500.0
    };
    let (all, few) = (mean(None), mean(Some(10)));
    assert!(all > 0.99 && few > 0.98, "{all} and {few}");
}

#[test]
fn bad_settings_are_refused_and_so_are_idle_ones() {
    let zero = Some(seconds(0.0));
    let cases = [
        (
            Config {
                k: Some(0),
                ..Default::default()
            },
            "`k` is 0; expected at least 1",
        ),
        (
            Config {
                view: Some(0),
                ..Default::default()
            },
            "`view` is 0; expected at least 1",
        ),
        (
            Config {
                view: Some(10),
                ..Default::default()
            },
            "`view` is 10; expected at most 9, the other users",
        ),
        (once(0.0), "`fanout` is 0; expected a number above 0"),
        (once(f64::NAN), "`fanout` is NaN; expected a number above 0"),
        (
            Config {
                view: Some(3),
                ..once(4.0)
            },
            "`fanout` is 4; expected at most 3, the `view`",
        ),
        (
            Config {
                period: zero,
                ..Default::default()
            },
            "`period` is 0 s; expected at least 0.001 s",
        ),
        (
            Config {
                remember: zero,
                ..Default::default()
            },
            "`remember` is 0 s; expected at least 1 s",
        ),
        (
            Config {
                k: Some(2),
                ..once(4.0)
            },
            "`k` has no effect with `spread = \"once\"`; leave it out",
        ),
        (
            Config {
                fanout: Some(4.0),
                ..Default::default()
            },
            "`fanout` has no effect with `spread = \"rumour\"`; leave it out",
        ),
        (
            Config {
                repair: Some(seconds(9.0)),
                ..anti_entropy(Exchange::Push)
            },
            "`repair` has no effect with `spread = \"anti-entropy\"`; leave it out",
        ),
        (
            Config {
                exchange: Some(Exchange::Pull),
                offer: Some(true),
                ..Default::default()
            },
            "`offer` has no effect where nothing is pushed straight; leave it out",
        ),
    ];
    let world = Arc::new(World::draw(&instant(10), 1, 0));
    for (config, expected) in cases {
        match run::<Gossip>(&world, &config, &AtomicBool::new(false)) {
            Err(RunError::Assemble(error)) => assert_eq!(error.to_string(), expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}
