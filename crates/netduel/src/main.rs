//! The command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    netduel::cli::main(netduel::architectures())
}
