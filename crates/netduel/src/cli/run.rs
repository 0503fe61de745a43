//! `netduel run`

use std::{num::NonZeroUsize, path::Path, thread};

use netduel_experiment::{ClaimOutcome, Existing, Options};

use super::{
    Call,
    args::RunArgs,
    draw::{self, Words},
    failure::{Exit, Failure},
    interrupt, place,
    progress::Progress,
    terminal,
};

/// Runs a scenario, writes the result folder and says what came of it.
pub(super) fn run(call: &Call, args: &RunArgs) -> Result<Exit, Failure> {
    let mut scenario = call.read(&args.file)?;
    if let Some(replications) = args.replications {
        scenario.experiment.replications = replications;
    }
    if let Some(seed) = args.seed {
        scenario.experiment.seed = seed;
    }
    let options = options(args);
    let stop = interrupt::flag();
    let progress = Progress::new(args.quiet);
    let made = netduel_experiment::run(&scenario, &options, &stop, &|tick| progress.tick(tick));
    progress.clear();
    let manifest = made?;
    let words = draw::draw(&options.out, !args.no_png, &stop)?;
    if !args.quiet {
        terminal::say_to_whoever_reads(&summary(&words, &manifest.claims, &options.out))?;
    }
    let all_hold = manifest.claims.iter().all(|claim| claim.holds);
    Ok(if all_hold {
        Exit::Fine
    } else {
        Exit::ClaimDoesNotHold
    })
}

fn options(args: &RunArgs) -> Options {
    let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let existing = match (args.resume, args.overwrite) {
        (true, _) => Existing::Resume,
        (_, true) => Existing::Overwrite,
        _ => Existing::Refuse,
    };
    Options {
        out: args
            .out
            .clone()
            .unwrap_or_else(|| place::results_of(&args.file)),
        jobs: args.jobs.unwrap_or_else(cores),
        existing,
    }
}

fn summary(words: &Words, claims: &[ClaimOutcome], out: &Path) -> String {
    let mut parts = vec![
        words.answer.trim_end().to_owned(),
        words.table.trim_end().to_owned(),
    ];
    parts.extend(claims.iter().map(|claim| {
        let mark = if claim.holds { "✓" } else { "✗" };
        format!("{mark} {}\n  {}", claim.text, claim.detail)
    }));
    let (out, report) = (out.display(), out.join("report.html"));
    parts.push(format!("results: {out}\nreport:  {}", report.display()));
    parts.join("\n\n")
}
