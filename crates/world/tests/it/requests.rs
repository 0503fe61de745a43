use netduel_world::{
    AfterDownload, Cause, Outcome, Seconds, Share, SimDuration, SimTime, WorldSpec,
};

use crate::probe::{Config, probe};

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

#[test]
fn a_user_asks_again_after_waits_that_grow_up_to_a_limit() {
    let mut spec = WorldSpec::default();
    spec.patience.retries = 5;
    spec.patience.backoff = seconds(1.0);
    spec.patience.backoff_factor = 2.0;
    spec.patience.backoff_max = seconds(5.0);
    spec.patience.backoff_jitter = Share::default();
    let config = Config {
        fails: true,
        ..Default::default()
    };
    let record = probe(&spec, &config, 1);
    for request in &record.requests {
        assert_eq!(request.outcome, Outcome::Failed(Cause::Refused));
        assert_eq!(request.attempts, 6);
        // 1 + 2 + 4 + 5 + 5 s.
        assert_eq!(request.ended, SimTime(17_000_000_000));
    }
}

#[test]
fn jitter_spreads_the_waits_of_different_users() {
    let mut spec = WorldSpec::default();
    spec.patience.retries = 1;
    let config = Config {
        fails: true,
        ..Default::default()
    };
    let record = probe(&spec, &config, 1);
    let mut ends: Vec<u64> = record.requests.iter().map(|r| r.ended.0).collect();
    assert!(
        ends.iter()
            .all(|at| (800_000_000..=1_200_000_000).contains(at))
    );
    ends.sort_unstable();
    ends.dedup();
    assert_eq!(ends.len(), 10);
}

#[test]
fn a_deadline_ends_a_request_even_between_attempts() {
    let mut spec = WorldSpec::default();
    spec.patience.deadline = Some(seconds(0.5));
    let config = Config {
        fails: true,
        ..Default::default()
    };
    let record = probe(&spec, &config, 1);
    for request in &record.requests {
        assert_eq!(request.outcome, Outcome::Failed(Cause::DeadlinePassed));
        assert_eq!(request.ended, SimTime(500_000_000));
    }
}

#[test]
fn a_fixed_length_fails_what_is_still_open_and_runs_on_when_all_is_done() {
    for (length, served) in [(1.0, 0), (60.0, 10)] {
        let spec = WorldSpec {
            run_for: Some(seconds(length)),
            ..Default::default()
        };
        let record = probe(&spec, &Config::default(), 1);
        assert_eq!(
            record.ended,
            SimTime::ZERO + SimDuration::from_seconds(length)
        );
        assert_eq!(record.served(), served);
    }
}

#[test]
fn who_leaves_after_the_download_does_not_wait_for_the_others() {
    let mut spec = WorldSpec {
        run_for: Some(seconds(60.0)),
        ..Default::default()
    };
    spec.population.after_download = AfterDownload::Linger(seconds(5.0));
    let record = probe(&spec, &Config::default(), 1);
    assert_eq!(record.served(), 10);
}

#[test]
fn the_cost_of_a_wait_does_not_grow_with_the_attempts_before_it() {
    let mut spec = WorldSpec::default();
    spec.population.peers = 1;
    // Were every wait reckoned from the first one on, this would take a thousand million steps.
    spec.patience.retries = 50_000;
    spec.patience.backoff = seconds(1e-6);
    spec.patience.backoff_max = seconds(1e-3);
    spec.patience.backoff_jitter = Share::default();
    let config = Config {
        fails: true,
        ..Default::default()
    };
    let record = probe(&spec, &config, 1);
    assert_eq!(record.requests[0].attempts, 50_001);
}
