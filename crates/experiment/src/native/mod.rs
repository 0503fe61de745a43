//! Runs a whole plan over the cores and into a folder, and goes on where it was interrupted.

mod clock;
mod error;
mod folder;
mod journal;
mod pool;

use std::sync::atomic::AtomicBool;
use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf, sync::Mutex};

use netduel_scenario::Scenario;

use crate::{
    claims::claims,
    manifest::{Manifest, Occasion, sha256},
    plan::{Job, JobResult, Results, jobs},
    resolved::resolved,
    result::Memory,
    tables::{Table, tables},
};

pub use error::{Error, Found};
use folder::Folder;
use journal::{Header, Journal};

/// Where results go and how they are made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Options {
    /// The folder for the results; it is created when missing.
    pub out: PathBuf,
    /// How many jobs run at a time.
    pub jobs: NonZeroUsize,
    /// What to do when the folder holds results already.
    pub existing: Existing,
}

/// What to do with results that are there already, finished or not.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Existing {
    /// Leave them alone.
    #[default]
    Refuse,
    /// Keep what is finished and run the rest.
    Resume,
    /// Make them again.
    Overwrite,
}

/// What a whole plan came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The manifest of the result folder.
    pub manifest: Manifest,
    /// Memory that the state of each contender took, by contender, in the run where it took most
    /// per node at the end. It depends on the machine, so that it is not part of the results.
    pub memory: Vec<Memory>,
}

/// How far a plan has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tick {
    /// Jobs that are finished, those of an interrupted run included.
    pub finished: usize,
    /// Jobs in all.
    pub planned: usize,
}

/// Runs every job of the scenario and writes the result folder.
///
/// Each finished job goes to a journal beside the results at once, so that nothing finished is
/// lost; the journal goes when the results are complete. `tick` is told of every step. `stop`
/// ends the run early when it becomes true; a failure sets it, so that other cores stop too.
///
/// # Errors
/// [`Error`]; what was finished stays in the journal.
pub fn run(
    scenario: &Scenario,
    options: &Options,
    stop: &AtomicBool,
    tick: &(dyn Fn(Tick) + Sync),
) -> Result<Finished, Error> {
    let started = clock::now();
    let plan = jobs(scenario);
    let folder = Folder::open(&options.out, options.existing, &scenario.text)?;
    let (journal, kept) = Journal::open(folder.journal(), &Header::of(scenario), scenario)?;
    let done = run_missing(scenario, options, &plan, (journal, kept), stop, tick)?;
    let results = Results::new(scenario, done);
    let files = files(scenario, &results);
    let occasion = Occasion {
        started,
        finished: clock::now(),
        jobs: options.jobs.get(),
    };
    let digests = files.iter().map(|f| (f.name.to_owned(), sha256(&f.text)));
    let digests: BTreeMap<String, String> = digests.collect();
    let manifest = Manifest::new(scenario, claims(scenario, &results), digests, occasion);
    folder.fill(&files, &manifest.to_json())?;
    let memory = (0..scenario.contenders.len()).map(|contender| memory(&results, contender));
    Ok(Finished {
        memory: memory.collect(),
        manifest,
    })
}

/// Memory of the run of a contender that took most per node at the end.
fn memory(results: &Results, contender: usize) -> Memory {
    let mine = results.runs().filter(|run| run.contender == contender);
    let all = mine.map(|run| run.result.memory);
    let most = all.max_by_key(|memory| memory.end * 1000 / memory.nodes.max(1));
    most.unwrap_or_default()
}

/// Everything in a result folder but the manifest and what is drawn from it.
fn files(scenario: &Scenario, results: &Results) -> Vec<Table> {
    let mut files = vec![
        Table {
            name: folder::SCENARIO,
            text: scenario.text.clone(),
        },
        Table {
            name: "scenario.resolved.toml",
            text: resolved(scenario),
        },
    ];
    files.extend(tables(scenario, results));
    files
}

/// Runs what no journal has; returns every result in plan order.
fn run_missing(
    scenario: &Scenario,
    options: &Options,
    plan: &[Job],
    (journal, kept): (Journal, Vec<JobResult>),
    stop: &AtomicBool,
    tick: &(dyn Fn(Tick) + Sync),
) -> Result<Vec<JobResult>, Error> {
    let mut slots: Vec<Option<JobResult>> = vec![None; plan.len()];
    for result in kept {
        let slot = slot(scenario, &result);
        slots[slot] = Some(result);
    }
    let missing: Vec<Job> = plan
        .iter()
        .zip(&slots)
        .filter(|(_, s)| s.is_none())
        .map(|(j, _)| *j)
        .collect();
    let planned = plan.len();
    let finished = planned - missing.len();
    tick(Tick { finished, planned });
    let books = Mutex::new((journal, slots, finished));
    let deliver = |result: JobResult| {
        let mut books = books.lock().expect("nobody panics while keeping the books");
        let (journal, slots, finished) = &mut *books;
        journal.append(&result)?;
        let slot = slot(scenario, &result);
        slots[slot] = Some(result);
        *finished += 1;
        tick(Tick {
            finished: *finished,
            planned,
        });
        Ok(())
    };
    pool::run_all(scenario, &missing, options.jobs, stop, &deliver)?;
    let (_, slots, finished) = books
        .into_inner()
        .expect("nobody panicked while keeping the books");
    let complete: Option<Vec<JobResult>> = slots.into_iter().collect();
    complete.ok_or(Error::Interrupted { finished, planned })
}

/// The place of a result in the plan.
fn slot(scenario: &Scenario, result: &JobResult) -> usize {
    let replications = scenario.experiment.replications as usize;
    result.point * replications + result.replication as usize
}
