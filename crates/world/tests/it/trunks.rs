//! Regions behind routers.

use netduel_world::{BitsPerSecond, Routers, SimDuration, Trunk, WorldSpec};

use crate::probe::{Config, probe};

/// The server in one region and all users in another, 30 ms and a trunk of so many Mbps away.
fn apart(mbps: f64) -> WorldSpec {
    let trunk = |from, to| Trunk {
        from,
        to,
        rate: BitsPerSecond::new(mbps * 1e6).unwrap(),
        latency: SimDuration::from_seconds(0.03),
    };
    let trunks = vec![trunk(0, 1), trunk(1, 0)];
    let mut spec = WorldSpec {
        routers: Some(Routers::new(2, trunks, &[0, 1]).unwrap()),
        regions: vec!["here".into(), "there".into()],
        ..Default::default()
    };
    spec.population.region_shares = vec![0.0, 1.0];
    spec
}

#[test]
fn users_behind_a_trunk_wait_for_its_rate_and_its_latency() {
    let ends = |spec: &WorldSpec| {
        let record = probe(spec, &Config::default(), 1);
        assert_eq!(record.served(), 10);
        record.ended.as_seconds()
    };
    // A question and its answer at 50 ms each, after 80 us and 8 us of serialisation; then 800 Mbit
    // at the rate of the trunk, or of the server where that is less.
    let before = 0.1 + 88e-6;
    assert!((ends(&apart(20.0)) - before - 40.0).abs() < 1e-7);
    assert!((ends(&apart(1000.0)) - before - 8.0).abs() < 1e-7);
}
