//! The work per event, counted, so that a slip in ordering or promises shows.

use super::*;

/// A flow of random size; the mean is 1 MB.
fn size(rng: &mut Stream) -> Bytes {
    Bytes(u64::from(500_000 + uniform_below(rng, 1_000_000)))
}

fn rate(bits: f64) -> BitsPerSecond {
    BitsPerSecond::new(bits).unwrap()
}

/// Replaces each completed flow by `start(sharing, now)`; returns the work per completion.
fn steady(
    sharing: &mut FairSharing,
    completions: u64,
    mut start: impl FnMut(&mut FairSharing, SimTime, FlowId),
) -> [f64; 4] {
    let before = sharing.effort();
    let mut finished = Vec::new();
    let mut count = 0;
    while count < completions {
        let now = sharing.next_time().expect("somebody is always moving");
        sharing.advance(now, &mut finished);
        count += finished.len() as u64;
        for flow in finished.drain(..) {
            start(sharing, now, flow);
        }
    }
    sharing.check().unwrap();
    let after = sharing.effort();
    [
        after.settles - before.settles,
        after.changes - before.changes,
        after.moves - before.moves,
        after.pushes - before.pushes,
    ]
    .map(|work| work as f64 / count as f64)
}

#[test]
fn an_event_on_a_shared_uplink_costs_the_same_however_many_share_it() {
    for flows in [100_u32, 1000, 10_000] {
        let mut rng = Streams::new(u64::from(flows), 0).open("uplink", 0);
        let mut sharing = FairSharing::new();
        let hub = sharing.add_link(rate(40e6 * f64::from(flows)));
        // Half of the downlinks are idle, so that another one takes the place of a completed flow.
        let mut idle: Vec<LinkId> = (0..2 * flows)
            .map(|_| sharing.add_link(rate(5e6 + 95e6 * uniform(&mut rng))))
            .collect();
        let mut busy = vec![hub; 3 * flows as usize];
        let mut start = |sharing: &mut FairSharing, now, over: Option<FlowId>| {
            idle.extend(over.map(|over| busy[over.index()]));
            let which = uniform_below(&mut rng, u32::try_from(idle.len()).unwrap());
            let down = idle.swap_remove(which as usize);
            let flow = sharing.start(now, &[hub, down], None, size(&mut rng));
            busy[flow.index()] = down;
        };
        for _ in 0..flows {
            start(&mut sharing, SimTime::ZERO, None);
        }
        sharing.check().unwrap();
        let burst = sharing.effort();
        assert!(
            burst.settles < 2 * u64::from(flows),
            "{flows} flows: {burst:?}"
        );
        let work = steady(&mut sharing, 20_000, |sharing, now, over| {
            start(sharing, now, Some(over));
        });
        let [settles, _, moves, pushes] = work;
        assert!(
            settles < 4.0 && moves < 1.0 && pushes < 4.0,
            "{flows} flows: {work:?}"
        );
    }
}

#[test]
fn an_event_in_a_swarm_disturbs_few_others() {
    const PEERS: u32 = 500;
    for (down, settles_most) in [(50e6, 3.0), (12e6, 25.0), (10e6, 25.0)] {
        let mut rng = Streams::new(1, 0).open("swarm", 0);
        let mut sharing = FairSharing::new();
        // Peer i has uplink i and downlink PEERS + i.
        for at in 0..2 * PEERS {
            sharing.add_link(rate(if at < PEERS { 10e6 } else { down }));
        }
        let mut uploader = vec![0; 8 * PEERS as usize];
        let mut upload = |sharing: &mut FairSharing, now, from: Option<u32>, over: FlowId| {
            let from = from.unwrap_or(uploader[over.index()]);
            let path = [LinkId(from), LinkId(PEERS + uniform_below(&mut rng, PEERS))];
            let flow = sharing.start(now, &path, None, size(&mut rng));
            uploader[flow.index()] = from;
        };
        for flow in 0..4 * PEERS {
            upload(&mut sharing, SimTime::ZERO, Some(flow / 4), FlowId(0));
        }
        let work = steady(&mut sharing, 20_000, |sharing, now, over| {
            upload(sharing, now, None, over);
        });
        let [settles, changes, ..] = work;
        assert!(settles < settles_most, "down {down}: {work:?}");
        assert!(settles < 2.0 * changes + 2.0, "down {down}: {work:?}");
    }
}
