//! Laws that every architecture in the registry upholds, whatever it does.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use netduel_scenario::{Scenario, read};
use netduel_world::{Bytes, Cause, Outcome, RunRecord, World};

/// A crowd in which everything happens that can: arrivals, far places, churn, damage, crashes of
/// the server, of users and of the most loaded, slow and cut links, deadlines and a design's default settings.
fn turmoil(kind: &str) -> String {
    format!(
        r#"
title = "Turmoil"
question = "Do the books close?"
[population]
peers = 40
upload = {{ lognormal = {{ median = "5 Mbps", sigma = 0.8 }} }}
download = "20 Mbps"
[infrastructure.server]
upload = "50 Mbps"
download = "50 Mbps"
[network]
latency = {{ constant = "40 ms", jitter = 0.3 }}
corruption = 1e-8
[demand.download]
size = "20 MB"
arrivals = {{ poisson = "1 /s" }}
[patience]
deadline = "10 min"
[[failures]]
at = "0 s"
who = "users"
what = {{ churn = {{ session = {{ weibull = {{ shape = 0.6, scale = "60 s" }} }}, downtime = {{ exponential = {{ mean = "20 s" }} }} }} }}
[[failures]]
at = "20 s"
lasts = "30 s"
who = {{ most-loaded = 2 }}
what = "crash"
[[failures]]
at = "40 s"
lasts = "30 s"
who = {{ random = {{ share = 0.3, of = "users" }} }}
what = "crash"
state = "lost"
[[failures]]
at = "10 s"
lasts = "60 s"
who = {{ random = {{ share = 0.5 }} }}
what = {{ slow = {{ to = "20 %" }} }}
[[failures]]
at = "15 s"
lasts = "10 s"
who = {{ most-loaded = 3 }}
what = {{ slow = {{ to = 0 }} }}
[experiment]
replications = 6
[contenders."{kind}".{kind}]
"#
    )
}

/// Nothing goes wrong and nobody is in a hurry.
fn calm(kind: &str) -> String {
    format!(
        r#"
title = "Calm"
question = "Is everybody served?"
[population]
peers = 12
upload = "5 Mbps"
download = "20 Mbps"
[infrastructure.server]
upload = "50 Mbps"
download = "50 Mbps"
[network]
latency = "40 ms"
[demand.download]
size = "5 MB"
arrivals = "all at once"
[contenders."{kind}".{kind}]
"#
    )
}

fn scenario(text: &str) -> Scenario {
    let path = PathBuf::from("law.toml");
    let files = BTreeMap::from([(path, text.to_owned())]);
    match read(Path::new("law.toml"), &files, &netduel::architectures()) {
        Ok(scenario) => scenario,
        Err(error) => panic!("{error}\n{text}"),
    }
}

fn run(scenario: &Scenario, replication: u64) -> RunRecord {
    let point = &scenario.points[0];
    let world = World::draw(&point.world, scenario.experiment.seed, replication);
    let stop = AtomicBool::new(false);
    let record = point.contenders[0].run(&Arc::new(world), &stop).unwrap();
    assert_books_close(&record);
    record
}

fn assert_books_close(record: &RunRecord) {
    let issued = record.requests.len();
    let failed = Cause::ALL.map(|cause| {
        let with = |r: &&netduel_world::RequestRecord| r.outcome == Outcome::Failed(cause);
        record.requests.iter().filter(with).count()
    });
    assert_eq!(issued, record.served() + failed.iter().sum::<usize>());
    let traffic = record.traffic;
    assert_eq!(traffic.sent, traffic.received + traffic.lost);
    let sent: Bytes = record.loads.iter().map(|load| load.sent).sum();
    let received: Bytes = record.loads.iter().map(|load| load.received).sum();
    assert_eq!((traffic.sent, traffic.received), (sent, received));
    for request in &record.requests {
        assert!(request.issued <= request.ended && request.ended <= record.ended);
    }
}

fn every_kind(law: impl Fn(&str)) {
    for kind in netduel::architectures().kinds() {
        law(kind.name);
    }
}

#[test]
fn the_books_close_whatever_happens() {
    every_kind(|kind| {
        let turmoil = scenario(&turmoil(kind));
        for replication in 0..6 {
            run(&turmoil, replication);
        }
    });
}

#[test]
fn the_same_seed_takes_the_same_course_and_another_seed_another() {
    every_kind(|kind| {
        let turmoil = scenario(&turmoil(kind));
        let record = run(&turmoil, 0);
        assert_eq!(record, run(&turmoil, 0), "{kind}");
        assert_ne!(record.digest, run(&turmoil, 1).digest, "{kind}");
    });
}

#[test]
fn with_nothing_in_the_way_everybody_is_served() {
    every_kind(|kind| {
        let record = run(&scenario(&calm(kind)), 0);
        assert_eq!(record.served(), 12, "{kind}");
    });
}

/// Whatever was under way when the links were cut goes on afterwards, at any stage of the exchange.
#[test]
fn after_a_cut_everybody_is_served() {
    every_kind(|kind| {
        for (who, at) in [
            ("all", 0.05),
            ("all", 1.0),
            ("infrastructure", 0.5),
            ("users", 1.5),
        ] {
            let cut = format!(
                "[[failures]]\nat = \"{at} s\"\nlasts = \"7 s\"\nwho = \"{who}\"\n\
                 what = {{ slow = {{ to = 0 }} }}\n"
            );
            let record = run(&scenario(&(calm(kind) + &cut)), 0);
            assert_eq!(record.served(), 12, "{kind}, {who} cut at {at} s");
            let late = record
                .requests
                .iter()
                .all(|r| r.ended.as_seconds() > at + 7.0);
            assert!(
                late || who == "infrastructure",
                "{kind}, {who} cut at {at} s"
            );
        }
    });
}

#[test]
fn nobody_has_the_object_before_its_bytes_and_one_latency_have_come() {
    every_kind(|kind| {
        let record = run(&scenario(&calm(kind)), 0);
        // 5 MB at 20 Mbps, and a question and an answer at 40 ms each.
        let soonest = 2.0 + 0.08;
        for request in &record.requests {
            assert!(
                request.ended.as_seconds() > soonest,
                "{kind}: {}",
                request.ended
            );
        }
        for load in &record.loads[1..] {
            assert!(load.received >= Bytes(5_000_000), "{kind}");
        }
    });
}

#[test]
fn a_world_without_its_machines_fails_with_a_cause() {
    every_kind(|kind| {
        let dead = calm(kind).replace(
            "[contenders",
            "[patience]\ndeadline = \"1 h\"\n[[failures]]\nat = \"0 s\"\nwho = \
             \"infrastructure\"\nwhat = \"crash\"\n[contenders",
        );
        let record = run(&scenario(&dead), 0);
        assert_eq!(record.served(), 0, "{kind}");
        let expected = [Cause::NoAnswer, Cause::DeadlinePassed].map(Outcome::Failed);
        for request in &record.requests {
            assert!(
                expected.contains(&request.outcome),
                "{kind}: {:?}",
                request.outcome
            );
        }
    });
}

#[test]
fn nothing_is_charged_for_waiting_but_signs_of_life() {
    // An hour after everybody was served, an architecture may keep in touch but not grow.
    every_kind(|kind| {
        let fixed = |length: &str| {
            let text = calm(kind).replace(
                "[contenders",
                &format!("[experiment]\nuntil = \"{length}\"\n[contenders"),
            );
            run(&scenario(&text), 0)
        };
        let (one, two, three) = (fixed("1 h"), fixed("2 h"), fixed("3 h"));
        let second = two.traffic.sent.0 - one.traffic.sent.0;
        let third = three.traffic.sent.0 - two.traffic.sent.0;
        assert!(
            third <= second + second / 10 + 1000,
            "{kind}: {second} B, then {third} B"
        );
        // 13 nodes, 80 neighbours at most, a message of 100 B a minute at most.
        assert!(second < 13 * 80 * 60 * 100, "{kind}: {second} B");
    });
}
