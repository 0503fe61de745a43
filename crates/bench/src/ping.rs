//! `ping`: the run loop, with the smallest protocol there is.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use netduel_world::{
    Architecture, Bytes, Cast, ConfigError, Context, Down, Latency, Law, NodeId, Request,
    RequestKind, Seconds, SimDuration, Stream, TransferEnded, World, WorldKey, WorldSpec,
    run as run_world,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    draws::Draws,
    outcome::{Outcome, Timing},
    stopwatch::Stopwatch,
};

const SIZE: Bytes = Bytes(0);

/// Every node passes each message that it receives on to somebody else.
struct Ping {
    draws: Draws,
    received: Vec<u32>,
    nodes: u32,
    left: u64,
    watch: Option<Stopwatch>,
    seen: Arc<Seen>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
struct Config {
    messages: u64,
    #[serde(skip)]
    seen: Arc<Seen>,
}

/// What leaves the run, since no architecture returns anything.
#[derive(Debug, Default)]
struct Seen {
    run: AtomicU64,
    ended: AtomicU64,
}

impl Ping {
    fn pass_on(&mut self, cx: &mut Context<'_, Self>) {
        let this = cx.node().0 - FIRST;
        let to = self.draws.other(self.nodes, this);
        cx.send(NodeId(to + FIRST), (), SIZE);
    }
}

/// Users' devices come after the one machine that every world has here.
const FIRST: u32 = 1;

impl Architecture for Ping {
    const KIND: &'static str = "ping";
    const FAMILY: &'static str = "peer-to-peer";
    const ABOUT: &'static str = "passes messages on";
    const SERVES: &'static [RequestKind] = &[RequestKind::Download];
    const USES: &'static [WorldKey] = &[];
    type Config = Config;
    type Message = ();
    type Timer = ();

    fn assemble(config: &Config, cast: &Cast<'_>, _: &mut Stream) -> Result<Self, ConfigError> {
        Ok(Self {
            draws: Draws(1),
            received: vec![0; cast.node_count()],
            nodes: cast.user_count(),
            left: config.messages,
            watch: None,
            seen: Arc::clone(&config.seen),
        })
    }

    fn premises(_: &Config, _: &Cast<'_>) -> Vec<String> {
        Vec::new()
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        let users = FIRST..FIRST + self.nodes;
        users
            .map(NodeId)
            .filter(|other| *other != node)
            .for_each(visit);
    }

    fn mentions((): &(), _: &mut dyn FnMut(NodeId)) {}

    fn state_bytes(&self) -> usize {
        size_of_val(&*self.received)
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        cx.serve(request.id);
        self.pass_on(cx);
    }

    fn on_abandoned(&mut self, _: &Request, _: &mut Context<'_, Self>) {}

    fn on_message(&mut self, _: NodeId, (): (), cx: &mut Context<'_, Self>) {
        if self.left == 0 {
            return;
        }
        if self.watch.is_none() {
            self.watch = Some(Stopwatch::start());
        }
        self.left -= 1;
        self.received[cx.node().index()] += 1;
        if self.left == 0 {
            let run = self.watch.map_or(0.0, Stopwatch::seconds);
            self.seen.run.store(run.to_bits(), Ordering::Relaxed);
            self.seen.ended.store(cx.now().0, Ordering::Relaxed);
            return;
        }
        self.pass_on(cx);
    }

    fn on_transfer(&mut self, _: TransferEnded, _: &mut Context<'_, Self>) {}

    fn on_timer(&mut self, (): (), _: &mut Context<'_, Self>) {}

    fn on_down(&mut self, _: Down, _: &mut Context<'_, Self>) {}

    fn on_up(&mut self, _: &mut Context<'_, Self>) {}
}

/// `nodes` messages under way at all times, `messages` in all.
pub(crate) fn run(nodes: u32, messages: u64) -> Outcome {
    let watch = Stopwatch::start();
    let excess = Law::Exponential { mean: 0.05 };
    // Longer than the messages take, so that the run ends when none is left.
    let longest = 1.0 + messages as f64 / f64::from(nodes);
    let mut spec = WorldSpec {
        latency: Latency::constant(SimDuration::from_seconds(0.05)).with_excess(excess),
        run_for: Some(Seconds::new(longest).expect("a short time")),
        ..WorldSpec::default()
    };
    spec.population.peers = nodes;
    let world = Arc::new(World::draw(&spec, 1, 0));
    let config = Config {
        messages,
        ..Config::default()
    };
    let record = run_world::<Ping>(&world, &config, &AtomicBool::new(false));
    record.expect("it is not interrupted");
    let whole = watch.seconds();
    let run = f64::from_bits(config.seen.run.load(Ordering::Relaxed));
    let ended = config.seen.ended.load(Ordering::Relaxed) as f64 / 1e9;
    let check = ended * f64::from(nodes) / messages as f64;
    Outcome {
        setup: whole - run,
        run,
        ..Timing::begin(watch).end(u64::from(nodes), messages, check)
    }
}
