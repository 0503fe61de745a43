//! Measures how fast the others are.
//!
//! The workloads of `docs/performance.md`, each by its verb.

mod cut;
mod dht;
mod downloads;
mod draws;
mod exchange;
mod hold;
mod mm1;
mod outcome;
mod ping;
mod sharing;
mod stopwatch;
mod swarm;

use netduel_engine::EventQueue;
use netduel_network::{FairSharing, progressive::ProgressiveFilling};

use crate::hold::Heap;
pub use crate::outcome::Outcome;

/// Runs what a verb names. `None` when it names nothing.
pub fn ours(verb: &str, size: u32, count: Option<u64>) -> Option<Outcome> {
    let million = count.unwrap_or(1_000_000);
    let all = u64::MAX;
    Some(match verb {
        "hold" => hold::run::<EventQueue<u32>>(size, million),
        "ping" => ping::run(size, million),
        "mm1" => mm1::run(size),
        "steady" => downloads::steady::<FairSharing>(size, million),
        "w4" => downloads::poisson::<FairSharing>(size, all),
        "w4het" => downloads::heterogeneous::<FairSharing>(size, all),
        "w5jit" => exchange::run::<FairSharing>(size, WIDE, all),
        "w5tight" => exchange::run::<FairSharing>(size, TIGHT, all),
        "cut" => cut::run(size),
        "chord" => dht::chord(size, million),
        "kademlia" => dht::kademlia(size, million),
        "swarm" => swarm::run(size, count.unwrap_or(400)),
        _ => return None,
    })
}

/// Runs what a verb is compared with, as far as the patience of a reader goes. `None` when there
/// is nothing to compare with, or it would take minutes.
pub fn reference(verb: &str, size: u32, count: Option<u64>) -> Option<Outcome> {
    let million = count.unwrap_or(1_000_000);
    // Recomputation costs links times bottlenecks for each completion.
    let squared = u64::from(size) * u64::from(size);
    let bounded = (400_000_000 / squared.max(1)).clamp(20, 100_000);
    Some(match verb {
        "hold" => hold::run::<Heap>(size, million),
        // Half a minute for each completion among 100,000: a few have to do.
        "steady" => {
            let few = if size > 2000 { FEW } else { bounded };
            downloads::steady::<ProgressiveFilling>(size, few)
        }
        "w5jit" if size <= 2000 => exchange::run::<ProgressiveFilling>(size, WIDE, bounded),
        "w5tight" if size <= 2000 => exchange::run::<ProgressiveFilling>(size, TIGHT, bounded),
        _ => return None,
    })
}

/// Completions of the reference at sizes at which each takes long.
const FEW: u64 = 2;
/// Downlinks of `w5jit` and of `w5tight`, in bit/s.
const WIDE: f64 = 50e6;
const TIGHT: f64 = 10e6;
