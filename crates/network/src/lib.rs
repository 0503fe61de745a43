//! Decides when, and whether, bytes arrive.

pub mod progressive;
mod sharing;

pub use sharing::{Capacity, Effort, FairSharing, FlowId, LinkId};
