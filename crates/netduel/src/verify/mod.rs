//! Theory against simulation: figures that the simulator has to reproduce.
//!
//! An [`Experiment`] simulates a set-up that theory or a published measurement speaks of and
//! compares [`Figure`]s. `netduel verify` prints them all, `docs/validation.md` holds that table,
//! and the tests run the same experiments on further seeds.

mod distribution;
mod gossip;
mod lookups;
mod measured;
mod queueing;
mod search;
mod set_up;

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

pub use measured::Measured;

/// What a simulation has to come to.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What is measured, with its unit.
    pub quantity: String,
    /// What theory, or the publication, says.
    pub theory: f64,
    /// How far the simulation may be off.
    pub accept: Accept,
}

/// How far a simulation may be off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Accept {
    /// By a share of the theory's value: for what is exact up to rounding, or where the literature
    /// states how well it agrees.
    Relative(f64),
    /// By an amount in the figure's unit.
    Absolute(f64),
    /// By so many standard errors of the measurement: 3.3 leave one false alarm in a thousand.
    StandardErrors(f64),
    /// Not below the theory's value, which is a bound, and at most so many times it.
    Above(f64),
}

/// How long an experiment takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cost {
    /// A few seconds at most.
    Quick,
    /// Longer: left out unless it is asked for.
    Slow,
}

/// A set-up that theory or a published measurement speaks of.
pub struct Experiment {
    /// The subject, for instance `"queueing"`.
    pub topic: &'static str,
    /// Where theory comes from.
    pub source: &'static str,
    /// What is simulated.
    pub set_up: String,
    /// How long it takes.
    pub cost: Cost,
    /// What it has to come to.
    pub figures: Vec<Figure>,
    /// Simulates it from a seed: one measurement for each figure, in their order.
    pub simulate: Box<dyn Fn(u64) -> Vec<Measured> + Send + Sync>,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// The subject.
    pub topic: &'static str,
    /// Where theory comes from.
    pub source: &'static str,
    /// What was simulated.
    pub set_up: String,
    /// What was compared.
    pub figure: Figure,
    /// What the simulation came to.
    pub measured: Measured,
}

impl Row {
    /// Whether the simulation agrees.
    pub fn holds(&self) -> bool {
        self.figure.accept.agrees(self.figure.theory, self.measured)
    }
}

impl Accept {
    /// Whether a measurement agrees with theory.
    ///
    /// # Panics
    /// When standard errors are asked for and the measurement has none.
    pub fn agrees(self, theory: f64, measured: Measured) -> bool {
        let off = (measured.value - theory).abs();
        match self {
            Self::Relative(share) => off <= share * theory.abs(),
            Self::Absolute(amount) => off <= amount,
            Self::StandardErrors(count) => {
                let error = measured.standard_error;
                off <= count * error.expect("a measurement that is judged by its error has one")
            }
            // A bound may be met to the last nanosecond.
            Self::Above(times) => {
                (theory * (1.0 - 1e-9)..=theory * times).contains(&measured.value)
            }
        }
    }
}

/// Every experiment, in the order of the table.
pub fn experiments() -> Vec<Experiment> {
    let mut all = Vec::new();
    all.extend(distribution::experiments());
    all.extend(queueing::experiments());
    all.extend(search::experiments());
    all.extend(gossip::experiments());
    all.extend(lookups::experiments());
    all
}

/// Runs experiments from a seed, at most `jobs` at a time; the rows come in their order. `done` is
/// told of each experiment as it ends.
///
/// # Panics
/// When an experiment measures another number of figures than it has.
pub fn run(
    experiments: &[Experiment],
    seed: u64,
    jobs: usize,
    done: impl Fn(&Experiment) + Sync,
) -> Vec<Row> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<Vec<Measured>>>> = Mutex::new(vec![None; experiments.len()]);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1).min(experiments.len()) {
            scope.spawn(|| {
                while let Some((index, experiment)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    experiments.get(index).map(|experiment| (index, experiment))
                } {
                    let measured = (experiment.simulate)(seed);
                    done(experiment);
                    results.lock().expect("no experiment panics here")[index] = Some(measured);
                }
            });
        }
    });
    let results = results.into_inner().expect("no experiment panics here");
    let mut rows = Vec::new();
    for (experiment, measured) in experiments.iter().zip(results) {
        let measured = measured.expect("every experiment ran");
        assert_eq!(
            measured.len(),
            experiment.figures.len(),
            "{}",
            experiment.set_up
        );
        rows.extend(
            experiment
                .figures
                .iter()
                .zip(measured)
                .map(|(figure, measured)| Row {
                    topic: experiment.topic,
                    source: experiment.source,
                    set_up: experiment.set_up.clone(),
                    figure: figure.clone(),
                    measured,
                }),
        );
    }
    rows
}
