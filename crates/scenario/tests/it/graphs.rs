//! Graphs that settings name.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use netduel_scenario::{Scenario, ScenarioError, read};
use netduel_world::{Registry, World};

const SCENARIO: &str = r#"title = "Who has it?"
question = "How long does a search take?"

[population]
peers = 4
upload = "10 Mbps"
download = "50 Mbps"

[network]
latency = "20 ms"

[demand.search]
objects = 4
replicas = 1
arrivals = "all at once"

[contenders."everybody".flooding]
wiring = { file = "GRAPH" }
"#;

fn read_graph(name: &str, text: &str) -> Result<Scenario, ScenarioError> {
    let files = BTreeMap::from([
        ("s/a.toml".into(), SCENARIO.replace("GRAPH", name)),
        (Path::new("s").join(name), text.to_owned()),
    ]);
    let mut registry = Registry::default();
    netduel_peer_to_peer::register(&mut registry);
    read(Path::new("s/a.toml"), &files, &registry)
}

/// Four nodes in a line; `edges` are written into it.
fn markup(edges: &[(&str, &str)]) -> String {
    let edges: Vec<String> = edges
        .iter()
        .map(|(a, b)| format!("    <edge source=\"{a}\" target=\"{b}\"/>\n"))
        .collect();
    format!(
        "<?xml version=\"1.0\"?>\n<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n  \
         <graph edgedefault=\"undirected\">\n    <node id=\"a\"/><node id=\"b\"/>\n    <node \
         id=\"c\"/><node id=\"d\"/>\n{}  </graph>\n</graphml>\n",
        edges.concat()
    )
}

#[test]
fn a_table_and_markup_of_the_same_graph_run_alike() {
    let table = read_graph("g.csv", "# Source: us\nfrom,to\n0,1\n1,2\n3,2\n").unwrap();
    let markup = markup(&[("a", "b"), ("b", "c"), ("d", "c")]);
    let markup = read_graph("g.graphml", &markup).unwrap();
    let [table_run, markup_run] = [&table, &markup].map(|scenario| {
        let point = &scenario.points[0];
        let world = Arc::new(World::draw(&point.world, 1, 0));
        let stop = AtomicBool::new(false);
        point.contenders[0].run_strict(&world, &stop).unwrap()
    });
    assert_eq!(table_run, markup_run);
    assert_eq!(table_run.served(), 4);
    assert!(
        table.resolved().contains("file = \"g.csv\""),
        "{}",
        table.resolved()
    );
    assert_eq!(table.sources, ["us"]);
    assert_ne!(table.digest, markup.digest);
}

#[test]
fn mistakes_in_tables_are_pointed_at() {
    for (text, error) in [
        (
            "from,to\n0,1\n1,4\n",
            "s/g.csv:3:3: `to` is \"4\"; expected a user from 0 to 3",
        ),
        (
            "from,to\nx,1\n",
            "s/g.csv:2:1: `from` is \"x\"; expected a user from 0 to 3",
        ),
        (
            "from,to\n0,-1\n",
            "s/g.csv:2:3: `to` is \"-1\"; expected a user from 0 to 3",
        ),
        (
            "from,to\n0,1\n2, 2\n",
            "s/g.csv:3:4: `to` is \"2\"; expected another user than the link begins with",
        ),
        (
            "to,from\n0,1\n1,0\n",
            "s/g.csv:3:1: `to` is \"1\"; expected a pair that is not linked yet",
        ),
        (
            "from,to\n0,1\n2,3\n",
            "s/g.csv:1:1: no links lead from user 0 to user 2; expected a graph in which everybody \
             can be reached",
        ),
        (
            "a,b\n0,1\n",
            "s/g.csv:1:1: the column `from` is missing; expected the columns from, to",
        ),
    ] {
        assert_eq!(read_graph("g.csv", text).unwrap_err().to_string(), error);
    }
}

#[test]
fn mistakes_in_markup_are_pointed_at() {
    let three = [("a", "b"), ("b", "c"), ("c", "d")];
    for (text, error) in [
        (
            markup(&[("a", "b"), ("b", "e")]),
            "s/g.graphml:7:30: `target` is \"e\"; expected a node of the graph",
        ),
        (
            markup(&[("a", "a")]),
            "s/g.graphml:6:30: `target` is \"a\"; expected another user than the link begins with",
        ),
        (
            markup(&[("a", "b"), ("b", "a")]),
            "s/g.graphml:7:30: `target` is \"a\"; expected a pair that is not linked yet",
        ),
        (
            markup(&[("a", "b"), ("c", "d")]),
            "s/g.graphml:3:3: no links lead from user 0 to user 2; expected a graph in which \
             everybody can be reached",
        ),
        (
            markup(&three).replace("<node id=\"d\"/>", ""),
            "s/g.graphml:3:3: the graph has 3 nodes; expected 4, one for each user",
        ),
        (
            markup(&three).replace("id=\"d\"", "id=\"a\""),
            "s/g.graphml:5:29: `id` is \"a\"; expected a name that no other node has",
        ),
        (
            markup(&three).replace("id=\"d\"", ""),
            "s/g.graphml:5:19: a node has no `id`; expected one",
        ),
        (
            "<graphml/>".into(),
            "s/g.graphml:1:1: the file has no graph",
        ),
    ] {
        let found = read_graph("g.graphml", &text).unwrap_err().to_string();
        assert_eq!(found, error);
    }
    let broken = read_graph("g.graphml", "<graphml>\n<graph></graphml>").unwrap_err();
    let broken = broken.to_string();
    assert!(broken.starts_with("s/g.graphml:2:"), "{broken}");
    assert!(broken.contains("the file is not GraphML"), "{broken}");
}

#[test]
fn a_graph_that_is_not_there_is_pointed_at_in_the_scenario() {
    let files = BTreeMap::from([("s/a.toml".into(), SCENARIO.to_owned())]);
    let mut registry = Registry::default();
    netduel_peer_to_peer::register(&mut registry);
    let error = read(Path::new("s/a.toml"), &files, &registry).unwrap_err();
    assert_eq!(
        error.to_string(),
        "s/a.toml:18:19: `contenders.everybody.flooding.wiring.file` names \"GRAPH\", which does not \
         exist; expected a CSV table"
    );
}

#[test]
fn settings_of_search_are_pointed_at() {
    let with = |old: &str, new: &str| {
        assert!(SCENARIO.contains(old));
        let text = SCENARIO.replace("wiring = { file = \"GRAPH\" }", "");
        let text = text.replace(old, new);
        let files = BTreeMap::from([("s/a.toml".into(), text)]);
        let mut registry = Registry::default();
        netduel_peer_to_peer::register(&mut registry);
        let error = read(Path::new("s/a.toml"), &files, &registry).unwrap_err();
        error.to_string()
    };
    for (settings, error) in [
        (
            "flooding]\nttl = 0",
            "s/a.toml:18:7: `contenders.everybody.flooding.ttl` is 0; expected at least 1",
        ),
        (
            "random-walk]\nwalkers = 0",
            "s/a.toml:18:11: `contenders.everybody.random-walk.walkers` is 0; expected at least 1",
        ),
        (
            "flooding]\nwiring = { random-regular = { degree = 4 } }",
            "s/a.toml:18:1: `contenders.everybody.flooding.wiring` has a degree of 4 for 4 peers; \
             expected at most 3",
        ),
        (
            "flooding]\nwiring = { ring = { degre = 4 } }",
            "s/a.toml:18:21: `contenders.everybody.flooding.wiring.ring.degre` is not a key; \
             expected `degree`\nhint: did you mean `degree`?",
        ),
        (
            "flooding]\nwiring = { circle = { degree = 4 } }",
            "s/a.toml:18:12: `contenders.everybody.flooding.wiring.circle` is not known; expected \
             one of `random-regular`, `erdos-renyi`, `watts-strogatz`, `barabasi-albert`, `ring`, \
             `file`",
        ),
    ] {
        assert_eq!(with("flooding]", settings), error);
    }
}
