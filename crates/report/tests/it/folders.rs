//! Result folders made up for the tests: no simulation, but numbers such as one would give.

use std::{collections::BTreeMap, fmt::Write as _};

use netduel_metrics::interval::{compare, estimate, paired};
use netduel_report::Results;

/// Files by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Folder {
    pub(crate) files: BTreeMap<String, String>,
    /// How many replications distributions and timelines are over.
    runs: usize,
}

/// Mean and unit of a metric for each contender; absent where nobody was served.
type Means<'a> = (&'a str, &'a str, &'a [Option<f64>]);

pub(crate) const RUNS: usize = 20;

impl Folder {
    /// A folder with a manifest and the headers of the tables that are always there.
    pub(crate) fn new(axes: &[(&str, &str)], contenders: &[&str]) -> Self {
        let axes: Vec<String> = axes
            .iter()
            .map(|(key, label)| format!(r#"{{"key": "{key}", "label": "{label}", "values": []}}"#))
            .collect();
        let labels: Vec<String> = contenders
            .iter()
            .map(|label| format!(r#"{{"label": "{label}", "kind": "some", "family": "any"}}"#))
            .collect();
        let manifest = MANIFEST
            .replace("AXES", &axes.join(", "))
            .replace("CONTENDERS", &labels.join(", "))
            .replace("FIRST", contenders.first().unwrap_or(&""));
        let mut folder = Self {
            runs: RUNS,
            ..Self::default()
        };
        folder.files.insert("manifest.json".to_owned(), manifest);
        folder
    }

    /// Says in the manifest that there were `runs` replications.
    pub(crate) fn replications(mut self, runs: usize) -> Self {
        self.runs = runs;
        let manifest = self.files.get_mut("manifest.json").unwrap();
        let said = format!(r#""replications": {runs}"#);
        *manifest = manifest.replace(r#""replications": 20"#, &said);
        self
    }

    pub(crate) fn read(&self) -> Results {
        Results::read(&|name| self.files.get(name).cloned()).expect("the folder is as it should be")
    }

    /// Adds a line to a table; the header is written before the first one.
    pub(crate) fn add(&mut self, file: &str, header: &str, line: &str) {
        let table = self
            .files
            .entry(file.to_owned())
            .or_insert_with(|| format!("{header}\n"));
        writeln!(table, "{line}").unwrap();
    }

    /// Puts other words into a table that is there.
    pub(crate) fn replace(&mut self, file: &str, old: &str, new: &str) {
        let table = self.files.get_mut(file).expect("the table is there");
        *table = table.replace(old, new);
    }

    /// Adds a metric of every contender at a point, with differences of all pairs; `scatter` is
    /// the relative spread of the replications.
    pub(crate) fn metric(
        &mut self,
        (point, keys, values): (usize, &str, &str),
        contenders: &[&str],
        (metric, unit, means): Means<'_>,
        (runs, scatter): (usize, f64),
    ) {
        let sample = |index: usize, mean: f64| -> Vec<f64> {
            let noise = |run: usize| ((run * 7 + index * 3 + point) % 11) as f64 / 5.0 - 1.0;
            (0..runs)
                .map(|run| mean * (1.0 + scatter * noise(run)))
                .collect()
        };
        let header = format!("point,{keys}contender,metric,unit,n,mean,ci_low,ci_high,method");
        let samples: Vec<Option<Vec<f64>>> = means
            .iter()
            .enumerate()
            .map(|(i, mean)| mean.map(|mean| sample(i, mean)))
            .collect();
        for (label, sample) in contenders.iter().zip(&samples) {
            let Some(found) = sample.as_ref().and_then(|sample| estimate(sample)) else {
                continue;
            };
            let numbers = numbers(found.n, found.mean, found.interval.map(|i| (i.low, i.high)));
            let line =
                format!("{point},{values}{label},{metric},{unit},{numbers},\"Student t, 95 %\"");
            self.add("summary.csv", &header, &line);
        }
        let header = format!(
            "point,{keys}metric,unit,a,b,n,mean_difference,ci_low,ci_high,p_adjusted,verdict"
        );
        for a in 0..samples.len() {
            for b in a + 1..samples.len() {
                let (Some(first), Some(second)) = (&samples[a], &samples[b]) else {
                    continue;
                };
                let pairs: Vec<(f64, f64)> =
                    first.iter().copied().zip(second.iter().copied()).collect();
                let found = compare(&[paired(&pairs).unwrap()])[0];
                let interval = found.difference.interval.map(|i| (i.low, i.high));
                let numbers = numbers(found.difference.n, found.difference.mean, interval);
                let p = found.p_adjusted.map_or(String::new(), |p| p.to_string());
                let (a, b) = (contenders[a], contenders[b]);
                let line = format!(
                    "{point},{values}{metric},{unit},{a},{b},{numbers},{p},{}",
                    found.verdict
                );
                self.add("differences.csv", &header, &line);
            }
        }
    }

    /// Adds the distribution of completion times: the time of each share up to `reached`.
    pub(crate) fn distribution(
        &mut self,
        (point, keys, values): (usize, &str, &str),
        label: &str,
        reached: f64,
        time: impl Fn(f64) -> f64,
    ) {
        let header = format!("point,{keys}contender,metric,unit,share,n,mean,ci_low,ci_high");
        for percent in (2..=100).step_by(2) {
            let share = f64::from(percent) / 100.0;
            if share > reached + 1e-9 {
                break;
            }
            let mean = time(share);
            let numbers = numbers(self.runs, mean, Some((mean * 0.96, mean * 1.04)));
            let line = format!("{point},{values}{label},completion_time,s,{share},{numbers}");
            self.add("distributions.csv", &header, &line);
        }
    }

    /// Adds a timeline from 0 in `steps` of `step` seconds.
    pub(crate) fn timeline(
        &mut self,
        (point, keys, values): (usize, &str, &str),
        (label, metric, unit): (&str, &str, &str),
        (steps, step): (u32, f64),
        value: impl Fn(f64) -> f64,
    ) {
        let header = format!("point,{keys}contender,time_s,metric,unit,n,mean,ci_low,ci_high");
        for index in 0..=steps {
            let time = f64::from(index) * step;
            let mean = value(time);
            let half = mean * 0.05;
            let numbers = numbers(self.runs, mean, Some((mean - half, mean + half)));
            let line = format!("{point},{values}{label},{time},{metric},{unit},{numbers}");
            self.add("timeline.csv", &header, &line);
        }
    }
}

fn numbers(n: usize, mean: f64, interval: Option<(f64, f64)>) -> String {
    match interval {
        Some((low, high)) if n > 1 => format!("{n},{mean},{low},{high}"),
        _ => format!("{n},{mean},,"),
    }
}

const SIZE: f64 = 8.0 * 1_073_741_824.0;
pub(crate) const DUEL: [&str; 2] = ["client-server", "peer-to-peer"];

/// The textbook's crowd: from 1 to 1,000 peers, with theory.
pub(crate) fn crowd() -> Folder {
    let mut folder = Folder::new(&[("population.peers", "peers")], &DUEL);
    let keys = "population.peers,";
    for (point, peers) in [1.0, 10.0, 30.0, 100.0, 300.0, 1000.0_f64]
        .into_iter()
        .enumerate()
    {
        let values = format!("{peers},");
        let at = (point, keys, values.as_str());
        let server = (peers * SIZE / 100e6).max(SIZE / 50e6);
        let bound = (peers * SIZE / (100e6 + peers * 10e6)).max(SIZE / 50e6);
        let swarm = bound * 1.08;
        let [server_mean, swarm_mean] = [server, swarm * 0.93].map(Some);
        folder.metric(
            at,
            &DUEL,
            ("completion_time", "s", &[server_mean, swarm_mean]),
            (RUNS, 0.02),
        );
        folder.metric(
            at,
            &DUEL,
            ("makespan", "s", &[Some(server), Some(swarm)]),
            (RUNS, 0.02),
        );
        folder.metric(
            at,
            &DUEL,
            ("success_ratio", "share", &[Some(1.0), Some(1.0)]),
            (RUNS, 0.0),
        );
        folder.metric(
            at,
            &DUEL,
            ("load_gini", "1", &[Some(0.99), Some(0.2)]),
            (RUNS, 0.02),
        );
        let header = "point,population.peers,name,contender,metric,unit,value,source";
        let source = "\"Kurose and Ross, ch. 2\"";
        for (name, label, value) in [
            ("Kurose-Ross client-server bound", "client-server", server),
            ("Kurose-Ross peer-to-peer bound", "peer-to-peer", bound),
        ] {
            let line = format!("{point},{values}{name},{label},makespan,s,{value},{source}");
            folder.add("theory.csv", header, &line);
        }
        folder.distribution(at, "client-server", 1.0, |share| {
            server * (0.97 + 0.03 * share)
        });
        folder.distribution(at, "peer-to-peer", 1.0, |share| {
            swarm * (0.8 + 0.2 * share * share)
        });
    }
    folder
}

/// Twenty peers while the most loaded node is taken out for five minutes; no sweep.
pub(crate) fn outage() -> Folder {
    let mut folder = Folder::new(&[], &DUEL);
    let at = (0, "", "");
    folder.metric(
        at,
        &DUEL,
        ("completion_time", "s", &[Some(1410.0), Some(612.0)]),
        (RUNS, 0.03),
    );
    folder.metric(
        at,
        &DUEL,
        ("makespan", "s", &[Some(2018.0), Some(731.0)]),
        (RUNS, 0.02),
    );
    folder.metric(
        at,
        &DUEL,
        ("success_ratio", "share", &[Some(0.9), Some(0.99)]),
        (RUNS, 0.01),
    );
    folder.metric(
        at,
        &DUEL,
        ("failed.timeout", "requests", &[Some(2.0), Some(0.2)]),
        (RUNS, 0.5),
    );
    let never = [Some(0.0), Some(0.0)];
    for cause in ["failed.refused", "failed.damaged"] {
        folder.metric(at, &DUEL, (cause, "requests", &never), (RUNS, 0.0));
    }
    folder.metric(
        at,
        &DUEL,
        ("dip_depth", "share", &[Some(1.0), Some(0.27)]),
        (RUNS, 0.0),
    );
    // In two runs the server's users were never served as before.
    let back = ("recovery_90", "s", &[Some(305.0), None][..]);
    folder.metric(at, &DUEL, back, (18, 0.01));
    let back = ("recovery_90", "s", &[None, Some(281.0)][..]);
    folder.metric(at, &DUEL, back, (RUNS, 0.01));
    folder.distribution(at, "client-server", 0.9, |share| 900.0 + 1200.0 * share);
    folder.distribution(at, "peer-to-peer", 1.0, |share| 500.0 + 230.0 * share);
    let down = |time: f64| (60.0..360.0).contains(&time);
    let server_rate = |time: f64| {
        if down(time) || time > 2018.0 {
            0.0
        } else {
            100e6
        }
    };
    let swarm_rate = |time: f64| match time {
        t if t > 731.0 => 0.0,
        t if down(t) => 190e6 + (t - 60.0) * 0.2e6,
        t => 260e6 * (t / 40.0).min(1.0),
    };
    let steps = (240, 10.0);
    folder.timeline(
        at,
        ("client-server", "delivery_rate", "bit/s"),
        steps,
        server_rate,
    );
    folder.timeline(
        at,
        ("peer-to-peer", "delivery_rate", "bit/s"),
        steps,
        swarm_rate,
    );
    let ramp = |time: f64, from: f64, to: f64| ((time - from) / (to - from)).clamp(0.0, 1.0);
    folder.timeline(at, ("client-server", "served", "share"), steps, |t| {
        0.9 * ramp(t, 900.0, 2018.0)
    });
    folder.timeline(at, ("peer-to-peer", "served", "share"), steps, |t| {
        0.99 * ramp(t, 500.0, 731.0)
    });
    let header = "point,contender,replication,failure,what,at_s,until_s,node,role,load_share";
    for run in 0..RUNS {
        let line =
            format!("0,client-server,{run},most loaded,crash,60,360,server,infrastructure,1");
        folder.add("incidents.csv", header, &line);
        let (node, role) = if run % 4 == 0 {
            ("user 7", "user")
        } else {
            ("server", "infrastructure")
        };
        let line = format!("0,peer-to-peer,{run},most loaded,crash,60,360,{node},{role},0.22");
        folder.add("incidents.csv", header, &line);
    }
    folder
}

/// Six contenders with long names, a sweep of rates with a unit, five decades of values, and one
/// contender that never serves anybody.
pub(crate) fn throng() -> Folder {
    let labels = [
        "one server in a basement",
        "content delivery network with forty edge locations on six continents",
        "swarm",
        "superpeers elected by bandwidth and uptime",
        "Donaudampfschifffahrtsgesellschaftskapitaen",
        "gossip that never serves",
    ];
    let mut folder = Folder::new(
        &[("infrastructure.server.upload", "server upload")],
        &labels,
    )
    .replications(3);
    for (point, rate) in [1.0, 10.0, 100.0, 1000.0, 100_000.0_f64]
        .into_iter()
        .enumerate()
    {
        let values = format!("{rate} Mbps,");
        let at = (point, "infrastructure.server.upload,", values.as_str());
        let means = [
            Some(2e5 / rate),
            Some(2.1e5 / rate),
            // No value in the middle: a gap in its line.
            Some(900.0).filter(|_| point != 2),
            Some(905.0),
            Some(40.0 + 3e4 / rate),
            None,
        ];
        folder.metric(at, &labels, ("completion_time", "s", &means), (3, 0.2));
        let shares = [1.0, 0.97, 0.9, 0.85, 0.999, 0.0].map(Some);
        folder.metric(at, &labels, ("success_ratio", "share", &shares), (3, 0.001));
        for (label, mean) in labels.iter().zip(means) {
            let reached = if *label == "swarm" { 0.6 } else { 1.0 };
            if let Some(mean) = mean {
                folder.distribution(at, label, reached, |share| mean * (0.5 + share));
            }
        }
    }
    folder
}

/// Two points of a swept kind, which is no number.
pub(crate) fn kinds() -> Folder {
    let mut folder = Folder::new(&[("network.kind", "network")], &DUEL);
    for (point, kind) in ["star", "ring"].into_iter().enumerate() {
        let values = format!("{kind},");
        let at = (point, "network.kind,", values.as_str());
        let means = [Some(10.0 + point as f64), Some(9.0)];
        folder.metric(at, &DUEL, ("completion_time", "s", &means), (RUNS, 0.2));
        folder.metric(
            at,
            &DUEL,
            ("makespan", "s", &[None, Some(900_000.0)]),
            (RUNS, 0.2),
        );
        folder.metric(
            at,
            &DUEL,
            ("success_ratio", "share", &[Some(0.0), Some(1.0)]),
            (RUNS, 0.0),
        );
    }
    folder
}

/// One contender, tiny times, and shares of users that not every run served.
pub(crate) fn sole() -> Folder {
    let mut folder = Folder::new(&[], &["swarm & friends <lookup>"]);
    let at = (0, "", "");
    let label = ["swarm & friends <lookup>"];
    folder.metric(
        at,
        &label,
        ("completion_time", "s", &[Some(0.000_42)]),
        (2, 0.4),
    );
    folder.metric(
        at,
        &label,
        ("success_ratio", "share", &[Some(0.9997)]),
        (2, 0.0001),
    );
    let header = "point,contender,metric,unit,share,n,mean,ci_low,ci_high";
    for (percent, runs) in [(10, 20), (20, 20), (40, 20), (60, 13), (80, 4), (90, 1)] {
        let (share, mean) = (
            f64::from(percent) / 100.0,
            0.0001 + f64::from(percent) * 1e-5,
        );
        let numbers = numbers(runs, mean, Some((mean * 0.8, mean * 1.2)));
        let line = format!("0,{},completion_time,s,{share},{numbers}", label[0]);
        folder.add("distributions.csv", header, &line);
    }
    folder
}

/// Two axes, one replication, and incidents: one for ever, and many.
pub(crate) fn grid() -> Folder {
    let axes = [
        ("population.peers", "peers"),
        ("failures.0.lasts", "length of the outage"),
    ];
    let mut folder = Folder::new(&axes, &DUEL).replications(1);
    for (point, (peers, lasts)) in [(5, "60 s"), (5, "600 s"), (20, "60 s"), (20, "600 s")]
        .into_iter()
        .enumerate()
    {
        let (keys, values) = (
            "population.peers,failures.0.lasts,",
            format!("{peers},{lasts},"),
        );
        let at = (point, keys, values.as_str());
        let mean = f64::from(peers) * 3.0 + lasts.len() as f64;
        folder.metric(
            at,
            &DUEL,
            ("completion_time", "s", &[Some(mean), Some(17.0)]),
            (1, 0.0),
        );
        folder.metric(
            at,
            &DUEL,
            ("success_ratio", "share", &[Some(1.0), Some(0.4)]),
            (1, 0.0),
        );
        for label in DUEL {
            let steps = (300, 1.0);
            folder.timeline(at, (label, "served", "share"), steps, |t| {
                (t / 280.0).min(1.0)
            });
        }
        let header = "point,population.peers,failures.0.lasts,contender,replication,failure,what,\
                      at_s,until_s,node,role,load_share";
        if point == 0 {
            folder.add(
                "incidents.csv",
                header,
                "0,5,60 s,client-server,0,0,leave,100,,3,peer,",
            );
            folder.add(
                "incidents.csv",
                header,
                "0,5,60 s,client-server,0,0,leave,100,,4,peer,",
            );
            folder.add(
                "incidents.csv",
                header,
                "0,5,60 s,peer-to-peer,0,1,cut,200,203,4,peer,",
            );
        }
        for second in 0..40 {
            if point == 3 {
                let line = format!(
                    "3,20,600 s,client-server,0,churn,leave,{},{},{second},peer,",
                    second * 7,
                    second * 7 + 3
                );
                folder.add("incidents.csv", header, &line);
            }
        }
    }
    folder
}

const MANIFEST: &str = r#"{
  "netduel": "0.1.0", "title": "One file, a growing crowd",
  "question": "How long until everyone has the file?",
  "setup": "1 GiB file; server 100 Mbps up; peers 10 Mbps up, 50 Mbps down; latency 20 ms",
  "replications": 20, "seed": 2026,
  "axes": [AXES], "contenders": [CONTENDERS],
  "ledger": {
    "equal": ["the same peers, links and latencies", "the same requests at the same instants", "the same attacker's budget: one node"],
    "different": [{"contender": "FIRST", "text": "rents a server of 100 Mbps that nobody else uses"}]
  },
  "sources": ["J. F. Kurose, K. W. Ross, Computer Networking, 8th ed., 2021, section 2.5"],
  "claims": [
    {"text": "with 1,000 peers the swarm is at least ten times faster", "expect": "peer-to-peer.completion_time < client-server.completion_time / 10", "holds": true, "detail": "842 s against 85,899 s"},
    {"text": "a lone peer is served faster by the swarm", "expect": "peer-to-peer.completion_time < client-server.completion_time", "holds": false, "detail": "172.5 s against 171.8 s"}
  ],
  "scenario_digest": "sha256:8c1f6e0b5a2d", "files": {"runs.csv": "11aa", "digests.csv": "22bb"},
  "started": "2026-03-01T10:00:00Z", "finished": "2026-03-01T10:00:41Z", "unknown": 1
}"#;

/// A swarm that is done in 80 s and a server that takes over two hours, finely read early on.
pub(crate) fn race() -> Folder {
    let mut folder = Folder::new(&[], &DUEL);
    let at = (0, "", "");
    for metric in ["completion_time", "makespan"] {
        let means = [Some(8389.0), Some(80.0)];
        folder.metric(at, &DUEL, (metric, "s", &means), (RUNS, 0.001));
    }
    let shares = [Some(1.0), Some(1.0)];
    folder.metric(at, &DUEL, ("success_ratio", "share", &shares), (RUNS, 0.0));
    for (label, end) in [("client-server", 8389.0), ("peer-to-peer", 80.0_f64)] {
        // One second up to 100 s, 50 s from there on.
        for (from, steps, step) in [(0.0, 100, 1.0), (100.0, 166, 50.0)] {
            for (metric, unit, scale) in [("delivered", "B", 1e11), ("served", "share", 1.0)] {
                let header = "point,contender,time_s,metric,unit,n,mean,ci_low,ci_high";
                for index in 1..=steps {
                    let time = from + f64::from(index) * step;
                    let mean = scale * (time / end).min(1.0);
                    let numbers = numbers(RUNS, mean, Some((mean * 0.99, mean)));
                    let line = format!("0,{label},{time},{metric},{unit},{numbers}");
                    folder.add("timeline.csv", header, &line);
                }
            }
        }
    }
    folder
}
