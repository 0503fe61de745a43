//! The fairness ledger: what is equal for all contenders and what is not.

use std::sync::Arc;

use netduel_world::{
    AfterDownload, Arrivals, Demand, Pick, Wants, Who, World, WorldKey, WorldSpec,
};

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
        format!("requests: {}", requests(&world.demand)),
    ];
    if world.demand.takes_work() {
        equal.push(
            "work: answering the same request takes the same time on the same processor".to_owned(),
        );
    }
    let patience = match (world.patience.timeout, world.patience.budget) {
        (None, None) => "deadline, retries and waits",
        (Some(_), None) => "deadline, timeout, retries and waits",
        (None, Some(_)) => "deadline, retries, their budget and waits",
        (Some(_), Some(_)) => "deadline, timeout, retries, their budget and waits",
    };
    equal.push(format!("patience: {patience} of the users are the same"));
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

/// What is the same about requests.
fn requests(demand: &Demand) -> String {
    let what = match demand.wants {
        Wants::Download { objects: 1, .. } => "ask for the same object",
        Wants::Download { .. } => "ask for the same objects",
        Wants::Lookup { .. } => "look up or store the same keys",
        Wants::Search { .. } => "search for the same objects, which the same users have,",
        Wants::Broadcast { .. } => "tell the others something",
    };
    match demand.arrivals {
        // A closed loop is paced by its answers.
        Arrivals::ClosedLoop { .. } => format!(
            "the same users {what} in the same order, and think as long before each; a user whose \
             request ends sooner asks sooner again"
        ),
        _ => format!("the same users {what} at the same times"),
    }
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
    if points.iter().any(|point| point.world.demand.takes_work()) {
        parts.push((WorldKey::Work, "the work that answering takes"));
    }
    parts
}
