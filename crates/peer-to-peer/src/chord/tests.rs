//! What only somebody sees who looks into a ring, or forges and swallows its messages.

use std::sync::{Arc, Mutex, atomic::AtomicBool};

use netduel_world::{
    Architecture, Arrivals, Bytes, Cast, ConfigError, Context, Demand, Down, Law, NodeId, Request,
    RequestKind, RunRecord, Seconds, Share, Stream, TransferEnded, Wants, World, WorldKey,
    WorldSpec, run,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Chord, Timer, Wait,
    config::{self, Routing},
    message::Message,
};

/// A moment in the life of a ring's node.
enum Moment<'a> {
    /// Its user has asked it for something.
    Asked,
    /// A message is about to be heard.
    Heard(NodeId, &'a Message),
    /// A timer is about to be heard.
    Reminded,
}

/// What a hook noted.
type Notes = Arc<Mutex<Vec<u64>>>;

/// Looks on, and says whether the node is to hear of it.
type Hook = fn(&mut Chord, &Moment<'_>, &mut Vec<u64>, &mut Context<'_, Chord>) -> bool;

#[derive(Clone, Default, Deserialize, JsonSchema, Serialize)]
struct Config {
    #[serde(skip)]
    chord: config::Config,
    #[serde(skip)]
    hook: Option<Hook>,
    #[serde(skip)]
    notes: Notes,
}

/// A ring at whose moments somebody looks on.
struct Watched {
    chord: Chord,
    config: Config,
}

impl Watched {
    fn look_on(&mut self, moment: &Moment<'_>, cx: &mut Context<'_, Self>) -> bool {
        let Some(hook) = self.config.hook else {
            return true;
        };
        let mut notes = self.config.notes.lock().unwrap();
        cx.narrow(same, same, |cx| {
            hook(&mut self.chord, moment, &mut notes, cx)
        })
    }
}

fn same<T>(thing: T) -> T {
    thing
}

impl Architecture for Watched {
    const KIND: &'static str = "watched";
    const FAMILY: &'static str = "peer-to-peer";
    const ABOUT: &'static str = "a ring that is looked into";
    const SERVES: &'static [RequestKind] = Chord::SERVES;
    const USES: &'static [WorldKey] = Chord::USES;
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn assemble(config: &Config, cast: &Cast<'_>, rng: &mut Stream) -> Result<Self, ConfigError> {
        Ok(Self {
            chord: Chord::assemble(&config.chord, cast, rng)?,
            config: config.clone(),
        })
    }

    fn premises(config: &Config, cast: &Cast<'_>) -> Vec<String> {
        Chord::premises(&config.chord, cast)
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        self.chord.overlay(node, visit);
    }

    fn mentions(message: &Message, visit: &mut dyn FnMut(NodeId)) {
        Chord::mentions(message, visit);
    }

    fn state_bytes(&self) -> usize {
        self.chord.state_bytes()
    }

    fn on_start(&mut self, cx: &mut Context<'_, Self>) {
        cx.narrow(same, same, |cx| self.chord.on_start(cx));
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        cx.narrow(same, same, |cx| self.chord.on_request(request, cx));
        self.look_on(&Moment::Asked, cx);
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        cx.narrow(same, same, |cx| self.chord.on_abandoned(request, cx));
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        if self.look_on(&Moment::Heard(from, &message), cx) {
            cx.narrow(same, same, |cx| self.chord.on_message(from, message, cx));
        }
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        cx.narrow(same, same, |cx| self.chord.on_transfer(ended, cx));
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context<'_, Self>) {
        if self.look_on(&Moment::Reminded, cx) {
            cx.narrow(same, same, |cx| self.chord.on_timer(timer, cx));
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        cx.narrow(same, same, |cx| self.chord.on_down(down, cx));
    }

    fn on_up(&mut self, cx: &mut Context<'_, Self>) {
        cx.narrow(same, same, |cx| self.chord.on_up(cx));
    }
}

const NODES: u32 = 40;

/// Runs 100 requests, a share of which reads, for two minutes; returns what was noted as well.
fn watch(chord: config::Config, reads: f64, hook: Hook, seed: u64) -> (RunRecord, Vec<u64>) {
    let seconds = |s| Seconds::new(s).unwrap();
    let mut spec = WorldSpec {
        infrastructure: Vec::new(),
        demand: Demand {
            wants: Wants::Lookup {
                keys: 100,
                zipf: 0.0,
                value: Bytes(1000),
                reads: Share::new(reads).unwrap(),
            },
            arrivals: Arrivals::AllAtOnce,
            requests: Some(100),
            work: Law::Constant(0.0),
        },
        run_for: Some(seconds(120.0)),
        ..WorldSpec::default()
    };
    spec.population.peers = NODES;
    spec.patience.retries = 0;
    let world = Arc::new(World::draw(&spec, seed, 0));
    let config = Config {
        chord,
        hook: Some(hook),
        notes: Notes::default(),
    };
    let record = run::<Watched>(&world, &config, &AtomicBool::new(false)).unwrap();
    let notes = std::mem::take(&mut *config.notes.lock().unwrap());
    (record, notes)
}

#[test]
fn nobody_waits_for_ever_for_copies_from_one_who_offered_them_and_died() {
    // What asks for them is lost, and one more note tells how many wait for copies.
    let hook: Hook = |chord, moment, notes, _| {
        let mut waiting = 0;
        for node in (0..NODES).map(NodeId) {
            chord.waits.each_with_ticket(node, &mut |_, wait| {
                waiting += u64::from(matches!(wait, Wait::Copying { .. }));
            });
        }
        notes.push(waiting);
        !matches!(moment, Moment::Heard(_, Message::Lack { .. }))
    };
    for seed in 0..6 {
        let (_, notes) = watch(config::Config::default(), 0.0, hook, seed);
        assert!(notes.iter().any(|waiting| *waiting > 0), "seed {seed}");
        assert_eq!(notes.last(), Some(&0), "seed {seed}");
    }
}

#[test]
fn only_whoever_was_asked_tells_an_iterative_look_up_where_to_go_on() {
    let asks: Hook = |_, moment, notes, _| {
        if let Moment::Heard(_, Message::Ask { .. }) = moment {
            notes.push(1);
        }
        true
    };
    // Before each advice comes one of somebody who was not asked, as one that is late does.
    let late: Hook = |chord, moment, notes, cx| {
        match moment {
            Moment::Heard(_, Message::Ask { .. }) => notes.push(1),
            Moment::Heard(from, Message::Next { ticket, .. }) => {
                let other = NodeId((from.0 + 1) % NODES);
                let advice = Message::Next {
                    ticket: *ticket,
                    node: other,
                    owner: false,
                };
                chord.on_message(other, advice, cx);
            }
            _ => {}
        }
        true
    };
    let iterative = config::Config {
        routing: Routing::Iterative,
        ..config::Config::default()
    };
    for seed in 0..6 {
        let (record, plain) = watch(iterative.clone(), 1.0, asks, seed);
        assert_eq!(record.served(), 100, "seed {seed}");
        let (record, disturbed) = watch(iterative.clone(), 1.0, late, seed);
        assert_eq!(record.served(), 100, "seed {seed}");
        assert_eq!(plain.len(), disturbed.len(), "seed {seed}");
    }
}

#[test]
fn a_dead_end_of_one_who_was_given_up_on_ends_no_look_up() {
    let hook: Hook = |chord, moment, _, cx| {
        if let Moment::Heard(from, Message::Next { ticket, .. }) = moment {
            let other = NodeId((from.0 + 1) % NODES);
            let end = Message::Answer {
                ticket: *ticket,
                answer: super::message::Answer::DeadEnd,
            };
            chord.on_message(other, end, cx);
        }
        true
    };
    let iterative = config::Config {
        routing: Routing::Iterative,
        ..config::Config::default()
    };
    for seed in 0..6 {
        let (record, _) = watch(iterative.clone(), 1.0, hook, seed);
        assert_eq!(record.served(), 100, "seed {seed}");
    }
}

#[test]
fn two_checks_at_once_drop_one_silent_successor_only() {
    // Node 0 checks its successor, which hears nothing of it, twice at a time. Noted is whether it
    // still knows the next one.
    let hook: Hook = |chord, moment, notes, cx| {
        let watched = NodeId(0);
        if notes.is_empty() {
            let list: Vec<NodeId> = chord.table.successors(watched).collect();
            notes.extend(list[..2].iter().map(|node| u64::from(node.0)));
        }
        let silent = u64::from(cx.node().0) == notes[0];
        if cx.node() != watched {
            return !(silent && matches!(moment, Moment::Heard(_, Message::Neighbours { .. })));
        }
        let next = |node: NodeId| u64::from(node.0) == notes[1];
        let known = chord.table.successors(watched).any(next);
        notes.push(u64::from(known));
        if let Moment::Reminded = moment {
            chord.stabilise(cx);
            chord.stabilise(cx);
        }
        true
    };
    for seed in 0..6 {
        let (_, notes) = watch(config::Config::default(), 1.0, hook, seed);
        assert!(notes.len() > 10, "seed {seed}");
        assert!(notes[2..].iter().all(|known| *known == 1), "seed {seed}");
    }
}

#[test]
fn a_node_that_joins_again_does_not_repeat_what_is_under_way() {
    // A few nodes do. Noted are the look-ups that come to an owner, each by who asks and its ticket.
    let hook: Hook = |chord, moment, notes, cx| {
        match moment {
            Moment::Asked if cx.node().0 < 4 => chord.begin_joining(cx),
            Moment::Heard(_, Message::Find(find)) if find.owner && chord.is_on_ring(cx.node()) => {
                notes.push(u64::from(find.asker.0) << 32 | u64::from(find.ticket));
            }
            _ => {}
        }
        true
    };
    for seed in 0..6 {
        let (_, mut notes) = watch(config::Config::default(), 1.0, hook, seed);
        let count = notes.len();
        assert!(count > 50, "seed {seed}");
        notes.sort_unstable();
        notes.dedup();
        assert_eq!(notes.len(), count, "seed {seed}");
    }
}
