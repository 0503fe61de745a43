//! What is measured of requests that are no downloads.

use std::collections::BTreeMap;

use tempfile::tempdir;

use crate::{DUEL, rows, run_into};

/// The means of the metrics of the contender `quick` at the only point.
fn measured(demand: &str, rest: &str) -> BTreeMap<String, f64> {
    let folder = tempdir().unwrap();
    let download = "[demand.download]\nsize = \"1 MB\"\narrivals = { poisson = \"0.5 /s\" }\n";
    assert!(DUEL.contains(download));
    let text = DUEL
        .replace(download, demand)
        .replace("[sweep]\n\"population.peers\" = [2, 5]\n", rest)
        .replace("count = 1", "count = 1\nqueue = 3")
        .replace(
            "queue = 3",
            if demand.contains("work") {
                "queue = 3"
            } else {
                ""
            },
        );
    run_into(folder.path(), &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let summary = rows(folder.path(), "summary.csv");
    let mine = summary.iter().filter(|row| row["contender"] == "quick");
    mine.map(|row| (row["metric"].clone(), row["mean"].parse().unwrap()))
        .collect()
}

fn close(measured: &BTreeMap<String, f64>, metric: &str, expected: f64) {
    let found = measured.get(metric);
    let found = found.unwrap_or_else(|| panic!("{metric} is missing in {measured:#?}"));
    // A mean of quotients over replications that differ in the seventh digit.
    let off = (found - expected).abs() / expected.abs().max(1.0);
    assert!(off < 1e-8, "{metric} is {found}; expected {expected}");
}

#[test]
fn look_ups_that_wait_for_a_core_wait_as_long_as_those_before_them_work() {
    let measured = measured(
        "[demand.lookup]\nkeys = 9\nzipf = 1.0\nreads = 0.5\narrivals = \"all at once\"\n\
         work = \"10 ms\"\n",
        "",
    );
    // Four of four ask at once; they wait for 0, 10, 20 and 30 ms.
    close(&measured, "work_wait_mean", 0.015);
    close(&measured, "success_ratio", 1.0);
    close(&measured, "work_refused", 0.0);
    close(&measured, "messages_per_request", 2.0);
    close(&measured, "utilisation_users", 0.0);
    // The question of 100 B takes 0.8 ms up, 0.1 ms down and 20 ms between, the answer 20 ms and
    // as long again, but for the variety of downlinks.
    let makespan = measured["makespan"];
    assert!((0.08..0.084).contains(&makespan), "{makespan} s");
    close(&measured, "utilisation_infrastructure", 0.04 / makespan);
    close(&measured, "throughput", 4.0 / makespan);
    assert!(measured["completion_time_p99"] > measured["completion_time_p50"]);
    for absent in ["bytes_per_useful_byte", "goodput", "reach", "dip_depth"] {
        assert!(!measured.contains_key(absent), "{absent}");
    }
}

#[test]
fn work_beyond_the_queue_is_refused() {
    let measured = measured(
        "[demand.search]\nobjects = 3\nreplicas = 2.0\nrequests = 9\n\
         arrivals = \"all at once\"\nwork = \"1 s\"\n",
        "[patience]\nretries = 0\n",
    );
    // One is on the core, three wait.
    close(&measured, "work_refused", 5.0);
    close(&measured, "failed.refused", 5.0);
    close(&measured, "served", 4.0);
}

#[test]
fn values_are_bytes_that_are_wanted() {
    let measured = measured(
        "[demand.lookup]\nkeys = 9\nvalue = \"1 kB\"\narrivals = { closed-loop = { think = \"1 s\" } }\n\
         requests = 8\n",
        "",
    );
    close(&measured, "served", 8.0);
    // 1 kB of value and 100 B of question.
    close(&measured, "bytes_per_useful_byte", 1.1);
    assert!(!measured.contains_key("work_refused"));
}

#[test]
fn a_broadcast_is_followed_until_all_users_are_reached() {
    let demand = "[demand.broadcast]\narrivals = \"all at once\"\n";
    let all = measured(demand, "");
    close(&all, "reach", 1.0);
    close(&all, "served", 1.0);
    close(&all, "completion_time", all["reach_time_100"]);
    assert!(all["reach_time_50"] > 0.04 && all["reach_time_50"] < all["reach_time_100"]);
    // The depot is down for good: nobody but the teller has it.
    let none = measured(
        demand,
        "[patience]\ndeadline = \"9 s\"\n[[failures]]\nat = \"0 s\"\nwho = \"infrastructure\"\n\
         what = \"crash\"\n",
    );
    close(&none, "reach", 0.25);
    close(&none, "failed.deadline_passed", 1.0);
    assert!(!none.contains_key("reach_time_50"));
}

#[test]
fn the_timeline_of_a_broadcast_shows_whom_it_reached() {
    let folder = tempdir().unwrap();
    let download = "[demand.download]\nsize = \"1 MB\"\narrivals = { poisson = \"0.5 /s\" }\n";
    let text = DUEL.replace(download, "[demand.broadcast]\narrivals = \"all at once\"\n");
    run_into(folder.path(), &text).unwrap();
    let timeline = rows(folder.path(), "timeline.csv");
    let served: Vec<f64> = timeline
        .iter()
        .filter(|row| row["metric"] == "served" && row["point"] == "1")
        .map(|row| row["mean"].parse().unwrap())
        .collect();
    // The teller is one of five users.
    assert!((served[0] - 0.2).abs() < 1e-12, "{served:?}");
    assert!(served.iter().any(|share| (share - 1.0).abs() < 1e-12));
    let distributions = rows(folder.path(), "distributions.csv");
    let complete = |row: &&BTreeMap<String, String>| row["share"] == "1" && row["point"] == "1";
    assert_eq!(distributions.iter().filter(complete).count(), 2);
}
