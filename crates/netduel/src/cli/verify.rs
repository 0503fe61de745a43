//! `netduel verify`

use std::{fmt::Write as _, num::NonZeroUsize};

use serde_json::{Value, json};

use super::{
    args::VerifyArgs,
    failure::{Exit, Failure},
    terminal,
};
use crate::verify::{self, Accept, Cost, Experiment, Measured, Row};

/// Simulates what theory speaks of, and prints both.
pub(super) fn verify(args: &VerifyArgs) -> Result<Exit, Failure> {
    let wanted = |experiment: &Experiment| {
        let word = args.about.as_deref().unwrap_or_default();
        (args.slow || experiment.cost == Cost::Quick)
            && (experiment.topic.contains(word) || experiment.set_up.contains(word))
    };
    let experiments: Vec<Experiment> = verify::experiments().into_iter().filter(wanted).collect();
    if experiments.is_empty() {
        return Err(Failure::NothingToVerify {
            about: args.about.clone().unwrap_or_default(),
        });
    }
    let jobs = args.jobs.or(std::thread::available_parallelism().ok());
    let rows = verify::run(
        &experiments,
        args.seed,
        jobs.map_or(1, NonZeroUsize::get),
        |done| {
            terminal::note(&format!("done: {}", done.set_up));
        },
    );
    let text = if args.json {
        format!(
            "{:#}",
            Value::from(rows.iter().map(to_json).collect::<Vec<_>>())
        )
    } else {
        table(&rows)
    };
    terminal::say(&text)?;
    let failed = rows.iter().filter(|row| !row.holds()).count();
    if failed > 0 {
        terminal::note(&format!("{failed} of {} figures are off", rows.len()));
        return Ok(Exit::Failed);
    }
    Ok(Exit::Fine)
}

fn to_json(row: &Row) -> Value {
    json!({
        "topic": row.topic,
        "source": row.source,
        "set_up": row.set_up,
        "quantity": row.figure.quantity,
        "theory": row.figure.theory,
        "accepted": accepted(row.figure.accept),
        "simulated": row.measured.value,
        "standard_error": row.measured.standard_error,
        "holds": row.holds(),
    })
}

const HEADINGS: [&str; 7] = [
    "source",
    "set-up",
    "quantity",
    "theory",
    "simulated",
    "accepted",
    "verdict",
];

/// The rows as a Markdown table, a heading for each topic.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    let mut topic = "";
    for row in rows {
        if row.topic != topic {
            topic = row.topic;
            if !text.is_empty() {
                text.push('\n');
            }
            let rule = HEADINGS.map(|_| "---").join(" | ");
            writeln!(
                text,
                "## {}\n\n| {} |\n| {rule} |",
                capitalised(topic),
                HEADINGS.join(" | ")
            )
            .expect("memory takes every line");
        }
        let verdict = if row.holds() { "agrees" } else { "is off" };
        let cells = [
            row.source.to_owned(),
            row.set_up.clone(),
            row.figure.quantity.clone(),
            number(row.figure.theory),
            simulated(row.measured),
            accepted(row.figure.accept),
            verdict.to_owned(),
        ];
        writeln!(text, "| {} |", cells.join(" | ")).expect("memory takes every line");
    }
    text.trim_end().to_owned()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn simulated(measured: Measured) -> String {
    match measured.standard_error {
        // 1.96 standard errors to either side hold the true value in 95 of 100 cases.
        Some(error) => format!("{} ± {}", number(measured.value), number(1.96 * error)),
        None => number(measured.value),
    }
}

fn accepted(accept: Accept) -> String {
    match accept {
        Accept::Relative(share) => format!("within {} %", number(100.0 * share)),
        Accept::Absolute(amount) => format!("within {}", number(amount)),
        Accept::StandardErrors(count) => format!("within {count} standard errors"),
        Accept::Above(times) => format!("1 to {times} times"),
    }
}

/// Five significant digits without trailing zeros.
fn number(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let rounded: f64 = format!("{value:.4e}")
        .parse()
        .expect("a printed float is read back");
    if (1e-3..1e7).contains(&rounded.abs()) {
        format!("{rounded}")
    } else {
        format!("{rounded:e}")
    }
}
