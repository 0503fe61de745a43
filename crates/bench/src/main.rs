//! Measures how fast the others are.
//!
//! `netduel-bench VERB SIZE [COUNT]` prints one line, and a second one with the ratio to a plain
//! way of doing the same where there is one. `docs/performance.md` says what the verbs do.

mod cut;
mod downloads;
mod draws;
mod exchange;
mod hold;
mod outcome;
mod ping;
mod sharing;
mod stopwatch;
mod swarm;

use std::{io::Write, process::ExitCode};

use netduel_engine::EventQueue;
use netduel_network::{FairSharing, progressive::ProgressiveFilling};

use crate::{hold::Heap, outcome::Outcome};

const USAGE: &str = "usage: netduel-bench VERB SIZE [COUNT]
  hold Q [M]      Q pending events, M in all; against the standard library's heap
  ping N [M]      N messages under way among N nodes, M in all, through the run loop
  steady N [M]    N downloads from one uplink at all times, M in all; against recomputation
  w4 N            N downloads of 10 MB, 10 a second
  w4het N         N downloads of different sizes and rates, all at once
  w5jit N         N peers send 100 chunks each; against recomputation
  w5tight N       the same with narrow downlinks; against recomputation
  cut N           N downloads whose server is slowed down, comes back and dies
  swarm N [P]     N peers download a file of P pieces";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).map(|text| text.parse::<u64>());
    let (Some(verb), Some(Ok(size)), count) = (arguments.first(), number(1), number(2)) else {
        return refuse();
    };
    let (Ok(size), Ok(count)) = (u32::try_from(size), count.transpose()) else {
        return refuse();
    };
    let Some((ours, reference)) = measure(verb, size, count) else {
        return refuse();
    };
    print(verb, &ours, reference.as_ref());
    ExitCode::SUCCESS
}

/// Runs what a verb names, and what it is compared with.
fn measure(verb: &str, size: u32, count: Option<u64>) -> Option<(Outcome, Option<Outcome>)> {
    let million = count.unwrap_or(1_000_000);
    // Recomputation costs links times bottlenecks for each completion: tens of seconds at 10,000.
    let squared = u64::from(size) * u64::from(size);
    let bounded = (400_000_000 / squared.max(1)).clamp(20, 100_000);
    let recomputed = size <= 2000;
    let all = u64::MAX;
    Some(match verb {
        "hold" => {
            let ours = hold::run::<EventQueue<u32>>(size, million);
            (ours, Some(hold::run::<Heap>(size, million)))
        }
        "ping" => (ping::run(size, million), None),
        "steady" => (
            downloads::steady::<FairSharing>(size, million),
            recomputed.then(|| downloads::steady::<ProgressiveFilling>(size, bounded)),
        ),
        "w4" => (downloads::poisson::<FairSharing>(size, all), None),
        "w4het" => (downloads::heterogeneous::<FairSharing>(size, all), None),
        "w5jit" | "w5tight" => {
            let down = if verb == "w5jit" { 50e6 } else { 10e6 };
            (
                exchange::run::<FairSharing>(size, down, all),
                recomputed.then(|| exchange::run::<ProgressiveFilling>(size, down, bounded)),
            )
        }
        "cut" => (cut::run(size), None),
        "swarm" => (swarm::run(size, count.unwrap_or(400)), None),
        _ => return None,
    })
}

/// Prints the lines of a verb; a reader who has left does not matter.
fn print(verb: &str, ours: &Outcome, reference: Option<&Outcome>) {
    let against = reference.map(|reference| {
        let ratio = ours.rate() / reference.rate();
        let (size, events) = (reference.size, reference.events);
        format!("ratio {verb} n={size} reference_events={events} ours/reference={ratio:.2}\n")
    });
    let lines = format!("netduel {verb} {ours}\n{}", against.unwrap_or_default());
    let _ = std::io::stdout().write_all(lines.as_bytes());
}

#[expect(clippy::print_stderr, reason = "a mistake in the arguments is told")]
fn refuse() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}
