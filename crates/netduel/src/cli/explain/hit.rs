//! Whom crashes hit, where that depends on chance or on what a contender does.

use std::{
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

/// Who was hit in one replication of the last point.
pub(super) struct Hits {
    /// The folder that says so; `None` when it was simulated on the spot.
    folder: Option<PathBuf>,
    /// The last point's swept values; empty without a sweep.
    values: String,
    nodes: Vec<Hit>,
}

/// One contender's node that was hit by one failure.
struct Hit {
    contender: String,
    /// Which failure, from 0.
    failure: usize,
    node: String,
    load_share: f64,
}

/// How many nodes are named before the rest is counted.
const NAMED: usize = 5;

/// Who is hit in replication 0 of the last point; `None` when the scenario says it itself.
///
/// Read from the result folder when that belongs to this very scenario, else simulated.
pub(super) fn hits(scenario: &Scenario, folder: &Path) -> Result<Option<Hits>, Failure> {
    let Some(last) = scenario.points.len().checked_sub(1) else {
        return Ok(None);
    };
    let failures = &scenario.points[last].world.failures;
    let open = failures.iter().any(|failure| {
        matches!(failure.what, What::Crash(_))
            && matches!(failure.who, Who::MostLoaded(_) | Who::Random { .. })
    });
    if !open {
        return Ok(None);
    }
    let (folder, nodes) = match from_results(scenario, folder, last) {
        Some(hits) => (Some(folder.to_owned()), hits),
        None => (None, simulated(scenario, last)?),
    };
    Ok(Some(Hits {
        folder,
        values: values(scenario, last),
        nodes,
    }))
}

fn from_results(scenario: &Scenario, folder: &Path, point: usize) -> Option<Vec<Hit>> {
    let manifest = fs::read_to_string(folder.join("manifest.json")).ok()?;
    let manifest: Manifest = serde_json::from_str(&manifest).ok()?;
    if manifest.scenario_digest != scenario.digest || manifest.seed != scenario.experiment.seed {
        return None;
    }
    let mut table = csv::Reader::from_path(folder.join("incidents.csv")).ok()?;
    let header = table.headers().ok()?.clone();
    let column = |name: &str| header.iter().position(|field| field == name);
    let (at, replication) = (column("point")?, column("replication")?);
    let (contender, failure) = (column("contender")?, column("failure")?);
    let (node, load_share) = (column("node")?, column("load_share")?);
    let mut hits = Vec::new();
    for row in table.records() {
        let row = row.ok()?;
        if row[at] == *point.to_string() && row[replication] == *"0" {
            hits.push(Hit {
                contender: row[contender].to_owned(),
                failure: row[failure].parse().ok()?,
                node: row[node].to_owned(),
                load_share: row[load_share].parse().ok()?,
            });
        }
    }
    Some(hits)
}

fn simulated(scenario: &Scenario, point: usize) -> Result<Vec<Hit>, Failure> {
    let job = Job {
        point,
        replication: 0,
    };
    let result = run_job(scenario, job, &AtomicBool::new(false)).map_err(Failure::Run)?;
    let mut hits = Vec::new();
    for (entrant, run) in scenario.contenders.iter().zip(&result.runs) {
        for incident in &run.incidents {
            hits.extend(incident.victims.iter().map(|victim| Hit {
                contender: entrant.label.clone(),
                failure: incident.failure,
                node: victim.node.clone(),
                load_share: victim.load_share,
            }));
        }
    }
    Ok(hits)
}

impl Hits {
    pub(super) fn in_words(&self) -> String {
        let mut text = format!("Who is hit ({}):\n", self.origin());
        for (contender, failure) in self.groups() {
            let hits = self.of(contender, failure);
            let named: Vec<String> = hits.iter().take(NAMED).map(|hit| hit.in_words()).collect();
            let rest = match hits.len().saturating_sub(NAMED) {
                0 => String::new(),
                rest => format!(" and {rest} more"),
            };
            let (named, number) = (named.join(", "), failure + 1);
            writeln!(text, "  {contender}, failure {number}: {named}{rest}")
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
                "load_share": hit.load_share,
            })
        });
        json!({
            "from": self.folder.as_ref().map(|folder| folder.display().to_string()),
            "simulated": self.folder.is_none(),
            "replication": 0,
            "values": self.values,
            "nodes": hits.collect::<Vec<_>>(),
        })
    }

    /// Where this is known from.
    fn origin(&self) -> String {
        let place = match self.values.as_str() {
            "" => "replication 0".to_owned(),
            values => format!("replication 0 at {values}"),
        };
        match &self.folder {
            Some(folder) => format!("{place}, read from {}", folder.display()),
            None => format!("{place}, simulated for this explanation"),
        }
    }

    /// Every contender with every failure that hit it, in order of appearance.
    fn groups(&self) -> Vec<(&str, usize)> {
        let mut groups = Vec::new();
        for hit in &self.nodes {
            let group = (hit.contender.as_str(), hit.failure);
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups
    }

    fn of(&self, contender: &str, failure: usize) -> Vec<&Hit> {
        let wanted = |hit: &&Hit| hit.contender == contender && hit.failure == failure;
        self.nodes.iter().filter(wanted).collect()
    }
}

impl Hit {
    fn in_words(&self) -> String {
        let percent = (self.load_share * 1000.0).round() / 10.0;
        format!("{} ({percent} % of all bytes sent until then)", self.node)
    }
}
