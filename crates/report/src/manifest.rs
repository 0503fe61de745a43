//! The manifest of a result folder: what was asked, of whom, and where the numbers come from.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{demand::Demand, error::ReportError};

/// What `manifest.json` says; fields that are not listed here are ignored.
#[derive(Clone, Debug, Deserialize)]
pub struct Manifest {
    /// Version of the tool that ran the scenario.
    #[serde(rename = "netduel", default)]
    pub version: String,
    /// Title of the scenario.
    pub title: String,
    /// The question it asks.
    #[serde(default)]
    pub question: String,
    /// The set-up in one line, as shown under every chart's title.
    #[serde(default)]
    pub setup: String,
    /// What users asked for.
    #[serde(default)]
    pub demand: Demand,
    /// Number of replications of each point.
    #[serde(default)]
    pub replications: u64,
    /// The root seed.
    #[serde(default)]
    pub seed: u64,
    /// What is swept, the slowest axis first; empty without a sweep.
    #[serde(default)]
    pub axes: Vec<SweptAxis>,
    /// Who is compared, in the order that fixes their colours.
    pub contenders: Vec<Contender>,
    /// What was equal for all contenders and what was not.
    #[serde(default)]
    pub ledger: Ledger,
    /// Literature and data that the scenario rests on.
    #[serde(default)]
    pub sources: Vec<String>,
    /// What the scenario claims, and whether it turned out so.
    #[serde(default)]
    pub claims: Vec<Claim>,
    /// Digest of the scenario file.
    #[serde(default)]
    pub scenario_digest: String,
    /// Digest of each file of the folder.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

/// One swept key.
#[derive(Clone, Debug, Deserialize)]
pub struct SweptAxis {
    /// The key in the scenario, which names the tables' column.
    pub key: String,
    /// The reader's words for it.
    pub label: String,
    /// Its values in order, as written in the scenario.
    #[serde(default)]
    pub values: Vec<String>,
}

/// One contender.
#[derive(Clone, Debug, Deserialize)]
pub struct Contender {
    /// Its name in charts and tables.
    pub label: String,
    /// The kind of architecture.
    #[serde(default)]
    pub kind: String,
    /// The family of that kind.
    #[serde(default)]
    pub family: String,
}

/// The fairness ledger.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Ledger {
    /// What all contenders shared.
    #[serde(default)]
    pub equal: Vec<String>,
    /// What only one of them had.
    #[serde(default)]
    pub different: Vec<Peculiarity>,
}

/// Something that sets one contender apart.
#[derive(Clone, Debug, Deserialize)]
pub struct Peculiarity {
    /// The contender's label.
    pub contender: String,
    /// What it had or lacked.
    pub text: String,
}

/// A claim of the scenario with its outcome.
#[derive(Clone, Debug, Deserialize)]
pub struct Claim {
    /// The claim in words.
    pub text: String,
    /// The claim as a formula.
    #[serde(default)]
    pub expect: String,
    /// Whether it holds.
    pub holds: bool,
    /// The numbers behind it.
    #[serde(default)]
    pub detail: String,
}

impl Manifest {
    /// Reads the text of a manifest.
    ///
    /// # Errors
    /// [`ReportError::Manifest`] with the place where the text stops being a manifest.
    pub fn parse(text: &str) -> Result<Self, ReportError> {
        serde_json::from_str(text).map_err(|error| {
            // The position is in the variant already.
            let words = error.to_string();
            let what = words
                .rsplit_once(" at line")
                .map_or(words.as_str(), |(what, _)| what);
            ReportError::Manifest {
                line: error.line(),
                column: error.column(),
                what: what.to_owned(),
            }
        })
    }
}
