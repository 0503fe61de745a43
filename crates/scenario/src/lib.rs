//! Turns a file into a checked plan.
//!
//! One TOML file asks one question. [`read`] checks everything before the first event: a
//! [`Scenario`] that exists can be run.

mod check;
mod claim;
mod document;
mod error;
mod files;
mod graphs;
mod key;
mod ledger;
mod message;
mod plan;
mod raw;
mod resolve;
mod scenario;
mod schema;
mod sweep;
mod table;
mod tables;
mod template;
mod words;

pub use claim::{Bound, Claim, METRICS, Relation, Term};
pub use error::{Position, ScenarioError};
pub use files::{Disk, Files};
pub use plan::{REPLICATIONS_MAX, read};
pub use scenario::{Axis, Entrant, Experiment, FairnessLedger, Point, Scenario};
pub use schema::schema;
pub use template::template;
