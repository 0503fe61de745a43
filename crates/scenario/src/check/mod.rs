//! From a scenario as written to a checked world.

mod contenders;
mod demand;
mod failures;
mod laws;
mod lists;
mod network;
mod population;
mod trunks;

pub(crate) use trunks::Listed;

pub(crate) use contenders::{Candidate, candidates, configure, fit, serve};
pub(crate) use demand::{is_nothing, servers_only};
pub(crate) use lists::refuse_lists;

use std::{ops::Range, sync::Arc};

use netduel_world::{
    AfterDownload, Contender, Kind, MachineGroup, Patience, RetryBudget, Seconds, World, WorldKey,
    WorldSpec,
};

use crate::{
    document::Document,
    error::ScenarioError,
    key::Key,
    raw::{self, Either, Until},
    tables::Tables,
};

/// Most users of a world: a tenfold of the largest that fits a laptop.
const PEERS_MAX: u32 = 10_000_000;
/// Most machines of an operator.
const MACHINES_MAX: u32 = 100_000;
/// A run that is not over after this long is given up, unless the scenario says otherwise.
const AT_MOST_DAYS: f64 = 30.0;
/// Most tokens of a retry budget, as gRPC has it.
const TOKENS_MAX: u32 = 1000;

/// A key that is written and does nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Idle {
    pub(crate) key: Key,
    pub(crate) why: &'static str,
}

/// What is checked, and with what.
pub(crate) struct Check<'a> {
    pub(crate) doc: &'a Document<'a>,
    pub(crate) raw: &'a raw::Scenario,
    pub(crate) tables: &'a Tables<'a>,
    /// Architectures of the contenders.
    pub(crate) kinds: &'a [Kind],
}

impl Check<'_> {
    /// The world, when everything about it is right.
    pub(crate) fn world(&self) -> Result<WorldSpec, ScenarioError> {
        let (regions, region_shares) = self.regions()?;
        let infrastructure = self.infrastructure(&regions)?;
        let (run_for, at_most) = self.limits()?;
        let population = self.population(region_shares)?;
        let (latency, corruption) = self.network(&regions)?;
        let backbone = self.backbone(&regions)?;
        Ok(WorldSpec {
            latency,
            routers: backbone.map(|backbone| backbone.routers),
            message_loss: self.message_loss()?,
            corruption,
            demand: self.demand(population.peers)?,
            patience: self.patience()?,
            failures: self.failures(&infrastructure, run_for.unwrap_or(at_most))?,
            population,
            infrastructure,
            regions,
            run_for,
            at_most,
        })
    }

    /// Keys that are written and do nothing at this point.
    pub(crate) fn idle(&self) -> Vec<Idle> {
        let mut idle = Vec::new();
        let mut note = |key: Key, why| {
            if self.doc.has(&key) {
                idle.push(Idle { key, why });
            }
        };
        if !self.used(WorldKey::FreeRiders) {
            let why = "no contender takes notice of free riders";
            note("population.free-riders".into(), why);
        }
        if !self.used(WorldKey::AfterDownload) {
            let why = "no contender takes notice of what users do after the download";
            note("population.after-download".into(), why);
        }
        self.idle_demand(&mut note);
        let patience = &self.raw.patience;
        if let (Some(timeout), Some(deadline)) = (patience.timeout, patience.deadline)
            && timeout >= deadline
        {
            note("patience.timeout".into(), "the deadline comes first");
        }
        let waits = [
            "backoff",
            "backoff-factor",
            "backoff-max",
            "backoff-jitter",
            "retry-budget",
        ];
        if !self.used(WorldKey::Retries) && patience.timeout.is_none() {
            for name in waits.into_iter().chain(["retries"]) {
                let why = "no contender ever fails an attempt";
                note(Key::from("patience").join(name), why);
            }
        } else if patience.retries == Some(0) {
            for name in waits {
                note(Key::from("patience").join(name), "there are no retries");
            }
        }
        if matches!(self.raw.experiment.until, Some(Until::Fixed(_))) {
            note(
                "experiment.at-most".into(),
                "`experiment.until` is a fixed time",
            );
        }
        if !self.has_regions() {
            let why = "`network` has neither trunks nor latencies between regions";
            note("population.regions".into(), why);
            for (name, _) in &self.raw.infrastructure.0 {
                note(Key::from("infrastructure").join(name).join("region"), why);
            }
        }
        for name in self.idle_trunks() {
            let key = Key::from("network.trunks").join(name);
            note(key, "no way of least latency leads over it");
        }
        for (failure, number) in self.raw.failures.iter().zip(1_usize..) {
            if let Either::Table(what) = &failure.what {
                let key = Key::from("failures").join(number.to_string()).join("state");
                note(
                    key,
                    match what {
                        raw::WhatTable::Churn(_) => "churn keeps what is on the disk",
                        raw::WhatTable::Slow(_) => "a slow link does nothing to a disk",
                    },
                );
            }
        }
        idle.extend(self.idle_processors());
        idle.extend(self.idle_storage());
        idle
    }

    fn idle_storage(&self) -> Vec<Idle> {
        if self.used(WorldKey::Storage) {
            return Vec::new();
        }
        let groups = self.raw.infrastructure.0.iter();
        let keys = groups.map(|(name, _)| Key::from("infrastructure").join(name).join("storage"));
        let written = keys.filter(|key| self.doc.has(key));
        let why = "no contender fills a disk";
        written.map(|key| Idle { key, why }).collect()
    }

    /// Whether a contender takes notice of an optional part of the world.
    pub(crate) fn used(&self, key: WorldKey) -> bool {
        self.kinds.iter().any(|kind| kind.uses.contains(&key))
    }

    fn infrastructure(&self, regions: &[String]) -> Result<Vec<MachineGroup>, ScenarioError> {
        let mut total: u32 = 0;
        let mut groups = Vec::new();
        for (name, machines) in &self.raw.infrastructure.0 {
            let key = Key::from("infrastructure").join(name);
            total = total.saturating_add(machines.count);
            if machines.count == 0 || total > MACHINES_MAX {
                let expected = format!("a whole number from 1 up, at most {MACHINES_MAX} in all");
                return Err(self.doc.refuse(&key.join("count"), expected));
            }
            groups.push(MachineGroup {
                name: name.clone(),
                count: machines.count,
                upload: machines.upload,
                download: machines.download,
                region: self.region_of(&key, machines.region.as_deref(), regions)?,
                processor: self.processor(&key, machines.written())?,
                storage: machines.storage,
                price: machines.price.unwrap_or_default(),
            });
        }
        Ok(groups)
    }

    /// The fixed length of a run if it has one, and the time at which it ends at the latest.
    fn limits(&self) -> Result<(Option<Seconds>, Seconds), ScenarioError> {
        let experiment = &self.raw.experiment;
        let default = Seconds::new(AT_MOST_DAYS * 86400.0).expect("a month is in range");
        let at_most = experiment.at_most.unwrap_or(default);
        let (run_for, at_most, key) = match experiment.until.unwrap_or_default() {
            Until::AllServed => (None, at_most, "experiment.at-most"),
            Until::Fixed(length) => (Some(length), length, "experiment.until"),
        };
        if at_most.get() <= 0.0 {
            return Err(self.doc.refuse(&key.into(), "a time above 0 s"));
        }
        Ok((run_for, at_most))
    }

    fn patience(&self) -> Result<Patience, ScenarioError> {
        let raw = &self.raw.patience;
        let default = Patience::default();
        let patience = Patience {
            deadline: raw.deadline,
            retries: raw.retries.unwrap_or(default.retries),
            backoff: raw.backoff.unwrap_or(default.backoff),
            backoff_factor: raw.backoff_factor.unwrap_or(default.backoff_factor),
            backoff_max: raw.backoff_max.unwrap_or(default.backoff_max),
            backoff_jitter: raw.backoff_jitter.unwrap_or(default.backoff_jitter),
            timeout: raw.timeout,
            budget: self.retry_budget()?,
        };
        let key = Key::from("patience");
        for (name, limit) in [
            ("deadline", patience.deadline),
            ("timeout", patience.timeout),
        ] {
            if limit.is_some_and(|limit| limit.get() <= 0.0) {
                return Err(self.doc.refuse(&key.join(name), "a time above 0 s"));
            }
        }
        if !(patience.backoff_factor >= 1.0 && patience.backoff_factor.is_finite()) {
            return Err(self
                .doc
                .refuse(&key.join("backoff-factor"), "a number from 1 up"));
        }
        if patience.backoff > patience.backoff_max {
            let (name, expected) = match raw.backoff_max {
                Some(_) => (
                    "backoff-max",
                    format!("at least `backoff`, {}", patience.backoff),
                ),
                None => (
                    "backoff",
                    format!("at most `backoff-max`, {}", patience.backoff_max),
                ),
            };
            return Err(self.doc.refuse(&key.join(name), expected));
        }
        Ok(patience)
    }

    fn retry_budget(&self) -> Result<Option<RetryBudget>, ScenarioError> {
        let Some(raw::RetryBudget { tokens, ratio }) = self.raw.patience.retry_budget else {
            return Ok(None);
        };
        let key = Key::from("patience.retry-budget");
        if !(1..=TOKENS_MAX).contains(&tokens) {
            let expected = format!("a whole number from 1 to {TOKENS_MAX}");
            return Err(self.doc.refuse(&key.join("tokens"), expected));
        }
        if !(0.0..=f64::from(tokens)).contains(&ratio) {
            let expected = format!("a number from 0 to {tokens}, the number of tokens");
            return Err(self.doc.refuse(&key.join("ratio"), expected));
        }
        Ok(Some(RetryBudget { tokens, ratio }))
    }
}

/// What users do after the download.
pub(crate) fn after_download(raw: &raw::Population) -> AfterDownload {
    match raw.after_download {
        None | Some(Either::Text(raw::AfterWord::Stay)) => AfterDownload::Stay,
        Some(Either::Text(raw::AfterWord::Leave)) => AfterDownload::Leave,
        Some(Either::Table(raw::AfterTable::Linger(time))) => AfterDownload::Linger(time),
    }
}

/// Machine groups that none of these contenders uses.
pub(crate) fn idle_machines<'a>(
    contenders: impl IntoIterator<Item = &'a dyn Contender>,
    world: &Arc<World>,
) -> Vec<String> {
    let used = contenders.into_iter().flat_map(|contender| {
        let machines = contender.machines(world);
        machines.expect("settings that fit name machines that are there")
    });
    let used: Vec<Range<u32>> = used.collect();
    let mut first = 0;
    let mut idle = Vec::new();
    for group in &world.spec.infrastructure {
        let last = first + group.count;
        if !used
            .iter()
            .any(|range| range.start < last && first < range.end)
        {
            idle.push(group.name.clone());
        }
        first = last;
    }
    idle
}
