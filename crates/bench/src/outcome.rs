//! What a benchmark prints.

use std::fmt;

use crate::stopwatch::{Stopwatch, memory_peak};

/// One run of one benchmark.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) size: u64,
    pub(crate) events: u64,
    /// Seconds before the event loop.
    pub(crate) setup: f64,
    /// Seconds in it.
    pub(crate) run: f64,
    /// MiB.
    pub(crate) peak: f64,
    /// What is known from theory or from another simulator.
    pub(crate) check: f64,
    /// When the last transfer ended, in simulated seconds.
    pub(crate) makespan: Option<f64>,
    /// Memory that a run took at its peak, per peer and per transfer in it.
    pub(crate) memory: Option<Memory>,
}

/// Memory at the peak of a run, in bytes, without what the process took before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) per_peer: f64,
    pub(crate) per_transfer: f64,
    /// Of that, what the architecture keeps per peer, at the end.
    pub(crate) state_per_peer: f64,
}

impl Outcome {
    pub(crate) fn rate(&self) -> f64 {
        self.events as f64 / self.run
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n={} events={} ", self.size, self.events)?;
        write!(f, "setup_s={:.4} run_s={:.4} ", self.setup, self.run)?;
        write!(f, "ev_per_s={:.0} ", self.rate())?;
        write!(f, "peak_mib={:.1} check={:.6}", self.peak, self.check)?;
        if let Some(makespan) = self.makespan {
            write!(f, " makespan={makespan:.6}")?;
        }
        match self.memory {
            Some(Memory {
                per_peer,
                per_transfer,
                state_per_peer,
            }) => {
                write!(f, " bytes_per_peer={per_peer:.0}")?;
                write!(f, " bytes_per_transfer={per_transfer:.0}")?;
                write!(f, " state_bytes_per_peer={state_per_peer:.0}")
            }
            None => Ok(()),
        }
    }
}

/// Measures the parts of one run.
#[derive(Debug)]
pub(crate) struct Timing {
    setup: f64,
    running: Stopwatch,
}

impl Timing {
    /// The set-up that `watch` measured is over.
    pub(crate) fn begin(watch: Stopwatch) -> Self {
        let setup = watch.seconds();
        let running = Stopwatch::start();
        Self { setup, running }
    }

    /// The event loop is over.
    pub(crate) fn end(&self, size: u64, events: u64, check: f64) -> Outcome {
        Outcome {
            run: self.running.seconds(),
            setup: self.setup,
            size,
            events,
            peak: memory_peak(),
            check,
            makespan: None,
            memory: None,
        }
    }
}
