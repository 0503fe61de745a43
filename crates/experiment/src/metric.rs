//! The metrics of a run, in the order of every table. `docs/metrics.md` defines them in words.

use netduel_metrics::{
    concentration::{gini, herfindahl, top_share},
    distribution::quantile,
    recovery::Recovery,
};
use netduel_world::{
    Cause, Device, NodeId, Outcome, Pick, Reach, RequestRecord, RunRecord, SimDuration, Wants,
    What, Worked, World,
};

/// A number that one run comes to.
#[derive(Clone, Copy)]
pub struct Metric {
    /// Its name in tables and claims.
    pub id: &'static str,
    /// Its unit.
    pub unit: &'static str,
    measure: fn(&Observation) -> Option<f64>,
}

const fn metric(
    id: &'static str,
    unit: &'static str,
    measure: fn(&Observation) -> Option<f64>,
) -> Metric {
    Metric { id, unit, measure }
}

/// Every metric.
pub const METRICS: &[Metric] = &[
    metric("completion_time", "s", |run| mean(&run.times)),
    metric("completion_time_p50", "s", |run| quantile(&run.times, 0.5)),
    metric("completion_time_p95", "s", |run| quantile(&run.times, 0.95)),
    metric("completion_time_p99", "s", |run| quantile(&run.times, 0.99)),
    metric("makespan", "s", Observation::makespan),
    metric("success_ratio", "share", |run| {
        ratio(run.served(), run.issued())
    }),
    metric("served", "requests", |run| Some(run.served())),
    metric("issued", "requests", |run| Some(run.issued())),
    metric("failed.refused", "requests", |run| {
        run.failed(Cause::Refused)
    }),
    metric("failed.no_answer", "requests", |run| {
        run.failed(Cause::NoAnswer)
    }),
    metric("failed.connection_lost", "requests", |run| {
        run.failed(Cause::ConnectionLost)
    }),
    metric("failed.damaged", "requests", |run| {
        run.failed(Cause::Damaged)
    }),
    metric("failed.not_found", "requests", |run| {
        run.failed(Cause::NotFound)
    }),
    metric("failed.deadline_passed", "requests", |run| {
        run.failed(Cause::DeadlinePassed)
    }),
    metric("failed.unfinished", "requests", |run| {
        run.failed(Cause::Unfinished)
    }),
    metric("throughput", "requests/s", |run| {
        ratio(run.served(), run.makespan()?)
    }),
    metric("reach", "share", |run| mean(&run.told.as_ref()?.reach)),
    metric("reach_time_50", "s", |run| run.reach_time(50)),
    metric("reach_time_90", "s", |run| run.reach_time(90)),
    metric("reach_time_100", "s", |run| run.reach_time(100)),
    metric("attempts_mean", "attempts", |run| {
        ratio(run.attempts as f64, run.issued())
    }),
    metric("load_gini", "share", |run| gini(&run.sent)),
    metric("load_top_share", "share", |run| top_share(&run.sent)),
    metric("load_herfindahl", "share", |run| herfindahl(&run.sent)),
    metric("infrastructure_bytes", "B", |run| {
        Some(run.infrastructure_sent())
    }),
    metric("infrastructure_share", "share", |run| {
        ratio(run.infrastructure_sent(), run.all_sent())
    }),
    metric("between_machines_bytes", "B", |run| {
        Some(run.between_machines)
    }),
    metric("infrastructure_cost", "currency", |run| {
        run.infrastructure_cost
    }),
    metric("bytes_per_useful_byte", "B/B", |run| {
        ratio(run.all_sent(), run.wanted_bytes()?)
    }),
    metric("messages", "messages", |run| Some(run.messages as f64)),
    metric("messages_per_request", "messages", |run| {
        ratio(run.messages as f64, run.served())
    }),
    metric("goodput", "bit/s", |run| {
        ratio(run.wanted_bytes()? * 8.0, run.makespan()?)
    }),
    metric("work_wait_mean", "s", |run| {
        let work = run.work.as_ref()?;
        ratio(work.waited, work.done)
    }),
    metric("work_refused", "pieces", |run| {
        Some(run.work.as_ref()?.refused)
    }),
    metric("utilisation_infrastructure", "share", |run| {
        run.work.as_ref()?.machines.utilisation()
    }),
    metric("utilisation_users", "share", |run| {
        run.work.as_ref()?.users.utilisation()
    }),
    metric("dip_depth", "share", |run| Some(run.recovery?.dip_depth)),
    metric("recovery_90", "s", |run| run.recovery?.recovered_after),
    metric("stalled_transfers", "transfers", |run| run.stalled),
];

/// The place of a metric in [`METRICS`].
pub(crate) fn position(id: &str) -> Option<usize> {
    METRICS.iter().position(|metric| metric.id == id)
}

/// Every metric of a run; `None` where one does not apply.
pub(crate) fn measure(run: &Observation) -> Vec<Option<f64>> {
    let measured = METRICS.iter().map(|metric| (metric.measure)(run));
    // Anything that is not a number would be a defect of the simulator, and no table could hold it.
    measured
        .inspect(|value| assert!(value.is_none_or(f64::is_finite), "a metric is a number"))
        .collect()
}

/// What metrics need of a run, so that its record can go.
pub(crate) struct Observation {
    /// Seconds from issue to end of those who were served, sorted.
    pub(crate) times: Vec<f64>,
    /// Requests that were issued before the run ended.
    issued: usize,
    /// How many of them failed, by the order of [`Cause::ALL`].
    failed: [usize; Cause::ALL.len()],
    /// Attempts of all of them.
    attempts: u64,
    /// From the first issue to the last service.
    makespan: Option<SimDuration>,
    /// Bytes that each node sent, machines first.
    sent: Vec<f64>,
    machines: usize,
    messages: u64,
    /// Bytes that transfers brought from machine to machine.
    between_machines: f64,
    /// What the operator paid; nothing where no machine has a price.
    infrastructure_cost: Option<f64>,
    /// Bytes that the served wanted, where bytes are wanted.
    wanted: Option<f64>,
    /// How far broadcasts came, where users tell each other something.
    pub(crate) told: Option<Told>,
    /// What processors did, where answering takes work.
    work: Option<Work>,
    /// Transfers that were stalled in the end, where links can carry nothing.
    stalled: Option<f64>,
    /// What the first crash, slowdown or cut did.
    pub(crate) recovery: Option<Recovery>,
}

/// How far broadcasts came.
pub(crate) struct Told {
    /// Share of the users that each reached.
    reach: Vec<f64>,
    /// Seconds from issue until each reached 1 %, 2 % ... of the users, as far as it came.
    pub(crate) times: Vec<Vec<f64>>,
}

impl Told {
    /// Mean seconds until `percent` of the users were reached, when every broadcast came that far:
    /// a mean over fewer would be that of the lucky ones.
    pub(crate) fn time_by(&self, percent: usize) -> Option<f64> {
        let times = self.times.iter();
        let times: Option<Vec<f64>> = times.map(|by| by.get(percent - 1).copied()).collect();
        mean(&times?)
    }
}

/// What processors did.
struct Work {
    done: f64,
    refused: f64,
    /// Seconds by which pieces of work waited in all.
    waited: f64,
    machines: Cores,
    users: Cores,
}

/// Cores of one role.
struct Cores {
    /// Seconds that they were busy.
    busy: f64,
    /// Seconds that they were there.
    there: f64,
}

impl Cores {
    fn utilisation(&self) -> Option<f64> {
        ratio(self.busy, self.there)
    }
}

impl Work {
    fn of(world: &World, record: &RunRecord) -> Option<Self> {
        if !world.spec.demand.takes_work() {
            return None;
        }
        let sum = |part: fn(&Worked) -> f64| record.worked.iter().map(part).sum::<f64>();
        let cores = |role: Pick| {
            let nodes = (0..).map(NodeId).zip(&world.devices);
            let nodes = || nodes.clone().filter(|(_, device)| device.is(role));
            let busy = |(node, _): (NodeId, &_)| {
                let worked = record.worked.get(node.index());
                worked.map_or(0.0, |worked| worked.busy.as_seconds())
            };
            let cores = |(node, _): (NodeId, &_)| f64::from(world.processor(node).cores);
            Cores {
                busy: nodes().map(busy).sum(),
                there: nodes().map(cores).sum::<f64>() * record.ended.as_seconds(),
            }
        };
        Some(Self {
            done: sum(|worked| worked.done as f64),
            refused: sum(|worked| worked.refused as f64),
            waited: sum(|worked| worked.waited.as_seconds()),
            machines: cores(Pick::Infrastructure),
            users: cores(Pick::Users),
        })
    }
}

impl Observation {
    pub(crate) fn new(world: &World, record: &RunRecord) -> Self {
        // A user whose time had not come when the run was cut off asked nobody.
        let asked = |request: &&RequestRecord| request.attempts > 0;
        let issued: Vec<&RequestRecord> = record.requests.iter().filter(asked).collect();
        let served = || issued.iter().filter(|r| r.outcome == Outcome::Served);
        let failed = |cause| move |r: &&&RequestRecord| r.outcome == Outcome::Failed(cause);
        let mut times: Vec<f64> = served()
            .map(|request| (request.ended - request.issued).as_seconds())
            .collect();
        times.sort_by(f64::total_cmp);
        let first = issued.iter().map(|request| request.issued).min();
        let last = served().map(|request| request.ended).max();
        let mut failures = world.spec.failures.iter();
        let cuts = failures.any(|failure| matches!(failure.what, What::Slow(_)));
        Self {
            wanted: wanted(world, record, times.len()),
            times,
            issued: issued.len(),
            failed: Cause::ALL.map(|cause| issued.iter().filter(failed(cause)).count()),
            attempts: issued.iter().map(|r| u64::from(r.attempts)).sum(),
            makespan: first.zip(last).map(|(first, last)| last - first),
            sent: record.loads.iter().map(|l| l.sent.0 as f64).collect(),
            machines: world.machine_count() as usize,
            between_machines: record.traffic.between_machines.0 as f64,
            infrastructure_cost: infrastructure_cost(world, record),
            messages: record.loads.iter().map(|load| load.messages).sum(),
            told: told(world, record),
            work: Work::of(world, record),
            stalled: cuts.then_some(record.stalled as f64),
            recovery: None,
        }
    }

    fn reach_time(&self, percent: usize) -> Option<f64> {
        self.told.as_ref()?.time_by(percent)
    }

    fn served(&self) -> f64 {
        self.times.len() as f64
    }

    fn issued(&self) -> f64 {
        self.issued as f64
    }

    fn failed(&self, cause: Cause) -> Option<f64> {
        let place = Cause::ALL.iter().position(|known| *known == cause)?;
        Some(self.failed[place] as f64)
    }

    fn makespan(&self) -> Option<f64> {
        self.makespan.map(SimDuration::as_seconds)
    }

    fn infrastructure_sent(&self) -> f64 {
        self.sent[..self.machines].iter().sum()
    }

    fn all_sent(&self) -> f64 {
        self.sent.iter().sum()
    }

    fn wanted_bytes(&self) -> Option<f64> {
        self.wanted
    }
}

fn infrastructure_cost(world: &World, record: &RunRecord) -> Option<f64> {
    let groups = &world.spec.infrastructure;
    let priced = groups.iter().any(|group| group.price.get() > 0.0);
    let price_of = |device: &Device| {
        let group = usize::from(device.group.expect("machines come before users' devices"));
        groups[group].price.get()
    };
    let rented = record.rented.iter().zip(&world.devices);
    let paid = rented.map(|(time, machine)| time.as_seconds() / 3600.0 * price_of(machine));
    priced.then(|| paid.sum())
}

/// Bytes of what the served asked for, or of what users were told; none where no bytes are wanted.
fn wanted(world: &World, record: &RunRecord, served: usize) -> Option<f64> {
    let size = world.spec.demand.wants.size().0 as f64;
    let told = |reach: &Reach| f64::from(reach.users.saturating_sub(1));
    let copies = match world.spec.demand.wants {
        // Whoever tells something had it before.
        Wants::Broadcast { .. } => record.reach.iter().map(told).sum(),
        _ => served as f64,
    };
    (size > 0.0).then_some(copies * size)
}

/// How far every broadcast that was issued came.
fn told(world: &World, record: &RunRecord) -> Option<Told> {
    if record.reach.is_empty() {
        return None;
    }
    let users = f64::from(world.spec.population.peers);
    let issued = record.requests.iter().zip(&record.reach);
    let issued = || issued.clone().filter(|(request, _)| request.attempts > 0);
    let times = |(request, reach): (&RequestRecord, &Reach)| {
        let since = reach
            .by
            .iter()
            .map(|at| (*at - request.issued).as_seconds());
        since.collect()
    };
    Some(Told {
        reach: issued().map(|(_, r)| f64::from(r.users) / users).collect(),
        times: issued().map(times).collect(),
    })
}

fn mean(values: &[f64]) -> Option<f64> {
    ratio(values.iter().sum(), values.len() as f64)
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_of_failure_has_its_metric() {
        for cause in Cause::ALL {
            let id = format!("failed.{}", cause.name());
            assert!(position(&id).is_some(), "{id}");
        }
    }

    #[test]
    fn every_metric_has_a_name_of_its_own() {
        for (index, metric) in METRICS.iter().enumerate() {
            assert_eq!(position(metric.id), Some(index));
        }
    }
}
