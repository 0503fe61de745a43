//! Finished jobs, one line each, so that an interrupted run can go on.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use netduel_scenario::Scenario;
use serde::{Deserialize, Serialize};

use super::{error::Error, folder::write_error};
use crate::{
    manifest::VERSION,
    metric::METRICS,
    plan::{JobResult, jobs},
};

/// The first line: what the journal is about.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Header {
    netduel: String,
    scenario: String,
    seed: u64,
    jobs: usize,
}

impl Header {
    pub(super) fn of(scenario: &Scenario) -> Self {
        Self {
            netduel: VERSION.to_owned(),
            scenario: scenario.digest.clone(),
            seed: scenario.experiment.seed,
            jobs: jobs(scenario).len(),
        }
    }

    /// What sets two headers apart.
    fn differs(&self, other: &Self) -> Option<&'static str> {
        if self.scenario != other.scenario {
            Some("another scenario, or for the same one before it was changed")
        } else if self.netduel != other.netduel {
            Some("another version of netduel")
        } else if self.seed != other.seed {
            Some("another seed")
        } else if self.jobs != other.jobs {
            Some("another number of replications")
        } else {
            None
        }
    }
}

/// A journal that finished jobs are added to.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens the journal at `path`, or begins one, and returns the jobs that it holds.
    pub(super) fn open(
        path: PathBuf,
        header: &Header,
        scenario: &Scenario,
    ) -> Result<(Self, Vec<JobResult>), Error> {
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(Error::Read { path, source }),
        };
        // Whatever follows the last line break was being written when the run ended.
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |last| last + 1);
        let kept = read(&text[..whole], header, scenario, &path)?;
        let open = OpenOptions::new().create(true).append(true).open(&path);
        let file = open.and_then(|file| file.set_len(whole as u64).map(|()| file));
        let file = file.map_err(|source| write_error(&path, source))?;
        let mut journal = Self { path, file };
        if whole == 0 {
            journal.write(header)?;
        }
        Ok((journal, kept))
    }

    /// Adds a finished job.
    pub(super) fn append(&mut self, result: &JobResult) -> Result<(), Error> {
        self.write(result)
    }

    fn write(&mut self, line: &impl Serialize) -> Result<(), Error> {
        let mut text = serde_json::to_vec(line).expect("numbers and text can be written");
        text.push(b'\n');
        let written = self.file.write_all(&text).and_then(|()| self.file.flush());
        written.map_err(|source| write_error(&self.path, source))
    }
}

fn read(
    text: &[u8],
    header: &Header,
    scenario: &Scenario,
    path: &Path,
) -> Result<Vec<JobResult>, Error> {
    let damaged = |line| Error::Damaged {
        journal: path.to_owned(),
        line,
    };
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').zip(1..);
    if let Some((first, line)) = lines.next() {
        let found: Header = serde_json::from_slice(first).map_err(|_| damaged(line))?;
        if let Some(what) = found.differs(header) {
            return Err(Error::OtherPlan {
                journal: path.to_owned(),
                what,
            });
        }
    }
    let mut kept = Vec::new();
    for (text, line) in lines {
        let result: JobResult = serde_json::from_slice(text).map_err(|_| damaged(line))?;
        if !fits(&result, scenario) {
            return Err(damaged(line));
        }
        kept.push(result);
    }
    Ok(kept)
}

fn fits(result: &JobResult, scenario: &Scenario) -> bool {
    result.point < scenario.points.len()
        && result.replication < scenario.experiment.replications
        && result.runs.len() == scenario.contenders.len()
        && result
            .runs
            .iter()
            .all(|run| run.values.len() == METRICS.len())
}
