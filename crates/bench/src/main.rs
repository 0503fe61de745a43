//! Measures how fast the others are.
//!
//! `netduel-bench VERB SIZE [COUNT]` prints one line, and a second one with the ratio to a plain
//! way of doing the same where there is one. `docs/performance.md` says what the verbs do.

use std::{io::Write, process::ExitCode};

use netduel_bench::{ours, reference};

const USAGE: &str = "usage: netduel-bench VERB SIZE [COUNT]
  hold Q [M]      Q pending events, M in all; against the standard library's heap
  ping N [M]      N messages under way among N nodes, M in all, through the run loop
  mm1 M           M look-ups at a server's processor, M/M/1 at load 0.8
  steady N [M]    N downloads from one uplink at all times, M in all; against recomputation
  w4 N            N downloads of 10 MB, 10 a second
  w4het N         N downloads of different sizes and rates, all at once
  w5jit N         N peers send 100 chunks each; against recomputation
  w5tight N       the same with narrow downlinks; against recomputation
  cut N           N downloads whose server is slowed down, comes back and dies
  chord N [M]     N nodes on a ring, N look-ups under way, M in all
  kademlia N [M]  the same with buckets of 8, three questions at once in each look-up
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
    let Some(ours) = ours(verb, size, count) else {
        return refuse();
    };
    print(&format!("netduel {verb} {ours}\n"));
    if let Some(reference) = reference(verb, size, count) {
        let ratio = ours.rate() / reference.rate();
        let (size, events) = (reference.size, reference.events);
        print(&format!(
            "ratio {verb} n={size} reference_events={events} ours/reference={ratio:.2}\n"
        ));
    }
    ExitCode::SUCCESS
}

/// Prints a line; a reader who has left does not matter.
fn print(line: &str) {
    let _ = std::io::stdout().write_all(line.as_bytes());
}

#[expect(clippy::print_stderr, reason = "a mistake in the arguments is told")]
fn refuse() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}
