//! Kademlia as a directory: who has what, for an architecture that contains it.

use std::{
    cell::RefCell,
    ops::Range,
    sync::{Arc, atomic::AtomicBool},
};

use netduel_peer_to_peer::{Kademlia, chord::Start, kademlia::Config, kademlia::Found};
use netduel_world::{
    Architecture, Arrivals, Bytes, Cast, Cause, ConfigError, Context, Down, Key, NodeId, Request,
    RequestKind, RunRecord, Stream, TransferEnded, Want, World, WorldKey, run_strict,
};

use crate::chord::{crash, mixed, seconds};

/// A design that is nothing but a directory: to store a key is to announce it, and to look it up is
/// to find out who announced it.
struct Noticeboard {
    kademlia: Kademlia,
    /// Look-ups under way: of which node, by which ticket, for which request.
    asked: Vec<(NodeId, u32, netduel_world::RequestId)>,
}

thread_local! {
    /// All that was found in the run that this thread did last.
    static FOUND: RefCell<Vec<Found>> = const { RefCell::new(Vec::new()) };
}

type Spoken = <Kademlia as Architecture>::Message;
type Reminder = <Kademlia as Architecture>::Timer;

impl Noticeboard {
    fn inside<R>(
        &mut self,
        cx: &mut Context<'_, Self>,
        act: impl FnOnce(&mut Kademlia, &mut Context<'_, Kademlia>) -> R,
    ) -> R {
        let kademlia = &mut self.kademlia;
        let done = cx.narrow(|m: Spoken| m, |t: Reminder| t, |cx| act(kademlia, cx));
        for found in self.kademlia.take_found() {
            let same = |(node, ticket, _): &(NodeId, u32, _)| {
                (*node, *ticket) == (found.node, found.ticket)
            };
            let at = self.asked.iter().position(same);
            let (_, _, request) = self.asked.remove(at.expect("somebody asked"));
            match (found.providers.is_empty(), found.answered) {
                (false, _) => cx.serve(request),
                (true, true) => cx.fail(request, Cause::NotFound),
                (true, false) => cx.fail(request, Cause::NoAnswer),
            }
            FOUND.with_borrow_mut(|all| all.push(found));
        }
        done
    }
}

impl Architecture for Noticeboard {
    const KIND: &'static str = "noticeboard";
    const FAMILY: &'static str = "peer-to-peer";
    const ABOUT: &'static str = "a directory and nothing else";
    const SERVES: &'static [RequestKind] = &[RequestKind::Lookup, RequestKind::Store];
    const USES: &'static [WorldKey] = &[];
    type Config = Config;
    type Message = Spoken;
    type Timer = Reminder;

    fn assemble(config: &Config, cast: &Cast<'_>, rng: &mut Stream) -> Result<Self, ConfigError> {
        FOUND.with_borrow_mut(Vec::clear);
        let mut kademlia = Kademlia::assemble(config, cast, rng)?;
        if config.start == Start::Converged {
            // The last node announced key 7 before the start.
            let last = NodeId(u32::try_from(cast.node_count() - 1).unwrap());
            let target = kademlia.target(7);
            kademlia.place_announcements(std::iter::once((last, target)));
        }
        Ok(Self {
            kademlia,
            asked: Vec::new(),
        })
    }

    fn premises(_: &Config, _: &Cast<'_>) -> Vec<String> {
        Vec::new()
    }

    fn machines(_: &Config, _: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        Ok(Vec::new())
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        self.kademlia.overlay(node, visit);
    }

    fn mentions(message: &Spoken, visit: &mut dyn FnMut(NodeId)) {
        Kademlia::mentions(message, visit);
    }

    fn state_bytes(&self) -> usize {
        self.kademlia.state_bytes()
    }

    fn on_start(&mut self, cx: &mut Context<'_, Self>) {
        self.inside(cx, Architecture::on_start);
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        match request.want {
            Want::Store(Key(number)) => {
                let target = self.kademlia.target(number);
                self.inside(cx, |kademlia, cx| kademlia.announce(target, cx));
                cx.serve(request.id);
            }
            Want::Lookup(Key(number)) => {
                let target = self.kademlia.target(number);
                let node = cx.node();
                let kademlia = &mut self.kademlia;
                let ticket = cx.narrow(
                    |m: Spoken| m,
                    |t: Reminder| t,
                    |cx| kademlia.find_providers(target, cx),
                );
                self.asked.push((node, ticket, request.id));
                // It may have been over at once.
                self.inside(cx, |_, _| ());
            }
            _ => unreachable!("only what it serves is asked of it"),
        }
    }

    fn on_abandoned(&mut self, _: &Request, _: &mut Context<'_, Self>) {}

    fn on_message(&mut self, from: NodeId, message: Spoken, cx: &mut Context<'_, Self>) {
        self.inside(cx, |kademlia, cx| kademlia.on_message(from, message, cx));
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        self.inside(cx, |kademlia, cx| kademlia.on_transfer(ended, cx));
    }

    fn on_timer(&mut self, timer: Reminder, cx: &mut Context<'_, Self>) {
        self.inside(cx, |kademlia, cx| kademlia.on_timer(timer, cx));
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        self.inside(cx, |kademlia, cx| kademlia.on_down(down, cx));
    }

    fn on_up(&mut self, cx: &mut Context<'_, Self>) {
        self.inside(cx, Architecture::on_up);
    }
}

fn watch(world: World, config: &Config) -> (RunRecord, Vec<Found>) {
    let world = Arc::new(world);
    let never = AtomicBool::new(false);
    let record = run_strict::<Noticeboard>(&world, config, &never).unwrap();
    (record, FOUND.with_borrow_mut(std::mem::take))
}

/// `announcers` users announce key 0 at the start; then one each asks for it at these times.
fn board(nodes: u32, announcers: u32, asked: &[f64], seed: u64) -> World {
    let count = announcers as usize + asked.len();
    let mut spec = mixed(nodes, u32::try_from(count).unwrap(), Bytes(0));
    let starts = std::iter::repeat_n(0.0, announcers as usize);
    let times = starts.chain(asked.iter().copied()).map(seconds);
    spec.demand.arrivals = Arrivals::Trace(times.collect());
    let mut world = World::draw(&spec, seed, 0);
    for (issue, number) in world.issues.iter_mut().zip(0..) {
        issue.user = NodeId(number % nodes);
        issue.want = if number < announcers {
            Want::Store(Key(0))
        } else {
            Want::Lookup(Key(0))
        };
    }
    world
}

fn ids(nodes: Range<u32>) -> Vec<NodeId> {
    nodes.map(NodeId).collect()
}

#[test]
fn what_was_announced_is_found_by_everybody_but_the_finder_itself() {
    for start in [Start::Converged, Start::Join] {
        let config = Config {
            start,
            k: Some(8),
            join_within: seconds(0.0),
            ..Config::default()
        };
        for seed in 0..4 {
            let mut world = board(60, 60, &[30.0; 60], seed);
            // Some 50 are named at most, so only the first three announce.
            for issue in &mut world.issues[3..60] {
                issue.want = Want::Store(Key(1));
            }
            for issue in &mut world.issues[..60] {
                issue.at =
                    netduel_world::SimTime::ZERO + netduel_world::SimDuration(20_000_000_000);
            }
            let (_, found) = watch(world, &config);
            assert_eq!(found.len(), 60, "seed {seed}");
            for found in found {
                let mut others = ids(0..3);
                others.retain(|provider| *provider != found.node);
                assert!(found.answered);
                assert_eq!(found.providers, others, "seed {seed}, {start:?}");
            }
        }
    }
}

#[test]
fn nobody_is_named_who_did_not_announce() {
    let (record, found) = watch(board(40, 0, &[1.0; 40], 1), &Config::default());
    assert_eq!(found.len(), 40);
    assert!(found.iter().all(|f| f.answered && f.providers.is_empty()));
    assert_eq!(record.served(), 0);
}

#[test]
fn what_was_announced_before_the_start_is_known() {
    let mut world = board(40, 0, &[1.0; 39], 1);
    for issue in &mut world.issues {
        issue.want = Want::Lookup(Key(7));
    }
    let (_, found) = watch(world, &Config::default());
    assert_eq!(found.len(), 39);
    assert!(found.iter().all(|f| f.providers == ids(39..40)));
}

#[test]
fn announcements_run_out_after_half_an_hour_unless_they_are_made_again() {
    let told = |again: bool| {
        let mut world = board(40, 2, &[1790.0, 1790.0, 1810.0, 1810.0], 3);
        if again {
            // Node 2 says so once more instead of asking.
            world.issues[2].want = Want::Store(Key(0));
        }
        let (_, found) = watch(world, &Config::default());
        found.into_iter().map(|f| f.providers).collect::<Vec<_>>()
    };
    assert_eq!(told(false), [ids(0..2), ids(0..2), ids(0..0), ids(0..0)]);
    assert_eq!(told(true)[1..], [ids(2..3), ids(2..3)]);
}

#[test]
fn an_answer_names_fifty_at_most_and_several_name_more() {
    let one = Config {
        replicas: Some(1),
        ..Config::default()
    };
    let (_, found) = watch(board(200, 120, &[60.0; 40], 2), &one);
    // The only one who keeps it names 50; the finder may be among them, or keep it itself.
    let counts: Vec<usize> = found.iter().map(|f| f.providers.len()).collect();
    assert!(
        counts.iter().all(|count| (49..=50).contains(count)),
        "{counts:?}"
    );
    assert!(found[0].providers != found[1].providers, "chosen at random");
    let (_, found) = watch(board(200, 120, &[60.0; 40], 2), &Config::default());
    assert!(found.iter().all(|f| f.providers.len() > 100));
}

#[test]
fn announcements_are_gone_with_those_who_keep_them() {
    // All are down for a while and come back with their disks, on which announcements are not.
    let mut spec = mixed(30, 3, Bytes(0));
    spec.demand.arrivals = Arrivals::Trace(vec![seconds(1.0), seconds(5.0), seconds(200.0)]);
    let mut failure = crash(1.0, 50.0);
    failure.lasts = Some(seconds(50.0));
    spec.failures = vec![failure];
    let mut world = World::draw(&spec, 1, 0);
    let wants = [
        Want::Store(Key(0)),
        Want::Lookup(Key(0)),
        Want::Lookup(Key(0)),
    ];
    for ((issue, want), number) in world.issues.iter_mut().zip(wants).zip(0..) {
        (issue.user, issue.want) = (NodeId(number), want);
    }
    let (_, found) = watch(world, &Config::default());
    let told: Vec<_> = found.into_iter().map(|f| f.providers).collect();
    assert_eq!(told, [ids(0..1), ids(0..0)]);
}

#[test]
fn whoever_is_left_alone_learns_that_nobody_answers() {
    for seed in 0..4 {
        let mut spec = mixed(20, 20, Bytes(0));
        spec.demand.arrivals = Arrivals::Trace(vec![seconds(100.0); 20]);
        // All but one.
        spec.failures = vec![crash(0.95, 50.0)];
        let mut world = World::draw(&spec, seed, 0);
        for (issue, number) in world.issues.iter_mut().zip(0..) {
            (issue.user, issue.want) = (NodeId(number), Want::Lookup(Key(0)));
        }
        let (_, found) = watch(world, &Config::default());
        assert_eq!(found.len(), 1, "seed {seed}");
        assert!(!found[0].answered && found[0].providers.is_empty());
    }
}
