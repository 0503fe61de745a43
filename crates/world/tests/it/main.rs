//! Laws of the world, whatever the architecture.

mod counter;
mod demand;
mod draws;
mod failures;
mod knowledge;
mod loss;
mod probe;
mod requests;
mod slow;
mod trunks;
