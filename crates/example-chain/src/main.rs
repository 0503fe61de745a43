//! Netduel with one more architecture.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut registry = netduel::architectures();
    registry.add::<netduel_example_chain::Chain>();
    netduel::cli::main(registry)
}
