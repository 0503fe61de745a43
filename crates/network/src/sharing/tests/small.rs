//! Small cases whose outcome is known.

use super::*;

fn mbps(rate: f64) -> BitsPerSecond {
    BitsPerSecond::new(rate * 1e6).unwrap()
}

fn next(sharing: &mut FairSharing) -> (SimTime, Vec<FlowId>) {
    let at = sharing.next_time().expect("something completes");
    let mut finished = Vec::new();
    sharing.advance(at, &mut finished);
    sharing.check().unwrap();
    (at, finished)
}

#[test]
fn a_lone_flow_runs_at_the_capacity_of_its_narrowest_link() {
    let mut sharing = FairSharing::new();
    let path = [9.0, 4.0, 8.0, 5.0].map(|rate| sharing.add_link(mbps(rate)));
    let flow = sharing.start(SimTime(7), &path, None, Bytes(500_000));
    assert!(agree(sharing.rate(flow), 4e6));
    assert_eq!(next(&mut sharing), (SimTime(1_000_000_007), vec![flow]));
    assert!(sharing.is_empty());
    assert_eq!(sharing.next_time(), None);
}

#[test]
fn what_slow_flows_leave_is_shared_by_the_others() {
    // The second link holds three flows to a third each; the third link has two thirds left for
    // the flow that crosses nothing else.
    let mut sharing = FairSharing::new();
    let links = [1.0, 1.0, 1.0].map(|rate| sharing.add_link(mbps(rate)));
    let size = Bytes(1_000_000);
    let mut start = |path: &[LinkId]| sharing.start(SimTime::ZERO, path, None, size);
    let long = start(&links);
    let second = [start(&links[1..2]), start(&links[1..2])];
    let third = start(&links[2..]);
    for (flow, rate) in [
        (long, 1.0),
        (second[0], 1.0),
        (second[1], 1.0),
        (third, 2.0),
    ] {
        assert!(agree(sharing.rate(flow), rate / 3.0 * 1e6));
    }
    sharing.check().unwrap();
}

#[test]
fn flows_that_complete_together_leave_in_the_order_of_their_start() {
    let mut sharing = FairSharing::new();
    let hub = sharing.add_link(mbps(100.0));
    let downlinks: Vec<LinkId> = (0..50).map(|_| sharing.add_link(mbps(10.0))).collect();
    let start = |link: &LinkId| sharing.start(SimTime::ZERO, &[*link, hub], None, Bytes(99));
    let started: Vec<FlowId> = downlinks.iter().rev().map(start).collect();
    let (_, finished) = next(&mut sharing);
    assert_eq!(finished, started);
}

#[test]
fn flows_on_a_cut_link_stall_and_go_on_where_they_were() {
    let mut sharing = FairSharing::new();
    let (cut, other) = (sharing.add_link(mbps(8.0)), sharing.add_link(mbps(8.0)));
    let size = Bytes(2_000_000);
    let stalled = sharing.start(SimTime::ZERO, &[cut, other], None, size);
    let second = SimTime(1_000_000_000);
    sharing.set_capacity(second, cut, Capacity::NONE);
    assert_eq!(sharing.stalled(), [stalled]);
    assert_eq!(sharing.next_time(), None);
    let lucky = sharing.start(second, &[other], None, size);
    assert!(agree(sharing.rate(lucky), 8e6));
    assert_eq!(sharing.flows_on(other), [stalled, lucky]);
    assert_eq!(next(&mut sharing), (SimTime(3_000_000_000), vec![lucky]));
    let later = SimTime(5_000_000_000);
    assert_eq!(sharing.delivered(later, stalled), Bytes(1_000_000));
    sharing.set_capacity(later, cut, mbps(8.0).into());
    assert_eq!(sharing.stalled(), []);
    assert_eq!(next(&mut sharing), (SimTime(6_000_000_000), vec![stalled]));
}

#[test]
fn an_aborted_flow_has_delivered_what_its_rate_allowed() {
    let mut sharing = FairSharing::new();
    let link = sharing.add_link(mbps(8.0));
    let first = sharing.start(SimTime::ZERO, &[link], None, Bytes(1_000_000));
    let second = sharing.start(SimTime(500_000_000), &[link], None, Bytes(1_000_000));
    let delivered = sharing.abort(SimTime(700_000_000), first);
    assert_eq!(delivered, Bytes(600_000));
    assert_eq!(sharing.flows_on(link), [second]);
}

#[test]
fn ids_come_again_only_after_the_next_advance() {
    let mut sharing = FairSharing::new();
    let link = sharing.add_link(mbps(8.0));
    let first = sharing.start(SimTime::ZERO, &[link], None, Bytes(1));
    let (now, finished) = next(&mut sharing);
    assert_eq!(finished, [first]);
    let second = sharing.start(now, &[link], None, Bytes(1));
    assert_ne!(first, second);
    assert_eq!(sharing.len(), 1);
    let (now, _) = next(&mut sharing);
    assert_eq!(sharing.start(now, &[link], None, Bytes(1)), first);
}

#[test]
fn a_completion_past_the_end_of_time_never_comes() {
    let mut sharing = FairSharing::new();
    let link = sharing.add_link(BitsPerSecond::new(1e-6).unwrap());
    let flow = sharing.start(SimTime::ZERO, &[link], None, Bytes(u64::MAX));
    assert_eq!(sharing.next_time(), None);
    let capped = BitsPerSecond::new(1e-300).unwrap();
    let link = sharing.add_link(mbps(1.0));
    let other = sharing.start(SimTime::ZERO, &[link], Some(capped), Bytes(u64::MAX));
    assert_eq!(sharing.next_time(), None);
    assert!(sharing.rate(other) > 0.0, "a cap never rounds to nothing");
    let century = SimTime(100 * 365 * 86_400 * 1_000_000_000);
    assert!(sharing.delivered(century, flow) <= Bytes(400));
    sharing.check().unwrap();
}

#[test]
fn the_largest_rates_and_sizes_fit() {
    let mut sharing = FairSharing::new();
    let link = sharing.add_link(BitsPerSecond::MAX);
    let size = Bytes(1 << 53);
    let flow = sharing.start(SimTime::ZERO, &[link], None, size);
    let century = SimTime(100 * 365 * 86_400 * 1_000_000_000);
    assert_eq!(next(&mut sharing).1, [flow]);
    let flow = sharing.start(century, &[link], None, size);
    let (at, finished) = next(&mut sharing);
    assert_eq!(finished, [flow]);
    let seconds = (at - century).as_seconds();
    assert!((seconds - size.0 as f64 * 8.0 / 4e12).abs() < 1e-6);
}

#[test]
#[should_panic(expected = "a path crosses no link twice")]
fn a_path_that_crosses_a_link_twice_is_refused() {
    let mut sharing = FairSharing::new();
    let link = sharing.add_link(mbps(1.0));
    sharing.start(SimTime::ZERO, &[link, link], None, Bytes(1));
}

#[test]
#[should_panic(expected = "time does not pass a completion")]
fn completions_are_not_overlooked() {
    let mut sharing = FairSharing::new();
    let link = sharing.add_link(mbps(1.0));
    let flow = sharing.start(SimTime::ZERO, &[link], None, Bytes(1));
    sharing.delivered(SimTime(1_000_000_000), flow);
}
