//! What stands in the tables.

use std::collections::BTreeMap;

use tempfile::tempdir;

use crate::{DUEL, rows, run_into};

type Row = BTreeMap<String, String>;

fn number(row: &Row, column: &str) -> f64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("{column} of {row:?} is no number"))
}

fn of<'a>(rows: &'a [Row], wanted: &[(&str, &str)]) -> Vec<&'a Row> {
    let matches = |row: &&Row| wanted.iter().all(|(column, value)| row[*column] == *value);
    rows.iter().filter(matches).collect()
}

#[test]
fn a_design_against_itself_differs_by_exactly_nothing() {
    let folder = tempdir().unwrap();
    let text = DUEL.replace("search = \"1 s\"", "");
    run_into(folder.path(), &text).unwrap();
    let differences = rows(folder.path(), "differences.csv");
    assert!(differences.len() > 20);
    for row in &differences {
        assert_eq!(
            (row["mean_difference"].as_str(), row["verdict"].as_str()),
            ("0", "identical"),
            "{row:?}"
        );
    }
    let digests = rows(folder.path(), "digests.csv");
    let (quick, slow) = (
        of(&digests, &[("contender", "quick")]),
        of(&digests, &[("contender", "slow")]),
    );
    for (one, other) in quick.iter().zip(&slow) {
        assert_eq!(
            (&one["digest"], &one["events"]),
            (&other["digest"], &other["events"])
        );
    }
}

#[test]
fn a_second_of_searching_costs_a_second_of_waiting() {
    let folder = tempdir().unwrap();
    // One user alone, so that nobody shares a link.
    let text = DUEL.replace("[2, 5]", "[1]");
    run_into(folder.path(), &text).unwrap();
    let differences = rows(folder.path(), "differences.csv");
    let rows = of(&differences, &[("metric", "completion_time")]);
    assert_eq!(rows.len(), 1);
    assert!((number(rows[0], "mean_difference") - 1.0).abs() < 1e-9);
    assert_eq!(
        (rows[0]["a"].as_str(), rows[0]["b"].as_str()),
        ("quick", "slow")
    );
    assert_eq!(
        (rows[0]["n"].as_str(), rows[0]["verdict"].as_str()),
        ("3", "A lower")
    );
}

#[test]
fn a_lone_server_without_latency_reaches_the_bound_of_kurose_and_ross() {
    let folder = tempdir().unwrap();
    let text = DUEL
        .replace("latency = \"20 ms\"", "latency = \"0 s\"")
        .replace("{ poisson = \"0.5 /s\" }", "\"all at once\"");
    run_into(folder.path(), &text).unwrap();
    let theory = rows(folder.path(), "theory.csv");
    let summary = rows(folder.path(), "summary.csv");
    for (point, bound) in [("0", 2.0), ("1", 5.0)] {
        let wanted = [
            ("point", point),
            ("contender", "quick"),
            ("metric", "makespan"),
        ];
        assert!((number(of(&theory, &wanted)[0], "value") - bound).abs() < 1e-12);
        // What exceeds the bound is the 100 bytes of the question.
        let simulated = number(of(&summary, &wanted)[0], "mean");
        assert!(
            simulated >= bound && simulated < bound + 0.001,
            "{simulated} s, bound {bound} s"
        );
    }
}

#[test]
fn theory_is_silent_where_it_does_not_apply() {
    let folder = tempdir().unwrap();
    run_into(folder.path(), DUEL).unwrap();
    assert_eq!(
        rows(folder.path(), "theory.csv").len(),
        0,
        "a Poisson process is not at once"
    );
}

#[test]
fn a_timeline_ends_with_everything_delivered_and_everybody_served() {
    let folder = tempdir().unwrap();
    run_into(folder.path(), DUEL).unwrap();
    let timeline = rows(folder.path(), "timeline.csv");
    for (point, users) in [("0", 2.0), ("1", 5.0)] {
        for contender in ["quick", "slow"] {
            let here = |metric| {
                of(
                    &timeline,
                    &[
                        ("point", point),
                        ("contender", contender),
                        ("metric", metric),
                    ],
                )
            };
            let (delivered, served, rate) =
                (here("delivered"), here("served"), here("delivery_rate"));
            assert!((number(delivered.last().unwrap(), "mean") - users * 1e6).abs() < 1e-3);
            assert!((number(served.last().unwrap(), "mean") - 1.0).abs() < 1e-12);
            assert_eq!(served.len(), rate.len() + 1);
            assert!(
                (101..=251).contains(&served.len()),
                "{} instants",
                served.len()
            );
            let step = number(served[1], "time_s");
            let bits: f64 = rate.iter().map(|row| number(row, "mean") * step).sum();
            assert!(
                (bits - users * 8e6).abs() < 1.0,
                "the rate adds up to {bits} bit"
            );
        }
    }
}

#[test]
fn a_distribution_counts_all_users_and_leaves_out_what_a_run_missed() {
    let folder = tempdir().unwrap();
    // The depot goes down for good while the first user is being served, or before.
    let text = DUEL.to_owned()
        + "\n[[failures]]\nat = \"1 ms\"\nwho = { machine = \"depot\" }\nwhat = \"crash\"\n";
    run_into(folder.path(), &text).unwrap();
    assert_eq!(rows(folder.path(), "distributions.csv").len(), 0);
    let folder = tempdir().unwrap();
    run_into(folder.path(), DUEL).unwrap();
    let distribution = rows(folder.path(), "distributions.csv");
    let wanted = [("point", "1"), ("contender", "quick")];
    let shares: Vec<f64> = of(&distribution, &wanted)
        .iter()
        .map(|r| number(r, "share"))
        .collect();
    assert_eq!(shares.len(), 100);
    assert!(shares.is_sorted() && (shares[99] - 1.0).abs() < 1e-12);
}

#[test]
fn incidents_name_who_was_hit_and_how_loaded_they_were() {
    let folder = tempdir().unwrap();
    let text = DUEL.to_owned()
        + "\n[[failures]]\nat = \"500 ms\"\nlasts = \"2 s\"\nwho = { most-loaded = 1 }\nwhat = \"crash\"\n";
    run_into(folder.path(), &text).unwrap();
    let incidents = rows(folder.path(), "incidents.csv");
    assert_eq!(incidents.len(), 2 * 2 * 3);
    for row in &incidents {
        assert_eq!(
            (
                row["what"].as_str(),
                row["at_s"].as_str(),
                row["until_s"].as_str()
            ),
            ("crash", "0.5", "2.5")
        );
        assert_eq!(row["node"] == "depot", row["role"] == "infrastructure");
    }
}

#[test]
fn every_table_is_there_even_when_it_has_no_row() {
    let folder = tempdir().unwrap();
    let manifest = run_into(folder.path(), DUEL).unwrap();
    for name in netduel_experiment::TABLE_NAMES {
        assert!(manifest.files.contains_key(name), "{name} is missing");
        rows(folder.path(), name);
    }
}

#[test]
fn tables_without_a_sweep_have_one_point_and_no_axis() {
    let folder = tempdir().unwrap();
    let text = DUEL.split("[sweep]").next().unwrap().to_owned();
    run_into(folder.path(), &text).unwrap();
    let summary = std::fs::read_to_string(folder.path().join("summary.csv")).unwrap();
    assert!(summary.starts_with("point,contender,metric,unit,n,mean,ci_low,ci_high,method\n"));
}

#[test]
fn claims_need_the_whole_interval_on_their_side() {
    let folder = tempdir().unwrap();
    let text = DUEL.to_owned()
        + r#"
[[claims]]
text = "searching costs time"
expect = "quick.completion_time < slow.completion_time"

[[claims]]
text = "searching costs more than half"
expect = "quick.completion_time < slow.completion_time / 100"

[[claims]]
text = "everybody is served"
expect = "slow.success_ratio >= 1"
where = { "population.peers" = 5 }
"#;
    let manifest = run_into(folder.path(), &text).unwrap();
    let holds: Vec<bool> = manifest.claims.iter().map(|claim| claim.holds).collect();
    assert_eq!(holds, [true, false, true], "{:#?}", manifest.claims);
    assert!(manifest.claims[2].detail.contains("population.peers = 5"));
}
