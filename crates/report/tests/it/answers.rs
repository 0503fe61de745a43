//! The sentences, in ordinary and in odd cases.

use netduel_report::{answer, headline_table};

use crate::folders::{DUEL, Folder, RUNS, crowd, grid, kinds, outage, throng};

/// One point, with completion times and success ratios per contender.
fn point(labels: &[&str], times: &[Option<f64>], shares: &[f64], scatter: f64) -> Folder {
    let mut folder = Folder::new(&[], labels);
    let at = (0, "", "");
    let shares: Vec<Option<f64>> = shares.iter().copied().map(Some).collect();
    folder.metric(at, labels, ("completion_time", "s", times), (RUNS, scatter));
    folder.metric(at, labels, ("success_ratio", "share", &shares), (RUNS, 0.0));
    folder
}

fn says(folder: &Folder) -> String {
    answer(&folder.read())
}

#[test]
fn a_clear_difference_is_told_as_ratio_and_difference_with_interval() {
    let found = says(&point(&DUEL, &[Some(859.0), Some(94.2)], &[1.0, 1.0], 0.01));
    let begin = "All users were served by every contender. \
                 peer-to-peer was 9.11 times as fast as client-server: its users waited 94.2 s on \
                 average instead of 859 s (difference 76";
    assert!(found.starts_with(begin), "{found}");
    assert!(found.ends_with(", n = 20)."), "{found}");
}

#[test]
fn a_contender_alone_is_compared_with_nobody() {
    let found = says(&point(&["swarm"], &[Some(94.2)], &[1.0], 0.01));
    assert!(
        found.starts_with("Only swarm ran, so there is nothing to compare it with."),
        "{found}"
    );
    assert!(
        found.contains("served 100 % of the requests, after 94.2"),
        "{found}"
    );
}

#[test]
fn who_is_alone_and_served_nobody_is_told_so_at_once() {
    let found = says(&point(&["swarm"], &[None], &[0.0], 0.01));
    let begin = "swarm served nobody, and there is nothing to compare it with.";
    assert!(found.starts_with(begin), "{found}");
}

#[test]
fn failing_users_comes_before_speed() {
    let found = says(&point(&DUEL, &[Some(10.0), Some(20.0)], &[0.4, 1.0], 0.01));
    let begin = "client-server served only 40 % of the requests, peer-to-peer 100 % (60";
    assert!(found.starts_with(begin), "{found}");
    let then = "Counting only users who were served, client-server was 2 times as fast as";
    assert!(found.contains(then), "{found}");
}

#[test]
fn a_contender_that_served_nobody_has_no_time() {
    let found = says(&point(&DUEL, &[None, Some(20.0)], &[0.0, 1.0], 0.01));
    assert!(
        found.starts_with("client-server served nobody, peer-to-peer 100 %."),
        "{found}"
    );
    assert!(found.contains("peer-to-peer took 20.0"), "{found}");
    assert!(!found.contains("times as fast"), "{found}");
}

#[test]
fn when_nobody_was_served_nothing_is_compared() {
    let found = says(&point(&DUEL, &[None, None], &[0.0, 0.0], 0.01));
    assert_eq!(found, "Nobody was served by any contender.");
}

#[test]
fn an_architecture_against_itself_is_exactly_as_fast() {
    let labels = ["swarm", "the same swarm"];
    let found = says(&point(&labels, &[Some(20.0), Some(20.0)], &[1.0, 1.0], 0.0));
    assert_eq!(
        found,
        "All users were served by every contender. \
         swarm and the same swarm took exactly the same time (20 s on average)."
    );
}

#[test]
fn what_cannot_be_told_apart_is_not_ranked() {
    let found = says(&point(&DUEL, &[Some(20.0), Some(20.1)], &[1.0, 1.0], 0.3));
    let begin = "client-server and peer-to-peer cannot be told apart: 20";
    assert!(
        found.starts_with(begin) || found.contains("cannot be told apart"),
        "{found}"
    );
    assert!(!found.contains("fast"), "{found}");
}

#[test]
fn of_three_contenders_the_fastest_is_compared_with_each() {
    let labels = ["single", "swarm", "edge"];
    let found = says(&point(
        &labels,
        &[Some(90.0), Some(30.0), Some(45.0)],
        &[1.0; 3],
        0.01,
    ));
    assert!(
        found.contains(". swarm was 1.5 times as fast as edge"),
        "{found}"
    );
    assert!(
        found.contains("; swarm was 3 times as fast as single"),
        "{found}"
    );
}

#[test]
fn along_a_sweep_the_answer_says_where_it_flips() {
    let mut folder = Folder::new(&[("population.peers", "peers")], &DUEL);
    for (index, peers) in [1, 10, 100].into_iter().enumerate() {
        let values = format!("{peers},");
        let at = (index, "population.peers,", values.as_str());
        let means = [Some(10.0 * f64::from(peers)), Some(50.0)];
        folder.metric(at, &DUEL, ("completion_time", "s", &means), (RUNS, 0.01));
    }
    let found = says(&folder);
    assert!(
        found.starts_with("At 100 peers, peer-to-peer was 20 times as fast"),
        "{found}"
    );
    let then = "At 1 peer, client-server was faster; from 10 to 100 peers, peer-to-peer was faster. \
                The answer flips between 1 peer and 10 peers.";
    assert!(found.ends_with(then), "{found}");
}

#[test]
fn one_replication_is_no_ground_for_a_verdict() {
    let found = says(&grid());
    assert!(
        found.contains("could not be told apart at any of the 4 points"),
        "{found}"
    );
    assert!(
        found.ends_with("With one replication nothing can be told apart for certain: run more.")
    );
}

/// A duel in which the most loaded node crashes, with depth and recovery per contender.
fn crashed(
    dips: &[Option<f64>],
    (back, runs): (&[Option<f64>], usize),
    nodes: [(&str, &str); 2],
) -> Folder {
    let mut folder = point(&DUEL, &[Some(50.0), Some(40.0)], &[1.0, 1.0], 0.01);
    let at = (0, "", "");
    folder.metric(at, &DUEL, ("dip_depth", "share", dips), (RUNS, 0.0));
    folder.metric(at, &DUEL, ("recovery_90", "s", back), (runs, 0.0));
    let header = "point,contender,replication,failure,what,at_s,until_s,node,role,load_share";
    for (label, (node, role)) in DUEL.iter().zip(nodes) {
        for run in 0..RUNS {
            let line = format!("0,{label},{run},0,crash,120,420,{node},{role},0.9");
            folder.add("incidents.csv", header, &line);
        }
    }
    folder
}

const SERVERS: [(&str, &str); 2] = [("server", "infrastructure"); 2];

#[test]
fn a_crash_is_told_for_each_contender_after_who_was_served() {
    let back = ([Some(305.0), Some(12.0)], RUNS);
    let found = says(&crashed(
        &[Some(1.0), Some(0.41)],
        (&back.0, back.1),
        SERVERS,
    ));
    let begin = "All users were served by every contender. When the server crashed, client-server \
                 lost up to 100 % of its delivery rate and was back at 90 % 305 s after the crash; \
                 peer-to-peer lost up to 41 % and was back after 12 s. peer-to-peer was";
    assert!(found.starts_with(begin), "{found}");
}

#[test]
fn slowdowns_and_cuts_are_told_by_their_names() {
    let back = ([Some(305.0), Some(12.0)], RUNS);
    for (what, begin, end) in [
        (
            "slow",
            "When the server slowed down, client-server",
            "after the slowdown;",
        ),
        (
            "cut",
            "When the server lost the network, client-server",
            "after the cut;",
        ),
    ] {
        let mut folder = crashed(&[Some(1.0), Some(0.41)], (&back.0, back.1), SERVERS);
        folder.replace("incidents.csv", ",crash,", &format!(",{what},"));
        let found = says(&folder);
        assert!(found.contains(begin) && found.contains(end), "{found}");
    }
}

#[test]
fn transfers_that_were_stalled_in_the_end_are_told() {
    let mut folder = point(&DUEL, &[Some(50.0), Some(40.0)], &[0.4, 1.0], 0.01);
    let stalled = (
        "stalled_transfers",
        "transfers",
        &[Some(12.0), Some(0.0)][..],
    );
    folder.metric((0, "", ""), &DUEL, stalled, (RUNS, 0.0));
    let found = says(&folder);
    let words = "Transfers, on average 12 of client-server could not move when their runs ended, \
                 since a link on their way was cut.";
    assert!(found.contains(words), "{found}");
}

#[test]
fn runs_that_never_recovered_are_counted() {
    let found = says(&crashed(
        &[Some(1.0), Some(0.5)],
        (&[Some(305.0), None], 18),
        SERVERS,
    ));
    let times = "305 s after the crash in 18 of 20 runs (never in 2); peer-to-peer lost up to 50 % \
                 and did not come back to 90 % in any run.";
    assert!(found.contains(times), "{found}");
}

#[test]
fn contenders_that_lost_different_nodes_have_a_sentence_each() {
    let found = says(&crashed(
        &[Some(1.0), Some(0.04)],
        (&[Some(305.0), Some(0.0)], RUNS),
        [("server", "infrastructure"), ("user 7", "user")],
    ));
    let words = "after the crash. When user 7 crashed, peer-to-peer lost up to 4 % of its delivery \
                 rate and stayed above 90 %.";
    assert!(found.contains(words), "{found}");
}

#[test]
fn who_had_nothing_to_lose_is_said_to_have_had_nothing() {
    let found = says(&crashed(
        &[Some(0.0), None],
        (&[Some(0.0), None], RUNS),
        SERVERS,
    ));
    let words = "client-server lost nothing of its delivery rate and stayed above 90 %; \
                 peer-to-peer delivered nothing that it could have lost.";
    assert!(found.contains(words), "{found}");
}

#[test]
fn users_who_never_asked_were_not_served() {
    let mut folder = point(&DUEL, &[Some(50.0), Some(40.0)], &[1.0, 1.0], 0.01);
    folder.timeline(
        (0, "", ""),
        ("client-server", "served", "share"),
        (4, 1.0),
        |t| t / 8.0,
    );
    let found = says(&folder);
    assert!(
        found.starts_with("All users who asked were served by every contender."),
        "{found}"
    );
}

#[test]
fn a_mean_over_fewer_runs_says_so_in_the_tables() {
    let html = netduel_report::page(&outage().read(), &[]);
    assert!(html.contains("n = 18 of 20") && !html.contains("n = 20 of 20"));
    assert!(html.contains("In no run did a request fail because of: refused, damaged."));
    assert!(!html.contains("Requests failed: refused"));
}

#[test]
fn every_answer_is_made_of_sentences() {
    for folder in [crowd(), outage(), throng(), kinds(), grid()] {
        let found = says(&folder);
        assert!(
            found.ends_with('.') && !found.contains("  ") && !found.contains(".."),
            "{found}"
        );
        assert!(!found.contains("NaN") && !found.contains("inf "), "{found}");
    }
}

#[test]
fn the_headline_table_lines_up() {
    let table = headline_table(&crowd().read());
    let lines: Vec<&str> = table.lines().skip(1).take(7).collect();
    let column = lines[0].find("peer-to-peer").unwrap();
    for line in &lines {
        let before = line.chars().nth(column - 1);
        assert_eq!(before, Some(' '), "{line}");
    }
    assert!(table.contains("peer-to-peer better (lower)") && table.contains("not distinguishable"));
    assert!(table.contains("identical"));
}
