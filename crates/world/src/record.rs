//! What was observed in a run.

use netduel_engine::{Digest, SimDuration, SimTime};
use netduel_network::NodeId;
use netduel_units::Bytes;

use crate::{
    ledger::{Outcome, RequestRecord},
    processor::Worked,
    reach::Reach,
};

/// Everything that was observed while one contender ran in one world.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRecord {
    /// One record for each request, by `RequestId`.
    pub requests: Vec<RequestRecord>,
    /// What each node carried, by `NodeId`.
    pub loads: Vec<Load>,
    /// What each node's processor did, by `NodeId`; empty when none did anything.
    pub worked: Vec<Worked>,
    /// How long each machine was rented, by `NodeId`.
    pub rented: Vec<SimDuration>,
    /// How far each broadcast came, by `RequestId`; empty when users ask for something else.
    pub reach: Vec<Reach>,
    /// Bytes of the architecture's state, of all nodes together.
    pub state: StateSize,
    /// Bytes on the network in all.
    pub traffic: Traffic,
    /// Bytes that transfers had delivered, over time.
    pub delivered: Series,
    /// What went wrong, and who was hit.
    pub incidents: Vec<IncidentRecord>,
    /// Transfers that could not move when the run ended: a link on their way carried nothing.
    pub stalled: usize,
    /// When the run ended.
    pub ended: SimTime,
    /// How many events it took.
    pub events: u64,
    /// Fingerprint of its trajectory.
    pub digest: Digest,
}

impl RunRecord {
    /// How many requests were served.
    pub fn served(&self) -> usize {
        let served = |r: &&RequestRecord| r.outcome == Outcome::Served;
        self.requests.iter().filter(served).count()
    }
}

/// Memory that an architecture's own state takes, as it counts it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StateSize {
    /// Before the first event.
    pub start: usize,
    /// At the end of the run.
    pub end: usize,
}

/// What one node carried.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Load {
    /// Bytes sent, in messages and transfers.
    pub sent: Bytes,
    /// Bytes received, in messages and transfers.
    pub received: Bytes,
    /// Messages and announcements sent.
    pub messages: u64,
}

/// Bytes on the network in all: what was sent either arrived or was lost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Traffic {
    /// Bytes sent.
    pub sent: Bytes,
    /// Bytes received.
    pub received: Bytes,
    /// Bytes sent to nodes that were down, or still under way when the run ended.
    pub lost: Bytes,
    /// Bytes that transfers brought from one machine of an operator to another.
    pub between_machines: Bytes,
}

/// An incident as it happened.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentRecord {
    /// Which failure of the scenario, from 0.
    pub failure: usize,
    /// When it began.
    pub at: SimTime,
    /// When it ends; never, when it lasts for ever.
    pub until: SimTime,
    /// Who was hit.
    pub victims: Vec<Victim>,
}

/// A node that was hit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Victim {
    /// The node.
    pub node: NodeId,
    /// Its share of all bytes sent until then.
    pub load_share: f64,
}

/// A count that never falls, read at evenly spaced instants.
///
/// The spacing doubles whenever the series is full, so a run of any length keeps between 256 and
/// 512 readings.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    spacing: SimDuration,
    readings: Vec<u64>,
    last: (SimTime, u64),
}

impl Default for Series {
    fn default() -> Self {
        Self {
            // 10 ms: finer than any latency that matters to a chart of a second or more.
            spacing: SimDuration(10_000_000),
            readings: Vec::new(),
            last: (SimTime::ZERO, 0),
        }
    }
}

impl Series {
    const MAX: usize = 512;

    /// The instant at which the next reading is due.
    pub fn due(&self) -> SimTime {
        SimTime(self.spacing.0 * self.readings.len() as u64)
    }

    /// Takes the reading that is due.
    pub fn push(&mut self, value: u64) {
        self.last = (self.due(), value);
        self.readings.push(value);
        if self.readings.len() == Self::MAX {
            let mut index = 0;
            self.readings.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.spacing = SimDuration(self.spacing.0 * 2);
        }
    }

    /// Takes the last reading, at the end of the run.
    pub fn finish(&mut self, at: SimTime, value: u64) {
        self.last = (at, value);
    }

    /// Every reading with its instant, the last at the end of the run.
    pub fn points(&self) -> impl Iterator<Item = (SimTime, u64)> {
        let spacing = self.spacing.0;
        let regular = self.readings.iter().zip(0_u64..);
        let regular = regular.map(move |(value, index)| (SimTime(spacing * index), *value));
        let last = self.last;
        regular
            .take_while(move |(at, _)| *at < last.0)
            .chain(std::iter::once(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_series_keeps_its_shape_in_bounded_space() {
        let mut series = Series::default();
        for _ in 0..5000 {
            let value = series.due().0;
            series.push(value);
        }
        let points: Vec<(SimTime, u64)> = series.points().collect();
        assert!(points.len() <= Series::MAX + 1);
        assert!(points.iter().all(|(at, value)| at.0 == *value));
        assert!(points.is_sorted());
    }
}
