//! Grids of points, and claims about them.

use netduel_scenario::{Bound, Relation, Term};

use crate::{changed, mistakes::mistake, read_with};

fn swept(lines: &str) -> String {
    changed("", &format!("[sweep]\n{lines}\n"))
}

/// Holds the message of every sweep against what is expected after the path.
fn expect(cases: &[(&str, &str)]) {
    for (lines, expected) in cases {
        let found = mistake(&swept(lines), &[]);
        assert_eq!(found, format!("s/a.toml:{expected}"), "{lines}");
    }
}

fn claim(expect: &str, place: &str) -> String {
    let sweep = "[sweep]\n'population.peers' = [4, 5]\n'network.latency' = ['1 ms', '2 ms']";
    let claim = format!("[[claims]]\ntext = 'so it is'\nexpect = \"{expect}\"\n{place}");
    changed("", &format!("{sweep}\n{claim}\n"))
}

#[test]
fn several_axes_make_a_grid_with_the_first_axis_slowest() {
    let text = swept(
        "'population.peers' = [4, 5]\n'contenders.peer to peer.flock.piece' = ['1 B', '2 B']",
    );
    let scenario = read_with(&text, &[]).unwrap();
    let values: Vec<String> = scenario.points.iter().map(|p| p.values.join("/")).collect();
    assert_eq!(values, ["4/1 B", "4/2 B", "5/1 B", "5/2 B"]);
    let peers = scenario.points.iter().map(|p| p.world.population.peers);
    assert_eq!(peers.collect::<Vec<_>>(), [4, 4, 5, 5]);
    let piece = scenario.points[3].contenders[1].settings()["piece"].clone();
    assert_eq!(piece.as_str(), Some("2 B"));
    assert_eq!(scenario.axes[0].label, "users");
    assert_eq!(scenario.axes[1].label, "peer to peer: piece");
}

#[test]
fn a_sweep_may_fill_in_what_is_not_written_and_reach_into_failures() {
    let text = swept(
        "'patience.retries' = [0, 3]\n'failures.1.who.random.share' = [0, 0.5]\n\
         [[failures]]\nat = '1 s'\nwho = { random = { share = 0.1 } }\nwhat = 'crash'",
    );
    let scenario = read_with(&text, &[]).unwrap();
    assert_eq!(scenario.points[0].world.patience.retries, 0);
    assert_eq!(scenario.points[2].world.patience.retries, 3);
    assert_ne!(
        scenario.points[0].world.failures[0].who,
        scenario.points[1].world.failures[0].who
    );
}

#[test]
fn a_key_that_matters_at_one_point_is_accepted() {
    let text = swept("'patience.retries' = [0, 3]\n[patience]\nbackoff = '2 s'");
    assert!(read_with(&text, &[]).is_ok());
}

#[test]
fn mistakes_in_sweeps_are_pointed_at_in_the_sweep() {
    expect(&[
        (
            "'population.peeers' = [1]",
            "25:1: `population.peeers` is not a key; expected one of `peers`, `upload`, \
             `download`, `access`, `regions`, `free-riders`, `after-download`, `cores`, `speed`, `queue`, `discipline`\nhint: did you \
             mean `peers`?",
        ),
        (
            "'populaton.peers' = [1]",
            "25:1: `populaton.peers` is not a key; expected one that begins with one of \
             `population`, `infrastructure`, `network`, `demand`, `patience`, `failures`, \
             `experiment`, `contenders`\nhint: did you mean `population`?",
        ),
        (
            "'infrastructure.serve.upload' = ['1 Mbps']",
            "25:1: `infrastructure.serve.upload` speaks of `serve`, which is not in the file; \
             expected `server`\nhint: did you mean `server`?",
        ),
        (
            "'contenders.client-server.flock.piece' = ['1 B']",
            "25:1: `contenders.client-server.flock.piece` speaks of `flock`, which is not in \
             the file; expected `hub`",
        ),
        (
            "'contenders.client-server.hub.slot' = [1]",
            "25:1: `contenders.client-server.hub.slot` is not a key; expected one of \
             `machines`, `slots`\nhint: did you mean `slots`?",
        ),
        (
            "'contenders.client-server.hub.slots' = [1, 'a']",
            "25:44: `contenders.client-server.hub.slots` is \"a\"; expected a whole number from \
             0 up",
        ),
        (
            "'population.peers' = [4, '2']",
            "25:26: `population.peers` is \"2\"; expected a whole number from 0 up",
        ),
        (
            "'population.peers' = [4, 0]",
            "25:26: `population.peers` is 0; expected a whole number from 1 to 10000000",
        ),
        (
            "'population.peers' = [3, 4]",
            "22:28: `contenders.\"peer to peer\".flock.neighbours` is more than the 3 users\n\
             hint: at the point population.peers = 3",
        ),
        (
            "'network.latency' = ['1 ms', 2]",
            "25:30: `network.latency` is the bare number 2; expected a time with its unit, such \
             as \"20 ms\", or { constant = \"20 ms\", jitter = 0.2 }, or { regions = \
             \"latency.csv\" }",
        ),
        (
            "'network.latency.jitter' = [0.1]",
            "25:1: `network.latency.jitter` cannot be swept: `network.latency` is \"20 ms\"; \
             expected a table there",
        ),
    ]);
}

#[test]
fn axes_without_sense_are_refused() {
    expect(&[
        (
            "'population.peers' = []",
            "25:22: `sweep.\"population.peers\"` is empty; expected at least one value",
        ),
        (
            "'population.peers' = [1, 2, 1]",
            "25:29: `sweep.\"population.peers\"` has 1 twice; expected different values",
        ),
        (
            "'population.peers' = 1",
            "25:22: `sweep.\"population.peers\"` is 1; expected a list of values in square \
             brackets",
        ),
        (
            "population.peers = [1]",
            "25:1: `sweep.population` is a table; expected a list of values\nhint: write the \
             whole key in quotes, as in \"population.peers\"",
        ),
        (
            "'experiment.seed' = [1, 2]",
            "25:1: `experiment.seed` is the same for all points; expected a key of the world or \
             of a contender",
        ),
        (
            "'title' = ['a']",
            "25:1: `title` cannot be swept; expected a key of the world or of a contender",
        ),
        (
            "'failures.1.at' = ['1 s']",
            "25:1: `failures.1.at` names no failure; expected a number from 1 to the 0 in the \
             file",
        ),
        (
            "'population.upload' = ['1 Mbps']\n'population.upload.uniform.min' = ['1 Mbps']",
            "26:1: `population.upload.uniform.min` is swept together with `population.upload`, \
             which is part of it or the same; expected one of them",
        ),
        (
            "'population.free-riders' = [0, 1.5]",
            "25:32: `population.free-riders` is 1.5; expected a share from 0 to 1, such as 0.2 \
             or \"20 %\"",
        ),
    ]);
}

fn client_server(metric: &str) -> Term {
    Term {
        contender: 0,
        metric: metric.to_owned(),
    }
}

#[test]
fn claims_compare_metrics_at_the_points_they_select() {
    let text = claim(
        "peer to peer.completion_time <= client-server.completion_time / 10",
        "where = { 'population.peers' = 5 }",
    );
    let scenario = read_with(&text, &[]).unwrap();
    let [claim] = scenario.claims.as_slice() else {
        panic!("there is one claim");
    };
    assert_eq!(
        (claim.left.contender, &*claim.left.metric),
        (1, "completion_time")
    );
    assert_eq!(claim.op, Relation::AtMost);
    let term = client_server("completion_time");
    assert_eq!(claim.right, Bound::Term { term, factor: 0.1 });
    assert_eq!(claim.points, [2, 3]);
    let text = self::claim("peer to peer.success_ratio > 0.99", "");
    let scenario = read_with(&text, &[]).unwrap();
    assert_eq!(scenario.claims[0].right, Bound::Number(0.99));
    assert_eq!(scenario.claims[0].points, [0, 1, 2, 3]);
}

#[test]
fn claims_about_what_there_is_not_are_refused() {
    let right = "client-server.makespan > 3";
    for (expect, place, expected) in [
        (
            "server.makespan > 3",
            "",
            "29:10: `claims.1.expect` names the contender \"server\"; expected one of \
             `client-server`, `peer to peer`",
        ),
        (
            "client-server.makspan > 3",
            "",
            "29:10: `claims.1.expect` names the metric \"makspan\"; expected one of \
             `completion_time`, `completion_time_p50`, `completion_time_p95`, \
             `completion_time_p99`, `makespan`, `success_ratio`, `throughput`, `reach`, \
             `reach_time_50`, `reach_time_90`, `reach_time_100`, `attempts_mean`, `load_gini`, \
             `load_top_share`, `infrastructure_bytes`, `infrastructure_cost`, \
             `bytes_per_useful_byte`, `messages_per_request`, `work_wait_mean`, `work_refused`, \
             `utilisation_infrastructure`, `utilisation_users`, `dip_depth`, `recovery_90`, \
             `stalled_transfers`\nhint: did you mean `makespan`?",
        ),
        (
            "peer to peer.makespan > client-server.reach_time_90",
            "",
            "29:10: `claims.1.expect` names the metric \"reach_time_90\", which there is not where \
             nobody broadcasts; expected one of `completion_time`, `completion_time_p50`, \
             `completion_time_p95`, `completion_time_p99`, `makespan`, `success_ratio`, \
             `throughput`, `attempts_mean`, `load_gini`, `load_top_share`, \
             `infrastructure_bytes`, `bytes_per_useful_byte`, `messages_per_request`",
        ),
        (
            "client-server.makespan = 3",
            "",
            "29:10: `claims.1.expect` is \"client-server.makespan = 3\"; expected a comparison \
             with <, <=, > or >=\nhint: for instance \"a.completion_time < b.completion_time / \
             10\", with a space on both sides of the operators",
        ),
        (
            "client-server.makespan > client-server.makespan * 1e308",
            "",
            "29:10: `claims.1.expect` has \"client-server.makespan * 1e308\" on the right; \
             expected no number or factor beyond 1e100",
        ),
        (
            "client-server.makespan > client-server.makespan / 0",
            "",
            "29:10: `claims.1.expect` has \"client-server.makespan / 0\" on the right; expected \
             a number, or a metric times or over a number",
        ),
        (
            right,
            "where = { 'population.peers' = 6 }",
            "30:32: `claims.1.where.\"population.peers\"` is 6; expected a swept value, one of \
             `4`, `5`",
        ),
        (
            right,
            "where = { 'population.peer' = 4 }",
            "30:31: `claims.1.where.\"population.peer\"` is not swept; expected one of \
             `population.peers`, `network.latency`\nhint: did you mean `population.peers`?",
        ),
    ] {
        assert_eq!(
            mistake(&claim(expect, place), &[]),
            format!("s/a.toml:{expected}")
        );
    }
}
