//! Whom crashes and slowdowns hit, where that depends on chance or on what a contender does.

use std::{
    cmp::Reverse,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use netduel_experiment::{Job, Manifest, run_job, values};
use netduel_scenario::Scenario;
use netduel_world::{What, Who};
use serde_json::{Value, json};

use crate::cli::failure::Failure;

/// Who was hit in the runs of the last point.
pub(super) struct Hits {
    /// The folder that says so; `None` when one run was simulated on the spot.
    folder: Option<PathBuf>,
    /// How many runs each contender had.
    runs: u32,
    /// The last point's swept values; empty without a sweep.
    values: String,
    nodes: Vec<Hit>,
}

/// One contender's node that one failure hit, in one run or more.
struct Hit {
    contender: String,
    /// Which failure, from 1 as everywhere else.
    failure: usize,
    node: String,
    /// In how many runs it was hit.
    runs: u32,
    /// Its mean share of all bytes sent until then.
    load_share: f64,
}

/// A node that was hit in one run.
struct Strike {
    contender: String,
    /// Which failure, from 0.
    failure: usize,
    node: String,
    load_share: f64,
}

/// How many nodes are named before the rest is counted.
const NAMED: usize = 5;

/// Who is hit at the last point; `None` when the scenario says it itself.
///
/// Read from all runs of the result folder when that belongs to this very scenario, else simulated
/// in replication 0.
pub(super) fn hits(scenario: &Scenario, folder: &Path) -> Result<Option<Hits>, Failure> {
    let Some(last) = scenario.points.len().checked_sub(1) else {
        return Ok(None);
    };
    let failures = &scenario.points[last].world.failures;
    let open = failures.iter().any(|failure| {
        matches!(failure.what, What::Crash(_) | What::Slow(_))
            && matches!(failure.who, Who::MostLoaded(_) | Who::Random { .. })
    });
    if !open {
        return Ok(None);
    }
    let (folder, runs, strikes) = match from_results(scenario, folder, last) {
        Some((runs, strikes)) => (Some(folder.to_owned()), runs, strikes),
        None => (None, 1, simulated(scenario, last)?),
    };
    Ok(Some(Hits {
        folder,
        runs,
        values: values(scenario, last),
        nodes: summed_up(&strikes),
    }))
}

/// Every node that was hit, in order of appearance.
fn summed_up(strikes: &[Strike]) -> Vec<Hit> {
    let mut hits: Vec<Hit> = Vec::new();
    for strike in strikes {
        let same = |hit: &&mut Hit| {
            hit.contender == strike.contender
                && hit.failure == strike.failure + 1
                && hit.node == strike.node
        };
        match hits.iter_mut().find(same) {
            Some(hit) => {
                hit.runs += 1;
                hit.load_share += strike.load_share;
            }
            None => hits.push(Hit {
                contender: strike.contender.clone(),
                failure: strike.failure + 1,
                node: strike.node.clone(),
                runs: 1,
                load_share: strike.load_share,
            }),
        }
    }
    for hit in &mut hits {
        hit.load_share /= f64::from(hit.runs);
    }
    hits
}

/// How many runs each contender had, and who was hit in them.
fn from_results(scenario: &Scenario, folder: &Path, point: usize) -> Option<(u32, Vec<Strike>)> {
    let manifest = fs::read_to_string(folder.join("manifest.json")).ok()?;
    let manifest: Manifest = serde_json::from_str(&manifest).ok()?;
    if manifest.scenario_digest != scenario.digest || manifest.seed != scenario.experiment.seed {
        return None;
    }
    let mut table = csv::Reader::from_path(folder.join("incidents.csv")).ok()?;
    let header = table.headers().ok()?.clone();
    let column = |name: &str| header.iter().position(|field| field == name);
    let at = column("point")?;
    let (contender, failure) = (column("contender")?, column("failure")?);
    let (node, load_share) = (column("node")?, column("load_share")?);
    let mut strikes = Vec::new();
    for row in table.records() {
        let row = row.ok()?;
        if row[at] == *point.to_string() {
            strikes.push(Strike {
                contender: row[contender].to_owned(),
                failure: row[failure].parse().ok()?,
                node: row[node].to_owned(),
                load_share: row[load_share].parse().ok()?,
            });
        }
    }
    Some((manifest.replications, strikes))
}

fn simulated(scenario: &Scenario, point: usize) -> Result<Vec<Strike>, Failure> {
    let job = Job {
        point,
        replication: 0,
    };
    let result = run_job(scenario, job, &AtomicBool::new(false)).map_err(Failure::Run)?;
    let mut strikes = Vec::new();
    for (entrant, run) in scenario.contenders.iter().zip(&result.runs) {
        for incident in &run.incidents {
            strikes.extend(incident.victims.iter().map(|victim| Strike {
                contender: entrant.label.clone(),
                failure: incident.failure,
                node: victim.node.clone(),
                load_share: victim.load_share,
            }));
        }
    }
    Ok(strikes)
}

impl Hits {
    pub(super) fn in_words(&self) -> String {
        let mut text = format!("Who is hit ({}):\n", self.origin());
        for (contender, failure) in self.groups() {
            let hits = self.of(contender, failure);
            let named = hits.iter().take(NAMED);
            let named: Vec<String> = named.map(|hit| hit.in_words(self.runs)).collect();
            let rest = match hits.len().saturating_sub(NAMED) {
                0 => String::new(),
                rest => format!(" and {rest} more"),
            };
            let named = named.join(", ");
            writeln!(text, "  {contender}, failure {failure}: {named}{rest}")
                .expect("memory takes every line");
        }
        if self.nodes.is_empty() {
            text.push_str("  nobody: no run lasts that long, or the share of so few is none\n");
        }
        text.trim_end().to_owned()
    }

    pub(super) fn to_json(&self) -> Value {
        let hits = self.nodes.iter().map(|hit| {
            json!({
                "contender": hit.contender,
                "failure": hit.failure,
                "node": hit.node,
                "runs": hit.runs,
                "load_share": hit.load_share,
            })
        });
        json!({
            "from": self.folder.as_ref().map(|folder| folder.display().to_string()),
            "simulated": self.folder.is_none(),
            "runs": self.runs,
            "values": self.values,
            "nodes": hits.collect::<Vec<_>>(),
        })
    }

    /// Where this is known from.
    fn origin(&self) -> String {
        let at = match self.values.as_str() {
            "" => String::new(),
            values => format!(" at {values}"),
        };
        match &self.folder {
            Some(folder) if self.runs == 1 => format!("1 run{at}, read from {}", folder.display()),
            Some(folder) => format!("{} runs{at}, read from {}", self.runs, folder.display()),
            None => format!("replication 0{at}, simulated for this explanation"),
        }
    }

    /// Every contender with every failure that hit it, by failure.
    fn groups(&self) -> Vec<(&str, usize)> {
        let mut groups = Vec::new();
        for hit in &self.nodes {
            let group = (hit.contender.as_str(), hit.failure);
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups.sort_by_key(|(_, failure)| *failure);
        groups
    }

    /// The nodes that a failure hit, those hit most often first.
    fn of(&self, contender: &str, failure: usize) -> Vec<&Hit> {
        let wanted = |hit: &&Hit| hit.contender == contender && hit.failure == failure;
        let mut hits: Vec<&Hit> = self.nodes.iter().filter(wanted).collect();
        hits.sort_by_key(|hit| Reverse(hit.runs));
        hits
    }
}

impl Hit {
    /// The node with how often it was hit in how many `runs`, and its load.
    fn in_words(&self, runs: u32) -> String {
        let percent = (self.load_share * 1000.0).round() / 10.0;
        let often = match runs {
            1 => String::new(),
            _ => format!("in {} of {runs} runs, ", self.runs),
        };
        format!(
            "{} ({often}{percent} % of all bytes sent until then)",
            self.node
        )
    }
}
