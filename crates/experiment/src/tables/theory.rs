//! What theory gives for the metrics, where it applies.

use netduel_metrics::theory::{client_server_bound, peer_to_peer_bound};
use netduel_scenario::Scenario;
use netduel_world::{Arrivals, Device, Pick, Wants, World, WorldSpec};

use super::{Sheet, Table, number};
use crate::{metric, plan::Results};

/// One row per point and contender to whom a closed form applies, averaged over the worlds of the
/// replications.
pub(super) fn theory(scenario: &Scenario, results: &Results) -> Table {
    let columns = ["name", "contender", "metric", "unit", "value", "source"];
    let mut sheet = Sheet::new(scenario, "theory.csv", &columns);
    for (index, point) in scenario.points.iter().enumerate() {
        if !speaks_of(&point.world) {
            continue;
        }
        let worlds = 0..u64::from(scenario.experiment.replications);
        let bounds: Vec<Bounds> = worlds
            .map(|r| Bounds::of(&World::draw(&point.world, scenario.experiment.seed, r)))
            .collect();
        for (contender, entrant) in scenario.contenders.iter().enumerate() {
            let Some(bound) = BOUNDS.iter().find(|bound| bound.family == entrant.family) else {
                continue;
            };
            if !everybody_served(results, index, contender) {
                continue;
            }
            let sum: f64 = bounds.iter().map(bound.value).sum();
            let mean = number(sum / bounds.len() as f64);
            let cells = [
                bound.name,
                &entrant.label,
                "makespan",
                "s",
                &mean,
                bound.source,
            ];
            sheet.row(index, cells);
        }
    }
    sheet.finish()
}

/// A closed form for the distribution time of one family.
struct Bound {
    family: &'static str,
    name: &'static str,
    source: &'static str,
    value: fn(&Bounds) -> f64,
}

const BOUNDS: [Bound; 2] = [
    Bound {
        family: "client-server",
        name: "lower bound, client-server",
        source: "Kurose and Ross, Computer Networking: A Top-Down Approach, 8th ed., eq. 2.1",
        value: |bounds| bounds.client_server,
    },
    Bound {
        family: "peer-to-peer",
        name: "lower bound, peer-to-peer",
        source: "Kurose and Ross, Computer Networking: A Top-Down Approach, 8th ed., eq. 2.2",
        value: |bounds| bounds.peer_to_peer,
    },
];

/// Both bounds in one world, in seconds.
struct Bounds {
    client_server: f64,
    peer_to_peer: f64,
}

impl Bounds {
    fn of(world: &World) -> Self {
        let size = world.spec.demand.wants.size().0 as f64 * 8.0;
        let users = || world.devices.iter().filter(|device| device.is(Pick::Users));
        let machines = world.devices.iter().filter(|d| d.is(Pick::Infrastructure));
        let server: f64 = machines.map(|machine| machine.access.upload.get()).sum();
        let downloads: Vec<f64> = users().map(|user| user.access.download.get()).collect();
        let given = |user: &Device| {
            if user.free_rider {
                0.0
            } else {
                user.access.upload.get()
            }
        };
        let uploads: Vec<f64> = users().map(given).collect();
        Self {
            client_server: client_server_bound(size, server, &downloads),
            peer_to_peer: peer_to_peer_bound(size, server, &uploads, &downloads),
        }
    }
}

/// Whether the bounds speak of such a world: everybody asks at the start, all the data is at the
/// machines, nothing fails, and nobody is cut off or gives up.
fn speaks_of(world: &WorldSpec) -> bool {
    matches!(world.demand.wants, Wants::Download { objects: 1, .. })
        && world.demand.requests.is_none()
        && !world.demand.takes_work()
        && matches!(world.demand.arrivals, Arrivals::AllAtOnce)
        && world.failures.is_empty()
        && world.infrastructure.iter().any(|group| group.count > 0)
        && world.run_for.is_none()
        && world.patience.deadline.is_none()
}

/// A makespan over fewer users than there are may lie below the bound for all of them.
fn everybody_served(results: &Results, point: usize, contender: usize) -> bool {
    let ratio = metric::position("success_ratio").expect("success is measured");
    let served = results.values(point, contender, ratio);
    served.iter().all(|share| *share == Some(1.0))
}
