use std::sync::{Arc, atomic::AtomicBool};

use netduel_peer_to_peer::{
    Gossip,
    gossip::{Config, Exchange, Spread, Start, Stop, StopBy, Timing},
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
        for (view, start, swap) in [
            (None, Start::Converged, None),
            (Some(5), Start::Converged, None),
            (Some(5), Start::Converged, Some(seconds(2.0))),
            (Some(5), Start::Join, Some(seconds(2.0))),
        ] {
            for mut spec in [instant(40), photograph(40)] {
                spec.at_most = seconds(60.0);
                spec.failures = vec![crash(0.5, Some(5.0), 0.3, StateLoss::Kept)];
                let joins = start == Start::Join;
                let config = Config {
                    view,
                    start,
                    swap,
                    join_within: joins.then(|| seconds(10.0)),
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

/// Broadcasts told at these times, at a calm pace.
fn at(users: u32, times: &[f64]) -> WorldSpec {
    let mut spec = instant(users);
    spec.demand.requests = Some(u32::try_from(times.len()).unwrap());
    spec.demand.arrivals = Arrivals::Trace(times.iter().map(|at| seconds(*at)).collect());
    spec.run_for = Some(seconds(times[times.len() - 1] + 10.0));
    spec
}

/// Joins, and tells once.
fn joining(fanout: f64) -> Config {
    Config {
        start: Start::Join,
        ..once(fanout)
    }
}

#[test]
fn who_joined_is_reached_as_if_partners_were_drawn_from_all() {
    // A. Ganesh, A.-M. Kermarrec, L. Massoulié 2003: with a fan-out of 3 the share p that hears
    // something is 1 - exp(-3 p), if it spreads at all.
    let expected = 0.9405;
    let times: Vec<f64> = (0..100).map(|i| 300.0 + f64::from(i) * 20.0).collect();
    for (config, users) in [
        (joining(3.0), 300),
        (
            Config {
                bootstrap: None,
                swap: Some(seconds(10.0)),
                ..once(3.0)
            },
            300,
        ),
    ] {
        let record = gossip(&at(users, &times), &config, 1, 0);
        let reached = record
            .reach
            .iter()
            .map(|reach| f64::from(reach.users) / f64::from(users));
        let spread: Vec<f64> = reached.filter(|share| *share > 0.3).collect();
        let mean = spread.iter().sum::<f64>() / spread.len() as f64;
        assert!(spread.len() > 80, "{}", spread.len());
        assert!((mean - expected).abs() < 0.012, "{mean}");
    }
}

#[test]
fn nobody_joins_through_a_dead_bootstrap_node_and_everybody_once_it_is_back() {
    for seed in 1..=6 {
        let mut spec = at(100, &[90.0, 300.0]);
        spec.patience.retries = 0;
        spec.run_for = Some(seconds(400.0));
        spec.infrastructure = WorldSpec::default().infrastructure;
        let name = spec.infrastructure[0].name.clone();
        spec.failures = vec![Failure {
            at: seconds(0.0),
            lasts: Some(seconds(120.0)),
            who: Who::Machine(name.clone()),
            what: What::Crash(StateLoss::Lost),
        }];
        for spread in [once(12.0), Config::default()] {
            let config = Config {
                start: Start::Join,
                bootstrap: Some(name.clone()),
                ..spread
            };
            strict(&spec, &config, seed);
            let record = gossip(&spec, &config, seed, 0);
            let once = config.spread == Spread::Once;
            let late = record.requests[0].outcome;
            if once {
                assert_eq!(record.reach[0].users, 1, "seed {seed}");
                assert_eq!(late, Outcome::Failed(Cause::NoAnswer), "seed {seed}");
            } else {
                // The rumour waits for somebody to hear it.
                assert_eq!(late, Outcome::Served, "seed {seed}");
            }
            assert!(record.reach[1].users > 95, "seed {seed}");
        }
    }
}

#[test]
fn views_that_are_kept_up_forget_the_dead() {
    // Half of all die at 50 s; what is told at 600 s is lost on them, unless views forget them.
    for seed in 1..=6 {
        let lost = |swap: Option<f64>| {
            // One of them at least has a teller who is alive.
            let mut spec = at(200, &[600.0; 8]);
            spec.failures = vec![crash(50.0, None, 0.5, StateLoss::Kept)];
            let messages = |spec: &WorldSpec| {
                let config = Config {
                    view: Some(20),
                    swap: swap.map(seconds),
                    ..once(5.0)
                };
                gossip(spec, &config, seed, 0).traffic.lost.0
            };
            let mut before = spec.clone();
            before.run_for = Some(seconds(599.0));
            messages(&spec) - messages(&before)
        };
        // A hundred who tell five, a message of 44 bytes each, for each that is told.
        let (kept, fixed) = (lost(Some(10.0)), lost(None));
        assert!(fixed > 5_000, "seed {seed}: {fixed} B");
        assert!(kept < 500, "seed {seed}: {kept} B");
    }
}

#[test]
fn who_lost_the_disk_joins_again() {
    for seed in 1..=6 {
        let mut spec = at(60, &[200.0]);
        spec.failures = vec![crash(100.0, Some(10.0), 0.9, StateLoss::Lost)];
        let record = gossip(&spec, &joining(12.0), seed, 0);
        assert!(
            record.reach[0].users > 57,
            "seed {seed}: {:?}",
            record.reach
        );
    }
}

/// Holds the message about every setting, in a world of ten users, against what is expected.
fn expect_refusals(cases: impl IntoIterator<Item = (Config, &'static str)>) {
    let world = Arc::new(World::draw(&instant(10), 1, 0));
    for (config, expected) in cases {
        match run::<Gossip>(&world, &config, &AtomicBool::new(false)) {
            Err(RunError::Assemble(error)) => assert_eq!(error.to_string(), expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
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
    expect_refusals(cases);
}

#[test]
fn bad_and_idle_settings_of_views_are_refused() {
    expect_refusals([
        (
            Config {
                join_within: Some(seconds(9.0)),
                ..Default::default()
            },
            "`join-within` has no effect with `start = \"converged\"`; leave it out",
        ),
        (
            Config {
                swap_length: Some(4),
                ..Default::default()
            },
            "`swap-length` has no effect where no neighbours are swapped; set `swap`, or leave it \
             out",
        ),
        (
            Config {
                swap: Some(seconds(0.0)),
                ..joining(3.0)
            },
            "`swap` is 0 s; expected a time above 0 with `start = \"join\"`, as only swaps fill \
             the views of those who join",
        ),
        (
            Config {
                swap_length: Some(10),
                ..joining(3.0)
            },
            "`swap-length` is 10; expected 1 to 9, the `view`",
        ),
        (
            joining(10.0),
            "`fanout` is 10; expected at most 9, the `view`",
        ),
    ]);
}
