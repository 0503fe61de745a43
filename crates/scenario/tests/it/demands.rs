//! What users ask for, in all its forms.

use std::{collections::BTreeMap, path::Path};

use netduel_scenario::{Scenario, ScenarioError, read};
use netduel_world::{Arrivals, Bytes, Discipline, Law, Replication, Wants};

use crate::{RIGHT, architectures::registry_of_all};

/// The right scenario with another demand and one contender that serves it, and more after it.
fn asking(demand: &str, rest: &str) -> String {
    let start = RIGHT.find("[demand.download]").unwrap();
    let end = RIGHT.find("[contenders").unwrap();
    let world = &RIGHT[..start];
    assert!(end > start);
    format!("{world}{demand}\n[contenders.all.oracle]\n{rest}")
}

fn read_text(text: &str) -> Result<Scenario, ScenarioError> {
    let files = BTreeMap::from([
        (Path::new("s/a.toml").to_owned(), text.to_owned()),
        (
            Path::new("s/times.csv").to_owned(),
            "time_s\n0\n1\n2\n".to_owned(),
        ),
    ]);
    read(Path::new("s/a.toml"), &files, &registry_of_all())
}

fn right(text: &str) -> Scenario {
    read_text(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn wrong(text: &str) -> String {
    match read_text(text) {
        Ok(_) => panic!("this was accepted:\n{text}"),
        Err(error) => error.to_string(),
    }
}

const LOOKUP: &str = "[demand.lookup]\nkeys = 100\narrivals = \"all at once\"\n";
const SEARCH: &str = "[demand.search]\nobjects = 50\nreplicas = 2.5\narrivals = \"all at once\"\n";
const BROADCAST: &str = "[demand.broadcast]\narrivals = \"all at once\"\n";

#[test]
fn every_demand_becomes_what_users_want() {
    let wants = |text: &str| {
        right(&asking(text, "")).points[0]
            .world
            .demand
            .wants
            .clone()
    };
    let Wants::Lookup {
        keys: 100,
        value: Bytes(0),
        reads,
        ..
    } = wants(LOOKUP)
    else {
        panic!("look-ups of 100 keys");
    };
    assert!((reads.get() - 1.0).abs() < f64::EPSILON);
    let searched = format!("{SEARCH}zipf = 0.8\nreplication = \"square-root\"\n");
    let Wants::Search { rule, .. } = wants(&searched) else {
        panic!("searches");
    };
    assert_eq!(rule, Replication::SquareRoot);
    assert_eq!(wants(BROADCAST), Wants::Broadcast { size: Bytes(0) });
    let files = "[demand.download]\nobjects = 7\nzipf = 1.0\nsize = \"1 MB\"\n\
                 requests = 30\narrivals = \"all at once\"\n";
    assert!(matches!(wants(files), Wants::Download { objects: 7, .. }));
}

#[test]
fn every_way_to_come_is_read() {
    let arrivals = |written: &str| {
        let text = LOOKUP.replace("\"all at once\"", written);
        right(&asking(&text, "")).points[0]
            .world
            .demand
            .arrivals
            .clone()
    };
    let crowd = arrivals(
        "{ flash-crowd = { base = \"1 /s\", peak = \"9 /s\", at = \"10 s\", rise = \"1 s\", \
         hold = \"2 s\", fall = \"3 s\" } }",
    );
    assert!(matches!(crowd, Arrivals::FlashCrowd { .. }));
    let day = arrivals("{ diurnal = { mean = \"1 /s\", swing = \"50 %\", period = \"1 d\" } }");
    assert!(matches!(day, Arrivals::Diurnal { .. }));
    let closed =
        arrivals("{ closed-loop = { think = { erlang = { stages = 3, mean = \"6 s\" } } } }");
    let think = Law::Erlang {
        stages: 3,
        mean: 6.0,
    };
    assert_eq!(closed, Arrivals::ClosedLoop { think });
}

#[test]
fn a_hyperexponential_law_has_its_mean_and_variation() {
    let text = format!("{LOOKUP}work = {{ hyperexponential = {{ mean = \"2 s\", cv2 = 4 }} }}\n");
    let scenario = right(&asking(&text, ""));
    let Law::Mixture(phases) = &scenario.points[0].world.demand.work else {
        panic!("two phases");
    };
    let moments = |power: i32| -> f64 {
        let moment = |(share, law): &(f64, Law)| share * law.mean().powi(power);
        phases.iter().map(moment).sum()
    };
    // Of an exponential phase of mean m the second moment is 2 m^2.
    let (mean, second) = (moments(1), 2.0 * moments(2));
    assert!((mean - 2.0).abs() < 1e-12, "mean {mean}");
    let cv2 = second / (mean * mean) - 1.0;
    assert!((cv2 - 4.0).abs() < 1e-12, "squared variation {cv2}");
    // Balanced: each phase makes up half of the mean.
    for (share, law) in phases {
        assert!((share * law.mean() - 1.0).abs() < 1e-12);
    }
}

#[test]
fn processors_and_patience_are_what_is_written() {
    let text = asking(
        &format!("{LOOKUP}work = \"10 ms\"\n"),
        "[patience]\ntimeout = \"5 s\"\nretry-budget = { tokens = 10, ratio = 0.1 }\n",
    )
    .replace(
        "[infrastructure.server]",
        "[infrastructure.server]\ncores = 4\nspeed = 2.5\nqueue = 9\ndiscipline = \"processor-sharing\"",
    );
    let scenario = right(&text);
    let world = &scenario.points[0].world;
    let processor = world.infrastructure[0].processor;
    assert_eq!((processor.cores, processor.queue), (4, 9));
    assert_eq!(processor.discipline, Discipline::ProcessorSharing);
    assert_eq!(world.patience.budget.unwrap().tokens, 10);
    assert_eq!(world.patience.timeout.unwrap().to_string(), "5 s");
    let explained = scenario.explain();
    for words in [
        "4 cores of speed 2.5, shared by all, 9 may wait",
        "answering a request takes a core of speed 1: 10 ms",
        "an attempt without an outcome is given up after 5 s",
        "10 tokens, one for each failed attempt, 0.1 back",
        "work: answering the same request takes the same time on the same processor",
        "every user looks up the value of one of 100 keys once; arrivals all at once",
    ] {
        assert!(explained.contains(words), "{words} is not in\n{explained}");
    }
}

#[test]
fn the_setup_says_what_is_asked_for() {
    let setup = |demand: &str| right(&asking(demand, "")).setup;
    let rest = "10 users; server up 100 Mbps; users 10 Mbps up, 50 Mbps down";
    assert_eq!(
        setup(&format!(
            "{LOOKUP}zipf = 0.8\nreads = 0.9\nrequests = 5000\nwork = \"1 ms\"\n"
        )),
        format!(
            "look-ups of 100 keys (Zipf 0.8), 90 % look-ups; 5,000 requests; {rest}; work 1 ms; latency 20 ms"
        )
    );
    assert_eq!(
        setup(SEARCH),
        format!("searches for 50 objects, 2.5 copies of each on average; {rest}; latency 20 ms")
    );
    assert_eq!(
        setup(BROADCAST),
        format!("broadcast; {rest}; latency 20 ms")
    );
}

#[test]
fn the_resolved_scenario_is_the_same_scenario() {
    let texts = [
        asking(
            &format!("{LOOKUP}work = \"1 ms\"\n"),
            "[patience]\ntimeout = \"9 s\"\n",
        ),
        asking(&format!("{SEARCH}zipf = 1.0\n"), ""),
        asking(BROADCAST, ""),
        asking(
            "[demand.download]\nobjects = 3\nsize = \"1 MB\"\nrequests = 3\n\
             arrivals = { trace = \"times.csv\" }\n",
            "",
        ),
    ];
    for text in texts {
        let scenario = right(&text);
        let resolved = scenario.resolved();
        let again = right(&resolved);
        assert_eq!(again.resolved(), resolved);
        let worlds = |scenario: &Scenario| format!("{:?}", scenario.points[0].world);
        assert_eq!(worlds(&again), worlds(&scenario), "{resolved}");
        assert_eq!(again.ledger, scenario.ledger);
    }
}

#[test]
fn mistakes_in_a_demand_are_pointed_at() {
    let cases = [
        (
            asking("[demand]\n", ""),
            "16:2: `demand` says nothing; expected one of `download`, `lookup`, `search`, `broadcast`",
        ),
        (
            asking(&format!("{LOOKUP}{BROADCAST}"), ""),
            "19:9: `demand.broadcast` is given besides `demand.lookup`; expected one or the other",
        ),
        (
            asking(&LOOKUP.replace("100", "0"), ""),
            "17:8: `demand.lookup.keys` is 0; expected a whole number from 1 to 10000000",
        ),
        (
            asking(&format!("{LOOKUP}zipf = -1.0"), ""),
            "19:8: `demand.lookup.zipf` is -1.0; expected a number from 0 to 10",
        ),
        (
            asking(&format!("{LOOKUP}requests = 0"), ""),
            "19:12: `demand.lookup.requests` is 0; expected a whole number from 1 to 100000000",
        ),
        (
            asking(&SEARCH.replace("2.5", "11.0"), ""),
            "18:12: `demand.search.replicas` is 11.0; expected a number from 1 to 10, the number of users",
        ),
        (
            asking(&format!("{SEARCH}replication = \"uniform\""), ""),
            "20:15: `demand.search.replication` has no effect: all objects are equally popular; expected it to be left out",
        ),
        (
            asking(&format!("{}zipf = 1.0", LOOKUP.replace("100", "1")), ""),
            "19:8: `demand.lookup.zipf` has no effect: there is one thing to ask for; expected it to be left out",
        ),
        (
            asking(
                &LOOKUP.replace("\"all at once\"", "{ trace = \"times.csv\" }"),
                "",
            ),
            "18:22: `demand.lookup.arrivals.trace` has 3 rows for 10 users; expected a row for each user",
        ),
        (
            asking(
                &LOOKUP.replace(
                    "\"all at once\"",
                    "{ flash-crowd = { base = \"2 /s\", peak = \"1 /s\", at = \"0 s\", rise = \"0 s\", hold = \"1 s\", fall = \"0 s\" } }",
                ),
                "",
            ),
            "18:52: `demand.lookup.arrivals.flash-crowd.peak` is \"1 /s\"; expected more than `base`, 2 /s",
        ),
        (
            asking(
                &LOOKUP.replace(
                    "\"all at once\"",
                    "{ diurnal = { mean = \"2 /s\", swing = 0.1, period = \"0 s\" } }",
                ),
                "",
            ),
            "18:63: `demand.lookup.arrivals.diurnal.period` is \"0 s\"; expected a time above 0 s",
        ),
        (
            asking(
                &format!("{LOOKUP}work = {{ hyperexponential = {{ mean = \"1 s\", cv2 = 0.5 }} }}"),
                "",
            ),
            "19:51: `demand.lookup.work.hyperexponential.cv2` is 0.5; expected a number from 1 to 10000",
        ),
        (
            asking(
                &format!("{LOOKUP}work = {{ erlang = {{ stages = 0, mean = \"1 s\" }} }}"),
                "",
            ),
            "19:30: `demand.lookup.work.erlang.stages` is 0; expected a whole number from 1 to 1000",
        ),
        (
            asking(
                &format!("{LOOKUP}work = {{ pareto = {{ shape = 0.1, min = \"1 s\" }} }}"),
                "",
            ),
            "19:1: `demand.lookup.work` is { pareto = { shape = 0.1, min = \"1 s\" } }; expected a law under which no draw is longer than 100 years",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(wrong(&text), format!("s/a.toml:{expected}"), "{text}");
    }
}

#[test]
fn what_has_no_effect_on_the_answering_is_refused() {
    let cores = |text: String| text.replace("[network]", "cores = 2\n[network]");
    let cases = [
        (
            cores(asking(LOOKUP, "")),
            "`infrastructure.server.cores` has no effect: answering takes no work",
        ),
        (
            asking(&format!("{LOOKUP}work = \"1 s\"\n"), "")
                .replace("peers = 10", "peers = 10\nspeed = 2"),
            "`population.speed` has no effect: in no contender do users' devices answer",
        ),
        (
            asking(
                LOOKUP,
                "[patience]\ndeadline = \"1 s\"\ntimeout = \"1 s\"\n",
            ),
            "`patience.timeout` has no effect: the deadline comes first",
        ),
        (
            asking(
                LOOKUP,
                "[patience]\nretries = 0\nretry-budget = { tokens = 3, ratio = 0 }\n",
            ),
            "`patience.retry-budget` has no effect: there are no retries",
        ),
        (
            asking(LOOKUP, "").replace("peers = 10", "peers = 10\nafter-download = \"leave\""),
            "`population.after-download` has no effect: nobody downloads",
        ),
        (
            asking(LOOKUP, "").replace("[network]", "storage = \"1 GB\"\n[network]"),
            "`infrastructure.server.storage` has no effect: no contender fills a disk",
        ),
        (
            asking(LOOKUP, "")
                .replace("oracle", "hub")
                .replace("[network]", "cores = 0\n[network]"),
            "`infrastructure.server.cores` is 0; expected a whole number from 1 to 1000000",
        ),
        (
            asking(
                "[demand.download]\nsize = \"1 MB\"\nrequests = 9\narrivals = \"all at once\"\n",
                "",
            )
            .replace("peers = 10", "peers = 10\nafter-download = \"leave\""),
            "`population.after-download` has users leave who may ask again",
        ),
        (
            asking(
                LOOKUP,
                "[patience]\nretry-budget = { tokens = 0, ratio = 1 }\n",
            ),
            "`patience.retry-budget.tokens` is 0; expected a whole number from 1 to 1000",
        ),
        (
            asking(LOOKUP, "[patience]\ntimeout = \"0 s\"\n"),
            "`patience.timeout` is \"0 s\"; expected a time above 0 s",
        ),
    ];
    for (text, expected) in cases {
        let found = wrong(&text);
        assert!(found.contains(expected), "{found}\ninstead of {expected}");
    }
}

#[test]
fn a_contender_that_cannot_serve_the_demand_is_refused_with_those_that_can() {
    let text = asking(LOOKUP, "[contenders.other.hub]\n");
    assert_eq!(
        wrong(&text),
        "s/a.toml:21:19: `contenders.other.hub` does not serve `lookup`; expected `oracle`\n\
         hint: `hub` serves `download`"
    );
}

#[test]
fn keys_of_a_demand_can_be_swept() {
    let text = asking(
        LOOKUP,
        "[sweep]\n\"demand.lookup.arrivals\" = [{ poisson = \"5 /s\" }, \"all at once\"]\n\
         \"demand.lookup.keys\" = [1, 1000]\n",
    );
    let scenario = right(&text);
    assert_eq!(scenario.points.len(), 4);
    assert_eq!(scenario.axes[1].label, "keys");
    assert!(
        scenario.setup.starts_with("look-ups of 1 to 1,000 keys"),
        "{}",
        scenario.setup
    );
}
