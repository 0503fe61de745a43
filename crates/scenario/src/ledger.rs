//! The fairness ledger: what is equal for all contenders and what is not.

use std::sync::Arc;

use netduel_world::{AfterDownload, Pick, Who, World, WorldKey, WorldSpec};

use crate::{
    check::{self, Candidate},
    scenario::{Experiment, FairnessLedger, Point},
    words,
};

/// Opens the ledger at the first point. What the contenders are told there holds at all points
/// but for the numbers.
pub(crate) fn open(
    candidates: &[Candidate],
    points: &[Point],
    experiment: Experiment,
) -> FairnessLedger {
    let first = &points[0];
    FairnessLedger {
        equal: equal(&first.world),
        different: different(candidates, points, experiment),
    }
}

fn equal(world: &WorldSpec) -> Vec<String> {
    let machines = if world.infrastructure.is_empty() {
        "there are no machines of an operator"
    } else {
        "the same machines of an operator, with the same links, are there"
    };
    let mut equal = vec![
        "devices and links: every user has the same device, place and access rates".to_owned(),
        format!("infrastructure: {machines}"),
        "network: the same latencies, and bandwidth is shared by the same rule".to_owned(),
        "requests: the same users ask for the same object at the same times".to_owned(),
        "patience: deadline, retries and waits of the users are the same".to_owned(),
    ];
    equal.push(match world.failures.len() {
        0 => "failures: none".to_owned(),
        1 => "failures: the same one at the same time, drawn alike".to_owned(),
        count => format!("failures: the same {count} at the same times, drawn alike"),
    });
    if let Some(spared) = spared(world) {
        equal.push(format!(
            "failures: {spared} are spared, as the scenario says"
        ));
    }
    equal.push("chance: replication r draws the same world for all".to_owned());
    equal
}

/// Whoever no failure can hit while it hits others.
fn spared(world: &WorldSpec) -> Option<&'static str> {
    let hits = |role: Pick| {
        world.failures.iter().any(|failure| match &failure.who {
            Who::Role(pick) | Who::Random { of: pick, .. } => *pick == Pick::All || *pick == role,
            Who::Machine(_) => role == Pick::Infrastructure,
            Who::MostLoaded(_) => true,
        })
    };
    let machines = !world.infrastructure.is_empty();
    match (hits(Pick::Infrastructure), hits(Pick::Users)) {
        (true, false) => Some("users' devices"),
        (false, true) if machines => Some("the operator's machines"),
        _ => None,
    }
}

fn different(
    candidates: &[Candidate],
    points: &[Point],
    experiment: Experiment,
) -> Vec<(String, String)> {
    let first = &points[0];
    let noticeable = noticeable(points);
    let world = Arc::new(World::draw(&first.world, experiment.seed, 0));
    let mut different = Vec::new();
    for (candidate, contender) in candidates.iter().zip(&first.contenders) {
        let mut note = |sentence: String| {
            different.push((candidate.entrant.label.clone(), sentence));
        };
        contender.premises(&world).into_iter().for_each(&mut note);
        let idle = check::idle_machines([contender.as_ref()], &world);
        if !idle.is_empty() {
            let names = idle.iter().map(|name| format!("\"{name}\""));
            note(format!("leaves the machines {} idle", words::and(names)));
        }
        for (key, name) in &noticeable {
            if !candidate.kind.uses.contains(key) {
                note(format!("it takes no notice of {name}"));
            }
        }
    }
    different
}

/// Optional parts of the world that are there at some point.
fn noticeable(points: &[Point]) -> Vec<(WorldKey, &'static str)> {
    let populations = || points.iter().map(|point| &point.world.population);
    let mut parts = Vec::new();
    if populations().any(|population| population.free_riders.get() > 0.0) {
        parts.push((WorldKey::FreeRiders, "free riders"));
    }
    if populations().any(|population| population.after_download != AfterDownload::Stay) {
        parts.push((WorldKey::AfterDownload, "what users do after the download"));
    }
    parts
}
