//! What may be asked for.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueHint, builder::RangedI64ValueParser, value_parser};
use clap_complete::Shell;
use netduel_scenario::REPLICATIONS_MAX;

/// Lets a client-server design and a peer-to-peer design serve the same users in the same
/// simulated world, and says which one served them better, by how much, and when that flips.
#[derive(Debug, Parser)]
#[command(name = "netduel", version, after_help = EXIT_CODES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes: 0 fine, 1 a run or a file failed, 2 wrong usage, 3 scenario invalid,
4 a claim does not hold, 130 interrupted (finished runs are kept).";

#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Runs a scenario and writes tables, charts and a report.
    Run(RunArgs),
    /// Says whether scenarios are valid, without running them.
    Check {
        /// Scenario files.
        #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
        files: Vec<PathBuf>,
    },
    /// Lists the architectures that scenarios can name, and their settings.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Says in words what a scenario means, what is equal for all contenders, and who is hit.
    Explain(ExplainArgs),
    /// Writes a commented scenario to start from; never overwrites a file.
    New {
        /// The file to write.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Draws the charts and the report of a result folder again, from its tables alone.
    Report {
        /// The result folder.
        #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
        folder: PathBuf,
        /// Leaves out the PNG copies of the charts.
        #[arg(long)]
        no_png: bool,
    },
    /// Simulates what theory and published measurements speak of, and prints both; the exit code is
    /// 1 when a figure is off.
    Verify(VerifyArgs),
    /// Prints the JSON schema of scenario files, for editors that complete and check.
    Schema,
    /// Prints a script that lets a shell complete this command line.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(super) struct RunArgs {
    /// The scenario file.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) file: PathBuf,
    /// Where the results go [default: results/ and the file's path below scenarios/].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) out: Option<PathBuf>,
    /// How many runs at a time; the results are the same [default: one per core].
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Replications of each point, in place of the scenario's number.
    #[arg(long, value_name = "N", value_parser = replications())]
    pub(super) replications: Option<u32>,
    /// The seed of every draw, in place of the scenario's.
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Goes on where an interrupted run stopped.
    #[arg(long, conflicts_with = "overwrite")]
    pub(super) resume: bool,
    /// Replaces results that are already there.
    #[arg(long)]
    pub(super) overwrite: bool,
    /// Prints nothing but errors.
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Leaves out the PNG copies of the charts.
    #[arg(long)]
    pub(super) no_png: bool,
}

#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// The scenario file.
    #[arg(value_hint = ValueHint::FilePath)]
    pub(super) file: PathBuf,
    /// The result folder to read who was hit from [default: as for `run`].
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) out: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    /// Only experiments whose topic or set-up contains this text, such as `chord`.
    pub(super) about: Option<String>,
    /// Also those that take minutes.
    #[arg(long)]
    pub(super) slow: bool,
    /// The seed of every draw.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// How many experiments at a time; the figures are the same [default: one per core].
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// As JSON.
    #[arg(long)]
    pub(super) json: bool,
}

fn replications() -> RangedI64ValueParser<u32> {
    value_parser!(u32).range(1..=i64::from(REPLICATIONS_MAX))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
