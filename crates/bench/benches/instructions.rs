//! Counts the instructions of small workloads, and fails when there are 3 % more than there were.
//!
//! `docs/performance.md` says how to run it, and how to renew what is recorded here.

#![expect(missing_docs, reason = "the macros' items cannot be described")]

use std::process::Command;

use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use netduel_bench::{Outcome, ours};

/// The counts below hold for this compiler on x86-64 Linux. Another one makes other instructions
/// of the same source, and may need more of them through nobody's fault.
const RECORDED_WITH: &str = "rustc 1.95.0";

#[library_benchmark]
#[bench::hold_1000(args = ("hold", 1000, 50_000), config = recorded(HOLD))]
#[bench::ping_1000(args = ("ping", 1000, 50_000), config = recorded(PING))]
#[bench::steady_300(args = ("steady", 300, 20_000), config = recorded(STEADY))]
fn workload(verb: &str, size: u32, events: u64) -> Option<Outcome> {
    ours(verb, size, Some(events))
}

const HOLD: u64 = 20_779_000;
const PING: u64 = 43_180_000;
const STEADY: u64 = 74_079_000;

/// 3 %: counts differ by less than 1 % from machine to machine, through the C library's copies.
const ALLOWED: f64 = 3.0;

/// At most 3 % more than the last time, or than a named baseline; and than `count`, where that
/// can be compared.
fn recorded(count: u64) -> LibraryBenchmarkConfig {
    let mut callgrind = Callgrind::with_args(["--cache-sim=no"]);
    callgrind.soft_limits([(EventKind::Ir, ALLOWED)]);
    if is_compiler_of_record() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count stays far below 2^53"
        )]
        let most = (count as f64 * (1.0 + ALLOWED / 100.0)) as u64;
        callgrind.hard_limits([(EventKind::Ir, most)]);
    }
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

fn is_compiler_of_record() -> bool {
    let compiler = Command::new("rustc").arg("--version").output();
    let version = compiler.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let same = version.is_ok_and(|version| version.starts_with(RECORDED_WITH))
        && cfg!(all(target_arch = "x86_64", target_os = "linux"));
    if !same {
        tell();
    }
    same
}

fn main() {
    // This is the harness's own `main`.
    main!(library_benchmark_groups = small);
    // `cargo bench` says `--bench`; `cargo test --all-targets` says nothing, and has no Valgrind.
    if std::env::args().len() > 1 {
        main();
    }
}

#[expect(clippy::print_stderr, reason = "whoever runs it has to know")]
fn tell() {
    eprintln!(
        "note: the recorded counts are those of {RECORDED_WITH} on x86-64 Linux, which this is not; \
         only your own earlier counts are compared"
    );
}

library_benchmark_group!(name = small, benchmarks = [workload]);
