//! One file for everybody: minimum distribution times.

use netduel_client_server::single_server::{self, SingleServer};
use netduel_metrics::theory::{dissemination_rounds, peer_to_peer_bound};
use netduel_peer_to_peer::swarm::{self, Swarm};
use netduel_world::{Arrivals, Bytes, Demand, RunRecord, WorldSpec};

use super::{
    Accept, Cost, Experiment, Figure, Measured,
    set_up::{rate, simulate, users, without_latency},
};

const KUROSE_ROSS: &str = "Kurose and Ross, Computer Networking, ch. 2";
const MUNDINGER: &str = "Mundinger, Weber and Weiss, J. Scheduling 11, 2008";

pub(super) fn experiments() -> Vec<Experiment> {
    let mut all: Vec<Experiment> = [(10, 7500.0), (100, 50_000.0), (1000, 500_000.0)]
        .map(|(peers, seconds)| server(peers, seconds))
        .into();
    all.extend(
        [(10, 300e3, 1.3), (100, 300e3, 1.5), (100, 2e6, 1.6)]
            .map(|(peers, upload, at_most)| swarm_above_bound(peers, upload, at_most)),
    );
    all.extend(
        [(10, 100, 1.25), (100, 100, 1.25), (100, 400, 1.15)]
            .map(|(peers, pieces, at_most)| equal_uplinks(peers, pieces, at_most)),
    );
    all
}

/// 15 Gbit from a server of 30 Mbit/s to users with 2 Mbit/s down.
fn homework(peers: u32, upload: f64) -> WorldSpec {
    let size: Bytes = "15 Gbit".parse().expect("a size");
    let mut spec = without_latency();
    spec.demand = Demand::one_object(size, Arrivals::AllAtOnce);
    users(&mut spec, peers, upload, 2e6);
    spec.infrastructure[0].upload = rate(30e6);
    spec
}

fn makespan(record: &RunRecord) -> Measured {
    assert_eq!(
        record.served(),
        record.requests.len(),
        "everybody is served"
    );
    Measured::exact(record.ended.as_seconds())
}

fn server(peers: u32, seconds: f64) -> Experiment {
    Experiment {
        topic: "file distribution",
        source: KUROSE_ROSS,
        set_up: format!("single-server, 15 Gbit, up 30 Mbit/s, {peers} users with 2 Mbit/s down"),
        cost: Cost::Quick,
        figures: vec![Figure {
            quantity: "last user done (s)".into(),
            theory: seconds,
            accept: Accept::Relative(1e-6),
        }],
        simulate: Box::new(move |seed| {
            let config = single_server::Config::default();
            let record = simulate::<SingleServer>(&homework(peers, 300e3), &config, seed);
            vec![makespan(&record)]
        }),
    }
}

fn swarm_above_bound(peers: u32, upload: f64, at_most: f64) -> Experiment {
    let spec = homework(peers, upload);
    let size = spec.demand.wants.size();
    let bits = size.0 as f64 * 8.0;
    let n = peers as usize;
    Experiment {
        topic: "file distribution",
        source: KUROSE_ROSS,
        set_up: format!(
            "swarm, 15 Gbit in 300 pieces, origin up 30 Mbit/s, {peers} peers with {} kbit/s up and \
             2 Mbit/s down",
            upload / 1e3
        ),
        cost: Cost::Quick,
        figures: vec![Figure {
            quantity: "last user done (s), a lower bound".into(),
            theory: peer_to_peer_bound(bits, 30e6, &vec![upload; n], &vec![2e6; n]),
            accept: Accept::Above(at_most),
        }],
        simulate: Box::new(move |seed| {
            let config = swarm::Config {
                piece: Bytes(size.0 / 300),
                ..swarm::Config::default()
            };
            vec![makespan(&simulate::<Swarm>(&spec, &config, seed))]
        }),
    }
}

fn equal_uplinks(peers: u32, pieces: u32, at_most: f64) -> Experiment {
    const UPLINK: f64 = 10e6;
    let rounds = dissemination_rounds(u64::from(peers), u64::from(pieces));
    Experiment {
        topic: "file distribution",
        source: MUNDINGER,
        set_up: format!(
            "swarm, {pieces} pieces, {peers} peers and the origin with uplinks of 10 Mbit/s, ample \
             downlinks"
        ),
        cost: Cost::Quick,
        figures: vec![Figure {
            quantity: "last user done (rounds), a lower bound".into(),
            theory: rounds as f64,
            accept: Accept::Above(at_most),
        }],
        simulate: Box::new(move |seed| {
            let config = swarm::Config::default();
            let mut spec = without_latency();
            let size = Bytes(config.piece.0 * u64::from(pieces));
            spec.demand = Demand::one_object(size, Arrivals::AllAtOnce);
            users(&mut spec, peers, UPLINK, 100.0 * UPLINK);
            spec.infrastructure[0].upload = rate(UPLINK);
            let record = simulate::<Swarm>(&spec, &config, seed);
            let round = 8.0 * config.piece.0 as f64 / UPLINK;
            vec![Measured::exact(makespan(&record).value / round)]
        }),
    }
}
