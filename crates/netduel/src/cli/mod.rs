//! The command line: the one place that prints and exits.

mod args;
mod check;
mod draw;
mod explain;
mod failure;
mod interrupt;
mod list;
mod new;
mod place;
mod progress;
mod run;
mod terminal;
mod verify;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use netduel_scenario::{Disk, Scenario};
use netduel_world::Registry;

use args::{Cli, Verb};
use failure::{Exit, Failure};

pub use verify::table as validation_table;

/// Does what the command line of this process asks for, with the architectures of `registry`.
///
/// Data goes to stdout, everything else to stderr. The exit code is 0 when all is well, 1 when a
/// run or a file failed, 2 for a wrong command line, 3 for an invalid scenario, 4 when a claim of
/// the scenario does not hold, 130 when interrupted.
pub fn main(registry: Registry) -> ExitCode {
    let exit = match Cli::try_parse() {
        Ok(cli) => Call { registry }.obey(cli.verb),
        Err(error) => {
            // Help and version come this way too. When nobody reads, nobody misses it.
            let _ = error.print();
            if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Fine
            }
        }
    };
    ExitCode::from(exit as u8)
}

/// One call of the command line.
struct Call {
    registry: Registry,
}

impl Call {
    fn obey(&self, verb: Verb) -> Exit {
        let done = match verb {
            Verb::Run(args) => run::run(self, &args),
            Verb::Check { files } => check::check(self, &files),
            Verb::List { json } => list::list(self, json),
            Verb::Explain(args) => explain::explain(self, &args),
            Verb::New { file } => new::new(self, &file),
            Verb::Report { folder, no_png } => draw::redraw(&folder, !no_png),
            Verb::Verify(args) => verify::verify(&args),
            Verb::Schema => {
                let schema = netduel_scenario::schema(&self.registry);
                terminal::say(&format!("{schema:#}"))
            }
            Verb::Completions { shell } => completions(shell),
        };
        done.unwrap_or_else(|failure| {
            terminal::complain(&failure);
            failure.exit()
        })
    }

    fn read(&self, file: &std::path::Path) -> Result<Scenario, Failure> {
        Ok(netduel_scenario::read(file, &Disk, &self.registry)?)
    }
}

fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "netduel", &mut script);
    terminal::say(String::from_utf8_lossy(&script).trim_end())
}
