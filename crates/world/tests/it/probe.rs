//! A tiny architecture that tries every part of the contract: users ask machine 0, which sends
//! the object back; on its way everything can be made to fail.

use std::sync::{Arc, atomic::AtomicBool};

use netduel_world::{
    Architecture, Bytes, Cast, Cause, ConfigError, Context, Down, Ending, NodeId, Request,
    RequestId, RequestKind, RunRecord, SimDuration, SimTime, StateLoss, Stream, TransferEnded,
    World, WorldKey, WorldSpec, run,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Deserialize, JsonSchema, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own that a test turns"
)]
pub(crate) struct Config {
    /// Users fail every attempt at once.
    pub(crate) fails: bool,
    /// Machine 0 announces at the start; users serve themselves as soon as they hear of it.
    pub(crate) announces: bool,
    /// Users wait for a timer of 10 s instead of asking.
    pub(crate) waits: bool,
    /// Users ask by datagrams.
    pub(crate) datagrams: bool,
}

pub(crate) struct Probe {
    config: Config,
    object: Bytes,
    asking: Vec<Option<RequestId>>,
    posted: Option<SimTime>,
}

const SERVER: NodeId = NodeId(0);
pub(crate) const SMALL: Bytes = Bytes(100);

impl Architecture for Probe {
    const KIND: &'static str = "probe";
    const FAMILY: &'static str = "test";
    const ABOUT: &'static str = "tries the contract";
    const SERVES: &'static [RequestKind] = &[RequestKind::Download];
    const USES: &'static [WorldKey] = &[WorldKey::Retries];
    type Config = Config;
    type Message = &'static str;
    type Timer = ();

    fn assemble(config: &Config, cast: &Cast<'_>, _rng: &mut Stream) -> Result<Self, ConfigError> {
        Ok(Self {
            config: config.clone(),
            object: cast.object_size(),
            asking: vec![None; cast.node_count()],
            posted: None,
        })
    }

    fn premises(_config: &Config, _cast: &Cast<'_>) -> Vec<String> {
        Vec::new()
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        if node != NodeId(0) {
            visit(NodeId(0));
        }
    }

    fn mentions(_: &Self::Message, _: &mut dyn FnMut(NodeId)) {}

    fn state_bytes(&self) -> usize {
        size_of_val(&*self.asking)
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        self.asking[cx.node().index()] = Some(request.id);
        if self.config.fails {
            cx.fail(request.id, Cause::Refused);
        } else if self.config.waits {
            cx.after(SimDuration::from_seconds(10.0), ());
        } else if self.config.datagrams {
            cx.send_datagram(SERVER, "get", SMALL);
        } else {
            cx.send(SERVER, "get", SMALL);
        }
        if self.config.announces {
            cx.after(SimDuration(1_000_000), ());
        }
    }

    fn on_abandoned(&mut self, _request: &Request, cx: &mut Context<'_, Self>) {
        self.asking[cx.node().index()] = None;
    }

    fn on_message(&mut self, from: NodeId, message: &'static str, cx: &mut Context<'_, Self>) {
        assert_eq!(message, "get");
        if self.config.announces {
            cx.announce(self.asking.len() - 1, SMALL);
            self.posted = Some(cx.now());
        } else {
            cx.transfer(from, self.object, 0);
        }
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        if cx.node() == ended.from {
            return;
        }
        let request = self.asking[cx.node().index()].take();
        match (ended.ending, request) {
            (Ending::Whole { .. }, Some(request)) => cx.serve(request),
            (Ending::Broken { .. }, Some(request)) => cx.fail(request, Cause::ConnectionLost),
            (_, None) => {}
        }
    }

    fn on_timer(&mut self, (): (), cx: &mut Context<'_, Self>) {
        let delay = cx.announcement_delay(SERVER, cx.node(), SMALL);
        let heard = self
            .posted
            .is_some_and(|posted| cx.is_reached_by(SERVER) && posted + delay <= cx.now());
        if self.config.waits || heard {
            if let Some(request) = self.asking[cx.node().index()].take() {
                cx.hear(u32::from(heard), SMALL);
                cx.serve(request);
            }
        } else {
            cx.after(SimDuration(1_000_000), ());
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        self.asking[cx.node().index()] = None;
        assert_ne!(down, Down::Crashed(StateLoss::Lost), "no test loses disks");
    }

    fn on_up(&mut self, _cx: &mut Context<'_, Self>) {}
}

/// Runs the probe and checks what holds in every run.
pub(crate) fn probe(spec: &WorldSpec, config: &Config, seed: u64) -> RunRecord {
    let world = Arc::new(World::draw(spec, seed, 0));
    let record = run::<Probe>(&world, config, &AtomicBool::new(false)).unwrap();
    let again = run::<Probe>(&world, config, &AtomicBool::new(false)).unwrap();
    assert_eq!(record, again, "same seed, same run");
    assert_eq!(record.requests.len(), spec.population.peers as usize);
    let traffic = record.traffic;
    assert_eq!(traffic.sent, traffic.received + traffic.lost);
    let sent: Bytes = record.loads.iter().map(|load| load.sent).sum();
    let received: Bytes = record.loads.iter().map(|load| load.received).sum();
    assert_eq!((traffic.sent, traffic.received), (sent, received));
    record
}
