//! Laws of the world, whatever the architecture.

mod draws;
mod failures;
mod knowledge;
mod probe;
mod requests;
mod slow;
