use netduel_peer_to_peer::{CentralIndex, central_index::Config, unstructured::Start};
use netduel_world::{
    Access, AfterDownload, Arrivals, BitsPerSecond, Bytes, Cause, Demand, Failure, Latency, Law,
    MachineGroup, Outcome, PerHour, Processor, RunRecord, Share, SimDuration, StateLoss, Wants,
    What, Who, WorldSpec,
};

use crate::searching::{
    churn, clockwork, crash, latencies, mean, never, refusal, seconds, village, watched,
};

fn machines(name: &str, count: u32, bits: f64) -> MachineGroup {
    MachineGroup {
        name: name.into(),
        count,
        upload: BitsPerSecond::new(bits).unwrap(),
        download: BitsPerSecond::new(bits).unwrap(),
        region: 0,
        processor: Processor::default(),
        storage: None,
        price: PerHour::default(),
    }
}

fn with_index(mut spec: WorldSpec) -> WorldSpec {
    spec.infrastructure = vec![machines("index", 1, 1e12)];
    spec
}

/// Users who download 10 MB over links of 10 Mbps, one every 20 s.
fn downloads(peers: u32) -> WorldSpec {
    let mut spec = WorldSpec {
        demand: Demand::one_object(
            Bytes(10_000_000),
            Arrivals::Trace(
                (0..peers)
                    .map(|user| seconds(20.0 * f64::from(user)))
                    .collect(),
            ),
        ),
        infrastructure: vec![machines("server", 1, 10e6)],
        ..Default::default()
    };
    spec.population.peers = peers;
    spec.population.access = Access::Independent {
        upload: Law::Constant(10e6),
        download: Law::Constant(10e6),
    };
    spec
}

fn quiet() -> Config {
    Config {
        keep_alive: never(),
        ..Default::default()
    }
}

fn serve(spec: &WorldSpec, config: &Config, seed: u64) -> RunRecord {
    watched::<CentralIndex>(spec, config, seed)
}

#[test]
fn a_search_takes_one_question_and_one_answer() {
    let spec = with_index(clockwork(100, 50, 2.0, 500));
    let record = serve(&spec, &quiet(), 1);
    assert_eq!(record.served(), 500);
    let times = latencies(&record);
    assert!(times.iter().all(|time| (time - 2.0).abs() < 1e-6));
    assert_eq!(record.loads[0].messages, times.len() as u64);
    let mut spec = spec;
    spec.demand.work = Law::Constant(0.5);
    spec.demand.arrivals = Arrivals::Trace((0..500).map(|at| seconds(f64::from(at))).collect());
    let record = serve(&spec, &quiet(), 1);
    let remote: Vec<f64> = latencies(&record)
        .into_iter()
        .filter(|time| *time > 1.0)
        .collect();
    assert!(remote.iter().all(|time| (time - 2.5).abs() < 1e-6));
    assert!(remote.len() > 450);
    assert!(record.worked[0].busy.as_seconds() > 225.0);
}

/// Two in turn always find the server free, or a user who has it: one link's time each.
#[test]
fn a_download_comes_from_anybody_who_has_it() {
    let peers = 50;
    for seed in 1..=6 {
        let record = serve(&downloads(peers), &Config::default(), seed);
        assert_eq!(record.served(), peers as usize, "seed {seed}");
        // 8 s of bytes, and four messages' latency before they come.
        let times = latencies(&record);
        assert!(
            times.iter().all(|time| (8.0..8.2).contains(time)),
            "{times:?}"
        );
        let sent = |node: usize| record.loads[node].sent.0;
        assert!(
            sent(0) < 200_000_000,
            "seed {seed}: the server sent {}",
            sent(0)
        );
        assert!(sent(0) >= 10_000_000);
        let sources = (1..=peers as usize).filter(|node| sent(*node) > 10_000_000);
        assert!(sources.count() > 10, "seed {seed}");
    }
}

#[test]
fn sources_are_chosen_evenly() {
    // After the first 10 nobody becomes a source.
    let mut spec = downloads(400);
    spec.population.after_download = AfterDownload::Leave;
    spec.infrastructure = vec![machines("server", 4, 100e6)];
    for seed in 1..=6 {
        let record = serve(&spec, &Config::default(), seed);
        assert_eq!(record.served(), 400, "seed {seed}");
        for origin in &record.loads[..4] {
            let sent = origin.sent.0 as f64 / 10e6;
            // Of 400 a quarter; standard deviation 8.7.
            assert!(
                (sent - 100.0).abs() < 3.3 * 8.7 + 5.0,
                "seed {seed}: {sent}"
            );
        }
    }
}

#[test]
fn free_riders_send_nothing() {
    let mut spec = downloads(20);
    spec.population.free_riders = Share::new(1.0).unwrap();
    let record = serve(&spec, &Config::default(), 1);
    assert_eq!(record.served(), 20);
    assert!(record.loads[0].sent.0 > 200_000_000);
    assert!(record.loads[1..].iter().all(|load| load.sent.0 < 1000));
}

#[test]
fn a_download_that_breaks_goes_on_with_another() {
    for (resume, most) in [(true, 101.0), (false, 130.0)] {
        let mut spec = downloads(10);
        spec.demand.arrivals = Arrivals::Trace(vec![seconds(1.0); 10]);
        spec.infrastructure = vec![machines("index", 1, 1e9), machines("origin", 2, 10e6)];
        spec.failures = vec![Failure {
            at: seconds(20.0),
            lasts: None,
            // An origin, which has sent most.
            who: Who::MostLoaded(1),
            what: What::Crash(StateLoss::Kept),
        }];
        let config = Config {
            index: Some("index".into()),
            origin: Some("origin".into()),
            resume,
            ..Default::default()
        };
        for seed in 1..=6 {
            let record = serve(&spec, &config, seed);
            assert!([1, 2].contains(&record.incidents[0].victims[0].node.0));
            assert_eq!(record.served(), 10, "seed {seed}");
            assert!(
                record.requests.iter().all(|r| r.attempts == 1),
                "seed {seed}"
            );
            let received: u64 = record.loads[3..].iter().map(|load| load.received.0).sum();
            let megabytes = received as f64 / 1e6;
            assert!(megabytes < most, "seed {seed}: {megabytes}");
            assert!(resume || megabytes > 101.0, "seed {seed}: {megabytes}");
        }
    }
}

#[test]
fn damaged_downloads_are_fetched_from_another() {
    let mut spec = downloads(50);
    // 10 MB arrive intact with probability exp(-0.7) = 0.5.
    spec.corruption = 7e-8;
    spec.patience.retries = 30;
    let record = serve(&spec, &Config::default(), 1);
    assert_eq!(record.served(), 50);
    let received: u64 = record.loads[1..].iter().map(|load| load.received.0).sum();
    assert!(received > 800_000_000);
}

#[test]
fn peers_register_when_they_join_and_when_the_index_has_forgotten_them() {
    for seed in 1..=6 {
        let mut spec = with_index(village(300));
        spec.patience.retries = 0;
        spec.demand.arrivals = Arrivals::Trace((0..300).map(|at| seconds(f64::from(at))).collect());
        spec.failures = vec![Failure {
            at: seconds(100.0),
            lasts: Some(seconds(20.0)),
            who: Who::Machine("index".into()),
            what: What::Crash(StateLoss::Kept),
        }];
        let config = Config {
            start: Start::Join,
            response_timeout: seconds(5.0),
            ..Default::default()
        };
        let record = serve(&spec, &config, seed);
        let share = |from: f64, to: f64| {
            let issued =
                |r: &&netduel_world::RequestRecord| (from..to).contains(&r.issued.as_seconds());
            let all = record.requests.iter().filter(issued).count();
            let served = record.requests.iter().filter(issued);
            let served = served.filter(|r| r.outcome == Outcome::Served).count();
            served as f64 / all as f64
        };
        // All have registered 30 s after they or the index have come.
        assert!(share(31.0, 99.0) > 0.999, "seed {seed}");
        assert!(share(100.0, 120.0) < 0.5, "seed {seed}");
        assert!(share(151.0, 300.0) > 0.999, "seed {seed}");
        let down = record.requests.iter().filter(|r| {
            (100.1..120.0).contains(&r.issued.as_seconds()) && r.outcome != Outcome::Served
        });
        for request in down.filter(|r| r.issued.as_seconds() < 114.0) {
            assert_eq!(request.outcome, Outcome::Failed(Cause::NoAnswer));
        }
    }
}

/// The index names the dead until they have been silent for long.
#[test]
fn the_silent_are_forgotten() {
    let mut spec = with_index(clockwork(100, 1, 50.0, 100));
    spec.demand.arrivals = Arrivals::Trace(
        (0..100)
            .map(|at| seconds(if at < 50 { 50.0 } else { 400.0 }))
            .collect(),
    );
    spec.failures = vec![crash(20.0, 0.999)];
    let record = serve(&spec, &Config::default(), 1);
    let late = record
        .requests
        .iter()
        .filter(|r| r.issued.as_seconds() > 399.0);
    for request in late.filter(|r| r.attempts > 0 && r.ended > r.issued) {
        let causes = [Cause::NotFound, Cause::Unfinished].map(Outcome::Failed);
        assert!(causes.contains(&request.outcome), "{request:?}");
    }
}

#[test]
fn downloads_outlive_churn() {
    for seed in 1..=6 {
        let mut spec = downloads(100);
        spec.latency = Latency::constant(SimDuration::from_seconds(0.05)).with_jitter(0.3);
        spec.failures = vec![churn(120.0, 30.0)];
        let record = serve(&spec, &Config::default(), seed);
        assert_eq!(record.served(), 100, "seed {seed}");
        assert!(mean(&latencies(&record)) < 60.0, "seed {seed}");
    }
}

#[test]
fn a_full_source_is_passed_over() {
    let mut spec = downloads(30);
    spec.demand.arrivals = Arrivals::Trace(vec![seconds(0.0); 30]);
    spec.demand.work = Law::Constant(1.0);
    spec.infrastructure[0].processor.queue = 5;
    spec.patience.retries = 0;
    let record = serve(&spec, &Config::default(), 1);
    let refused = Outcome::Failed(Cause::Refused);
    let count = record
        .requests
        .iter()
        .filter(|r| r.outcome == refused)
        .count();
    assert_eq!((record.served(), count), (6, 24));
}

#[test]
fn many_objects_each_have_sources_of_their_own() {
    let mut spec = downloads(60);
    spec.demand.wants = Wants::Download {
        objects: 20,
        zipf: 0.8,
        size: Bytes(1_000_000),
    };
    spec.demand.requests = Some(300);
    spec.demand.arrivals = Arrivals::Poisson("1 /s".parse().unwrap());
    for seed in 1..=6 {
        let record = serve(&spec, &Config::default(), seed);
        assert_eq!(record.served(), 300, "seed {seed}");
        assert!(record.loads[0].sent.0 < 200_000_000, "seed {seed}");
    }
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let search = with_index(clockwork(10, 1, 1.0, 1));
    let default = Config::default;
    for (config, problem) in [
        (
            Config {
                sources: 0,
                ..default()
            },
            "`sources` is 0; expected at least 1",
        ),
        (
            Config {
                missed: 0,
                ..default()
            },
            "`missed` is 0; expected at least 1",
        ),
        (
            Config {
                index: Some("x".into()),
                ..default()
            },
            "`index` names machines \"x\"",
        ),
        (
            Config {
                origin: Some("index".into()),
                ..default()
            },
            "`origin` has no effect",
        ),
        (
            Config {
                response_timeout: seconds(0.0),
                ..default()
            },
            "`response-timeout` is 0 s",
        ),
    ] {
        let error = refusal::<CentralIndex>(&search, &config);
        assert!(error.contains(problem), "{error}");
    }
}
