use std::sync::{Arc, atomic::AtomicBool};

use netduel_client_server::{
    Cdn,
    cdn::{Config, Policy},
};
use netduel_world::{
    Arrivals, Bytes, Latency, Law, Processor, RunRecord, SimDuration, StateLoss, Wants, Who, World,
    WorldSpec, run,
};

use crate::worlds::{crash, lookups, machines, rate, seconds, share, simulate, times};

/// An origin and edges in one place.
fn delivered(edges: u32, mut spec: WorldSpec) -> (WorldSpec, Config) {
    let processor = Processor::default();
    spec.infrastructure = vec![
        machines("origin", 1, processor),
        machines("edge", edges, processor),
    ];
    let config = Config {
        origin: Some("origin".into()),
        ..Config::default()
    };
    (spec, config)
}

const VALUE: u64 = 1000;

/// Look-ups of 1000 keys, one after the other, with a Zipf law of exponent 0.8.
fn popular(requests: u32) -> WorldSpec {
    let mut spec = lookups(0.0, 100.0, requests, Law::Constant(0.0));
    spec.demand.wants = Wants::Lookup {
        keys: 1000,
        zipf: 0.8,
        value: Bytes(VALUE),
        reads: share(1.0),
    };
    spec
}

fn popularity(keys: u32, exponent: f64) -> Vec<f64> {
    let weights: Vec<f64> = (1..=keys)
        .map(|rank| libm::pow(f64::from(rank), -exponent))
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// Share of requests that one edge answers from its cache: the others cost the origin a transfer.
fn hit_ratio(record: &RunRecord, requests: u32) -> f64 {
    let fetched = record.traffic.between_machines.0 as f64 / VALUE as f64;
    1.0 - fetched / f64::from(requests)
}

fn ratio_of(policy: Policy, room: u64, seed: u64) -> f64 {
    let requests = 40_000;
    let (spec, config) = delivered(1, popular(requests));
    let config = Config {
        cache: Bytes(room * VALUE),
        policy,
        ..config
    };
    let world = Arc::new(World::draw(&spec, seed, 0));
    let record = run::<Cdn>(&world, &config, &AtomicBool::new(false)).unwrap();
    assert_eq!(record.served(), requests as usize);
    hit_ratio(&record, requests)
}

/// H. Che, Y. Tung, Z. Wang, "Hierarchical web caching systems: modeling, design and experimental
/// results", IEEE JSAC 20(7), 2002: a thing is in an LRU cache when it was asked for within the
/// time T in which as many different things are asked for as there is room.
#[test]
fn an_lru_cache_hits_as_often_as_che_tung_and_wang_approximate() {
    let popularity = popularity(1000, 0.8);
    for room in [50_u32, 200] {
        let there = |t: f64, p: f64| 1.0 - libm::exp(-p * t);
        let (mut low, mut high) = (0.0, 1e6);
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            let filled: f64 = popularity.iter().map(|p| there(middle, *p)).sum();
            if filled < f64::from(room) {
                low = middle;
            } else {
                high = middle;
            }
        }
        let expected: f64 = popularity.iter().map(|p| p * there(low, *p)).sum();
        for seed in 1..=6 {
            let found = ratio_of(Policy::Lru, u64::from(room), seed);
            // An empty cache misses once for each thing that it has room for.
            let off = (found - expected).abs();
            assert!(off < 0.015, "seed {seed}: {found}, not {expected}");
        }
    }
}

#[test]
fn a_cache_of_the_most_popular_things_hits_as_often_as_they_are_asked_for() {
    let expected: f64 = popularity(1000, 0.8)[..100].iter().sum();
    for seed in 1..=6 {
        let found = ratio_of(Policy::Static, 100, seed);
        let error = (expected * (1.0 - expected) / 40_000.0).sqrt();
        assert!(
            (found - expected).abs() < 3.3 * error,
            "seed {seed}: {found}, not {expected}"
        );
        // What counts how often things are asked for comes close to that, what does not stays behind.
        let lfu = ratio_of(Policy::Lfu, 100, seed);
        let lru = ratio_of(Policy::Lru, 100, seed);
        assert!(
            lru + 0.02 < lfu && lfu < found,
            "seed {seed}: {lru} {lfu} {found}"
        );
    }
}

/// Everybody wants the same object at once.
fn rush(users: u32, edges: u32) -> (WorldSpec, Config) {
    let mut spec = WorldSpec::default();
    spec.population.peers = users;
    delivered(edges, spec)
}

const OBJECT: u64 = 10_000_000;

#[test]
fn users_who_want_the_same_wait_for_one_copy_together_or_for_a_copy_each() {
    for (coalescing, copies) in [(true, 1), (false, 20)] {
        let (spec, config) = rush(20, 1);
        let config = Config {
            coalescing,
            ..config
        };
        let record = simulate::<Cdn>(&spec, &config, 1);
        assert_eq!(record.served(), 20);
        assert_eq!(record.traffic.between_machines, Bytes(copies * OBJECT));
    }
}

#[test]
fn a_shield_fetches_once_for_all_edges() {
    let (mut spec, config) = rush(40, 4);
    spec.infrastructure
        .push(machines("shield", 1, Processor::default()));
    let shielded = Config {
        shield: Some("shield".into()),
        ..config.clone()
    };
    let bare = Config {
        edges: vec!["edge".into()],
        ..config
    };
    for (config, copies) in [(bare, 4), (shielded, 1)] {
        let record = simulate::<Cdn>(&spec, &config, 1);
        assert_eq!(record.served(), 40);
        let sent = record.loads[0].sent.0 / OBJECT;
        assert_eq!(sent, copies);
        // Ten users for each edge.
        for edge in 1..=4 {
            assert_eq!(record.loads[edge].sent.0 / OBJECT, 10);
        }
    }
}

/// Two regions, an edge in each, the origin in the first.
fn two_regions() -> (WorldSpec, Config) {
    let (mut spec, config) = delivered(1, lookups(0.0, 50.0, 400, Law::Constant(0.0)));
    spec.regions = vec!["here".into(), "there".into()];
    spec.population.region_shares = vec![0.5, 0.5];
    let ms = |ms: u64| SimDuration(ms * 1_000_000);
    let between = vec![ms(10), ms(200), ms(200), ms(10)];
    spec.latency = Latency::between_regions(2, between);
    let mut far = machines("far-edge", 1, Processor::default());
    far.region = 1;
    spec.infrastructure.push(far);
    spec.demand.wants = Wants::Lookup {
        keys: 1,
        zipf: 0.0,
        value: Bytes(0),
        reads: share(1.0),
    };
    (spec, config)
}

#[test]
fn users_are_served_from_where_they_live() {
    let (spec, config) = two_regions();
    let record = simulate::<Cdn>(&spec, &config, 1);
    assert_eq!(record.served(), 400);
    let slow = times(&record)
        .into_iter()
        .filter(|time| *time > 0.021)
        .count();
    // Whoever asks while the only value is fetched for the first time waits.
    assert!(slow < 60, "{slow}");
}

#[test]
fn users_of_an_edge_that_is_down_go_to_the_next_nearest_after_a_timeout() {
    let (mut spec, config) = two_regions();
    spec.failures = vec![crash(
        Who::Machine("far-edge".into()),
        2.0,
        1000.0,
        StateLoss::Kept,
    )];
    let config = Config {
        response_timeout: seconds(3.0),
        ..config
    };
    let record = simulate::<Cdn>(&spec, &config, 1);
    assert_eq!(record.served(), 400);
    let late = times(&record);
    let failed_over = late
        .iter()
        .filter(|time| (**time - 3.4).abs() < 0.01)
        .count();
    let went_there_at_once = late
        .iter()
        .filter(|time| (**time - 0.4).abs() < 0.01)
        .count();
    assert!(failed_over > 10 && went_there_at_once > 10);
}

#[test]
fn an_edge_that_loses_its_disk_fetches_everything_again() {
    let mut spec = popular(4000);
    spec.failures = vec![crash(
        Who::Machine("edge".into()),
        20.0,
        1.0,
        StateLoss::Lost,
    )];
    let kept = {
        let mut spec = spec.clone();
        spec.failures = vec![crash(
            Who::Machine("edge".into()),
            20.0,
            1.0,
            StateLoss::Kept,
        )];
        spec
    };
    let fetched = |spec: WorldSpec| {
        let (spec, config) = delivered(1, spec);
        let config = Config {
            response_timeout: seconds(2.0),
            ..config
        };
        let record = simulate::<Cdn>(&spec, &config, 1);
        assert_eq!(record.served(), 4000);
        record.traffic.between_machines.0 / VALUE
    };
    let (kept, lost) = (fetched(kept), fetched(spec));
    assert!(kept <= 1010, "{kept}");
    assert!(lost > kept + 300, "{lost} after {kept}");
}

#[test]
fn without_edges_users_ask_the_origin() {
    let record = simulate::<Cdn>(&WorldSpec::default(), &Config::default(), 1);
    assert_eq!(record.served(), 10);
    assert_eq!(record.traffic.between_machines, Bytes(0));
}

#[test]
fn a_slow_origin_is_felt_on_the_first_request_only() {
    let (mut spec, config) = delivered(1, WorldSpec::default());
    spec.infrastructure[0].upload = rate(1e6);
    spec.demand.arrivals =
        Arrivals::Trace((0..10).map(|n| seconds(200.0 * f64::from(n))).collect());
    let record = simulate::<Cdn>(&spec, &config, 1);
    let times = times(&record);
    // 10 MB at 1 Mbps, then at the user's 50 Mbps.
    assert!((times[0] - 81.6).abs() < 0.2, "{}", times[0]);
    assert!(times[1..].iter().all(|time| (time - 1.64).abs() < 0.01));
}

#[test]
fn settings_that_do_not_fit_are_refused_by_name() {
    let (mut spec, good) = rush(1, 2);
    spec.infrastructure[1].storage = Some(Bytes(1_000_000_000));
    let good = Config {
        cache: Bytes(500_000_000),
        ..good
    };
    let mut mistakes: Vec<(&str, &str, Config)> = Vec::new();
    let mut mistake = |key, says, change: fn(&mut Config)| {
        let mut config = good.clone();
        change(&mut config);
        mistakes.push((key, says, config));
    };
    mistake("cache", "more than the disk", |c| {
        c.cache = Bytes(2_000_000_000);
    });
    mistake("cache", "too small", |c| c.cache = Bytes(1));
    mistake("origin", "names 2 machines", |c| {
        c.origin = Some("edge".into());
    });
    mistake("origin", "must say which", |c| c.origin = None);
    mistake("shield", "names the origin", |c| {
        c.shield = Some("origin".into());
    });
    mistake("shield-cache", "no effect", |c| {
        c.shield_cache = Some(Bytes(1));
    });
    mistake("edges", "names the origin", |c| {
        c.edges = vec!["origin".into()];
    });
    mistake("edges", "twice", |c| {
        c.edges = vec!["edge".into(), "edge".into()];
    });
    mistake("connections", "is 0", |c| c.connections = 0);
    mistake("response-timeout", "is 0 s", |c| {
        c.response_timeout = seconds(0.0);
    });
    let world = Arc::new(World::draw(&spec, 1, 0));
    let stop = AtomicBool::new(false);
    assert!(run::<Cdn>(&world, &good, &stop).is_ok());
    for (key, says, config) in mistakes {
        let error = run::<Cdn>(&world, &config, &stop).unwrap_err().to_string();
        assert!(error.contains(&format!("`{key}`")), "{key}: {error}");
        assert!(error.contains(says), "{key}: {error}");
    }
}
