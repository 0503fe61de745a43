use netduel_peer_to_peer::{Superpeer, flooding::Answers, superpeer::Config, unstructured::Start};
use netduel_world::{
    Access, AccessClass, BitsPerSecond, Cause, Failure, Law, Outcome, RunRecord, Share, StateLoss,
    What, Who, WorldSpec,
};

use crate::searching::{
    churn, clockwork, crash, latencies, mean, never, refusal, seconds, village, watched,
};

fn search(spec: &WorldSpec, config: &Config, seed: u64) -> RunRecord {
    watched::<Superpeer>(spec, config, seed)
}

fn quiet() -> Config {
    Config {
        answers: Answers::Direct,
        keep_alive: never(),
        query_timeout: seconds(1000.0),
        ..Default::default()
    }
}

/// Half of the users have fast uplinks, and every one of those offers itself.
fn two_classes(spec: &mut WorldSpec) {
    let rate = |bits| BitsPerSecond::new(bits).unwrap();
    let class = |upload| AccessClass {
        share: 0.5,
        upload: rate(upload),
        download: rate(1e12),
    };
    spec.population.access = Access::Classes(vec![class(1e6), class(1e12)]);
}

/// A leaf asks its superpeer (1 s), which knows (1 s), or passes it on (1 s for each link).
#[test]
fn searches_take_a_step_for_each_link() {
    for seed in 1..=6 {
        let spec = clockwork(400, 100, 2.0, 1000);
        let config = Config {
            neighbours: 4,
            ttl: 20,
            ..quiet()
        };
        let record = search(&spec, &config, seed);
        assert_eq!(record.served(), 1000, "seed {seed}");
        let times = latencies(&record);
        // To the nanosecond but for the bits on the wire.
        assert!(times.iter().all(|time| (time - time.round()).abs() < 1e-6));
        let most = times.iter().fold(0.0_f64, |most, time| most.max(*time));
        // 40 superpeers of degree 4 are at most 6 links apart.
        assert!((2.0..=9.0).contains(&most.round()), "seed {seed}: {most}");
    }
}

/// What hangs on one superpeer is answered by it without asking any other.
#[test]
fn a_lone_superpeer_is_an_index() {
    let mut spec = clockwork(40, 40, 1.0, 400);
    spec.run_for = Some(seconds(1000.0));
    let config = Config {
        upload_min: BitsPerSecond::new(4e12).unwrap(),
        ..quiet()
    };
    let record = search(&spec, &config, 1);
    assert_eq!(record.served(), 400);
    let times = latencies(&record);
    assert!(times.iter().all(|time| (time - 2.0).abs() < 1e-6));
    // One question and one answer for each search that no leaf or the superpeer knew the answer to.
    let messages: u64 = record.loads.iter().map(|load| load.messages).sum();
    assert_eq!(messages, 2 * times.len() as u64);
    assert_eq!(
        record.loads[0].messages,
        times.len() as u64,
        "the first user answers"
    );
}

#[test]
fn only_those_with_fast_uplinks_carry_the_search() {
    for seed in 1..=6 {
        let mut spec = clockwork(200, 50, 4.0, 500);
        two_classes(&mut spec);
        spec.patience.retries = 3;
        let config = Config {
            upload_min: BitsPerSecond::new(1e9).unwrap(),
            superpeers: Share::new(0.5).unwrap(),
            ..quiet()
        };
        let record = search(&spec, &config, seed);
        assert_eq!(record.served(), 500, "seed {seed}");
        let mut received: Vec<u64> = record.loads.iter().map(|load| load.received.0).collect();
        received.sort_unstable();
        let half: u64 = received[..140].iter().sum();
        let all: u64 = received.iter().sum();
        // 140 leaves hear answers to 2.5 questions each; 50 superpeers hear every question.
        assert!(half * 5 < all, "seed {seed}: {half} of {all}");
    }
}

#[test]
fn leaves_find_other_superpeers_when_theirs_are_silent() {
    for seed in 1..=6 {
        let mut spec = village(800);
        spec.patience.retries = 10;
        // The most loaded are superpeers.
        spec.failures = vec![Failure {
            at: seconds(60.0),
            lasts: None,
            who: Who::MostLoaded(10),
            what: What::Crash(StateLoss::Lost),
        }];
        let late = |config: &Config| {
            let record = search(&spec, config, seed);
            let late = record
                .requests
                .iter()
                .filter(|r| r.issued.as_seconds() > 400.0);
            let (mut served, mut prompt) = (0, 0);
            for request in late {
                let time = request.ended.as_seconds() - request.issued.as_seconds();
                if request.outcome == Outcome::Served {
                    served += 1;
                    prompt += u32::from(time < 5.0);
                }
            }
            (served, prompt)
        };
        // The others have room for all leaves.
        let roomy = Config {
            leaves: 200,
            ..Default::default()
        };
        let (served, prompt) = late(&roomy);
        let (_, stuck) = late(&Config {
            keep_alive: never(),
            ..roomy
        });
        assert!(served > 340, "seed {seed}: {served}");
        assert!(
            prompt > stuck,
            "seed {seed}: {prompt} with pings, {stuck} without"
        );
        assert!(
            prompt * 20 > served * 19,
            "seed {seed}: {prompt} of {served}"
        );
    }
}

#[test]
fn the_overlay_outlives_churn() {
    for start in [Start::Converged, Start::Join] {
        for seed in 1..=6 {
            let mut spec = village(600);
            spec.patience.retries = 10;
            spec.failures = vec![churn(600.0, 120.0)];
            let record = search(
                &spec,
                &Config {
                    start,
                    ..Default::default()
                },
                seed,
            );
            let served = record.served() as f64 / 600.0;
            assert!(served > 0.99, "seed {seed}, {start:?}: {served}");
        }
    }
}

#[test]
fn a_small_world_joins_too() {
    for peers in [1, 2, 3, 12] {
        let mut spec = village(20);
        spec.population.peers = peers;
        spec.demand.wants = clockwork(1, 3, 1.0, 1).demand.wants;
        spec.patience.retries = 10;
        for start in [Start::Converged, Start::Join] {
            let record = search(
                &spec,
                &Config {
                    start,
                    ..Default::default()
                },
                1,
            );
            assert_eq!(record.served(), 20, "{peers} peers, {start:?}");
        }
    }
}

#[test]
fn whoever_answers_works_and_may_have_no_time() {
    let mut spec = clockwork(50, 1, 1.0, 50);
    spec.demand.work = Law::Constant(2.0);
    spec.population.processor.queue = 3;
    let config = Config {
        superpeers: Share::new(0.01).unwrap(),
        redundancy: 1,
        leaves: 100,
        ..quiet()
    };
    let record = search(&spec, &config, 3);
    let refused = Outcome::Failed(Cause::Refused);
    let count = record
        .requests
        .iter()
        .filter(|r| r.outcome == refused)
        .count();
    assert!(
        record.served() >= 4 && count > 10,
        "{} and {count}",
        record.served()
    );
    assert_eq!(record.served() + count, 50);
    assert!(mean(&latencies(&record)) >= 4.0 - 1e-6);
}

#[test]
fn among_the_dead_nobody_answers() {
    let mut spec = village(20);
    spec.patience.retries = 10;
    spec.failures = vec![crash(0.0, 0.99)];
    let record = search(&spec, &Config::default(), 1);
    let alive = record
        .requests
        .iter()
        .filter(|r| r.attempts > 0 && r.ended > r.issued);
    for request in alive.filter(|r| r.outcome != Outcome::Served) {
        let causes = [Cause::NoAnswer, Cause::Unfinished].map(Outcome::Failed);
        assert!(causes.contains(&request.outcome), "{request:?}");
    }
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let spec = clockwork(10, 1, 1.0, 1);
    let default = Config::default;
    for (config, problem) in [
        (
            Config {
                ttl: 0,
                ..default()
            },
            "`ttl` is 0; expected at least 1",
        ),
        (
            Config {
                redundancy: 0,
                ..default()
            },
            "`redundancy` is 0; expected at least 1",
        ),
        (
            Config {
                leaves: 0,
                ..default()
            },
            "`leaves` is 0; expected at least 1",
        ),
        (
            Config {
                neighbours: 1,
                ..default()
            },
            "`neighbours` is 1; expected at least 2",
        ),
        (
            Config {
                superpeers: Share::default(),
                ..default()
            },
            "expected a share above 0",
        ),
    ] {
        let error = refusal::<Superpeer>(&spec, &config);
        assert!(error.contains(problem), "{error}");
    }
}
