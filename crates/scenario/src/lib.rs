//! Turns a file into a checked plan.
//!
//! One TOML file asks one question. [`read`] checks everything before the first event: a
//! [`Scenario`] that exists can be run.

mod claim;
mod error;
mod files;
mod scenario;

pub use claim::{Bound, Claim, METRICS, Relation, Term};
pub use error::{Position, ScenarioError};
pub use files::{Disk, Files};
pub use scenario::{Axis, Entrant, Experiment, FairnessLedger, Point, Scenario};

use std::path::Path;

use netduel_world::{Kind, Registry};

/// Reads and checks the scenario at `path` and every table it names.
///
/// # Errors
/// The first mistake, with its position.
pub fn read(
    path: &Path,
    files: &dyn Files,
    registry: &Registry,
) -> Result<Scenario, ScenarioError> {
    let _ = (path, files, registry);
    todo!()
}

/// The JSON schema of scenario files, with the settings of every registered architecture.
pub fn schema(registry: &Registry) -> serde_json::Value {
    let _ = registry;
    todo!()
}

/// A commented scenario to start from, in which these architectures meet.
pub fn template(kinds: &[&Kind]) -> String {
    let _ = kinds;
    todo!()
}
