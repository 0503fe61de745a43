//! `netduel run`

use std::{num::NonZeroUsize, path::Path, thread};

use netduel_experiment::{ClaimOutcome, Existing, Finished, Memory, Options};

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
    let Finished { manifest, memory } = made?;
    let words = draw::draw(&options.out, !args.no_png, &stop)?;
    if !args.quiet {
        let labels = scenario.contenders.iter().map(|c| c.label.as_str());
        let memory = in_words(labels.zip(memory));
        let summary = summary(&words, &manifest.claims, &memory, &options.out);
        terminal::say_to_whoever_reads(&summary)?;
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

fn summary(words: &Words, claims: &[ClaimOutcome], memory: &str, out: &Path) -> String {
    let mut parts = vec![
        words.answer.trim_end().to_owned(),
        words.table.trim_end().to_owned(),
    ];
    parts.extend(claims.iter().map(|claim| {
        let mark = if claim.holds { "✓" } else { "✗" };
        format!("{mark} {}\n  {}", claim.text, claim.detail)
    }));
    parts.push(memory.to_owned());
    let (out, report) = (out.display(), out.join("report.html"));
    parts.push(format!("results: {out}\nreport:  {}", report.display()));
    parts.join("\n\n")
}

/// The memory of every design's state in a node.
fn in_words<'a>(memory: impl Iterator<Item = (&'a str, Memory)>) -> String {
    let mut lines = vec![
        "memory for a node's state, on average, at the start and at the end of the run that took \
         most:"
            .to_owned(),
    ];
    lines.extend(memory.map(|(label, memory)| {
        let per_node = |bytes: usize| (bytes + memory.nodes / 2) / memory.nodes.max(1);
        let (start, end) = (per_node(memory.start), per_node(memory.end));
        format!("  {label}: {start} B, {end} B")
    }));
    lines.join("\n")
}
