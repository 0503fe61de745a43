//! Completion times and bytes, against the oracle and against what links carry.

use netduel_engine::Digest;

use super::*;

/// What happens to a network, and when.
struct Script {
    capacities: Vec<BitsPerSecond>,
    actions: Vec<(SimTime, Action)>,
}

enum Action {
    Start(Wish),
    /// Aborts the flow that was started by the so-manieth wish.
    Abort(usize),
    Change(LinkId, Capacity),
}

/// How a flow ended.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Running(FlowId),
    Finished(SimTime),
    Aborted(Bytes),
}

impl Script {
    /// Starts, now and then an abort or an incident, at random instants; some of them together.
    fn random(seed: u64) -> Self {
        let mut network = Network::random(seed);
        let mut now = SimTime::ZERO;
        let mut actions = Vec::new();
        let mut starts = 0;
        for _ in 0..100 {
            now = now + SimDuration(u64::from(network.below(2) * network.below(200_000_000)));
            let action = match network.below(12) {
                0 if starts > 0 => Action::Abort(network.below(starts) as usize),
                1 => {
                    let (link, capacity) = network.incident();
                    Action::Change(link, capacity)
                }
                _ => {
                    starts += 1;
                    Action::Start(network.wish())
                }
            };
            actions.push((now, action));
        }
        // In the end everything works again, so that every flow ends.
        for (at, capacity) in (0..).zip(&network.capacities) {
            actions.push((now, Action::Change(LinkId(at), Capacity::from(*capacity))));
        }
        Self {
            capacities: network.capacities,
            actions,
        }
    }

    fn play(&self, sharing: &mut impl Sharing) -> Result<Vec<Outcome>, String> {
        for capacity in &self.capacities {
            sharing.add_link(*capacity);
        }
        let mut outcomes = Vec::new();
        for (at, action) in &self.actions {
            Self::pass(sharing, *at, &mut outcomes);
            match action {
                Action::Start(wish) => outcomes.push(Outcome::Running(sharing.start(*at, wish))),
                Action::Abort(which) => {
                    if let Outcome::Running(flow) = outcomes[*which] {
                        outcomes[*which] = Outcome::Aborted(sharing.abort(*at, flow));
                    }
                }
                Action::Change(link, capacity) => sharing.set_capacity(*at, *link, *capacity),
            }
        }
        Self::pass(sharing, SimTime::NEVER, &mut outcomes);
        sharing.verify()?;
        Ok(outcomes)
    }

    fn pass(sharing: &mut impl Sharing, until: SimTime, outcomes: &mut [Outcome]) {
        let mut finished = Vec::new();
        while let Some(at) = sharing.next_time()
            && at <= until
        {
            sharing.advance(at, &mut finished);
            assert!(
                !finished.is_empty(),
                "whenever a completion is due, one comes"
            );
            for flow in finished.drain(..) {
                let running = |outcome: &&mut Outcome| **outcome == Outcome::Running(flow);
                let outcome = outcomes.iter_mut().find(running);
                *outcome.expect("only present flows finish") = Outcome::Finished(at);
            }
        }
    }

    /// The largest difference between two implementations, in nanoseconds.
    fn compare(&self, planted: Option<Fault>) -> Result<u64, String> {
        let mut ours = FairSharing::new();
        ours.faults.planted = planted;
        let ours = self.play(&mut ours)?;
        let theirs = self.play(&mut ProgressiveFilling::new())?;
        let mut worst = 0;
        for each in ours.into_iter().zip(theirs) {
            worst = worst.max(match each {
                (Outcome::Finished(ours), Outcome::Finished(theirs)) => ours.0.abs_diff(theirs.0),
                (Outcome::Aborted(ours), Outcome::Aborted(theirs)) => {
                    let bytes = ours.0.abs_diff(theirs.0);
                    if bytes <= 1 { 0 } else { u64::MAX }
                }
                (ours, theirs) => return Err(format!("{ours:?} and {theirs:?}")),
            });
        }
        Ok(worst)
    }
}

/// Both count whole nanoseconds, and what is rounded up for one flow is passed on to those who
/// share with it; 100 completions in one network pass on this much at most.
const NANOSECONDS_APART: u64 = 100;

#[test]
fn completions_come_when_progressive_filling_says() {
    for seed in 0..4000 {
        let worst = Script::random(seed).compare(None);
        let close = matches!(worst, Ok(worst) if worst <= NANOSECONDS_APART);
        assert!(close, "seed {seed}: {worst:?} ns apart");
    }
}

#[test]
fn a_clock_that_is_not_brought_up_to_date_is_noticed() {
    let noticed = (0..20).any(|seed| {
        let compare = || Script::random(seed).compare(Some(Fault::ClockNotTouched));
        // Time may even run backwards, which panics.
        !matches!(std::panic::catch_unwind(compare), Ok(Ok(worst)) if worst <= NANOSECONDS_APART)
    });
    assert!(noticed);
}

#[test]
fn the_same_calls_have_the_same_results() {
    for seed in 0..100 {
        let script = Script::random(seed);
        let first = script.play(&mut FairSharing::new());
        assert_eq!(first, script.play(&mut FairSharing::new()), "seed {seed}");
    }
}

#[test]
fn completion_times_are_the_same_on_every_machine() {
    let mut digest = Digest::default();
    for seed in 0..30 {
        for outcome in Script::random(seed).play(&mut FairSharing::new()).unwrap() {
            digest.fold(match outcome {
                Outcome::Finished(at) => at.0,
                Outcome::Aborted(delivered) => delivered.0,
                Outcome::Running(flow) => panic!("seed {seed}: {flow:?} never ends"),
            });
        }
    }
    assert_eq!(digest.to_string(), COMPLETIONS);
}

const COMPLETIONS: &str = "3171ec9364e15ff2";

#[test]
fn a_private_link_and_a_cap_of_its_rate_are_the_same() {
    for seed in 0..300 {
        let mut network = Network::random(3 * seed);
        let (mut capped, mut linked) = (FairSharing::new(), FairSharing::new());
        let hub = network.rate();
        let hub = (capped.add_link(hub), linked.add_link(hub));
        let mut now = SimTime::ZERO;
        let mut ends = (Vec::new(), Vec::new());
        for _ in 0..60 {
            let (rate, size) = (network.rate(), network.wish().size);
            let private = linked.add_link(rate);
            capped.start(now, &[hub.0], Some(rate), size);
            linked.start(now, &[private, hub.1], None, size);
            let next = capped.next_time().unwrap();
            assert_eq!(Some(next), linked.next_time(), "seed {seed}");
            now = now + SimDuration((next - now).0 / u64::from(1 + network.below(3)));
            capped.advance(now, &mut ends.0);
            linked.advance(now, &mut ends.1);
            assert_eq!(ends.0, ends.1, "seed {seed}");
        }
    }
}

#[test]
fn links_never_deliver_more_than_they_carry() {
    for seed in 0..300 {
        let mut network = Network::random(seed);
        let mut sharing = FairSharing::new();
        for capacity in &network.capacities {
            sharing.add_link(*capacity);
        }
        let mut ended: Vec<(Vec<LinkId>, Bytes)> = Vec::new();
        let mut running: Vec<(FlowId, Wish)> = Vec::new();
        let mut finished = Vec::new();
        let mut now = SimTime::ZERO;
        for _ in 0..100 {
            let wish = network.wish();
            running.push((Sharing::start(&mut sharing, now, &wish), wish));
            let next = sharing.next_time().expect("every link carries something");
            now = now + SimDuration((next - now).0 / u64::from(1 + network.below(2)));
            sharing.advance(now, &mut finished);
            for flow in finished.drain(..) {
                let at = running.iter().position(|(other, _)| *other == flow);
                let (_, wish) = running.swap_remove(at.expect("only present flows finish"));
                ended.push((wish.path, wish.size));
            }
            if network.below(8) == 0 && !running.is_empty() {
                let (flow, wish) = running.swap_remove(0);
                ended.push((wish.path, sharing.abort(now, flow)));
            }
        }
        for (flow, wish) in running {
            ended.push((wish.path, sharing.delivered(now, flow)));
        }
        for (link, capacity) in (0..).map(LinkId).zip(&network.capacities) {
            let crossing = ended.iter().filter(|(path, _)| path.contains(&link));
            let Bytes(moved) = crossing.map(|(_, size)| *size).sum();
            let carried = capacity.get() / 8.0 * now.as_seconds();
            assert!(moved as f64 <= carried + 1e-3, "seed {seed}, {link:?}");
        }
    }
}
