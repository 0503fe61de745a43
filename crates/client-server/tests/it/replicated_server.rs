use netduel_client_server::{
    ReplicatedServer,
    replicated_server::{Acknowledge, Autoscaling, Balancing, Config, Upgrade},
};
use netduel_world::{
    Bytes, Cause, Law, Outcome, PerHour, Processor, StateLoss, Wants, Who, World, WorldSpec, run,
};

use crate::worlds::{crash, lookups, machines, outcomes, seconds, share, simulate, times};

/// Two balancers or one, and servers of one core.
fn behind(balancers: u32, servers: u32, mut spec: WorldSpec) -> (WorldSpec, Config) {
    let processor = Processor::default();
    spec.infrastructure = vec![
        machines("balancer", balancers, processor),
        machines("server", servers, processor),
    ];
    let config = Config {
        servers: Some("server".into()),
        balancer: Some("balancer".into()),
        ..Config::default()
    };
    (spec, config)
}

/// Pieces of work that each of `count` machines from `first` on did.
fn served_by(record: &netduel_world::RunRecord, first: usize, count: usize) -> Vec<u64> {
    record.worked[first..first + count]
        .iter()
        .map(|worked| worked.done)
        .collect()
}

#[test]
fn round_robin_gives_every_server_the_same() {
    let spec = lookups(0.01, 10.0, 900, Law::Constant(0.1));
    let (spec, config) = behind(1, 3, spec);
    let record = simulate::<ReplicatedServer>(&spec, &config, 1);
    assert_eq!(record.served(), 900);
    assert_eq!(served_by(&record, 1, 3), [300, 300, 300]);
}

#[test]
fn fewer_wait_behind_a_balancer_that_looks_at_connections() {
    for seed in 1..=6 {
        let spec = lookups(0.0, 8.0, 20_000, Law::Exponential { mean: 1.0 });
        let (spec, config) = behind(1, 10, spec);
        let mean = |balancing| {
            let config = Config {
                balancing,
                response_timeout: seconds(1000.0),
                ..config.clone()
            };
            let record = simulate::<ReplicatedServer>(&spec, &config, seed);
            assert_eq!(record.served(), 20_000);
            times(&record).iter().sum::<f64>() / 20_000.0
        };
        let random = mean(Balancing::Random);
        let sampled = mean(Balancing::Sampled(2));
        let least = mean(Balancing::LeastConnections);
        // Ten M/M/1 queues at rho = 0.8: W = 5. Two choices: Mitzenmacher's fixed point
        // sum of rho^(2^i - 2) = 1.95 for many servers. One queue for ten servers: W = 1.205.
        assert!((random - 5.0).abs() < 1.0, "seed {seed}: {random}");
        assert!((1.7..2.3).contains(&sampled), "seed {seed}: {sampled}");
        assert!((1.2..1.7).contains(&least), "seed {seed}: {least}");
    }
}

#[test]
fn failover_takes_as_long_as_the_health_checks() {
    // Ten look-ups a second; one of two servers is down from 100 s to 200 s.
    let mut spec = lookups(0.01, 10.0, 3000, Law::Constant(0.001));
    spec.patience.retries = 0;
    spec.failures = vec![crash(
        Who::Machine("server".into()),
        100.0,
        100.0,
        StateLoss::Kept,
    )];
    let (spec, config) = behind(1, 2, spec);
    for (interval, fall) in [(2.0, 3), (2.0, 1), (8.0, 3)] {
        let config = Config {
            check_interval: seconds(interval),
            check_fall: fall,
            response_timeout: seconds(5.0),
            ..config.clone()
        };
        let mut failed = Vec::new();
        for seed in 1..=6 {
            let mut spec = spec.clone();
            spec.failures[0].who = Who::Random {
                share: share(0.4),
                of: netduel_world::Pick::Infrastructure,
            };
            let record = simulate::<ReplicatedServer>(&spec, &config, seed);
            let victim = record.incidents[0].victims[0].node.0;
            assert_eq!(record.incidents[0].victims.len(), 1);
            if victim == 0 {
                continue;
            }
            // Half of 10 a second are lost until the checks notice.
            failed.push(outcomes(&record, Outcome::Failed(Cause::NoAnswer)) as f64 / 5.0);
        }
        assert!(!failed.is_empty());
        let (least, most) = (interval * f64::from(fall), interval * f64::from(fall + 1));
        for seconds in failed {
            let noise = 3.3 * most.sqrt();
            assert!(
                (least - noise..most + noise).contains(&seconds),
                "{interval} s, {fall} checks: {seconds} s"
            );
        }
    }
}

#[test]
fn without_the_only_balancer_nobody_is_served_and_with_a_second_one_a_timeout_later() {
    for balancers in [1, 2] {
        let mut spec = lookups(0.01, 100.0, 200, Law::Constant(0.001));
        spec.patience.retries = 0;
        let (mut spec, config) = behind(balancers, 2, spec);
        if balancers == 1 {
            spec.failures = vec![crash(
                Who::Machine("balancer".into()),
                0.0,
                1000.0,
                StateLoss::Kept,
            )];
        } else {
            // The one that is asked first is the one that sends most.
            spec.failures = vec![crash(Who::MostLoaded(1), 0.5, 1000.0, StateLoss::Kept)];
        }
        let record = simulate::<ReplicatedServer>(&spec, &config, 1);
        if balancers == 1 {
            assert_eq!(record.served(), 0);
            assert_eq!(outcomes(&record, Outcome::Failed(Cause::NoAnswer)), 200);
        } else {
            let victim = record.incidents[0].victims[0].node.0;
            assert_eq!(victim, 0, "the first balancer sends most");
            assert_eq!(record.served(), 200);
            let late = times(&record)
                .into_iter()
                .filter(|time| *time > 30.0)
                .count();
            assert!(late > 20, "{late} of 150 wait for a timeout");
            assert!(times(&record).iter().all(|time| *time < 31.0));
        }
    }
}

fn stores(value: u64) -> WorldSpec {
    let mut spec = lookups(0.1, 5.0, 200, Law::Constant(0.0));
    spec.demand.wants = Wants::Lookup {
        keys: 100,
        zipf: 0.8,
        value: Bytes(value),
        reads: share(0.0),
    };
    spec
}

#[test]
fn a_store_is_acknowledged_at_once_or_when_the_backups_have_it() {
    let (spec, config) = behind(1, 3, stores(0));
    let all = |acknowledge| {
        let config = Config {
            acknowledge,
            ..config.clone()
        };
        let record = simulate::<ReplicatedServer>(&spec, &config, 1);
        assert_eq!(record.served(), 200);
        times(&record)
    };
    // Client, balancer, primary and back; and to the backups and back.
    assert!(
        all(Acknowledge::AtOnce)
            .iter()
            .all(|time| (time - 0.3).abs() < 0.001)
    );
    let waited = all(Acknowledge::Backups);
    let late = waited.iter().filter(|time| (*time - 0.5).abs() < 0.001);
    // Until the first check tells the primary who the others are, it has no backups: 2 s.
    let late = late.count();
    assert!((180..200).contains(&late), "{late}");
}

#[test]
fn values_travel_to_the_primary_and_from_there_to_every_backup() {
    let (spec, config) = behind(1, 3, stores(100_000));
    let record = simulate::<ReplicatedServer>(&spec, &config, 1);
    assert_eq!(record.served(), 200);
    let primary = record.loads[1].sent.0;
    let backups = record.loads[2].received.0 + record.loads[3].received.0;
    assert!(record.loads[1].received.0 > 200 * 100_000);
    assert!(primary > 180 * 2 * 100_000 && backups > 180 * 2 * 100_000);
}

#[test]
fn a_server_that_lost_its_disk_copies_everything_before_it_serves_again() {
    let mut spec = lookups(0.01, 10.0, 2000, Law::Constant(0.001));
    spec.demand.wants = Wants::Lookup {
        keys: 100,
        zipf: 0.8,
        value: Bytes(1_000_000),
        reads: share(1.0),
    };
    // Machines 1 and 2 serve; whoever of them has sent most loses its disk.
    spec.failures = vec![crash(Who::MostLoaded(1), 50.0, 20.0, StateLoss::Lost)];
    let (spec, config) = behind(1, 2, spec);
    let record = simulate::<ReplicatedServer>(&spec, &config, 1);
    let victim = record.incidents[0].victims[0].node.index();
    assert!(victim == 1 || victim == 2);
    assert_eq!(record.served(), 2000);
    // 100 values of 1 MB.
    assert!(record.loads[victim].received.0 >= 100_000_000);
    // It serves again: more than a quarter of what the other one did.
    let both = [1, 2].map(|machine: usize| record.worked[machine].done);
    assert!(both.iter().min() > both.iter().max().map(|most| most / 4).as_ref());
}

#[test]
fn servers_are_rented_when_the_load_rises_and_paid_for_from_then_on() {
    // Load 2.4 cores for 1000 s, from one server on: at 0.8 three servers are enough.
    let spec = lookups(0.01, 24.0, 24_000, Law::Exponential { mean: 0.1 });
    let (mut spec, config) = behind(1, 6, spec);
    spec.infrastructure[1].price = PerHour::new(1.0).unwrap();
    spec.infrastructure[1].processor.queue = 1_000_000;
    spec.infrastructure[0].price = PerHour::new(0.0).unwrap();
    let config = Config {
        autoscaling: Some(Autoscaling::default()),
        connections: 1_000_000,
        response_timeout: seconds(1000.0),
        ..config
    };
    let record = simulate::<ReplicatedServer>(&spec, &config, 1);
    assert_eq!(record.served(), 24_000);
    let rented: Vec<f64> = record.rented[1..]
        .iter()
        .map(|time| time.as_seconds())
        .collect();
    let end = record.ended.as_seconds();
    assert!((rented[0] - end).abs() < 1e-6, "{rented:?}");
    assert!(
        rented[1] > end - 60.0 && rented[2] > end - 300.0,
        "{rented:?}"
    );
    assert!(rented[5] < end / 2.0, "{rented:?}");
    // The bottleneck lasts until machines have booted: early requests wait longest.
    let times = times(&record);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    assert!(mean(&times[2000..4000]) > 20.0 * mean(&times[22_000..]));
}

#[test]
fn a_bigger_machine_takes_over_once_it_is_up_and_the_small_one_is_given_back() {
    let spec = lookups(0.01, 9.5, 9500, Law::Exponential { mean: 0.1 });
    let (mut spec, config) = behind(1, 1, spec);
    let fast = Processor {
        speed: 4.0,
        ..Processor::default()
    };
    spec.infrastructure.push(machines("big", 1, fast));
    let config = Config {
        upgrade: Some(Upgrade {
            to: "big".into(),
            above: share(0.8),
            delay: seconds(97.0),
        }),
        ..config
    };
    let record = simulate::<ReplicatedServer>(&spec, &config, 1);
    assert_eq!(record.served(), 9500);
    let rented: Vec<f64> = record.rented.iter().map(|time| time.as_seconds()).collect();
    let end = record.ended.as_seconds();
    assert!(rented[1] < end && rented[1] > 97.0, "{rented:?}");
    assert!(
        rented[2] < end && rented[1] + rented[2] > end + 90.0,
        "{rented:?}"
    );
    assert_eq!(record.worked[1].done + record.worked[2].done, 9500);
}

#[test]
fn without_a_balancer_of_its_own_the_first_server_balances() {
    let mut spec = lookups(0.01, 10.0, 300, Law::Constant(0.01));
    spec.infrastructure[0].count = 3;
    let record = simulate::<ReplicatedServer>(&spec, &Config::default(), 1);
    assert_eq!(record.served(), 300);
    assert_eq!(served_by(&record, 0, 3), [100, 100, 100]);
}

#[test]
fn nobody_draws_two_of_one_server() {
    let (spec, mut config) = behind(1, 1, lookups(0.01, 1.0, 1, Law::Constant(0.0)));
    config.balancing = Balancing::Sampled(2);
    let world = std::sync::Arc::new(World::draw(&spec, 1, 0));
    let stop = std::sync::atomic::AtomicBool::new(false);
    let error = run::<ReplicatedServer>(&world, &config, &stop).unwrap_err();
    let expected = "samples 2 servers where there is 1; expected another way, or more servers";
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn settings_that_do_not_fit_are_refused_by_name() {
    let (spec, good) = behind(1, 3, lookups(0.01, 1.0, 1, Law::Constant(0.0)));
    let mut mistakes: Vec<(&str, Config)> = Vec::new();
    let mut mistake = |key, change: fn(&mut Config)| {
        let mut config = good.clone();
        change(&mut config);
        mistakes.push((key, config));
    };
    mistake("balancing", |c| c.balancing = Balancing::Sampled(4));
    mistake("balancing", |c| c.balancing = Balancing::Sampled(1));
    mistake("check-interval", |c| c.check_interval = seconds(0.0));
    mistake("check-fall", |c| c.check_fall = 0);
    mistake("check-rise", |c| c.check_rise = 0);
    mistake("connections", |c| c.connections = 0);
    mistake("balancer", |c| c.balancer = Some("server".into()));
    mistake("servers", |c| c.servers = Some("nobody".into()));
    mistake("autoscaling", |c| {
        c.autoscaling = Some(Autoscaling {
            most: Some(4),
            ..Autoscaling::default()
        });
    });
    mistake("upgrade", |c| {
        c.upgrade = Some(Upgrade {
            to: "server".into(),
            above: share(0.5),
            delay: seconds(1.0),
        });
    });
    let world = std::sync::Arc::new(World::draw(&spec, 1, 0));
    for (key, config) in mistakes {
        let stop = std::sync::atomic::AtomicBool::new(false);
        let error = run::<ReplicatedServer>(&world, &config, &stop).unwrap_err();
        assert!(error.to_string().contains(key), "{key}: {error}");
    }
}
