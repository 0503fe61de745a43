//! A counter: users bring their requests to machine 0, which works at them and answers. And a hall
//! that contains one, to try composition.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_world::{
    Architecture, Bytes, Cast, Cause, ConfigError, Context, Down, NodeId, Request, RequestId,
    RequestKind, RunRecord, SimDuration, Stream, TransferEnded, Want, World, WorldKey, WorldSpec,
    run, run_strict,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const SERVER: NodeId = NodeId(0);
const SMALL: Bytes = Bytes(100);

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
pub(crate) struct Config {
    /// The server contacts a user of whom nothing told it.
    pub(crate) indiscreet: bool,
    /// The server never answers.
    pub(crate) silent: bool,
}

pub(crate) struct Counter {
    config: Config,
    open: Vec<RequestId>,
    users: u32,
}

#[derive(Debug)]
pub(crate) enum Message {
    Ask(RequestId, SimDuration),
    Tell(RequestId),
    Done(RequestId),
    Refused(RequestId),
}

#[derive(Debug)]
pub(crate) struct Worked(NodeId, RequestId);

impl Architecture for Counter {
    const KIND: &'static str = "counter";
    const FAMILY: &'static str = "test";
    const ABOUT: &'static str = "tries work and composition";
    const SERVES: &'static [RequestKind] = &[RequestKind::Lookup, RequestKind::Broadcast];
    const USES: &'static [WorldKey] = &[WorldKey::Retries, WorldKey::Work];
    type Config = Config;
    type Message = Message;
    type Timer = Worked;

    fn assemble(config: &Config, cast: &Cast<'_>, _: &mut Stream) -> Result<Self, ConfigError> {
        Ok(Self {
            config: config.clone(),
            open: Vec::new(),
            users: cast.user_count(),
        })
    }

    fn premises(_: &Config, _: &Cast<'_>) -> Vec<String> {
        Vec::new()
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        if node != SERVER {
            visit(SERVER);
        }
    }

    fn mentions(_: &Message, _: &mut dyn FnMut(NodeId)) {}

    fn state_bytes(&self) -> usize {
        self.open.capacity() * size_of::<RequestId>()
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        self.open.push(request.id);
        cx.send(SERVER, Message::Ask(request.id, request.work), SMALL);
    }

    fn on_abandoned(&mut self, request: &Request, _: &mut Context<'_, Self>) {
        self.open.retain(|open| *open != request.id);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        match message {
            Message::Ask(..) if self.config.silent => {}
            Message::Ask(id, work) => {
                if cx.work(work, Worked(from, id)).is_err() {
                    cx.send(from, Message::Refused(id), SMALL);
                }
            }
            Message::Tell(id) => cx.reached(id),
            Message::Done(id) if self.open.contains(&id) => {
                self.open.retain(|open| *open != id);
                cx.serve(id);
            }
            Message::Refused(id) if self.open.contains(&id) => {
                self.open.retain(|open| *open != id);
                cx.fail(id, Cause::Refused);
            }
            Message::Done(_) | Message::Refused(_) => {}
        }
    }

    fn on_transfer(&mut self, _: TransferEnded, _: &mut Context<'_, Self>) {}

    fn on_timer(&mut self, Worked(user, id): Worked, cx: &mut Context<'_, Self>) {
        if self.config.indiscreet {
            for other in 1..=self.users {
                cx.send(NodeId(other), Message::Tell(id), SMALL);
            }
        } else {
            cx.send(user, Message::Done(id), SMALL);
        }
    }

    fn on_down(&mut self, _: Down, _: &mut Context<'_, Self>) {}

    fn on_up(&mut self, _: &mut Context<'_, Self>) {}
}

/// A counter inside another architecture, which only passes on.
pub(crate) struct Hall(Counter);

#[derive(Debug)]
pub(crate) struct Wrapped<T>(T);

impl Architecture for Hall {
    const KIND: &'static str = "hall";
    const FAMILY: &'static str = "test";
    const ABOUT: &'static str = "contains a counter";
    const SERVES: &'static [RequestKind] = Counter::SERVES;
    const USES: &'static [WorldKey] = Counter::USES;
    type Config = Config;
    type Message = Wrapped<Message>;
    type Timer = Wrapped<Worked>;

    fn assemble(config: &Config, cast: &Cast<'_>, rng: &mut Stream) -> Result<Self, ConfigError> {
        Counter::assemble(config, cast, rng).map(Self)
    }

    fn premises(_: &Config, _: &Cast<'_>) -> Vec<String> {
        Vec::new()
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        self.0.overlay(node, visit);
    }

    fn mentions(message: &Self::Message, visit: &mut dyn FnMut(NodeId)) {
        Counter::mentions(&message.0, visit);
    }

    fn state_bytes(&self) -> usize {
        self.0.state_bytes()
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        cx.narrow(Wrapped, Wrapped, |cx| self.0.on_request(request, cx));
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        cx.narrow(Wrapped, Wrapped, |cx| self.0.on_abandoned(request, cx));
    }

    fn on_message(&mut self, from: NodeId, message: Self::Message, cx: &mut Context<'_, Self>) {
        cx.narrow(Wrapped, Wrapped, |cx| {
            self.0.on_message(from, message.0, cx);
        });
    }

    fn on_transfer(&mut self, _: TransferEnded, _: &mut Context<'_, Self>) {}

    fn on_timer(&mut self, timer: Self::Timer, cx: &mut Context<'_, Self>) {
        cx.narrow(Wrapped, Wrapped, |cx| self.0.on_timer(timer.0, cx));
    }

    fn on_down(&mut self, _: Down, _: &mut Context<'_, Self>) {}

    fn on_up(&mut self, _: &mut Context<'_, Self>) {}
}

fn drawn(spec: &WorldSpec, seed: u64) -> Arc<World> {
    Arc::new(World::draw(spec, seed, 0))
}

/// Runs the counter by itself and inside the hall, which must come to the same.
pub(crate) fn counter(spec: &WorldSpec, config: &Config, seed: u64) -> RunRecord {
    let stop = AtomicBool::new(false);
    let alone = run::<Counter>(&drawn(spec, seed), config, &stop).unwrap();
    let inside = run::<Hall>(&drawn(spec, seed), config, &stop).unwrap();
    assert_eq!(alone, inside, "a component acts as it does alone");
    alone
}

/// Runs the counter and watches whom its nodes contact.
pub(crate) fn watched(spec: &WorldSpec, config: &Config) -> RunRecord {
    run_strict::<Counter>(&drawn(spec, 1), config, &AtomicBool::new(false)).unwrap()
}

/// Whether a request is one to read.
pub(crate) fn reads(want: Want) -> bool {
    matches!(want, Want::Lookup(_))
}
