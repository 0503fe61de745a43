//! `netduel check`

use std::path::PathBuf;

use super::{
    Call,
    failure::{Exit, Failure},
    terminal,
};

/// Reads every file and says what a run of it would do.
pub(super) fn check(call: &Call, files: &[PathBuf]) -> Result<Exit, Failure> {
    let mut exit = Exit::Fine;
    for file in files {
        match call.read(file) {
            Ok(scenario) => {
                let replications = scenario.experiment.replications as usize;
                let runs = scenario.points.len() * replications * scenario.contenders.len();
                let runs = format!(
                    "{}: valid; {} of {} contenders, {} at {}",
                    file.display(),
                    counted(runs, "run"),
                    scenario.contenders.len(),
                    counted(replications, "replication"),
                    counted(scenario.points.len(), "point"),
                );
                terminal::say_to_whoever_reads(&runs)?;
            }
            Err(failure) => {
                terminal::complain(&failure);
                exit = failure.exit();
            }
        }
    }
    Ok(exit)
}

/// `1 run`, `2 runs`.
fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
