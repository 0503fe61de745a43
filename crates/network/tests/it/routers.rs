//! Trunks and the ways over them.

use netduel_engine::{SimDuration, SimTime, Streams};
use netduel_network::{Access, Latency, Network, NodeId, RegionId, RouteError, Routers, Trunk};
use netduel_units::{BitsPerSecond, Bytes};

const LEFT: RegionId = RegionId(0);
const RIGHT: RegionId = RegionId(1);

fn mbps(rate: f64) -> BitsPerSecond {
    BitsPerSecond::new(rate * 1e6).unwrap()
}

fn ms(time: u64) -> SimDuration {
    SimDuration(time * 1_000_000)
}

fn trunk(from: usize, to: usize, rate: f64, latency: u64) -> Trunk {
    Trunk {
        from,
        to,
        rate: mbps(rate),
        latency: ms(latency),
    }
}

/// Two sides joined by one trunk of 10 Mbps, 20 Mbps in the other direction, and 30 ms; every
/// node has 100 Mbps up and 50 Mbps down.
fn dumbbell() -> Network {
    let trunks = vec![trunk(0, 1, 10.0, 30), trunk(1, 0, 20.0, 30)];
    let routers = Routers::new(2, trunks, &[0, 1]).unwrap();
    let accesses = [LEFT, LEFT, LEFT, RIGHT, RIGHT].map(|region| Access {
        upload: mbps(100.0),
        download: mbps(50.0),
        region,
    });
    let latency = Latency::constant(ms(5));
    Network::new(latency, 0.0, &accesses, &Streams::new(1, 0)).with_routers(&routers)
}

#[test]
fn a_trunk_is_shared_by_what_crosses_it_and_by_nothing_else() {
    let mut network = dumbbell();
    // 8 and 24 Mbit cross at 5 Mbps each until the first is through after 1.6 s; of the other 16
    // Mbit are left then, which take 1.6 s at 10 Mbps. 40 Mbit stay on the left at 50 Mbps; 8 Mbit
    // come back at 20 Mbps.
    let expected = [
        (0, 3, 1_000_000, 1.6),
        (1, 4, 3_000_000, 3.2),
        (0, 2, 5_000_000, 0.8),
        (4, 0, 1_000_000, 0.4),
    ];
    for (from, to, size, _) in expected {
        let id = network.open(NodeId(from), NodeId(to), Bytes(size), u64::from(from + to));
        network.begin(SimTime::ZERO, id);
    }
    let mut ends = Vec::new();
    while let Some(at) = network.next_time() {
        let mut ended = Vec::new();
        network.advance(at, &mut ended);
        ends.extend(ended.iter().map(|ended| (ended.from.0, ended.to.0, at)));
    }
    for (from, to, _, seconds) in expected {
        let end = ends.iter().find(|end| (end.0, end.1) == (from, to));
        let (_, _, at) = end.expect("every transfer ends");
        assert!(
            (at.as_seconds() - seconds).abs() < 1e-8,
            "{from} to {to}: {at}"
        );
    }
}

#[test]
fn messages_pay_the_latency_of_their_way() {
    let mut network = dumbbell();
    let serialised = SimDuration(8_000 + 16_000);
    let size = Bytes(100);
    let delay = network.message_delay(NodeId(0), NodeId(1), size);
    assert_eq!(delay, ms(5) + serialised);
    let delay = network.message_delay(NodeId(0), NodeId(3), size);
    assert_eq!(delay, ms(35) + serialised);
    assert_eq!(network.latency_mean(NodeId(3), NodeId(0)), ms(35));
}

#[test]
fn the_way_of_least_latency_is_taken_and_ties_are_broken_by_length_and_order() {
    let trunks = vec![
        trunk(0, 3, 1.0, 50),
        // The same latency over two trunks, by two ways.
        trunk(0, 2, 1.0, 20),
        trunk(2, 3, 1.0, 20),
        trunk(0, 1, 1.0, 20),
        trunk(1, 3, 1.0, 20),
        // And over one trunk less.
        trunk(1, 2, 1.0, 40),
        trunk(3, 0, 1.0, 1),
        trunk(2, 0, 1.0, 1),
        trunk(1, 0, 1.0, 1),
        // A second one beside another.
        trunk(3, 0, 9.0, 1),
    ];
    let routers = Routers::new(4, trunks, &[0, 1, 2, 3]).unwrap();
    let way = |from, to| routers.way(RegionId(from), RegionId(to));
    assert_eq!(
        way(0, 3),
        [1, 2],
        "not the direct one, and the first of two"
    );
    assert_eq!(way(1, 2), [8, 1], "21 ms");
    assert_eq!(way(3, 0), [6]);
    assert_eq!(way(2, 2), [0_usize; 0]);
    assert_eq!(routers.latency(RegionId(0), RegionId(3)), ms(40));
}

#[test]
fn routers_that_are_not_joined_are_refused() {
    let one_way = vec![trunk(0, 1, 1.0, 1)];
    let refused = Routers::new(2, one_way, &[0, 1]).unwrap_err();
    assert_eq!(refused, RouteError::NoWay { from: 1, to: 0 });
    let chain = (0..31).flat_map(|at| [trunk(at, at + 1, 1.0, 1), trunk(at + 1, at, 1.0, 1)]);
    let refused = Routers::new(32, chain.collect(), &[0]).unwrap_err();
    assert_eq!(refused, RouteError::TooLong { from: 0, to: 31 });
}
