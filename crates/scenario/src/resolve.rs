//! The scenario with every default filled in.

use netduel_world::{Patience, Seconds, Share, StateLoss, WorldKey, WorldSpec};

use crate::{
    check::{self, Candidate},
    raw::{self, AfterTable, AfterWord, Either, LatencyTable, Named, Until},
    scenario::Point,
    sweep::{self, Sweep},
};

/// The scenario as TOML. Of a swept key the first value stands in its place. Defaults of keys
/// that would have no effect are left out.
pub(crate) fn toml(
    raw: &raw::Scenario,
    candidates: &[Candidate],
    sweeps: &[Sweep<'_>],
    first: &Point,
) -> String {
    let mut raw = raw.clone();
    let used = |key| candidates.iter().any(|c| c.kind.uses.contains(&key));
    let downloads = raw.demand.download.is_some();
    fill_population(&mut raw.population, downloads, &used);
    fill_demand(&mut raw.demand, &used);
    if used(WorldKey::Work) && !check::is_nothing(raw.demand.work()) {
        fill_processors(&mut raw, candidates, &first.world);
    }
    if used(WorldKey::Retries) || raw.patience.timeout.is_some() {
        fill_patience(&mut raw.patience, &first.world.patience);
    }
    fill_experiment(&mut raw.experiment, first);
    if let Either::Text(time) = raw.network.latency {
        raw.network.latency = Either::Table(LatencyTable {
            constant: Some(time),
            regions: None,
            jitter: netduel_world::Share::default(),
        });
    }
    for failure in &mut raw.failures {
        if let Either::Text(raw::Crash::Crash) = failure.what {
            failure.state.get_or_insert(StateLoss::default());
        }
    }
    let settings = candidates.iter().zip(&first.contenders);
    raw.contenders = Named(
        settings
            .map(|(candidate, contender)| {
                let entry = (candidate.kind.name.to_owned(), contender.settings());
                (candidate.entrant.label.clone(), Named(vec![entry]))
            })
            .collect(),
    );
    raw.sweep = Named(sweeps.iter().map(written).collect());
    toml::to_string(&raw).expect("what came from TOML goes back to TOML")
}

fn written(sweep: &Sweep<'_>) -> (String, Vec<toml::Value>) {
    let values = sweep.values.iter().map(sweep::plain).collect();
    (sweep.axis.key.clone(), values)
}

fn fill_population(
    population: &mut raw::Population,
    downloads: bool,
    used: &impl Fn(WorldKey) -> bool,
) {
    if used(WorldKey::FreeRiders) {
        population.free_riders.get_or_insert_default();
    }
    if downloads && used(WorldKey::AfterDownload) {
        let after = match check::after_download(population) {
            netduel_world::AfterDownload::Stay => Either::Text(AfterWord::Stay),
            netduel_world::AfterDownload::Leave => Either::Text(AfterWord::Leave),
            netduel_world::AfterDownload::Linger(time) => Either::Table(AfterTable::Linger(time)),
        };
        population.after_download = Some(after);
    }
}

fn fill_demand(demand: &mut raw::Demand, used: &impl Fn(WorldKey) -> bool) {
    let choice = demand.choice();
    let several = choice.is_some_and(|(_, count, _)| count > 1);
    let unequal = several && choice.is_some_and(|(_, _, zipf)| zipf.is_some_and(|z| z > 0.0));
    let nothing = Either::Text(Seconds::default());
    let works = used(WorldKey::Work);
    let fill = |zipf: &mut Option<f64>, work: &mut Option<raw::TimeLaw>| {
        if several {
            zipf.get_or_insert(0.0);
        }
        if works {
            work.get_or_insert(nothing.clone());
        }
    };
    if let Some(download) = &mut demand.download {
        fill(&mut download.zipf, &mut download.work);
    }
    if let Some(lookup) = &mut demand.lookup {
        fill(&mut lookup.zipf, &mut lookup.work);
        let all = Share::new(1.0).expect("1 is a share");
        lookup.reads.get_or_insert(all);
    }
    if let Some(search) = &mut demand.search {
        fill(&mut search.zipf, &mut search.work);
        if unequal {
            search.replication.get_or_insert_default();
        }
    }
}

fn fill_processors(raw: &mut raw::Scenario, candidates: &[Candidate], world: &WorldSpec) {
    for ((_, machines), group) in raw.infrastructure.0.iter_mut().zip(&world.infrastructure) {
        machines.write(group.processor);
    }
    if !check::servers_only(candidates.iter().map(|candidate| candidate.kind.family)) {
        raw.population.write(world.population.processor);
    }
}

fn fill_patience(raw: &mut raw::Patience, patience: &Patience) {
    raw.retries = Some(patience.retries);
    if patience.retries > 0 {
        raw.backoff = Some(patience.backoff);
        raw.backoff_factor = Some(patience.backoff_factor);
        raw.backoff_max = Some(patience.backoff_max);
        raw.backoff_jitter = Some(patience.backoff_jitter);
    }
}

fn fill_experiment(raw: &mut raw::Experiment, first: &Point) {
    raw.seed.get_or_insert(crate::plan::SEED);
    raw.replications.get_or_insert(crate::plan::REPLICATIONS);
    if *raw.until.get_or_insert_default() == Until::AllServed {
        raw.at_most = Some(first.world.at_most);
    }
}
