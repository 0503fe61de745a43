//! A plan of runs, and what came of them.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
};

use netduel_scenario::Scenario;
use netduel_world::{RunError, Wants, World};
use serde::{Deserialize, Serialize};

use crate::result::{Kept, RunResult};

/// All contenders in one world: the smallest piece of a plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Job {
    /// Which point.
    pub point: usize,
    /// Which replication of it.
    pub replication: u32,
}

/// What came of a job.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct JobResult {
    /// Which point.
    pub point: usize,
    /// Which replication of it.
    pub replication: u32,
    /// One result for each contender, in their order.
    pub runs: Vec<RunResult>,
}

/// A run that could not be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RunFailed {
    /// The contender's label.
    pub contender: String,
    /// Which point.
    pub point: usize,
    /// The point's swept values, such as `population.peers = 100`; empty without a sweep.
    pub values: String,
    /// Which replication of it.
    pub replication: u32,
    /// Why.
    pub source: RunError,
}

impl fmt::Display for RunFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            contender,
            replication,
            values,
            ..
        } = self;
        write!(f, "\"{contender}\" failed in replication {replication}")?;
        match values.as_str() {
            "" => Ok(()),
            values => write!(f, " at {values}"),
        }
    }
}

impl std::error::Error for RunFailed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Every job of a scenario in plan order: by point, then by replication.
pub fn jobs(scenario: &Scenario) -> Vec<Job> {
    let points = 0..scenario.points.len();
    let replications = 0..scenario.experiment.replications;
    points
        .flat_map(|point| {
            replications
                .clone()
                .map(move |replication| Job { point, replication })
        })
        .collect()
}

/// Draws the world of a job once and lets every contender run in it.
///
/// # Errors
/// [`RunFailed`] for the first contender without a record.
pub fn run_job(scenario: &Scenario, job: Job, stop: &AtomicBool) -> Result<JobResult, RunFailed> {
    let point = &scenario.points[job.point];
    let seed = scenario.experiment.seed;
    let world = Arc::new(World::draw(&point.world, seed, u64::from(job.replication)));
    let mut kept = Vec::with_capacity(point.contenders.len());
    for (contender, entrant) in point.contenders.iter().zip(&scenario.contenders) {
        let record = contender.run(&world, stop);
        let record = record.map_err(|source| RunFailed {
            contender: entrant.label.clone(),
            point: job.point,
            values: values(scenario, job.point),
            replication: job.replication,
            source,
        })?;
        kept.push(Kept::of(&world, &record));
    }
    let requests = world.issues.len();
    let copies = match world.spec.demand.wants {
        Wants::Broadcast { .. } => requests * (world.spec.population.peers as usize - 1),
        _ => requests,
    };
    let demanded = copies as f64 * world.spec.demand.wants.size().0 as f64;
    Ok(JobResult {
        point: job.point,
        replication: job.replication,
        runs: RunResult::of(kept, requests, demanded),
    })
}

/// The swept values of a point, such as `population.peers = 100`; empty without a sweep.
pub fn values(scenario: &Scenario, point: usize) -> String {
    let axes = scenario.axes.iter().zip(&scenario.points[point].values);
    let axes = axes.map(|(axis, value)| format!("{} = {value}", axis.key));
    axes.collect::<Vec<_>>().join(", ")
}

/// The results of a whole plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Results {
    points: usize,
    replications: usize,
    contenders: usize,
    /// In plan order.
    jobs: Vec<JobResult>,
}

/// One run with its place in the plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placed<'a> {
    pub(crate) point: usize,
    pub(crate) contender: usize,
    pub(crate) replication: u32,
    pub(crate) result: &'a RunResult,
}

impl Results {
    /// Takes the results of every job of `scenario`, in plan order.
    ///
    /// # Panics
    /// When a job is missing or out of place.
    pub fn new(scenario: &Scenario, results: Vec<JobResult>) -> Self {
        let plan = jobs(scenario);
        assert_eq!(plan.len(), results.len(), "every job has a result");
        for (job, result) in plan.iter().zip(&results) {
            let found = (result.point, result.replication);
            assert_eq!(
                (job.point, job.replication),
                found,
                "results keep plan order"
            );
            assert_eq!(
                result.runs.len(),
                scenario.contenders.len(),
                "every contender ran"
            );
        }
        Self {
            points: scenario.points.len(),
            replications: scenario.experiment.replications as usize,
            contenders: scenario.contenders.len(),
            jobs: results,
        }
    }

    pub(crate) fn replications(&self) -> usize {
        self.replications
    }

    pub(crate) fn contenders(&self) -> usize {
        self.contenders
    }

    /// Every point with every contender, in the order of tables.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let contenders = self.contenders;
        (0..self.points).flat_map(move |point| (0..contenders).map(move |c| (point, c)))
    }

    /// The runs of a contender at a point, by replication.
    pub(crate) fn runs_of(
        &self,
        point: usize,
        contender: usize,
    ) -> impl Iterator<Item = &RunResult> {
        self.at(point).iter().map(move |job| &job.runs[contender])
    }

    /// Every run in the order of tables.
    pub(crate) fn runs(&self) -> impl Iterator<Item = Placed<'_>> {
        self.cells().flat_map(|(point, contender)| {
            self.at(point).iter().map(move |job| Placed {
                point,
                contender,
                replication: job.replication,
                result: &job.runs[contender],
            })
        })
    }

    /// A metric of a contender at a point, by replication.
    pub(crate) fn values(&self, point: usize, contender: usize, metric: usize) -> Vec<Option<f64>> {
        let runs = self.runs_of(point, contender);
        runs.map(|run| run.values[metric]).collect()
    }

    /// When the longest run at a point ended, in nanoseconds.
    pub(crate) fn longest(&self, point: usize) -> u64 {
        let runs = self.at(point).iter().flat_map(|job| &job.runs);
        runs.map(|run| run.progress.end).max().unwrap_or(0)
    }

    /// How long each contender's longest run at a point took, the shortest of these, in nanoseconds.
    pub(crate) fn shortest(&self, point: usize) -> u64 {
        let contenders = 0..self.contenders;
        let longest = contenders.map(|contender| {
            let runs = self.runs_of(point, contender);
            runs.map(|run| run.progress.end).max().unwrap_or(0)
        });
        longest.min().unwrap_or(0)
    }

    fn at(&self, point: usize) -> &[JobResult] {
        &self.jobs[point * self.replications..][..self.replications]
    }
}
