//! Everything needed to get a result folder again.

use std::{collections::BTreeMap, fmt::Write as _};

use netduel_scenario::Scenario;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::claims::ClaimOutcome;

/// Version of the tool that made the results.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What `manifest.json` says. Equal plans differ in `started`, `finished` and `jobs` at most.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Manifest {
    /// Version of the tool.
    pub netduel: String,
    /// Title of the scenario.
    pub title: String,
    /// The question it asks.
    pub question: String,
    /// The set-up in one line.
    pub setup: String,
    /// What users ask for: the table of the scenario's demand.
    #[serde(default = "download")]
    pub demand: String,
    /// Replications of each point.
    pub replications: u32,
    /// The root seed.
    pub seed: u64,
    /// What is swept, the slowest axis first.
    pub axes: Vec<Axis>,
    /// Who is compared, in the order that fixes their colours.
    pub contenders: Vec<Entrant>,
    /// What was equal for all contenders and what was not.
    pub ledger: Ledger,
    /// Literature and data that the scenario rests on.
    pub sources: Vec<String>,
    /// What the scenario claims, and whether it turned out so.
    pub claims: Vec<ClaimOutcome>,
    /// Digest of the scenario file and of every table it reads.
    pub scenario_digest: String,
    /// SHA-256 of each file that the charts are drawn from, and of the scenario.
    pub files: BTreeMap<String, String>,
    /// When the run that completed the results started, in UTC.
    pub started: String,
    /// When it was over, in UTC.
    pub finished: String,
    /// How many runs it made at a time.
    pub jobs: usize,
}

/// What users ask for in results of before there was a choice.
fn download() -> String {
    "download".to_owned()
}

/// One swept key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Axis {
    /// The key, which names the tables' column.
    pub key: String,
    /// A reader's words for it.
    pub label: String,
    /// Its values as written.
    pub values: Vec<String>,
}

/// One contender.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Entrant {
    /// Its name in tables and charts.
    pub label: String,
    /// The kind of architecture.
    pub kind: String,
    /// The family of that kind.
    pub family: String,
}

/// The fairness ledger.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Ledger {
    /// What all contenders shared, a sentence each.
    pub equal: Vec<String>,
    /// What one of them had that another may not.
    pub different: Vec<Peculiarity>,
}

/// What sets one contender apart.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Peculiarity {
    /// The contender's label.
    pub contender: String,
    /// What it had or lacked, a sentence.
    pub text: String,
}

/// When and how the results were made: what may differ between equal plans.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Occasion {
    /// When it started, in UTC.
    pub started: String,
    /// When it was over, in UTC.
    pub finished: String,
    /// How many runs it made at a time.
    pub jobs: usize,
}

impl Manifest {
    /// The manifest of a plan that came to `claims` and the `files` of these digests.
    pub fn new(
        scenario: &Scenario,
        claims: Vec<ClaimOutcome>,
        files: BTreeMap<String, String>,
        occasion: Occasion,
    ) -> Self {
        Self {
            netduel: VERSION.to_owned(),
            title: scenario.title.clone(),
            question: scenario.question.clone(),
            setup: scenario.setup.clone(),
            demand: scenario.demand.to_owned(),
            replications: scenario.experiment.replications,
            seed: scenario.experiment.seed,
            axes: axes(scenario),
            contenders: entrants(scenario),
            ledger: ledger(scenario),
            sources: scenario.sources.clone(),
            claims,
            scenario_digest: scenario.digest.clone(),
            files,
            started: occasion.started,
            finished: occasion.finished,
            jobs: occasion.jobs,
        }
    }

    /// The text of `manifest.json`.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        text.expect("text and numbers can be written") + "\n"
    }
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(text: &str) -> String {
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        write!(digits, "{byte:02x}").expect("memory takes every digit");
    }
    digits
}

fn axes(scenario: &Scenario) -> Vec<Axis> {
    let axis = |axis: &netduel_scenario::Axis| Axis {
        key: axis.key.clone(),
        label: axis.label.clone(),
        values: axis.values.clone(),
    };
    scenario.axes.iter().map(axis).collect()
}

fn entrants(scenario: &Scenario) -> Vec<Entrant> {
    let entrant = |entrant: &netduel_scenario::Entrant| Entrant {
        label: entrant.label.clone(),
        kind: entrant.kind.to_owned(),
        family: entrant.family.to_owned(),
    };
    scenario.contenders.iter().map(entrant).collect()
}

fn ledger(scenario: &Scenario) -> Ledger {
    let peculiarity = |(contender, text): &(String, String)| Peculiarity {
        contender: contender.clone(),
        text: text.clone(),
    };
    Ledger {
        equal: scenario.ledger.equal.clone(),
        different: scenario.ledger.different.iter().map(peculiarity).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256("abc"), expected);
    }
}
