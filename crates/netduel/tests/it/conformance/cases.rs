//! What every architecture is put through: worlds in which everything happens, and calm ones, for
//! each kind of request that it serves.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use netduel_scenario::{Scenario, ScenarioError, read};
use netduel_world::{Kind, RequestKind, WorldKey};

/// A kind of architecture that is asked for something.
pub(super) struct Case {
    pub(super) kind: Kind,
    pub(super) demand: &'static Demand,
    /// Whether nobody knows anybody at the start but a bootstrap node.
    pub(super) joins: bool,
}

/// What users ask for.
#[derive(Debug)]
pub(super) struct Demand {
    /// The table under `[demand]`.
    pub(super) table: &'static str,
    /// What must be served for it.
    needs: &'static [RequestKind],
    /// Its keys but for how many requests there are, when they come and what work they take.
    keys: &'static str,
    /// Requests and arrivals in a turmoil of a few minutes.
    busy: &'static str,
    /// Requests and arrivals of a calm crowd of a dozen, and how many requests they are.
    quiet: &'static str,
    pub(super) quiet_count: usize,
    /// How often it is asked under a steady load, a second; not at all where everybody asks once.
    steady: Option<f64>,
}

const DEMANDS: &[Demand] = &[
    Demand {
        table: "download",
        needs: &[RequestKind::Download],
        keys: "size = \"5 MB\"",
        busy: "arrivals = { poisson = \"1 /s\" }",
        quiet: "arrivals = \"all at once\"",
        quiet_count: 12,
        steady: None,
    },
    Demand {
        table: "lookup",
        needs: &[RequestKind::Lookup],
        keys: "keys = 100\nzipf = 0.8",
        busy: "requests = 300\narrivals = { diurnal = { mean = \"3 /s\", swing = 0.5, period = \"1 min\" } }",
        quiet: "requests = 60\narrivals = { poisson = \"2 /s\" }",
        quiet_count: 60,
        steady: Some(10.0),
    },
    Demand {
        table: "lookup",
        needs: &[RequestKind::Lookup, RequestKind::Store],
        keys: "keys = 100\nreads = 0.5\nvalue = \"2 kB\"",
        busy: "requests = 300\narrivals = { closed-loop = { think = \"10 s\" } }",
        quiet: "arrivals = \"all at once\"",
        quiet_count: 12,
        steady: Some(10.0),
    },
    Demand {
        table: "search",
        needs: &[RequestKind::Search],
        keys: "objects = 20\nzipf = 0.8\nreplicas = 4.0\nreplication = \"square-root\"",
        busy: "requests = 300\narrivals = { flash-crowd = { base = \"1 /s\", peak = \"10 /s\", at = \"20 s\", rise = \"5 s\", hold = \"10 s\", fall = \"5 s\" } }",
        quiet: "requests = 30\narrivals = { poisson = \"2 /s\" }",
        quiet_count: 30,
        steady: Some(10.0),
    },
    Demand {
        table: "broadcast",
        needs: &[RequestKind::Broadcast],
        keys: "",
        busy: "requests = 20\narrivals = { poisson = \"0.2 /s\" }",
        quiet: "arrivals = \"all at once\"",
        quiet_count: 1,
        steady: Some(1.0),
    },
    Demand {
        table: "broadcast",
        needs: &[RequestKind::Broadcast],
        keys: "size = \"10 kB\"",
        busy: "requests = 20\narrivals = { poisson = \"0.2 /s\" }",
        quiet: "requests = 3\narrivals = \"all at once\"",
        quiet_count: 3,
        steady: Some(0.5),
    },
];

/// What a kind needs beside one group of machines and its default settings.
#[derive(Clone, Copy, Default)]
struct Needs {
    /// Groups under `[infrastructure]` in the place of `server`.
    machines: Option<&'static str>,
    /// Settings of the contender.
    settings: &'static str,
}

/// A kind that is not here gets the defaults.
fn needs(kind: &str) -> Needs {
    match kind {
        "replicated-server" => Needs {
            machines: Some(BALANCED),
            settings: "servers = \"server\"\nbalancer = \"balancer\"",
        },
        "cdn" => Needs {
            machines: Some(EDGES),
            settings: "origin = \"origin\"",
        },
        _ => Needs::default(),
    }
}

const SERVER: &str = "[infrastructure.server]\nupload = \"50 Mbps\"\ndownload = \"50 Mbps\"\n";

const BALANCED: &str = "[infrastructure.balancer]\ncount = 2\nupload = \"50 Mbps\"\n\
                        download = \"50 Mbps\"\n[infrastructure.server]\ncount = 3\n\
                        upload = \"50 Mbps\"\ndownload = \"50 Mbps\"\n";

const EDGES: &str = "[infrastructure.origin]\nupload = \"50 Mbps\"\ndownload = \"50 Mbps\"\n\
                     [infrastructure.edge]\ncount = 2\nupload = \"50 Mbps\"\n\
                     download = \"50 Mbps\"\n";

/// Every architecture with every demand that it serves, and with every start that it knows.
pub(super) fn cases() -> Vec<Case> {
    let registry = netduel::architectures();
    let mut cases = Vec::new();
    for kind in registry.kinds() {
        let serves = |demand: &&Demand| demand.needs.iter().all(|need| kind.serves.contains(need));
        let before = cases.len();
        for demand in DEMANDS.iter().filter(serves) {
            let [converged, joining] = [false, true].map(|joins| Case {
                kind: *kind,
                demand,
                joins,
            });
            let can_join = joining.try_calm(12, demand.quiet, "").is_ok();
            cases.push(converged);
            cases.extend(can_join.then_some(joining));
        }
        assert!(cases.len() > before, "{} serves nothing", kind.name);
    }
    cases
}

impl Case {
    /// How it is called when a law is broken.
    pub(super) fn name(&self) -> String {
        let joining = if self.joins { ", joining" } else { "" };
        format!(
            "{}{joining} asked for {:?}",
            self.kind.name, self.demand.needs
        )
    }

    /// A crowd in which everything happens that can: arrivals, far places, churn, damage, slow
    /// links, crashes of users and of the most loaded, deadlines and a full processor.
    pub(super) fn turmoil(&self) -> Scenario {
        let timeout = match self.demand.table {
            "download" => "",
            _ => "timeout = \"20 s\"\nretry-budget = { tokens = 20, ratio = 0.1 }",
        };
        self.scenario(&format!(
            r#"
title = "Turmoil"
question = "Do the books close?"
[population]
peers = 40
upload = {{ lognormal = {{ median = "5 Mbps", sigma = 0.8 }} }}
download = "20 Mbps"
[network]
latency = {{ constant = "40 ms", jitter = 0.3 }}
message-loss = 0.02
corruption = 1e-8
{}
[patience]
deadline = "10 min"
{timeout}
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
[experiment]
replications = 6
"#,
            self.demand(self.demand.busy, "{ exponential = { mean = \"20 ms\" } }"),
        ))
    }

    /// Nothing goes wrong and nobody is in a hurry.
    pub(super) fn calm(&self) -> Scenario {
        self.calm_with(12, self.demand.quiet, "")
    }

    /// The same, until a fixed time.
    pub(super) fn calm_until(&self, end: &str) -> Scenario {
        let until = format!("[experiment]\nuntil = \"{end}\"\n");
        self.calm_with(12, self.demand.quiet, &until)
    }

    /// Requests that come at a steady rate for so many minutes, and how many they are about.
    pub(super) fn steady(&self, minutes: u32) -> Option<(Scenario, f64)> {
        let rate = self.demand.steady?;
        let count = rate * 60.0 * f64::from(minutes);
        // More than come in that time, so that the load is the same to the end.
        let busy = format!(
            "requests = {:.0}\narrivals = {{ poisson = \"{rate} /s\" }}",
            count * 2.0
        );
        let until = format!("[experiment]\nuntil = \"{minutes} min\"\n");
        Some((self.calm_with(30, &busy, &until), count))
    }

    /// A crowd of sixty of which all but one, and every machine, are gone before anybody asks.
    pub(super) fn dead_world(&self) -> Scenario {
        let dead = "[patience]\ndeadline = \"1 h\"\n\
                    [[failures]]\nat = \"0 s\"\nwho = { random = { share = 0.9833, of = \"users\" } }\n\
                    what = \"crash\"\n";
        let machines = "[[failures]]\nat = \"0 s\"\nwho = \"infrastructure\"\nwhat = \"crash\"\n";
        let asked = "arrivals = \"all at once\"";
        // Whoever runs without machines has none to lose.
        let with = format!("{dead}{machines}");
        self.try_calm(60, asked, &with)
            .unwrap_or_else(|_| self.calm_with(60, asked, dead))
    }

    fn calm_with(&self, peers: u32, asked: &str, rest: &str) -> Scenario {
        self.scenario(&self.calm_text(peers, asked, rest))
    }

    fn try_calm(&self, peers: u32, asked: &str, rest: &str) -> Result<Scenario, ScenarioError> {
        self.try_scenario(&self.calm_text(peers, asked, rest))
    }

    fn calm_text(&self, peers: u32, asked: &str, rest: &str) -> String {
        format!(
            r#"
title = "Calm"
question = "Is everybody served?"
[population]
peers = {peers}
upload = "5 Mbps"
download = "20 Mbps"
[network]
latency = "40 ms"
{}
{rest}
"#,
            self.demand(asked, "\"1 ms\""),
        )
    }

    fn demand(&self, asked: &str, work: &str) -> String {
        let Demand { table, keys, .. } = self.demand;
        let works = self.kind.uses.contains(&WorldKey::Work) && *table != "broadcast";
        let work = if works {
            format!("work = {work}")
        } else {
            String::new()
        };
        format!("[demand.{table}]\n{keys}\n{asked}\n{work}")
    }

    fn scenario(&self, world: &str) -> Scenario {
        self.try_scenario(world)
            .unwrap_or_else(|error| panic!("{}: {error}\n{world}", self.name()))
    }

    /// The scenario with the machines that the kind uses, if it uses any.
    fn try_scenario(&self, world: &str) -> Result<Scenario, ScenarioError> {
        let name = self.kind.name;
        let Needs { machines, settings } = needs(name);
        let start = if self.joins { "start = \"join\"" } else { "" };
        let contender = format!("[contenders.\"{name}\".{name}]\n{settings}\n{start}\n");
        let with = |machines: &str| parse(&format!("{world}\n{machines}{contender}"));
        match machines {
            Some(machines) => with(machines),
            None => match with(SERVER) {
                Err(error) if error.message.contains("no contender uses these machines") => {
                    with("")
                }
                other => other,
            },
        }
    }
}

fn parse(text: &str) -> Result<Scenario, ScenarioError> {
    let path = PathBuf::from("law.toml");
    let files = BTreeMap::from([(path, text.to_owned())]);
    read(Path::new("law.toml"), &files, &netduel::architectures())
}
