//! Turns a plan into tables.
//!
//! [`jobs`] lists what is to be run, [`run_job`] runs one piece of it, [`tables`] and [`claims`]
//! turn all results into text and verdicts. None of these needs a thread, a file or a clock; with
//! the feature `native`, `run` does it all at once, over all cores and into a folder.

mod claims;
mod manifest;
mod metric;
#[cfg(feature = "native")]
mod native;
mod plan;
mod resolved;
mod result;
mod tables;

pub use claims::{ClaimOutcome, claims};
pub use manifest::{Axis, Entrant, Ledger, Manifest, Occasion, Peculiarity, VERSION, sha256};
pub use metric::{METRICS, Metric};
#[cfg(feature = "native")]
pub use native::{Error, Existing, Finished, Found, Options, Tick, run};
pub use plan::{Job, JobResult, Results, RunFailed, jobs, run_job, values};
pub use resolved::resolved;
pub use result::{Incident, Memory, Progress, RunResult, Victim};
pub use tables::{NAMES as TABLE_NAMES, Table, tables};
