//! What is kept of a run: small enough to hold thousands, and to write to a journal.

use netduel_metrics::{
    distribution::time_by_share,
    recovery::{self, Delivery},
};
use netduel_world::{Outcome, Pick, RunRecord, SimTime, World};
use serde::{Deserialize, Serialize};

use crate::metric::{Observation, measure};

/// What is kept of one run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct RunResult {
    /// The metrics, in the order of [`crate::METRICS`]; `None` where one does not apply.
    pub values: Vec<Option<f64>>,
    /// Seconds by which 1 %, 2 % ... of all requests were served, or of all users reached by a
    /// broadcast, as far as it came.
    pub served_by: Vec<f64>,
    /// What was delivered, and to how many, over time.
    pub progress: Progress,
    /// Who was hit by what.
    pub incidents: Vec<Incident>,
    /// How many events the run took.
    pub events: u64,
    /// Fingerprint of its trajectory.
    pub digest: String,
    /// Memory that the design's own state took. It depends on the machine and stands in no table.
    pub memory: Memory,
}

/// Memory that a design's own state took, of all nodes together.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Memory {
    /// How many nodes there are.
    pub nodes: usize,
    /// Bytes before the first event.
    pub start: usize,
    /// Bytes at the end of the run.
    pub end: usize,
}

/// An incident as it hit one run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Incident {
    /// Which failure of the scenario, from 0.
    pub failure: usize,
    /// When it began, in seconds.
    pub at: f64,
    /// When it ended, in seconds, unless it lasts for ever.
    pub until: Option<f64>,
    /// Who was hit.
    pub victims: Vec<Victim>,
}

/// A node that was hit.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Victim {
    /// A reader's name for it.
    pub node: String,
    /// `infrastructure` or `user`.
    pub role: String,
    /// Its share of all bytes sent until then.
    pub load_share: f64,
}

/// Counts that never fall, read at evenly spaced instants and at the end of the run.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Progress {
    /// Nanoseconds between two readings, from instant 0 on.
    pub spacing: u64,
    /// When the run ended, in nanoseconds: the instant of the last reading.
    pub end: u64,
    /// Bytes that transfers had delivered.
    pub delivered: Vec<u64>,
    /// Requests that had been served; of broadcasts, percents of the users who had been reached.
    pub served: Vec<u64>,
    /// What `served` comes to when all is well.
    pub demanded: u64,
}

/// How many shares of the users a distribution is read at.
pub(crate) const SHARES: usize = 100;

impl RunResult {
    /// Keeps of every contender's run in one world what tables need.
    pub(crate) fn of(kept: Vec<Kept>, requests: usize, demanded: f64) -> Vec<Self> {
        // A dip looks deeper the closer one looks: all contenders are looked at alike.
        let spacing = kept.iter().map(|run| run.progress.spacing).max();
        let spacing = spacing.unwrap_or(0);
        let result = |run: Kept| Self::of_one(run, requests, demanded, spacing);
        kept.into_iter().map(result).collect()
    }

    fn of_one(run: Kept, requests: usize, demanded: f64, spacing: u64) -> Self {
        let first = run.incidents.first();
        let recovery = first.and_then(|incident| {
            let incident = recovery::Incident {
                at: incident.at,
                until: incident.until,
            };
            Delivery::new(run.progress.samples(spacing), demanded).recovery(incident)
        });
        let mut observation = run.observation;
        observation.recovery = recovery;
        let served_by = (1..=SHARES).map_while(|percent| {
            if let Some(told) = &observation.told {
                return told.time_by(percent);
            }
            let share = percent as f64 / SHARES as f64;
            time_by_share(&observation.times, requests, share)
        });
        Self {
            served_by: served_by.collect(),
            values: measure(&observation),
            progress: run.progress,
            incidents: run.incidents,
            events: run.events,
            digest: run.digest,
            memory: run.memory,
        }
    }
}

/// What is left of a run once its record is gone.
pub(crate) struct Kept {
    observation: Observation,
    progress: Progress,
    incidents: Vec<Incident>,
    events: u64,
    digest: String,
    memory: Memory,
}

impl Kept {
    pub(crate) fn of(world: &World, record: &RunRecord) -> Self {
        Self {
            observation: Observation::new(world, record),
            progress: Progress::of(record),
            incidents: incidents(world, record),
            events: record.events,
            digest: record.digest.to_string(),
            memory: Memory {
                nodes: world.devices.len(),
                start: record.state.start,
                end: record.state.end,
            },
        }
    }
}

impl Progress {
    fn of(record: &RunRecord) -> Self {
        let points: Vec<(SimTime, u64)> = record.delivered.points().collect();
        let served = record.requests.iter();
        let served = served.filter(|request| request.outcome == Outcome::Served);
        let (mut served, demanded): (Vec<SimTime>, usize) = if record.reach.is_empty() {
            let ended = served.map(|request| request.ended);
            (ended.collect(), record.requests.len())
        } else {
            let reached = record.reach.iter().flat_map(|reach| &reach.by);
            (reached.copied().collect(), record.reach.len() * SHARES)
        };
        served.sort_unstable();
        let served_until = |at: SimTime| served.partition_point(|ended| *ended <= at) as u64;
        Self {
            spacing: points.get(1).map_or(0, |(at, _)| at.0),
            end: points.last().map_or(0, |(at, _)| at.0),
            served: points.iter().map(|(at, _)| served_until(*at)).collect(),
            delivered: points.into_iter().map(|(_, bytes)| bytes).collect(),
            demanded: demanded as u64,
        }
    }

    /// Bytes delivered by an instant in nanoseconds, linearly between readings.
    pub(crate) fn delivered_at(&self, at: u64) -> f64 {
        let (before, after) = self.around(at);
        let (from, to) = (self.instant(before), self.instant(after));
        let (low, high) = (self.delivered[before] as f64, self.delivered[after] as f64);
        if from == to {
            return low;
        }
        low + (high - low) * ((at - from) as f64 / (to - from) as f64)
    }

    /// Share of all that was asked for that was served by an instant in nanoseconds: requests are
    /// served one by one, so the last reading counts.
    pub(crate) fn served_at(&self, at: u64) -> f64 {
        self.served[self.around(at).0] as f64 / self.demanded.max(1) as f64
    }

    /// The readings at or before, and after, an instant; the last one for ever after the end.
    fn around(&self, at: u64) -> (usize, usize) {
        let last = self.delivered.len() - 1;
        if at >= self.end {
            return (last, last);
        }
        let before = at.checked_div(self.spacing).unwrap_or(0);
        let before = usize::try_from(before).map_or(last, |before| before.min(last - 1));
        (before, before + 1)
    }

    /// Seconds and bytes delivered, at every multiple of `spacing` nanoseconds and at the end.
    fn samples(&self, spacing: u64) -> Vec<(f64, f64)> {
        let last = self.delivered.len() - 1;
        let chosen = |index: &usize| {
            *index == last || self.instant(*index).checked_rem(spacing).unwrap_or(0) == 0
        };
        let sample = |index: usize| {
            let at = SimTime(self.instant(index)).as_seconds();
            (at, self.delivered[index] as f64)
        };
        (0..=last).filter(chosen).map(sample).collect()
    }

    fn instant(&self, index: usize) -> u64 {
        if index + 1 == self.delivered.len() {
            self.end
        } else {
            self.spacing * index as u64
        }
    }
}

fn incidents(world: &World, record: &RunRecord) -> Vec<Incident> {
    let victim = |victim: &netduel_world::Victim| Victim {
        node: world.name(victim.node),
        role: if world.devices[victim.node.index()].is(Pick::Infrastructure) {
            "infrastructure".into()
        } else {
            "user".into()
        },
        load_share: victim.load_share,
    };
    let incident = |incident: &netduel_world::IncidentRecord| Incident {
        failure: incident.failure,
        at: incident.at.as_seconds(),
        until: (incident.until != SimTime::NEVER).then(|| incident.until.as_seconds()),
        victims: incident.victims.iter().map(victim).collect(),
    };
    let mut incidents: Vec<Incident> = record.incidents.iter().map(incident).collect();
    incidents.sort_by(|a, b| a.at.total_cmp(&b.at));
    incidents
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these values are exact")]
mod tests {
    use super::*;

    fn progress() -> Progress {
        Progress {
            spacing: 10,
            end: 25,
            delivered: vec![0, 100, 200, 250],
            served: vec![0, 0, 1, 3],
            demanded: 4,
        }
    }

    #[test]
    fn delivery_is_read_linearly_between_readings() {
        let read: Vec<f64> = [0, 5, 10, 20, 24, 25, 1000]
            .map(|at| progress().delivered_at(at))
            .into();
        assert_eq!(read, [0.0, 50.0, 100.0, 200.0, 240.0, 250.0, 250.0]);
    }

    #[test]
    fn samples_can_be_taken_at_a_coarser_spacing() {
        assert_eq!(progress().samples(10).len(), 4);
        let at: Vec<u64> = [20, 40]
            .map(|spacing| progress().samples(spacing).len() as u64)
            .into();
        assert_eq!(at, [3, 2]);
        assert_eq!(progress().samples(20)[1], (20e-9, 200.0));
    }

    #[test]
    fn users_are_served_whole() {
        let read = [0, 19, 20, 24, 25, 26].map(|at| progress().served_at(at));
        assert_eq!(read, [0.0, 0.0, 0.25, 0.25, 0.75, 0.75]);
    }

    #[test]
    fn a_run_that_ends_where_it_starts_has_one_reading() {
        let progress = Progress {
            spacing: 0,
            end: 0,
            delivered: vec![0],
            served: vec![4],
            demanded: 4,
        };
        assert_eq!(
            (progress.delivered_at(7), progress.served_at(7)),
            (0.0, 1.0)
        );
    }
}
