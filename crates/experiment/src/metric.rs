//! The metrics of a run, in the order of every table. `docs/metrics.md` defines them in words.

use netduel_metrics::{
    concentration::{gini, herfindahl, top_share},
    distribution::quantile,
    recovery::{Delivery, Incident, Recovery},
};
use netduel_world::{Cause, Outcome, Pick, RequestRecord, RunRecord, SimTime, World};

/// A number that one run comes to.
#[derive(Clone, Copy)]
pub struct Metric {
    /// Its name in tables and claims.
    pub id: &'static str,
    /// Its unit.
    pub unit: &'static str,
    measure: fn(&Observation<'_>) -> Option<f64>,
}

const fn metric(
    id: &'static str,
    unit: &'static str,
    measure: fn(&Observation<'_>) -> Option<f64>,
) -> Metric {
    Metric { id, unit, measure }
}

/// Every metric.
pub const METRICS: &[Metric] = &[
    metric("completion_time", "s", |run| mean(&run.times)),
    metric("completion_time_p50", "s", |run| quantile(&run.times, 0.5)),
    metric("completion_time_p95", "s", |run| quantile(&run.times, 0.95)),
    metric("makespan", "s", makespan),
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
    metric("attempts_mean", "attempts", attempts_mean),
    metric("load_gini", "share", |run| gini(&run.sent)),
    metric("load_top_share", "share", |run| top_share(&run.sent)),
    metric("load_herfindahl", "share", |run| herfindahl(&run.sent)),
    metric("infrastructure_bytes", "B", |run| {
        Some(run.infrastructure_sent())
    }),
    metric("infrastructure_share", "share", |run| {
        ratio(run.infrastructure_sent(), run.all_sent())
    }),
    metric("bytes_per_useful_byte", "B/B", |run| {
        ratio(run.all_sent(), run.useful_bytes())
    }),
    metric("messages", "messages", |run| Some(run.messages())),
    metric("goodput", "bit/s", |run| {
        ratio(run.useful_bytes() * 8.0, makespan(run)?)
    }),
    metric("dip_depth", "share", |run| Some(run.recovery?.dip_depth)),
    metric("recovery_90", "s", |run| run.recovery?.recovered_after),
];

/// The place of a metric in [`METRICS`].
pub(crate) fn position(id: &str) -> Option<usize> {
    METRICS.iter().position(|metric| metric.id == id)
}

/// Every metric of a run; `None` where one does not apply.
pub(crate) fn measure(run: &Observation<'_>) -> Vec<Option<f64>> {
    let measured = METRICS.iter().map(|metric| (metric.measure)(run));
    // Anything that is not a number would be a defect of the simulator, and no table could hold it.
    measured
        .inspect(|value| assert!(value.is_none_or(f64::is_finite), "a metric is a number"))
        .collect()
}

/// A run and what several metrics need of it.
pub(crate) struct Observation<'a> {
    world: &'a World,
    record: &'a RunRecord,
    /// Requests that were issued before the run ended.
    issued: Vec<&'a RequestRecord>,
    /// Seconds from issue to end of those that were served, sorted.
    pub(crate) times: Vec<f64>,
    /// Bytes that each node sent.
    sent: Vec<f64>,
    recovery: Option<Recovery>,
}

impl<'a> Observation<'a> {
    pub(crate) fn new(world: &'a World, record: &'a RunRecord) -> Self {
        // A user whose time had not come when the run was cut off asked nobody.
        let asked = |request: &&RequestRecord| request.attempts > 0;
        let issued: Vec<&RequestRecord> = record.requests.iter().filter(asked).collect();
        let served = issued.iter().filter(|r| r.outcome == Outcome::Served);
        let mut times: Vec<f64> = served
            .map(|request| (request.ended - request.issued).as_seconds())
            .collect();
        times.sort_by(f64::total_cmp);
        Self {
            world,
            record,
            issued,
            times,
            sent: record.loads.iter().map(|l| l.sent.0 as f64).collect(),
            recovery: recovery(world, record),
        }
    }

    fn served(&self) -> f64 {
        self.times.len() as f64
    }

    fn issued(&self) -> f64 {
        self.issued.len() as f64
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "the shape of every entry of the table of metrics"
    )]
    fn failed(&self, cause: Cause) -> Option<f64> {
        let failed = |r: &&&RequestRecord| r.outcome == Outcome::Failed(cause);
        Some(self.issued.iter().filter(failed).count() as f64)
    }

    fn infrastructure_sent(&self) -> f64 {
        let devices = self.world.devices.iter().zip(&self.sent);
        let machines = devices.filter(|(device, _)| device.is(Pick::Infrastructure));
        machines.map(|(_, sent)| *sent).sum()
    }

    fn all_sent(&self) -> f64 {
        self.record.traffic.sent.0 as f64
    }

    fn useful_bytes(&self) -> f64 {
        self.served() * self.world.spec.object_size.0 as f64
    }

    fn messages(&self) -> f64 {
        let messages: u64 = self.record.loads.iter().map(|load| load.messages).sum();
        messages as f64
    }
}

fn attempts_mean(run: &Observation<'_>) -> Option<f64> {
    let attempts: u64 = run.issued.iter().map(|r| u64::from(r.attempts)).sum();
    ratio(attempts as f64, run.issued())
}

fn makespan(run: &Observation<'_>) -> Option<f64> {
    let served = run.issued.iter().filter(|r| r.outcome == Outcome::Served);
    let last = served.map(|r| r.ended).max()?;
    let first = run.issued.iter().map(|r| r.issued).min()?;
    Some((last - first).as_seconds())
}

/// What the first crash of the run did to the delivery.
fn recovery(world: &World, record: &RunRecord) -> Option<Recovery> {
    let first = record.incidents.iter().min_by_key(|i| (i.at, i.failure))?;
    let samples = record.delivered.points();
    let samples = samples.map(|(at, bytes)| (at.as_seconds(), bytes as f64));
    let demanded = record.requests.len() as f64 * world.spec.object_size.0 as f64;
    let until = (first.until != SimTime::NEVER).then(|| first.until.as_seconds());
    let incident = Incident {
        at: first.at.as_seconds(),
        until,
    };
    Delivery::new(samples.collect(), demanded).recovery(incident)
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
