//! The checked plan.

use std::fmt;

use netduel_world::{Contender, WorldSpec};

use crate::claim::Claim;

/// One question, checked and ready to run.
#[derive(Debug)]
pub struct Scenario {
    /// What figures are headed with.
    pub title: String,
    /// What is asked.
    pub question: String,
    /// The set-up in one line, such as `1 GiB file; 100 users; server up 100 Mbps; latency 20 ms`.
    pub setup: String,
    /// What users ask for: the table under `[demand]`.
    pub demand: &'static str,
    /// Who competes, in file order.
    pub contenders: Vec<Entrant>,
    /// What is varied, the slowest first. None when there is one point.
    pub axes: Vec<Axis>,
    /// Every choice of the swept values, the first axis slowest.
    pub points: Vec<Point>,
    /// How often and from which seed.
    pub experiment: Experiment,
    /// What the author expects of the results.
    pub claims: Vec<Claim>,
    /// Where the figures in the tables come from, in the order in which they were read.
    pub sources: Vec<String>,
    /// What is equal for all contenders and what is not.
    pub ledger: FairnessLedger,
    /// The file as read.
    pub text: String,
    /// SHA-256 over the file and every table it reads, in hexadecimal digits.
    pub digest: String,
    pub(crate) resolved: String,
    pub(crate) explained: String,
}

/// A contender's place in the charts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entrant {
    /// Its name in tables and legends.
    pub label: String,
    /// The architecture's name.
    pub kind: &'static str,
    /// The family that the architecture belongs to.
    pub family: &'static str,
}

/// A key that is varied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Axis {
    /// The key as written, such as `population.peers`.
    pub key: String,
    /// The same in a reader's words, such as `users`.
    pub label: String,
    /// Its values as written, in file order.
    pub values: Vec<String>,
}

/// One choice of the swept values.
pub struct Point {
    /// One value for each axis.
    pub values: Vec<String>,
    /// The world at this point.
    pub world: WorldSpec,
    /// The contenders with their settings at this point, in the order of [`Scenario::contenders`].
    pub contenders: Vec<Box<dyn Contender>>,
}

impl fmt::Debug for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Point")
            .field("values", &self.values)
            .field("world", &self.world)
            .finish_non_exhaustive()
    }
}

/// How often and from which seed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Experiment {
    /// The seed of every draw.
    pub seed: u64,
    /// How many worlds are drawn at each point.
    pub replications: u32,
}

/// What is equal for all contenders and what is not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct FairnessLedger {
    /// What all contenders share, a sentence each.
    pub equal: Vec<String>,
    /// What one contender has or does that another may not: its label and a sentence.
    pub different: Vec<(String, String)>,
}

impl Scenario {
    /// The scenario with every default filled in, as TOML. Read in the place of the original, it
    /// gives the same scenario.
    pub fn resolved(&self) -> String {
        self.resolved.clone()
    }

    /// What the scenario means, in plain words.
    pub fn explain(&self) -> String {
        self.explained.clone()
    }
}
