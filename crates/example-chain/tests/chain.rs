//! The chain from inside and outside, and the guide that walks through it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, atomic::AtomicBool},
};

use netduel_example_chain::{Chain, Config};
use netduel_world::{
    Access, AfterDownload, Arrivals, BitsPerSecond, Bytes, Cause, Demand, Failure, Latency, Law,
    Outcome, PerSecond, Pick, RunRecord, Seconds, Share, SimDuration, StateLoss, Wants, What, Who,
    World, WorldSpec, run, run_strict,
};

const UPLINK: f64 = 10e6;
/// The time that one uplink takes for the file.
const FILE_TIME: f64 = 10_000.0;

fn seconds(seconds: f64) -> Seconds {
    Seconds::new(seconds).unwrap()
}

/// Equal uplinks, downlinks that never bind, no latency.
fn equal_uplinks(users: u32) -> WorldSpec {
    let size = Bytes(12_500_000_000);
    let mut spec = WorldSpec {
        latency: Latency::constant(SimDuration::ZERO),
        demand: Demand::one_object(size, Arrivals::AllAtOnce),
        ..Default::default()
    };
    spec.population.peers = users;
    spec.population.access = Access::Independent {
        upload: Law::Constant(UPLINK),
        download: Law::Constant(1e12),
    };
    spec.infrastructure[0].upload = BitsPerSecond::new(UPLINK).unwrap();
    spec
}

fn pieces(pieces: u32) -> Config {
    Config {
        pieces,
        ..Default::default()
    }
}

/// Runs a chain twice, the second time with an eye on who knows whom, and checks the books.
fn chain(spec: &WorldSpec, config: &Config, seed: u64) -> RunRecord {
    let world = Arc::new(World::draw(spec, seed, 0));
    let stop = AtomicBool::new(false);
    let record = run::<Chain>(&world, config, &stop).unwrap();
    let again = run_strict::<Chain>(&world, config, &stop).unwrap();
    assert_eq!(record, again, "seed {seed}: same seed, same course");
    let traffic = record.traffic;
    assert_eq!(traffic.sent, traffic.received + traffic.lost, "seed {seed}");
    for request in &record.requests {
        assert!(request.issued <= request.ended && request.ended <= record.ended);
    }
    record
}

/// Biersack, Rodriguez and Felber: with C pieces the last of N has the file after (C + N - 1) / C
/// times the time that one link takes for it.
#[test]
fn the_last_in_line_has_the_file_when_theory_says_so() {
    for (c, n) in [(1, 1), (10, 10), (10, 100), (100, 100), (100, 1000)] {
        let record = chain(&equal_uplinks(n), &pieces(c), 1);
        assert_eq!(record.served(), n as usize);
        let theory = FILE_TIME * f64::from(c + n - 1) / f64::from(c);
        let off = record.ended.as_seconds() / theory - 1.0;
        assert!(off.abs() < 1e-6, "C = {c}, N = {n}: {}", record.ended);
    }
}

/// What can happen, happens: churn, damage, crashes of the server and of users, impatience.
fn turmoil() -> WorldSpec {
    let mut spec = WorldSpec {
        latency: Latency::constant(SimDuration::from_seconds(0.04)).with_jitter(0.3),
        demand: Demand::one_object(
            Bytes(20_000_000),
            Arrivals::Poisson(PerSecond::new(1.0).unwrap()),
        ),
        corruption: 1e-8,
        ..Default::default()
    };
    spec.population.peers = 40;
    spec.patience.deadline = Some(seconds(600.0));
    let failure = |at, lasts: Option<f64>, who, what| Failure {
        at: seconds(at),
        lasts: lasts.map(seconds),
        who,
        what,
    };
    let churn = What::Churn {
        session: Law::Weibull {
            shape: 0.6,
            scale: 60.0,
        },
        downtime: Law::Exponential { mean: 20.0 },
    };
    let third = Who::Random {
        share: Share::new(0.3).unwrap(),
        of: Pick::Users,
    };
    spec.failures = vec![
        failure(0.0, None, Who::Role(Pick::Users), churn),
        failure(
            20.0,
            Some(30.0),
            Who::MostLoaded(2),
            What::Crash(StateLoss::Kept),
        ),
        failure(40.0, Some(30.0), third, What::Crash(StateLoss::Lost)),
    ];
    spec
}

#[test]
fn the_books_close_whatever_happens() {
    for seed in 1..=6 {
        let record = chain(&turmoil(), &Config::default(), seed);
        assert!(record.served() > 20, "seed {seed}: {}", record.served());
        let other = chain(&turmoil(), &Config::default(), seed + 100);
        assert_ne!(record.digest, other.digest, "another seed, another course");
    }
}

#[test]
fn with_nothing_in_the_way_everybody_is_served_and_all_is_quiet_then() {
    let mut spec = WorldSpec::default();
    let needed = chain(&spec, &Config::default(), 1);
    assert_eq!(needed.served(), 10);
    spec.run_for = Some(seconds(36_000.0));
    let hours = chain(&spec, &Config::default(), 1);
    assert_eq!(hours.traffic.sent, needed.traffic.sent);
    assert_eq!(hours.state.end, needed.state.end);
}

#[test]
fn a_broken_chain_closes_the_gap() {
    // A user in the middle is gone after a quarter of the way; everybody else gets the file.
    for who in [0.1, 0.3] {
        let mut spec = equal_uplinks(20);
        spec.failures = vec![Failure {
            at: seconds(FILE_TIME / 4.0),
            lasts: None,
            who: Who::Random {
                share: Share::new(who).unwrap(),
                of: Pick::Users,
            },
            what: What::Crash(StateLoss::Kept),
        }];
        for seed in 1..=6 {
            let record = chain(&spec, &Config::default(), seed);
            let dead = record.incidents[0].victims.len();
            assert_eq!(record.served() + dead, 20, "seed {seed}");
        }
    }
}

#[test]
fn whoever_leaves_with_the_file_is_stepped_over() {
    let mut spec = equal_uplinks(20);
    spec.population.after_download = AfterDownload::Leave;
    let record = chain(&spec, &pieces(10), 1);
    assert_eq!(record.served(), 20);
}

#[test]
fn without_a_server_there_is_nothing_to_pass_on() {
    let mut spec = WorldSpec::default();
    spec.patience.retries = 2;
    let crash = |loss, lasts: Option<f64>| Failure {
        at: seconds(0.0),
        lasts: lasts.map(seconds),
        who: Who::Role(Pick::Infrastructure),
        what: What::Crash(loss),
    };
    let cases = [
        (crash(StateLoss::Kept, None), Cause::NoAnswer),
        (crash(StateLoss::Lost, Some(0.001)), Cause::Refused),
    ];
    for (failure, cause) in cases {
        spec.failures = vec![failure];
        let record = chain(&spec, &Config::default(), 1);
        for request in &record.requests {
            assert_eq!(request.outcome, Outcome::Failed(cause));
        }
    }
}

#[test]
fn damage_is_noticed_and_a_second_request_of_a_user_is_served_as_well() {
    let mut spec = WorldSpec {
        corruption: 1e-7,
        ..Default::default()
    };
    spec.demand.requests = Some(60);
    let record = chain(&spec, &Config::default(), 1);
    assert_eq!(record.served(), 60);
}

#[test]
fn bad_settings_are_refused() {
    let refusal = |spec: &WorldSpec, config: &Config| {
        let world = Arc::new(World::draw(spec, 1, 0));
        run::<Chain>(&world, config, &AtomicBool::new(false))
            .unwrap_err()
            .to_string()
    };
    let spec = WorldSpec::default();
    let expected = "`pieces` is 0; expected 1 to 10000000";
    assert_eq!(refusal(&spec, &pieces(0)), expected);
    let hasty = Config {
        response_timeout: seconds(0.0),
        ..Default::default()
    };
    let expected = "`response-timeout` is 0 s; expected a time above 0";
    assert_eq!(refusal(&spec, &hasty), expected);
    let mut spec = spec;
    spec.demand.wants = Wants::Download {
        objects: 2,
        zipf: 0.0,
        size: Bytes(1000),
    };
    let expected = "`pieces` cuts up one file, and users want several";
    assert_eq!(refusal(&spec, &Config::default()), expected);
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The code blocks of the guide that are written in `language`.
fn blocks(language: &str) -> Vec<String> {
    let guide = fs::read_to_string(file("../../docs/guide/your-own-architecture.md")).unwrap();
    let fences = guide.split("```");
    let blocks: Vec<String> = fences
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'))
        .map(str::to_owned)
        .collect();
    assert!(!blocks.is_empty(), "the guide has no {language}");
    blocks
}

#[test]
fn the_code_in_the_guide_is_the_code_of_this_crate() {
    let sources = [
        ("rust", &["src/lib.rs", "src/main.rs", "tests/chain.rs"][..]),
        ("toml", &["Cargo.toml", "line-up.toml"]),
    ];
    for (language, names) in sources {
        let texts: Vec<String> = names
            .iter()
            .map(|name| fs::read_to_string(file(name)).unwrap())
            .collect();
        for block in blocks(language) {
            assert!(
                texts.iter().any(|text| text.contains(&block)),
                "none of {names:?} has this block of the guide:\n{block}"
            );
        }
    }
}

#[test]
fn the_commands_in_the_guide_work() {
    let folder = tempfile::tempdir().unwrap();
    let crate_folder = folder.path().join("crates/example-chain");
    fs::create_dir_all(&crate_folder).unwrap();
    fs::copy(file("line-up.toml"), crate_folder.join("line-up.toml")).unwrap();
    let mut data = String::new();
    for line in blocks("sh").concat().lines() {
        let args = line.strip_prefix("cargo run -p netduel-example-chain -- ");
        let Some(args) = args else {
            assert_eq!(line, "cargo test -p netduel-example-chain");
            continue;
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_netduel-example-chain"));
        command.current_dir(folder.path()).args(args.split(' '));
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{line}\n{said}");
        data += &String::from_utf8(output.stdout).unwrap();
    }
    assert!(data.contains("chain (peer-to-peer)"), "{data}");
    let table = fs::read_to_string(folder.path().join("line-up/summary.csv")).unwrap();
    assert!(table.contains("chain"), "{table}");
    assert!(folder.path().join("line-up/report.html").exists());
}
