//! The metrics of a run, in the order of every table. `docs/metrics.md` defines them in words.

use netduel_metrics::{
    concentration::{gini, herfindahl, top_share},
    distribution::quantile,
    recovery::Recovery,
};
use netduel_world::{Cause, Device, Outcome, RequestRecord, RunRecord, SimDuration, What, World};

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
    metric("failed.deadline_passed", "requests", |run| {
        run.failed(Cause::DeadlinePassed)
    }),
    metric("failed.unfinished", "requests", |run| {
        run.failed(Cause::Unfinished)
    }),
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
    metric("infrastructure_cost", "currency", |run| {
        run.infrastructure_cost
    }),
    metric("bytes_per_useful_byte", "B/B", |run| {
        ratio(run.all_sent(), run.useful_bytes())
    }),
    metric("messages", "messages", |run| Some(run.messages as f64)),
    metric("goodput", "bit/s", |run| {
        ratio(run.useful_bytes() * 8.0, run.makespan()?)
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
    /// What the operator paid; nothing where no machine has a price.
    infrastructure_cost: Option<f64>,
    object: f64,
    /// Transfers that were stalled in the end, where links can carry nothing.
    stalled: Option<f64>,
    /// What the first crash, slowdown or cut did.
    pub(crate) recovery: Option<Recovery>,
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
            times,
            issued: issued.len(),
            failed: Cause::ALL.map(|cause| issued.iter().filter(failed(cause)).count()),
            attempts: issued.iter().map(|r| u64::from(r.attempts)).sum(),
            makespan: first.zip(last).map(|(first, last)| last - first),
            sent: record.loads.iter().map(|l| l.sent.0 as f64).collect(),
            machines: world.machine_count() as usize,
            infrastructure_cost: infrastructure_cost(world, record),
            messages: record.loads.iter().map(|load| load.messages).sum(),
            object: world.spec.demand.wants.size().0 as f64,
            stalled: cuts.then_some(record.stalled as f64),
            recovery: None,
        }
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

    fn useful_bytes(&self) -> f64 {
        self.served() * self.object
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
