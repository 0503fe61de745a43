//! Spreads jobs over the cores.

use std::{
    any::Any,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use netduel_scenario::Scenario;
use netduel_world::RunError;

use super::error::Error;
use crate::plan::{Job, JobResult, run_job, values};

/// Where finished jobs go.
pub(super) type Deliver<'a> = dyn Fn(JobResult) -> Result<(), Error> + Sync + 'a;

/// Runs every job, the largest first so that none is left to the end alone, and hands each result
/// to `deliver` as soon as it is there. Stops early without an error when `stop` becomes true.
pub(super) fn run_all(
    scenario: &Scenario,
    missing: &[Job],
    threads: NonZeroUsize,
    stop: &AtomicBool,
    deliver: &Deliver<'_>,
) -> Result<(), Error> {
    let mut queue = missing.to_vec();
    let size = |job: &Job| scenario.points[job.point].world.population.peers;
    queue.sort_by_key(|job| std::cmp::Reverse(size(job)));
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let Some(job) = queue.get(next.fetch_add(1, Ordering::Relaxed)) else {
                return;
            };
            match attempt(scenario, *job, stop).and_then(|result| result.map_or(Ok(()), deliver)) {
                Ok(()) => {}
                Err(error) => {
                    let mut failure = failure.lock().expect("nobody panics while reporting");
                    failure.get_or_insert(error);
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads.get().min(queue.len()) {
            scope.spawn(work);
        }
    });
    let failure = failure
        .into_inner()
        .expect("nobody panicked while reporting");
    failure.map_or(Ok(()), Err)
}

/// Runs a job; `None` when it was told to stop.
fn attempt(scenario: &Scenario, job: Job, stop: &AtomicBool) -> Result<Option<JobResult>, Error> {
    // After a panic nothing of the run is looked at again: the scenario is read only, and the rest
    // is gone with the stack.
    let run = catch_unwind(AssertUnwindSafe(|| run_job(scenario, job, stop)));
    match run {
        Ok(Ok(result)) => Ok(Some(result)),
        Ok(Err(failed)) if failed.source == RunError::Interrupted => Ok(None),
        Ok(Err(failed)) => Err(failed.into()),
        Err(panic) => Err(Error::Panicked {
            point: job.point,
            values: values(scenario, job.point),
            replication: job.replication,
            message: message(&*panic),
        }),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "a panic without words".to_owned())
}
