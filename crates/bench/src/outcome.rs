//! What a benchmark prints.

use std::fmt;

use crate::stopwatch::{Stopwatch, memory_peak};

/// One run of one benchmark.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How many nodes, peers, clients or pending events.
    pub size: u64,
    /// How many events, messages or completions.
    pub events: u64,
    /// Seconds before the event loop.
    pub setup: f64,
    /// Seconds in it.
    pub run: f64,
    /// The most memory that the process has held so far, in MiB.
    pub peak: f64,
    /// What is known from theory or from another simulator.
    pub check: f64,
    /// When the last transfer ended, in simulated seconds.
    pub makespan: Option<f64>,
    /// Memory that a run took at its peak, per peer and per transfer in it.
    pub memory: Option<Memory>,
    /// Memory that the state of an architecture takes, for each node.
    pub bytes_per_node: Option<f64>,
}

/// Memory at the peak of a run, in bytes, without what the process took before.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// For each peer.
    pub per_peer: f64,
    /// For each transfer.
    pub per_transfer: f64,
    /// Of that, what the architecture keeps per peer, at the end.
    pub state_per_peer: f64,
}

impl Outcome {
    /// Events per second.
    pub fn rate(&self) -> f64 {
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
        if let Some(Memory {
            per_peer,
            per_transfer,
            state_per_peer,
        }) = self.memory
        {
            write!(f, " bytes_per_peer={per_peer:.0}")?;
            write!(f, " bytes_per_transfer={per_transfer:.0}")?;
            write!(f, " state_bytes_per_peer={state_per_peer:.0}")?;
        }
        match self.bytes_per_node {
            Some(bytes) => write!(f, " bytes_per_node={bytes:.0}"),
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
            bytes_per_node: None,
        }
    }
}
